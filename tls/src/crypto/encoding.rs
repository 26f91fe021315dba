//! The two forms in which certificates, keys and containers are written.

/// The two forms in which certificates and keys are written.
#[doc(alias = "FILETYPE_PEM")]
#[doc(alias = "FILETYPE_ASN1")]
#[doc(alias = "SSL_FILETYPE_PEM")]
#[doc(alias = "SSL_FILETYPE_ASN1")]
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum Encoding {
    /// Text between `-----BEGIN` and `-----END` (RFC 7468).
    #[default]
    Pem,
    /// Binary (ITU-T X.690), which OpenSSL also calls ASN1.
    Der,
}
