//! Waiting for the peer's `close_notify` as OpenSSL itself does it.

use super::Engine;
use super::outcome::EngineError;
use crate::error::Error;
use crate::ssl::Connection;

impl Engine {
    /// The second call of `SSL_shutdown(3)`: looks for the peer's `close_notify`.
    ///
    /// Application data that comes before it ends the connection with an error. To
    /// read until [`EngineError::Closed`] instead does without that; this is for
    /// [`SslObject::unwrap`](crate::SslObject::unwrap), which must do as Python does.
    pub(crate) fn await_close_notify(&mut self) -> Result<(), EngineError> {
        self.check_usable()?;
        if !self.state.closed {
            return Err(Error::local("close_notify was not sent yet").into());
        }
        if self.state.peer_closed {
            return Ok(());
        }
        // A handshake message that has arrived in part makes OpenSSL refuse for good.
        if !self.connection.is_init_finished() {
            self.step(Connection::handshake)?;
        }
        match self.step(Connection::shutdown) {
            Ok(_) | Err(EngineError::Closed) => {
                self.state.peer_closed = true;
                Ok(())
            }
            Err(error) => Err(error),
        }
    }
}
