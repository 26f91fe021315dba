//! The methods of pyOpenSSL's `Context(method)`.

use super::{ContextBuilder, Version};

/// Which protocols a context speaks, by the names of pyOpenSSL and OpenSSL.
///
/// Only for ported programs: a range of versions says it better, by
/// [`ContextBuilder::versions`]. Whether a context is a client or a server is
/// decided by how its builder is made.
#[doc(alias = "SSL_METHOD")]
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Method {
    /// SSL 2, which no OpenSSL since 1.1.0 has: building the context fails with
    /// [`Error::Unsupported`](crate::Error::Unsupported).
    #[doc(alias = "SSLv2_METHOD")]
    #[doc(alias = "PROTOCOL_SSLv2")]
    SslV2,
    /// SSL 3, which is prohibited (RFC 7568) and is no longer built: likewise.
    #[doc(alias = "SSLv3_METHOD")]
    #[doc(alias = "PROTOCOL_SSLv3")]
    SslV3,
    /// What both sides know; the name is historical. This is the default.
    #[doc(alias = "SSLv23_METHOD")]
    #[doc(alias = "PROTOCOL_SSLv23")]
    SslV23,
    /// What both sides know. This is the default.
    #[doc(alias = "TLS_METHOD")]
    #[doc(alias = "TLS_CLIENT_METHOD")]
    #[doc(alias = "TLS_SERVER_METHOD")]
    #[doc(alias = "PROTOCOL_TLS")]
    #[doc(alias = "PROTOCOL_TLS_CLIENT")]
    #[doc(alias = "PROTOCOL_TLS_SERVER")]
    #[doc(alias = "TLS_method")]
    Tls,
    /// TLS 1.0 alone, which is prohibited (RFC 8996): needs the feature `legacy`
    /// and [`security_level(0)`](ContextBuilder::security_level), and without
    /// the feature fails with [`Error::Unsupported`](crate::Error::Unsupported).
    #[doc(alias = "TLSv1_METHOD")]
    #[doc(alias = "PROTOCOL_TLSv1")]
    TlsV1,
    /// TLS 1.1 alone: as [`Method::TlsV1`].
    #[doc(alias = "TLSv1_1_METHOD")]
    #[doc(alias = "PROTOCOL_TLSv1_1")]
    TlsV1_1,
    /// TLS 1.2 alone.
    #[doc(alias = "TLSv1_2_METHOD")]
    #[doc(alias = "PROTOCOL_TLSv1_2")]
    TlsV1_2,
    /// TLS over datagrams, which needs another kind of transport: building the
    /// context fails with [`Error::Unsupported`](crate::Error::Unsupported).
    #[doc(alias = "DTLS_METHOD")]
    #[doc(alias = "DTLS_CLIENT_METHOD")]
    #[doc(alias = "DTLS_SERVER_METHOD")]
    #[doc(alias = "DTLS_method")]
    Dtls,
}

impl ContextBuilder {
    /// The versions to allow, as pyOpenSSL names them. Default: [`Method::Tls`].
    #[doc(alias = "Context")]
    #[doc(alias = "SSL_CTX_new")]
    pub fn method(self, method: Method) -> ContextBuilder {
        match method {
            Method::SslV23 | Method::Tls => self.versions(Version::Tls12..=Version::Tls13),
            Method::TlsV1_2 => self.versions(Version::Tls12..=Version::Tls12),
            #[cfg(feature = "legacy")]
            Method::TlsV1 => self.versions(Version::Tls10..=Version::Tls10),
            #[cfg(feature = "legacy")]
            Method::TlsV1_1 => self.versions(Version::Tls11..=Version::Tls11),
            #[cfg(not(feature = "legacy"))]
            Method::TlsV1 | Method::TlsV1_1 => {
                self.unsupported("TLS 1.0 and 1.1 need the feature `legacy` (RFC 8996)")
            }
            Method::SslV2 => self.unsupported("OpenSSL has no SSL 2 since 1.1.0 (RFC 6176)"),
            Method::SslV3 => self.unsupported("SSL 3 is prohibited (RFC 7568)"),
            Method::Dtls => self.unsupported("DTLS cannot run over a stream of bytes"),
        }
    }
}
