//! What else can be asked of a connection: sessions, keys, certificates.

use super::{Engine, EngineError, Role};
use crate::context::Version;
use crate::error::Error;
use crate::session::Session;
use crate::ssl::Outcome;
#[cfg(feature = "aws-lc")]
use crate::ssl::missing::SslRefExt;

/// `SSL_OP_NO_RENEGOTIATION`.
const NO_RENEGOTIATION: u64 = 1 << 30;

impl Engine {
    /// The session, for a later connection to resume. With TLS 1.3 there is one
    /// only after the server's tickets were read, that is, after some read. A
    /// connection that fails, by an alert or a cut, makes its session unfit for
    /// that; one that is just dropped does not (RFC 5246, section 7.2.1).
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
        self.ensure_unstarted()?;
        session.offer(&mut self.connection, self.role, self.name.as_deref())
    }

    /// Takes the end of the input for the peer's `close_notify`. Only for protocols
    /// that mark their ends themselves: anybody on the way can cut a connection.
    #[doc(alias = "SSL_OP_IGNORE_UNEXPECTED_EOF")]
    pub fn ignore_truncation(&mut self) {
        self.state.ignores_truncation = true;
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
        self.require(Version::Tls13, "key update needs TLS 1.3")?;
        self.ensure_open_for_writing()?;
        request(self.connection.key_update(ask_peer))
    }

    /// New keys for an established connection. With TLS 1.2 that is a new
    /// handshake, which the next calls make, on a server once the client has
    /// agreed; with TLS 1.3 it is a [`key_update`](Engine::key_update) of both
    /// sides.
    ///
    /// # Errors
    ///
    /// [`Error::Unsupported`] with TLS 1.2 unless the context, or
    /// [`Engine::clear_options`], allows renegotiation: the default is not to.
    #[doc(alias = "SSL_renegotiate")]
    pub fn renegotiate(&mut self) -> Result<(), EngineError> {
        self.check_usable()?;
        if !self.state.established {
            return Err(Error::local("the first handshake is not done").into());
        }
        if self.version() == Some(Version::Tls13) {
            return self.key_update(true);
        }
        self.ensure_open_for_writing()?;
        if cfg!(feature = "aws-lc") {
            return Err(Error::unsupported("AWS-LC does not renegotiate").into());
        }
        let forbidden = self.connection.options() & NO_RENEGOTIATION != 0;
        if forbidden {
            return Err(Error::unsupported("the context does not allow renegotiation").into());
        }
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
        self.require(Version::Tls13, "extra tickets need TLS 1.3")?;
        self.require_server("only servers issue tickets")?;
        self.ensure_open_for_writing()?;
        if cfg!(feature = "aws-lc") {
            return Err(Error::unsupported("AWS-LC issues no extra tickets").into());
        }
        request(self.connection.new_session_ticket())
    }

    /// How many tickets the handshake will issue, or has issued (TLS 1.3).
    #[doc(alias = "SSL_get_num_tickets")]
    pub fn num_tickets(&self) -> usize {
        self.ssl().num_tickets()
    }

    /// How many tickets a full handshake of TLS 1.3 issues on this connection, in
    /// place of what the context says. With none, the application can send one
    /// together with its first data by [`Engine::new_session_ticket`].
    ///
    /// # Errors
    ///
    /// [`Error::Unsupported`] on a client, and [`Error::Local`] after the handshake,
    /// which issues them.
    #[doc(alias = "SSL_set_num_tickets")]
    pub fn set_num_tickets(&mut self, count: usize) -> Result<(), Error> {
        self.require_server("only servers issue tickets")?;
        if self.state.established {
            return Err(Error::local("the handshake is done"));
        }
        if self.set_tickets_after_approval(count) {
            return Ok(());
        }
        if cfg!(feature = "aws-lc") {
            let why = "AWS-LC issues as many tickets as the context says";
            return Err(Error::unsupported(why));
        }
        self.connection.tell(|ssl| ssl.set_num_tickets(count))
    }

    /// Lets the server ask for a certificate later (RFC 8446, section 4.6.2). For
    /// clients, before the handshake.
    #[doc(alias = "SSL_set_post_handshake_auth")]
    #[doc(alias = "post_handshake_auth")]
    pub fn offer_post_handshake_auth(&mut self) {
        self.connection.offer_post_handshake_auth();
    }

    /// Asks the client for a certificate now; it goes out with the next call, and
    /// the answer is processed by reads. Once
    /// [`is_post_handshake_auth_pending`](Engine::is_post_handshake_auth_pending)
    /// is over, [`peer_identity`](Engine::peer_identity) says who the client is.
    ///
    /// Whether a client may refuse is the context's to say, or
    /// [`set_client_auth`](Engine::set_client_auth)'s.
    ///
    /// # Errors
    ///
    /// [`Error::Unsupported`] unless this is a server with TLS 1.3; OpenSSL's
    /// error when the client did not offer post-handshake authentication, an
    /// earlier request is not answered yet, or the connection verifies no clients.
    #[doc(alias = "SSL_verify_client_post_handshake")]
    pub fn verify_client_post_handshake(&mut self) -> Result<(), EngineError> {
        self.check_usable()?;
        self.require(
            Version::Tls13,
            "post-handshake authentication needs TLS 1.3",
        )?;
        self.require_server("only servers ask for certificates")?;
        self.ensure_open_for_writing()?;
        if cfg!(feature = "aws-lc") {
            let why = "AWS-LC has no post-handshake authentication";
            return Err(Error::unsupported(why).into());
        }
        request(self.connection.verify_client_post_handshake())?;
        self.state.asked_after = self.peer_finished();
        Ok(())
    }

    /// Whether the client was asked by
    /// [`verify_client_post_handshake`](Engine::verify_client_post_handshake) and
    /// its answer has not been read.
    pub fn is_post_handshake_auth_pending(&self) -> bool {
        // The answer ends with another Finished.
        self.state.asked_after.is_some() && self.state.asked_after == self.peer_finished()
    }

    /// Fails once the handshake has begun: what is set from then on may come too
    /// late.
    pub(super) fn ensure_unstarted(&self) -> Result<(), Error> {
        if self.connection.is_unstarted() {
            Ok(())
        } else {
            Err(Error::local("the handshake has begun"))
        }
    }

    pub(super) fn require_server(&self, why: &'static str) -> Result<(), Error> {
        match self.role {
            Role::Server => Ok(()),
            Role::Client => Err(Error::unsupported(why)),
        }
    }

    fn ensure_open_for_writing(&self) -> Result<(), Error> {
        if self.state.closed {
            Err(Error::local("close_notify was sent"))
        } else {
            Ok(())
        }
    }

    fn require(&self, version: Version, why: &'static str) -> Result<(), EngineError> {
        if self.version() == Some(version) {
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
