//! A handshake that failed, with the transport it ran on.

use std::fmt;
use std::io;

use super::Error;

/// A handshake that failed, with the transport it ran on.
///
/// The transport comes back so that a server can answer in plain text
/// ([`Error::PlainHttp`]), log the peer's address, or close it in its own way.
///
/// # Scheduling
///
/// Never switches, except where a method says so.
pub struct HandshakeError<T> {
    /// Boxed, because a transport may be large and a success should not pay for it.
    parts: Box<(Error, T)>,
}

impl<T> HandshakeError<T> {
    pub(crate) fn new(error: Error, transport: T) -> HandshakeError<T> {
        HandshakeError {
            parts: Box::new((error, transport)),
        }
    }

    /// Why the handshake failed.
    pub fn error(&self) -> &Error {
        &self.parts.0
    }

    /// The transport the handshake ran on.
    pub fn transport(&self) -> &T {
        &self.parts.1
    }

    /// Drops the transport.
    pub fn into_error(self) -> Error {
        self.parts.0
    }

    /// Drops the error.
    pub fn into_transport(self) -> T {
        self.parts.1
    }

    /// Both.
    pub fn into_parts(self) -> (Error, T) {
        *self.parts
    }
}

impl<T> fmt::Debug for HandshakeError<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("HandshakeError")
            .field("error", self.error())
            .finish_non_exhaustive()
    }
}

impl<T> fmt::Display for HandshakeError<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "TLS handshake failed: {}", self.error())
    }
}

impl<T> std::error::Error for HandshakeError<T> {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        Some(self.error())
    }
}

impl<T> From<HandshakeError<T>> for Error {
    fn from(failed: HandshakeError<T>) -> Error {
        failed.into_error()
    }
}

impl<T> From<HandshakeError<T>> for io::Error {
    fn from(failed: HandshakeError<T>) -> io::Error {
        failed.into_error().into()
    }
}
