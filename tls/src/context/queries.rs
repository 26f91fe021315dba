//! What a context was made to do.

use std::ops::RangeInclusive;
use std::time::Duration;

use openssl::ssl::SslVerifyMode;

use super::{ClientAuth, Context, Version, sys};
use crate::crypto::Cert;
use crate::engine::{Cipher, Role};
#[cfg(feature = "aws-lc")]
use crate::ssl::missing::SslContextRefExt;

impl Context {
    /// Which side its connections are.
    #[doc(alias = "SSL_is_server")]
    pub fn role(&self) -> Role {
        self.shared.role
    }

    /// How long a handshake may take before it fails with
    /// [`Error::TimedOut`](crate::Error::TimedOut).
    pub fn handshake_timeout(&self) -> Duration {
        self.shared.handshake_timeout
    }

    /// The versions that are allowed, but for those that
    /// [`raw_options`](crate::ContextBuilder::raw_options) took out.
    #[doc(alias = "minimum_version")]
    #[doc(alias = "maximum_version")]
    #[doc(alias = "SSL_CTX_get_min_proto_version")]
    #[doc(alias = "SSL_CTX_get_max_proto_version")]
    pub fn versions(&self) -> RangeInclusive<Version> {
        self.shared.versions.clone()
    }

    /// The cipher suites, in order of preference.
    #[doc(alias = "get_ciphers")]
    #[doc(alias = "SSL_CTX_get_ciphers")]
    pub fn ciphers(&self) -> Vec<Cipher> {
        sys::ciphers(self.ssl_ctx())
    }

    /// OpenSSL's security level.
    #[doc(alias = "SSL_CTX_get_security_level")]
    pub fn security_level(&self) -> u32 {
        self.ssl_ctx().security_level()
    }

    /// OpenSSL's options, of which [`options`](crate::options) names the bits.
    #[doc(alias = "options")]
    #[doc(alias = "SSL_CTX_get_options")]
    pub fn raw_options(&self) -> u64 {
        sys::options(self.ssl_ctx())
    }

    /// Whether the peer's certificate, if there is one, is verified.
    #[doc(alias = "get_verify_mode")]
    #[doc(alias = "verify_mode")]
    #[doc(alias = "SSL_CTX_get_verify_mode")]
    pub fn verifies_peer(&self) -> bool {
        self.ssl_ctx().verify_mode().contains(SslVerifyMode::PEER)
    }

    /// Whether clients are asked for certificates; [`ClientAuth::None`] for a
    /// client.
    #[doc(alias = "get_verify_mode")]
    #[doc(alias = "SSL_CTX_get_verify_mode")]
    pub fn client_auth(&self) -> ClientAuth {
        let mode = self.ssl_ctx().verify_mode();
        if self.role() == Role::Client || !mode.contains(SslVerifyMode::PEER) {
            ClientAuth::None
        } else if mode.contains(SslVerifyMode::FAIL_IF_NO_PEER_CERT) {
            ClientAuth::Required
        } else {
            ClientAuth::Optional
        }
    }

    /// How many intermediate certificates a chain may have.
    #[doc(alias = "get_verify_depth")]
    #[doc(alias = "SSL_CTX_get_verify_depth")]
    pub fn verify_depth(&self) -> u32 {
        sys::verify_depth(self.ssl_ctx())
    }

    /// For how long a session can be resumed.
    #[doc(alias = "get_timeout")]
    #[doc(alias = "SSL_CTX_get_timeout")]
    pub fn session_lifetime(&self) -> Duration {
        sys::session_lifetime(self.ssl_ctx())
    }

    /// How many tickets a full handshake of TLS 1.3 issues.
    #[doc(alias = "num_tickets")]
    #[doc(alias = "SSL_CTX_get_num_tickets")]
    pub fn ticket_count(&self) -> usize {
        self.ssl_ctx().num_tickets()
    }

    /// The certificates that it presents, one for each identity, without the
    /// chains above them.
    #[doc(alias = "SSL_CTX_get0_certificate")]
    pub fn certificates(&self) -> &[Cert] {
        &self.shared.certificates
    }
}
