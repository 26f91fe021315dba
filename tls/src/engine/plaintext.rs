//! The application's side of an engine: plaintext in and out, and its ends.

use super::{Engine, EngineError, Want};
use crate::callbacks::{attached, attached_mut};
use crate::error::Error;
use crate::ssl::{Connection, Outcome};

impl Engine {
    /// Reads plaintext: as much as there is, at least one byte.
    ///
    /// An empty `buf` reads nothing and succeeds.
    ///
    /// # Errors
    ///
    /// [`EngineError::Closed`] once the peer's `close_notify` is reached. An error
    /// met after some bytes is kept for the next call.
    #[doc(alias = "SSL_read_ex")]
    #[doc(alias = "SSL_read")]
    #[doc(alias = "recv")]
    #[doc(alias = "recv_into")]
    pub fn read(&mut self, buf: &mut [u8]) -> Result<usize, EngineError> {
        if buf.is_empty() {
            return Ok(0);
        }
        let mut filled = self.read_with(buf, Connection::read)?;
        self.reset_key_updates();
        while filled < buf.len() && self.may_hold_plaintext() {
            match self.read_with(&mut buf[filled..], Connection::read) {
                Ok(n) => filled += n,
                // Kept, or found again, by the next call.
                Err(_) => break,
            }
        }
        Ok(filled)
    }

    /// Like [`Engine::read`], of at most one record, and leaves it there.
    ///
    /// # Errors
    ///
    /// As for [`Engine::read`].
    #[doc(alias = "SSL_peek_ex")]
    #[doc(alias = "SSL_peek")]
    #[doc(alias = "MSG_PEEK")]
    pub fn peek(&mut self, buf: &mut [u8]) -> Result<usize, EngineError> {
        if buf.is_empty() {
            return Ok(0);
        }
        self.read_with(buf, Connection::peek)
    }

    /// Data has been read, so the peer may ask for new keys again.
    fn reset_key_updates(&mut self) {
        if attached(self.ssl()).is_some_and(|attached| attached.without_data > 0)
            && let Ok(attached) = attached_mut(self.connection.get_mut())
        {
            attached.without_data = 0;
        }
    }

    fn read_with(
        &mut self,
        buf: &mut [u8],
        call: impl Fn(&mut Connection, &mut [u8]) -> Outcome<usize>,
    ) -> Result<usize, EngineError> {
        self.check_usable()?;
        if self.state.peer_closed {
            return Err(EngineError::Closed);
        }
        // OpenSSL takes ten times as long to find that out, and wants its rings.
        if self.state.established && !self.may_hold_plaintext() && !self.state.in_closed {
            return Err(EngineError::Want(Want::Read));
        }
        if self.state.approved_after.is_some() && self.connection.pending() == 0 {
            // What precedes the data may make the client another one, and OpenSSL
            // goes through it and on to the data in one call.
            self.step(|connection| connection.peek(&mut [0; 1]))?;
        }
        self.step(|connection| call(connection, buf))
    }

    /// Encrypts one record of up to 16 KiB from `data`; says how much it took.
    ///
    /// Empty `data` writes nothing and succeeds.
    ///
    /// # Errors
    ///
    /// [`EngineError::Want`] only during a handshake: never for want of room.
    #[doc(alias = "SSL_write_ex")]
    #[doc(alias = "SSL_write")]
    #[doc(alias = "send")]
    #[doc(alias = "sendall")]
    pub fn write(&mut self, data: &[u8]) -> Result<usize, EngineError> {
        if data.is_empty() {
            return Ok(0);
        }
        self.check_usable()?;
        if self.state.closed {
            return Err(Error::local("write after close_notify was sent").into());
        }
        if self.state.approved_after.is_some() && !self.connection.is_init_finished() {
            // OpenSSL would end a renegotiation and write in one call.
            self.step(Connection::handshake)?;
        }
        self.step(|connection| connection.write(data))
    }

    /// Sends `close_notify`, once, and says whether the peer's has been read.
    ///
    /// Reading goes on: the other direction is the peer's to end.
    ///
    /// # Errors
    ///
    /// When the connection has failed, or its first handshake is not done: there
    /// is nothing to end then.
    #[doc(alias = "SSL_shutdown")]
    pub fn shutdown(&mut self) -> Result<bool, EngineError> {
        self.check_usable()?;
        if !self.state.established {
            return Err(Error::local("close_notify before the handshake is done").into());
        }
        if !self.state.closed {
            // A ticket that waits for a write makes OpenSSL refuse (reason 407).
            if !self.connection.is_init_finished() {
                self.step(Connection::handshake)?;
            }
            self.step(Connection::shutdown)?;
            self.state.closed = true;
        }
        Ok(self.state.peer_closed)
    }

    /// Plaintext bytes of the current record that can be read without more input.
    #[doc(alias = "SSL_pending")]
    pub fn pending(&self) -> usize {
        self.connection.pending()
    }

    /// Plaintext and ciphertext bytes that were fed and not yet read.
    #[doc(alias = "SSL_has_pending")]
    pub fn buffered(&self) -> usize {
        self.pending() + self.in_pending()
    }
}
