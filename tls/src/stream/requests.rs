//! What an established stream can ask of its peer: other keys, a certificate.
//!
//! Each request goes out at once, in its place between the records of whoever
//! writes meanwhile. Answers come in with whatever is read.

use std::time::Instant;

use super::TlsStream;
use super::pump::{Progress, after};
use crate::engine::{Engine, EngineError};
use crate::error::{Alert, Error};
use crate::transport::Transport;

/// How far the client has answered a request for its certificate.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[must_use]
pub enum PostHandshakeAuth {
    /// It has answered; [`TlsStream::peer_identity`] says who it is, if it showed
    /// a certificate.
    Answered,
    /// It sent data before the answer, and that has to be read first; then call
    /// again.
    DataFirst,
}

impl<T: Transport> TlsStream<T> {
    /// New keys, from the next record on; `ask_peer` asks for the peer's too, which
    /// come with what it writes next (RFC 8446, section 4.6.3).
    ///
    /// # Scheduling
    ///
    /// May switch.
    ///
    /// # Cancellation
    ///
    /// The keys change all the same; what is left to send goes out with the next
    /// call.
    ///
    /// # Errors
    ///
    /// [`Error::Unsupported`] before TLS 1.3.
    #[doc(alias = "SSL_key_update")]
    pub fn key_update(&self, ask_peer: bool) -> Result<(), Error> {
        self.request(|engine| engine.key_update(ask_peer))
    }

    /// New keys for the connection: a new handshake with TLS 1.2, which goes on
    /// while data is read, and a [`key_update`](TlsStream::key_update) of both sides
    /// with TLS 1.3.
    ///
    /// # Scheduling
    ///
    /// May switch.
    ///
    /// # Cancellation
    ///
    /// As [`TlsStream::key_update`].
    ///
    /// # Errors
    ///
    /// [`Error::Unsupported`] with TLS 1.2 unless the context allows it; see
    /// [`Engine::renegotiate`].
    #[doc(alias = "SSL_renegotiate")]
    pub fn renegotiate(&self) -> Result<(), Error> {
        self.request(Engine::renegotiate)
    }

    /// Servers: issues one more session ticket.
    ///
    /// # Scheduling
    ///
    /// May switch.
    ///
    /// # Cancellation
    ///
    /// As [`TlsStream::key_update`].
    ///
    /// # Errors
    ///
    /// [`Error::Unsupported`] unless this is a server with TLS 1.3.
    #[doc(alias = "SSL_new_session_ticket")]
    pub fn new_session_ticket(&self) -> Result<(), Error> {
        self.request(Engine::new_session_ticket)
    }

    /// Servers: asks the client for a certificate now, and waits for its answer
    /// (RFC 8446, section 4.6.2). Call again while it says
    /// [`PostHandshakeAuth::DataFirst`]: the client is asked only once.
    ///
    /// Whether a client may refuse is up to the context, or to
    /// [`set_client_auth`](TlsStream::set_client_auth). One that may and does gives
    /// an answer without identity. A tasklet that reads meanwhile is not disturbed,
    /// and gets the data.
    ///
    /// # Scheduling
    ///
    /// May switch.
    ///
    /// # Cancellation
    ///
    /// The request stays; call again to wait for the answer.
    ///
    /// # Errors
    ///
    /// [`Error::Unsupported`] unless this is a server with TLS 1.3; OpenSSL's error
    /// when the client did not offer it, or this connection verifies no clients.
    /// The connection goes on after those. It does not after a certificate that is
    /// refused, or missing where one is required; the client is told by an alert.
    /// The read timeout applies to the wait.
    ///
    /// # Examples
    ///
    /// ```no_run
    /// use std::io::Read;
    ///
    /// use greenling_tls::{Error, PostHandshakeAuth, TlsStream, Transport};
    ///
    /// fn who<T: Transport>(stream: &TlsStream<T>) -> Result<Option<String>, Error> {
    ///     let mut early = Vec::new();
    ///     while stream.verify_client_post_handshake()? == PostHandshakeAuth::DataFirst {
    ///         let mut buf = [0; 1024];
    ///         let n = (&mut &*stream).read(&mut buf)?;
    ///         early.extend_from_slice(&buf[..n]);
    ///     }
    ///     Ok(stream.peer_identity().and_then(|peer| peer.common_name().map(str::to_owned)))
    /// }
    /// ```
    #[doc(alias = "SSL_verify_client_post_handshake")]
    pub fn verify_client_post_handshake(&self) -> Result<PostHandshakeAuth, Error> {
        let deadline = after(self.read_timeout.get());
        if !self.with_engine(|engine| engine.is_post_handshake_auth_pending())? {
            self.request(Engine::verify_client_post_handshake)?;
        }
        loop {
            // Another tasklet that reads brings the answer in as well.
            let reading = self.reading.try_lock();
            match self.await_client_answer(deadline)? {
                PostHandshakeAuth::DataFirst if reading.is_none() => {
                    // The data is for that one to take.
                    drop(self.lock_reading(deadline)?);
                }
                answer => return Ok(answer),
            }
        }
    }

    /// Receives until the client has answered, or something else is in front.
    fn await_client_answer(&self, deadline: Option<Instant>) -> Result<PostHandshakeAuth, Error> {
        let mut byte = [0];
        let progress = self.drive(deadline, |engine| {
            // Peeking processes what is in front of the next data.
            let peeked = engine.peek(&mut byte);
            match peeked {
                Err(error @ EngineError::Failed(_)) => Err(error),
                // Asks the application, where it has to approve.
                _ if !engine.is_post_handshake_auth_pending() => {
                    engine.handshake().map(|()| PostHandshakeAuth::Answered)
                }
                Ok(_) => Ok(PostHandshakeAuth::DataFirst),
                Err(error) => Err(error),
            }
        })?;
        match progress {
            Progress::Done(state) => Ok(state),
            // It cannot answer any more.
            Progress::Closed => Err(Error::Peer(Alert::CLOSE_NOTIFY)),
        }
    }

    /// Queues something and sends it.
    fn request(
        &self,
        mut queue: impl FnMut(&mut Engine) -> Result<(), EngineError>,
    ) -> Result<(), Error> {
        self.ensure_open()?;
        let queued = self.with_engine(|engine| queue(engine))?;
        match queued {
            Ok(()) => {}
            Err(EngineError::Failed(error)) => return Err(error),
            Err(EngineError::Closed) => return Err(Error::Peer(Alert::CLOSE_NOTIFY)),
            Err(EngineError::Want(_)) => return Err(Error::local("requests never wait")),
        }
        // Makes OpenSSL write it. The answer, if there is one, is not waited for.
        let sent = self.with_engine(Engine::handshake)?;
        let flushed = self.flush_until(after(self.write_timeout.get()), |_| false);
        match sent {
            Ok(()) | Err(EngineError::Want(_) | EngineError::Closed) => flushed,
            Err(EngineError::Failed(error)) => Err(error),
        }
    }
}
