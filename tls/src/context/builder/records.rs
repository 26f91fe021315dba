//! How large records are.

use openssl::ssl::SslContextBuilder;

use super::ContextBuilder;
use crate::config_error::{ConfigError, ConfigErrorKind};
use crate::context::sys;
use crate::engine::Role;

#[derive(Default)]
pub(super) struct Records {
    /// The most plaintext in one record that we send.
    max_send: Option<usize>,
    /// What a client asks its server for.
    max_asked: Option<usize>,
    padding: Option<usize>,
}

impl ContextBuilder {
    /// The most plaintext that one record carries to the peer, from 512 to 16384
    /// bytes. Default: 16384.
    ///
    /// Small records reach a reader sooner over a slow link; each costs about 25
    /// bytes more. (`SSL_CTX_set_split_send_fragment`, the other such setting, is
    /// for ciphers that work on several records at once; there are none here.)
    #[doc(alias = "SSL_CTX_set_max_send_fragment")]
    #[doc(alias = "SSL_CTX_set_split_send_fragment")]
    pub fn max_send_fragment(mut self, bytes: usize) -> ContextBuilder {
        self.records.max_send = Some(bytes);
        self
    }

    /// Clients: asks the server for records of at most so many bytes: 512, 1024,
    /// 2048 or 4096 (RFC 6066, section 4). A server here complies.
    #[doc(alias = "SSL_CTX_set_tlsext_max_fragment_length")]
    pub fn max_fragment_length(mut self, bytes: usize) -> ContextBuilder {
        self.records.max_asked = Some(bytes);
        self
    }

    /// TLS 1.3: pads records to multiples of so many bytes, up to 16384, so that
    /// their lengths say less (RFC 8446, section 5.4). Default: no padding.
    #[doc(alias = "SSL_CTX_set_block_padding")]
    pub fn record_padding(mut self, block: usize) -> ContextBuilder {
        self.records.padding = Some(block);
        self
    }
}

impl Records {
    pub(super) fn apply(
        &self,
        role: Role,
        context: &mut SslContextBuilder,
    ) -> Result<(), ConfigError> {
        let bad = |what, detail| Err(ConfigError::new(ConfigErrorKind::BadValue, what, detail));
        if let Some(bytes) = self.max_send
            && !sys::set_max_send_fragment(context, bytes)
        {
            return bad("max_send_fragment", "must be from 512 to 16384");
        }
        if let Some(bytes) = self.max_asked {
            if role != Role::Client {
                return bad("max_fragment_length", "is for clients to ask for");
            }
            // TLSEXT_max_fragment_length_512 and so on.
            let code = match bytes {
                512 => 1,
                1024 => 2,
                2048 => 3,
                4096 => 4,
                _ => return bad("max_fragment_length", "must be 512, 1024, 2048 or 4096"),
            };
            if !sys::set_max_fragment_length(context, code) {
                return bad("max_fragment_length", "is not accepted by OpenSSL");
            }
        }
        if let Some(block) = self.padding
            && !sys::set_block_padding(context, block)
        {
            return bad("record_padding", "must be at most 16384");
        }
        Ok(())
    }
}
