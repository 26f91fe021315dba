//! What a stream can tell about its connection: the engine's answers, as values
//! of their own, for a reference into the engine would keep other tasklets out.
//!
//! From inside one of the stream's own calls, in a callback of OpenSSL, the
//! engine is not to be had. Questions asked there find nothing.

use openssl::x509::X509;

use super::TlsStream;
use crate::context::Version;
use crate::engine::{Cipher, Engine};
use crate::error::Error;
use crate::session::Session;
use crate::transport::Transport;

impl<T: Transport> TlsStream<T> {
    /// Whether the first handshake is done.
    pub fn is_established(&self) -> bool {
        self.look(Engine::is_established).unwrap_or(false)
    }

    /// Plaintext bytes that can be read at once.
    #[doc(alias = "SSL_pending")]
    pub fn pending(&self) -> usize {
        self.look(Engine::pending).unwrap_or(0)
    }

    /// Plaintext and ciphertext bytes that were received and not yet read.
    pub fn buffered(&self) -> usize {
        self.look(|engine| engine.pending() + engine.in_pending())
            .unwrap_or(0)
    }

    /// The protocol chosen by ALPN (RFC 7301).
    #[doc(alias = "SSL_get0_alpn_selected")]
    #[doc(alias = "get_alpn_proto_negotiated")]
    pub fn alpn_protocol(&self) -> Option<Vec<u8>> {
        self.look(|engine| engine.alpn_protocol().map(<[u8]>::to_vec))?
    }

    /// The name that the client asked for (RFC 6066, section 3).
    #[doc(alias = "SSL_get_servername")]
    #[doc(alias = "get_servername")]
    pub fn server_name(&self) -> Option<String> {
        self.look(|engine| engine.server_name().map(str::to_owned))?
    }

    /// The protocol version in use.
    #[doc(alias = "SSL_get_version")]
    #[doc(alias = "get_protocol_version")]
    pub fn version(&self) -> Option<Version> {
        self.look(Engine::version)?
    }

    /// The cipher suite in use.
    #[doc(alias = "SSL_get_current_cipher")]
    #[doc(alias = "get_cipher_name")]
    pub fn cipher(&self) -> Option<Cipher> {
        self.look(Engine::cipher)?
    }

    /// The certificate that the peer showed. With a verifying context it has been
    /// checked; with others this may be anything.
    #[doc(alias = "SSL_get1_peer_certificate")]
    #[doc(alias = "get_peer_certificate")]
    pub fn peer_certificate(&self) -> Option<X509> {
        self.look(Engine::peer_certificate)?
    }

    /// The session, for a later connection to resume; see [`Engine::session`].
    #[doc(alias = "SSL_get1_session")]
    #[doc(alias = "get_session")]
    pub fn session(&self) -> Option<Session> {
        self.look(Engine::session)?
    }

    /// Offers a session of an earlier connection; see [`Engine::set_session`].
    ///
    /// # Errors
    ///
    /// [`Error::Local`] when it does not fit, or the handshake has begun.
    #[doc(alias = "SSL_set_session")]
    pub fn set_session(&self, session: &Session) -> Result<(), Error> {
        self.with_engine(|engine| engine.set_session(session))?
    }

    /// Whether an earlier session was resumed.
    #[doc(alias = "SSL_session_reused")]
    pub fn session_reused(&self) -> bool {
        self.look(Engine::is_session_reused).unwrap_or(false)
    }

    /// What OpenSSL is doing, in its words.
    #[doc(alias = "SSL_state_string_long")]
    pub fn state_string(&self) -> &'static str {
        self.look(Engine::state_string).unwrap_or("in use")
    }
}
