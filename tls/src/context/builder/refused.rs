//! What pyOpenSSL or OpenSSL could be asked for and is refused here, with the
//! reason. [`ContextBuilder::build`] fails with [`Error::Unsupported`].
//!
//! [`Error::Unsupported`]: crate::Error::Unsupported

use super::ContextBuilder;

impl ContextBuilder {
    /// Data in the first flight of TLS 1.3 (0-RTT, RFC 8446, section 2.3):
    /// refused. Whoever records it can send it again, and no server can tell.
    #[doc(alias = "SSL_CTX_set_max_early_data")]
    #[doc(alias = "SSL_CTX_set_recv_max_early_data")]
    pub fn early_data(self, _max: u32) -> ContextBuilder {
        self.unsupported("0-RTT data can be replayed, so it is neither sent nor accepted")
    }

    /// Keys for SRTP (RFC 5764): refused, since they are agreed on over DTLS only,
    /// which needs a transport of datagrams.
    #[doc(alias = "set_tlsext_use_srtp")]
    #[doc(alias = "SSL_CTX_set_tlsext_use_srtp")]
    pub fn srtp(self, _profiles: &str) -> ContextBuilder {
        self.unsupported("SRTP needs DTLS, and DTLS cannot run over a stream of bytes")
    }

    /// The cookies by which a DTLS server tells real clients from forged
    /// addresses: refused, as [`Method::Dtls`](crate::Method::Dtls) is.
    #[doc(alias = "set_cookie_generate_callback")]
    #[doc(alias = "set_cookie_verify_callback")]
    #[doc(alias = "SSL_CTX_set_cookie_generate_cb")]
    #[doc(alias = "SSL_CTX_set_cookie_verify_cb")]
    pub fn dtls_cookies(self) -> ContextBuilder {
        self.unsupported("DTLS cannot run over a stream of bytes")
    }
}
