//! What a certificate is good for.

use std::ffi::c_int;

use openssl::x509::X509PurposeId;

/// What a peer's certificate must be good for (RFC 5280, section 4.2.1.12).
#[doc(alias = "X509_PURPOSE_set")]
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Purpose {
    /// Authenticating a server. What clients demand.
    #[doc(alias = "X509_PURPOSE_SSL_SERVER")]
    #[doc(alias = "sslserver")]
    Server,
    /// Authenticating a client. What servers demand.
    #[doc(alias = "X509_PURPOSE_SSL_CLIENT")]
    #[doc(alias = "sslclient")]
    Client,
    /// Signing electronic mail.
    #[doc(alias = "X509_PURPOSE_SMIME_SIGN")]
    #[doc(alias = "smimesign")]
    EmailSigning,
    /// Encrypting electronic mail.
    #[doc(alias = "X509_PURPOSE_SMIME_ENCRYPT")]
    #[doc(alias = "smimeencrypt")]
    EmailEncryption,
    /// Signing revocation lists.
    #[doc(alias = "X509_PURPOSE_CRL_SIGN")]
    #[doc(alias = "crlsign")]
    CrlSigning,
    /// Signing timestamps (RFC 3161).
    #[doc(alias = "X509_PURPOSE_TIMESTAMP_SIGN")]
    #[doc(alias = "timestampsign")]
    TimeStamping,
    /// Anything: the extended key usage is not looked at.
    #[doc(alias = "X509_PURPOSE_ANY")]
    Any,
}

impl Purpose {
    pub(crate) fn id(self) -> X509PurposeId {
        match self {
            Purpose::Server => X509PurposeId::SSL_SERVER,
            Purpose::Client => X509PurposeId::SSL_CLIENT,
            Purpose::EmailSigning => X509PurposeId::SMIME_SIGN,
            Purpose::EmailEncryption => X509PurposeId::SMIME_ENCRYPT,
            Purpose::CrlSigning => X509PurposeId::CRL_SIGN,
            Purpose::TimeStamping => X509PurposeId::TIMESTAMP_SIGN,
            Purpose::Any => X509PurposeId::ANY,
        }
    }

    /// What an anchor with settings of its own (`openssl-x509(1)`, "Trust settings")
    /// must be trusted for: the `X509_TRUST_*` that OpenSSL's table has for the purpose.
    pub(super) fn trust(self) -> Option<c_int> {
        match self {
            Purpose::CrlSigning => Some(1), // X509_TRUST_COMPAT
            Purpose::Client => Some(2),
            Purpose::Server => Some(3),
            Purpose::EmailSigning | Purpose::EmailEncryption => Some(4),
            Purpose::TimeStamping => Some(8), // X509_TRUST_TSA
            Purpose::Any => None,
        }
    }
}
