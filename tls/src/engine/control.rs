//! What else can be asked of a connection: sessions, keys, certificates.

use openssl::ssl::SslVersion;

use super::{Engine, EngineError, Role};
use crate::error::Error;
use crate::session::Session;
use crate::ssl::Outcome;

impl Engine {
    /// The session, for a later connection to resume. With TLS 1.3 there is one
    /// only after the server's tickets were read, that is, after some read.
    #[doc(alias = "SSL_get1_session")]
    #[doc(alias = "get_session")]
    pub fn session(&self) -> Option<Session> {
        Session::of(&self.connection, self.name.as_deref())
    }

    /// Whether an earlier session was resumed.
    #[doc(alias = "SSL_session_reused")]
    pub fn is_session_reused(&self) -> bool {
        self.ssl().session_reused()
    }

    /// Offers a session of an earlier connection.
    ///
    /// # Errors
    ///
    /// [`Error::Local`] when it was made with another context or server name, or
    /// the handshake has begun.
    #[doc(alias = "SSL_set_session")]
    pub fn set_session(&mut self, session: &Session) -> Result<(), Error> {
        if self.pair.is_some() || self.state.established {
            return Err(Error::local("the handshake has begun"));
        }
        session.offer(&mut self.connection, self.role, self.name.as_deref())
    }

    /// Takes the end of the input for the peer's `close_notify`. Only for protocols
    /// that mark their ends themselves: anybody on the way can cut a connection.
    #[doc(alias = "SSL_OP_IGNORE_UNEXPECTED_EOF")]
    pub fn ignore_truncation(&mut self) {
        self.connection.ignore_unexpected_eof();
    }

    /// New keys with the next record written; `ask_peer` asks for the peer's too.
    ///
    /// # Errors
    ///
    /// [`Error::Unsupported`] before TLS 1.3.
    #[doc(alias = "SSL_key_update")]
    pub fn key_update(&mut self, ask_peer: bool) -> Result<(), EngineError> {
        self.check_usable()?;
        self.require(SslVersion::TLS1_3, "key update needs TLS 1.3")?;
        request(self.connection.key_update(ask_peer))
    }

    /// Begins a new handshake on an established connection; the next calls make
    /// it.
    ///
    /// # Errors
    ///
    /// [`Error::Unsupported`] unless the version is TLS 1.2.
    #[doc(alias = "SSL_renegotiate")]
    pub fn renegotiate(&mut self) -> Result<(), EngineError> {
        self.check_usable()?;
        self.require(SslVersion::TLS1_2, "TLS 1.3 has no renegotiation")?;
        request(self.connection.renegotiate())
    }

    /// Queues one more session ticket; it goes out with the next write.
    ///
    /// # Errors
    ///
    /// [`Error::Unsupported`] unless this is a server with TLS 1.3.
    #[doc(alias = "SSL_new_session_ticket")]
    pub fn new_session_ticket(&mut self) -> Result<(), EngineError> {
        self.check_usable()?;
        self.require(SslVersion::TLS1_3, "extra tickets need TLS 1.3")?;
        if self.role != Role::Server {
            return Err(Error::unsupported("only servers issue tickets").into());
        }
        request(self.connection.new_session_ticket())
    }

    /// Lets the server ask for a certificate later (RFC 8446, section 4.6.2). For
    /// clients, before the handshake.
    #[doc(alias = "SSL_set_post_handshake_auth")]
    pub fn offer_post_handshake_auth(&mut self) {
        self.connection.offer_post_handshake_auth();
    }

    /// Asks the client for a certificate now; it goes out with the next call.
    ///
    /// # Errors
    ///
    /// [`Error::Unsupported`] unless this is a server with TLS 1.3; OpenSSL's
    /// error when the client did not offer post-handshake authentication.
    #[doc(alias = "SSL_verify_client_post_handshake")]
    pub fn verify_client_post_handshake(&mut self) -> Result<(), EngineError> {
        self.check_usable()?;
        self.require(SslVersion::TLS1_3, "needs TLS 1.3")?;
        request(self.connection.verify_client_post_handshake())
    }

    fn require(&self, version: SslVersion, why: &'static str) -> Result<(), EngineError> {
        if self.ssl().version2() == Some(version) {
            Ok(())
        } else {
            Err(Error::unsupported(why).into())
        }
    }
}

/// The outcome of a call that only queues something: a refusal is not the end
/// of the connection.
fn request(outcome: Outcome<()>) -> Result<(), EngineError> {
    match outcome {
        Outcome::Failed(Error::Ssl(entries)) if entries.is_empty() => {
            Err(Error::local("another handshake message waits to be sent").into())
        }
        Outcome::Failed(error) => Err(error.into()),
        _ => Ok(()),
    }
}
