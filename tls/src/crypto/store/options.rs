//! What one verification asks for.

use std::net::IpAddr;

use super::{Purpose, VerifyFlags};
use crate::config_error::{ConfigError, ConfigErrorKind};
use crate::crypto::time::Timestamp;
use crate::peer_name::PeerName;

/// Addresses are compared by OpenSSL as bytes, so longer ones are of no use.
const EMAIL_MAX: usize = 320;

/// What one verification by [`TrustStore::verify_for`](super::TrustStore::verify_for)
/// asks for, beside the rules of the store.
///
/// # Scheduling
///
/// Never switches, except where a method says so.
#[doc(alias = "X509StoreContext")]
#[doc(alias = "X509_VERIFY_PARAM")]
#[derive(Debug, Clone, Default)]
#[must_use]
pub struct VerifyOptions {
    pub(super) at: Option<Timestamp>,
    pub(super) purpose: Option<Purpose>,
    pub(super) flags: VerifyFlags,
    pub(super) depth: Option<u32>,
    host: Option<String>,
    ip: Option<IpAddr>,
    email: Option<String>,
}

/// Whom a certificate must be for.
#[derive(Default)]
pub(super) struct Names {
    pub(super) peer: Option<PeerName>,
    pub(super) email: Option<String>,
}

impl VerifyOptions {
    /// Asks for nothing more than the store does, at the present time.
    pub fn new() -> VerifyOptions {
        VerifyOptions::default()
    }

    /// The time at which certificates and revocation lists must be valid.
    #[doc(alias = "X509Store.set_time")]
    #[doc(alias = "X509_VERIFY_PARAM_set_time")]
    pub fn at(mut self, time: Timestamp) -> VerifyOptions {
        self.at = Some(time);
        self
    }

    /// What the certificate must be good for, in place of what the store asks for.
    #[doc(alias = "X509_VERIFY_PARAM_set_purpose")]
    #[doc(alias = "X509_STORE_CTX_set_purpose")]
    pub fn purpose(mut self, purpose: Purpose) -> VerifyOptions {
        self.purpose = Some(purpose);
        self
    }

    /// The host that the certificate must be for, as a client names it when it
    /// connects: a DNS name, internationalised ones in their `xn--` form, or an IP
    /// address, which is compared with IP addresses only.
    ///
    /// As in a connection, only the subjectAltName counts (RFC 9525, section 6.3), and
    /// a wildcard stands for one label as a whole.
    #[doc(alias = "X509_VERIFY_PARAM_set1_host")]
    #[doc(alias = "X509_check_host")]
    pub fn host(mut self, name: &str) -> VerifyOptions {
        self.host = Some(name.to_owned());
        self
    }

    /// The IP address that the certificate must be for.
    #[doc(alias = "X509_VERIFY_PARAM_set1_ip")]
    #[doc(alias = "X509_check_ip")]
    pub fn ip(mut self, address: IpAddr) -> VerifyOptions {
        self.ip = Some(address);
        self
    }

    /// The electronic mail address that the certificate must be for. The part behind
    /// the `@` is compared without regard to case. An emailAddress in the subject counts
    /// too, when there is no address in the subjectAltName.
    #[doc(alias = "X509_VERIFY_PARAM_set1_email")]
    #[doc(alias = "X509_check_email")]
    pub fn email(mut self, address: &str) -> VerifyOptions {
        self.email = Some(address.to_owned());
        self
    }

    /// Adds to how the store judges chains.
    #[doc(alias = "X509_VERIFY_PARAM_set_flags")]
    #[doc(alias = "X509_STORE_CTX_set_flags")]
    pub fn flags(mut self, flags: VerifyFlags) -> VerifyOptions {
        self.flags |= flags;
        self
    }

    /// The number of intermediate certificates to allow, in place of the store's.
    #[doc(alias = "X509_VERIFY_PARAM_set_depth")]
    #[doc(alias = "X509_STORE_CTX_set_depth")]
    pub fn depth(mut self, intermediates: u32) -> VerifyOptions {
        self.depth = Some(intermediates);
        self
    }

    /// Refuses names by which OpenSSL means something else, such as an empty one.
    pub(super) fn names(&self) -> Result<Names, ConfigError> {
        let host = self.host.as_deref().map(PeerName::parse).transpose()?;
        let ip = self.ip.map(PeerName::Ip);
        if host.is_some() && ip.is_some() && host != ip {
            return Err(ConfigError::new(
                ConfigErrorKind::BadValue,
                "host and IP address",
                "are both given, and one of them can be asked for",
            ));
        }
        if let Some(email) = &self.email {
            let fault = match email.split_once('@') {
                _ if email.len() > EMAIL_MAX => "is longer than 320 bytes",
                _ if email.contains('\0') => "contains a NUL byte",
                None | Some(("", _) | (_, "")) => "is not of the form name@host",
                Some(_) => "",
            };
            if !fault.is_empty() {
                let subject = "electronic mail address";
                return Err(ConfigError::new(ConfigErrorKind::BadValue, subject, fault));
            }
        }
        Ok(Names {
            peer: host.or(ip),
            email: self.email.clone(),
        })
    }
}
