//! OpenSSL's options and modes: what is always set, and what can be changed.

use openssl::ssl::{SslContextBuilder, SslMode, SslOptions};

use super::ContextBuilder;
use crate::engine::Role;
use crate::ffi;

#[derive(Default)]
pub(super) struct Flags {
    renegotiation: bool,
    server_order: bool,
    #[cfg(feature = "legacy")]
    legacy_servers: bool,
    raw_set: u64,
    raw_cleared: u64,
    raw_mode: u32,
    raw_mode_cleared: u32,
}

impl ContextBuilder {
    /// Allows a second handshake on a connection of TLS 1.2. Default: refused.
    ///
    /// Each one costs a server about ten times as much as its client, and a
    /// server here then also accepts those that clients begin.
    #[doc(alias = "OP_NO_RENEGOTIATION")]
    #[doc(alias = "SSL_OP_ALLOW_CLIENT_RENEGOTIATION")]
    #[doc(alias = "SSL_OP_NO_RENEGOTIATION")]
    pub fn allow_renegotiation(mut self) -> ContextBuilder {
        self.flags.renegotiation = true;
        self
    }

    /// Servers: the order of their own lists of suites decides, not the client's.
    ///
    /// Clients that have ChaCha20 first get it all the same: they have no
    /// hardware for AES.
    #[doc(alias = "OP_CIPHER_SERVER_PREFERENCE")]
    #[doc(alias = "SSL_OP_CIPHER_SERVER_PREFERENCE")]
    #[doc(alias = "SSL_OP_PRIORITIZE_CHACHA")]
    pub fn server_order(mut self) -> ContextBuilder {
        self.flags.server_order = true;
        self
    }

    /// Clients: goes on with servers that lack secure renegotiation (RFC 5746),
    /// and with it protection from an attacker who puts his own data first.
    #[cfg(feature = "legacy")]
    #[doc(alias = "OP_LEGACY_SERVER_CONNECT")]
    #[doc(alias = "SSL_OP_LEGACY_SERVER_CONNECT")]
    pub fn allow_legacy_servers(mut self) -> ContextBuilder {
        self.flags.legacy_servers = true;
        self
    }

    /// Sets options by their bits (`SSL_CTX_set_options(3)`), after all others:
    /// it can switch protections off. [`options`](crate::options) has the bits.
    #[doc(alias = "set_options")]
    #[doc(alias = "SSL_CTX_set_options")]
    pub fn raw_options(mut self, bits: u64) -> ContextBuilder {
        self.flags.raw_set |= bits;
        self.flags.raw_cleared &= !bits;
        self
    }

    /// Clears options by their bits, after all others, as
    /// [`raw_options`](ContextBuilder::raw_options) sets them.
    #[doc(alias = "clear_options")]
    #[doc(alias = "SSL_CTX_clear_options")]
    pub fn clear_raw_options(mut self, bits: u64) -> ContextBuilder {
        self.flags.raw_cleared |= bits;
        self.flags.raw_set &= !bits;
        self
    }

    /// Sets modes by their bits (`SSL_CTX_set_mode(3)`). Those that the engine
    /// relies on, such as partial writes, are set in any case.
    #[doc(alias = "set_mode")]
    #[doc(alias = "SSL_CTX_set_mode")]
    pub fn raw_mode(mut self, bits: u32) -> ContextBuilder {
        self.flags.raw_mode |= bits;
        self.flags.raw_mode_cleared &= !bits;
        self
    }

    /// Leaves modes out by their bits, as [`raw_mode`](ContextBuilder::raw_mode)
    /// sets them; not those that the engine relies on.
    #[doc(alias = "clear_mode")]
    #[doc(alias = "SSL_CTX_clear_mode")]
    pub fn clear_raw_mode(mut self, bits: u32) -> ContextBuilder {
        self.flags.raw_mode_cleared |= bits;
        self.flags.raw_mode &= !bits;
        self
    }
}

impl Flags {
    pub(super) fn apply(&self, role: Role, context: &mut SslContextBuilder) {
        // An openssl.cnf may have set these.
        #[cfg(not(feature = "aws-lc"))]
        context.clear_options(
            SslOptions::ALLOW_UNSAFE_LEGACY_RENEGOTIATION
                | SslOptions::IGNORE_UNEXPECTED_EOF
                | SslOptions::from_bits_retain(openssl_sys::SSL_OP_LEGACY_SERVER_CONNECT),
        );
        context.set_options(SslOptions::NO_RENEGOTIATION);
        // AWS-LC has no compression to leave out.
        #[cfg(not(feature = "aws-lc"))]
        context.set_options(SslOptions::NO_COMPRESSION);
        if self.renegotiation {
            // SSL_OP_ALLOW_CLIENT_RENEGOTIATION, which the crate does not name.
            context.set_options(SslOptions::from_bits_retain(1 << 8));
            context.clear_options(SslOptions::NO_RENEGOTIATION);
        }
        if self.server_order && role == Role::Server {
            context.set_options(SslOptions::CIPHER_SERVER_PREFERENCE);
            #[cfg(not(feature = "aws-lc"))]
            context.set_options(SslOptions::PRIORITIZE_CHACHA);
        }
        #[cfg(feature = "legacy")]
        if self.legacy_servers {
            #[cfg(not(feature = "aws-lc"))]
            context.set_options(SslOptions::from_bits_retain(
                openssl_sys::SSL_OP_LEGACY_SERVER_CONNECT,
            ));
        }
        context.set_options(ffi::option_bits(self.raw_set));
        context.clear_options(ffi::option_bits(self.raw_cleared));
        // Send the chain that was given, instead of searching one among the anchors
        // for clients in every handshake. What the engine relies on, it sets itself.
        let mut modes = SslMode::NO_AUTO_CHAIN;
        modes |= ffi::mode_bits(self.raw_mode);
        modes &= !ffi::mode_bits(self.raw_mode_cleared);
        context.set_mode(modes);
    }
}
