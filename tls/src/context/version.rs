//! Protocol versions.

use std::fmt;

use openssl::ssl::SslVersion;

/// A version of the TLS protocol that a context can be limited to.
///
/// SSL 2 and 3 no longer exist in OpenSSL. TLS 1.0 and 1.1 are prohibited
/// (RFC 8996) and are there with the feature `legacy` only, which is for old
/// devices that nobody can replace.
#[doc(alias = "OP_NO_SSLv3")]
#[doc(alias = "OP_NO_TLSv1")]
#[doc(alias = "SSL_CTX_set_min_proto_version")]
#[doc(alias = "SSL_CTX_set_max_proto_version")]
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum Version {
    /// TLS 1.0 (RFC 2246). Needs
    /// [`security_level(0)`](crate::ContextBuilder::security_level).
    #[cfg(feature = "legacy")]
    Tls10,
    /// TLS 1.1 (RFC 4346). Needs
    /// [`security_level(0)`](crate::ContextBuilder::security_level).
    #[cfg(feature = "legacy")]
    Tls11,
    /// TLS 1.2 (RFC 5246).
    Tls12,
    /// TLS 1.3 (RFC 8446).
    Tls13,
}

impl Version {
    pub(crate) fn to_openssl(self) -> SslVersion {
        match self {
            #[cfg(feature = "legacy")]
            Version::Tls10 => SslVersion::TLS1,
            #[cfg(feature = "legacy")]
            Version::Tls11 => SslVersion::TLS1_1,
            Version::Tls12 => SslVersion::TLS1_2,
            Version::Tls13 => SslVersion::TLS1_3,
        }
    }

    /// The version of a connection; `None` for one that contexts do not allow.
    pub(crate) fn from_openssl(version: SslVersion) -> Option<Version> {
        match version {
            #[cfg(feature = "legacy")]
            SslVersion::TLS1 => Some(Version::Tls10),
            #[cfg(feature = "legacy")]
            SslVersion::TLS1_1 => Some(Version::Tls11),
            SslVersion::TLS1_2 => Some(Version::Tls12),
            SslVersion::TLS1_3 => Some(Version::Tls13),
            _ => None,
        }
    }
}

/// The name that OpenSSL uses, such as `TLSv1.3`.
impl fmt::Display for Version {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            #[cfg(feature = "legacy")]
            Version::Tls10 => "TLSv1",
            #[cfg(feature = "legacy")]
            Version::Tls11 => "TLSv1.1",
            Version::Tls12 => "TLSv1.2",
            Version::Tls13 => "TLSv1.3",
        })
    }
}
