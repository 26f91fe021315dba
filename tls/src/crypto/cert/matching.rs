//! Whom a certificate is for. Only its subjectAltName counts (RFC 9525, section 6.3),
//! as in the connections of this crate; the common name is for people.

use std::net::IpAddr;

use crate::crypto::call::look;
use crate::peer_name::PeerName;

use super::{Cert, sys};

impl Cert {
    /// Whether it is for this host: a DNS name, or an IP address in digits.
    ///
    /// A wildcard in the certificate stands for one whole label, the first. What is no
    /// host, such as a name that begins with a dot or holds a wildcard itself, is
    /// matched by nothing; internationalised names are given in their `xn--` form.
    #[doc(alias = "X509_check_host")]
    #[doc(alias = "match_hostname")]
    pub fn matches_host(&self, host: &str) -> bool {
        match PeerName::parse(host) {
            Ok(PeerName::Ip(ip)) => self.matches_ip(ip),
            Ok(PeerName::Dns(host)) => look(|| sys::is_for_host(&self.0, &host)),
            Err(_) => false,
        }
    }

    /// Whether it is for this IP address.
    #[doc(alias = "X509_check_ip")]
    #[doc(alias = "X509_check_ip_asc")]
    pub fn matches_ip(&self, ip: IpAddr) -> bool {
        look(|| sys::is_for_ip(&self.0, ip))
    }

    /// Whether it is for this mailbox; upper and lower case are told apart before the
    /// `@` only (RFC 5280, section 4.2.1.6).
    #[doc(alias = "X509_check_email")]
    pub fn matches_email(&self, mailbox: &str) -> bool {
        let plausible = mailbox.contains('@') && !mailbox.contains('\0') && mailbox.len() < 1024;
        plausible && look(|| sys::is_for_email(&self.0, mailbox))
    }
}
