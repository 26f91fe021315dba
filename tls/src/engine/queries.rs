//! What a connection can tell about itself.

use openssl::ssl::NameType;

use super::Engine;
use super::cipher::Cipher;
use crate::context::Version;

impl Engine {
    /// The protocol version in use.
    #[doc(alias = "SSL_get_version")]
    #[doc(alias = "SSL_version")]
    #[doc(alias = "get_protocol_version")]
    #[doc(alias = "get_protocol_version_name")]
    pub fn version(&self) -> Option<Version> {
        Version::from_openssl(self.ssl().version2()?)
    }

    /// The cipher suite in use.
    #[doc(alias = "SSL_get_current_cipher")]
    #[doc(alias = "get_cipher_name")]
    #[doc(alias = "get_cipher_bits")]
    #[doc(alias = "get_cipher_version")]
    pub fn cipher(&self) -> Option<Cipher> {
        self.ssl().current_cipher().map(Cipher::of)
    }

    /// The protocol chosen by ALPN (RFC 7301).
    #[doc(alias = "SSL_get0_alpn_selected")]
    #[doc(alias = "get_alpn_proto_negotiated")]
    #[doc(alias = "selected_alpn_protocol")]
    pub fn alpn_protocol(&self) -> Option<&[u8]> {
        self.ssl().selected_alpn_protocol()
    }

    /// The name that the client asked for (RFC 6066, section 3).
    #[doc(alias = "SSL_get_servername")]
    #[doc(alias = "get_servername")]
    #[doc(alias = "server_hostname")]
    pub fn server_name(&self) -> Option<&str> {
        self.ssl().servername(NameType::HOST_NAME)
    }

    /// What OpenSSL is doing, in its words.
    #[doc(alias = "SSL_state_string_long")]
    #[doc(alias = "get_state_string")]
    pub fn state_string(&self) -> &'static str {
        self.ssl().state_string_long()
    }
}
