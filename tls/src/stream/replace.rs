//! Another transport for the same connection.

use super::{Slot, TlsStream};
use crate::engine::Engine;
use crate::error::Error;
use crate::transport::Transport;

impl<T: Transport> TlsStream<T> {
    /// Takes the stream apart in the middle of what it does, without a goodbye to
    /// the peer. [`TlsStream::from_engine`] goes on over another transport, and
    /// [`Engine::into_raw`] in foreign code.
    ///
    /// Bytes that were received and not read, and those that wait to be sent, are in
    /// the engine. Time limits, and errors that the transport has met, stay behind.
    ///
    /// # Errors
    ///
    /// [`Error::Local`] after a `write_all` that ended in the middle: nobody knows
    /// where to go on. The transport is dropped then.
    pub fn into_engine(mut self) -> Result<(Engine, T), Error> {
        if self.torn.get() {
            return Err(Error::local("a write_all ended in the middle"));
        }
        let slot = self.slot.get_mut();
        slot.take_back();
        let taken = Slot::None(Error::local("the stream was taken apart"));
        match (std::mem::replace(slot, taken), self.transport.take()) {
            (Slot::Here(engine), Some(transport)) => Ok((*engine, transport)),
            (Slot::None(error), _) => Err(error),
            (Slot::Kept(_) | Slot::Resting(..), _) | (_, None) => unreachable!("both were there"),
        }
    }
}
