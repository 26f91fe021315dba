//! The name of the server that a client wants to reach, checked once.
//!
//! OpenSSL takes almost anything here, with meanings of its own: a host that
//! begins with a dot matches every subdomain, an empty one switches the check
//! off. So a name is either an IP address or a plausible DNS name, or an error.

use std::fmt;
use std::net::IpAddr;

use openssl::error::ErrorStack;
use openssl::x509::verify::{X509CheckFlags, X509VerifyParamRef};

use crate::config_error::{ConfigError, ConfigErrorKind};

#[cfg(not(feature = "aws-lc"))]
const NEVER_CHECK_SUBJECT: X509CheckFlags = X509CheckFlags::NEVER_CHECK_SUBJECT;
#[cfg(feature = "aws-lc")]
const NEVER_CHECK_SUBJECT: X509CheckFlags = X509CheckFlags::from_bits_retain(0x20);

/// What to look for in the peer's certificate.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum PeerName {
    /// Sent as SNI and matched with DNS names; without the trailing dot
    /// (RFC 6066, section 3).
    Dns(String),
    /// Matched with IP address entries; never sent (RFC 6066, section 3).
    Ip(IpAddr),
}

impl PeerName {
    /// Reads `name` as an application gives it: `example.com`, `127.0.0.1`,
    /// `::1` or, as in an URL, `[::1]`.
    pub(crate) fn parse(name: &str) -> Result<PeerName, ConfigError> {
        let bare = name
            .strip_prefix('[')
            .and_then(|rest| rest.strip_suffix(']'))
            .unwrap_or(name);
        if let Ok(ip) = bare.parse() {
            return Ok(PeerName::Ip(ip));
        }
        let host = name.strip_suffix('.').unwrap_or(name);
        match host_fault(host) {
            None => Ok(PeerName::Dns(host.to_ascii_lowercase())),
            Some(fault) => Err(ConfigError::new(
                ConfigErrorKind::ServerName,
                format!("server name {name:?}"),
                fault,
            )),
        }
    }

    /// Makes a chain valid only when its first certificate is for this name.
    pub(crate) fn demand(&self, parameters: &mut X509VerifyParamRef) -> Result<(), ErrorStack> {
        // Only names in the subjectAltName count (RFC 9525, section 6.3).
        parameters.set_hostflags(X509CheckFlags::NO_PARTIAL_WILDCARDS | NEVER_CHECK_SUBJECT);
        match self {
            PeerName::Dns(host) => parameters.set_host(host),
            PeerName::Ip(ip) => parameters.set_ip(*ip),
        }
    }
}

/// The same for all spellings of a name.
impl fmt::Display for PeerName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            PeerName::Dns(host) => f.write_str(host),
            PeerName::Ip(ip) => ip.fmt(f),
        }
    }
}

/// What is wrong with `host` as a DNS name (RFC 1123, section 2.1; underscores
/// are allowed because they occur in practice).
pub(crate) fn host_fault(host: &str) -> Option<&'static str> {
    if host.is_empty() {
        return Some("is empty");
    }
    if host.len() > 253 {
        return Some("is longer than 253 bytes");
    }
    if !host.is_ascii() {
        return Some("is not ASCII; give the internationalised name in its xn-- form");
    }
    for label in host.split('.') {
        if label.is_empty() || label.len() > 63 {
            return Some("has a label that is empty or longer than 63 bytes");
        }
        if label.starts_with('-') || label.ends_with('-') {
            return Some("has a label that begins or ends with a hyphen");
        }
        if !label
            .bytes()
            .all(|b| b.is_ascii_alphanumeric() || b == b'-' || b == b'_')
        {
            return Some("is neither a host name nor an IP address");
        }
    }
    // A resolver takes `127.1` for an address, so it must not be matched as a name.
    let last = host.rsplit('.').next().unwrap_or(host);
    if last.bytes().all(|b| b.is_ascii_digit()) {
        return Some("looks like an IP address but is none");
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    fn dns(name: &str) -> PeerName {
        PeerName::Dns(name.to_owned())
    }

    #[test]
    fn names_and_addresses_are_told_apart() {
        assert_eq!(PeerName::parse("Example.COM").unwrap(), dns("example.com"));
        assert_eq!(PeerName::parse("example.com.").unwrap(), dns("example.com"));
        assert_eq!(PeerName::parse("_srv.a-b.c1").unwrap(), dns("_srv.a-b.c1"));
        assert_eq!(PeerName::parse("localhost").unwrap(), dns("localhost"));
        for (text, ip) in [("127.0.0.1", "127.0.0.1"), ("::1", "::1"), ("[::1]", "::1")] {
            assert_eq!(
                PeerName::parse(text).unwrap(),
                PeerName::Ip(ip.parse().unwrap())
            );
        }
    }

    #[test]
    fn what_openssl_would_take_for_something_else_is_refused() {
        let long = format!("{}.example", "a".repeat(64));
        let longer = "a.".repeat(127) + "example";
        for bad in [
            "",
            ".",
            "..",
            ".example.com",
            "a..b",
            "a b",
            "a\0b",
            "*.example.com",
            "-a.b",
            "a-.b",
            "127.1",
            "1.2.3.4.5",
            "::g",
            "fe80::1%eth0",
            "[example.com]",
            "münchen.example",
            "a/b",
            "host:443",
            &long,
            &longer,
        ] {
            assert!(PeerName::parse(bad).is_err(), "{bad:?} was accepted");
        }
    }
}
