//! A transport that still carries plain text, on its way to TLS.

use std::fmt;
use std::io::BufReader;

/// A transport in the clear, with the bytes that were read from it and not used.
///
/// It is what [`TlsStream::upgrade_connect`](crate::TlsStream::upgrade_connect) and
/// [`upgrade_accept`](crate::TlsStream::upgrade_accept) take, and what a
/// [`BufReader`] or the result of [`TlsStream::unwrap`](crate::TlsStream::unwrap)
/// becomes by itself, with what is left in its buffer.
///
/// # Scheduling
///
/// Never switches, except where a method says so.
pub struct Plain<T> {
    transport: T,
    unread: Vec<u8>,
}

impl<T> Plain<T> {
    /// A transport, and all that was received from it and not used. Who reads by a
    /// buffer of its own must not forget what is in there: bytes that the peer, or
    /// somebody in between, sent ahead in plain would be taken for what came
    /// encrypted.
    pub fn new(transport: T, unread: impl Into<Vec<u8>>) -> Plain<T> {
        Plain {
            transport,
            unread: unread.into(),
        }
    }

    /// What was received and not used.
    pub fn unread(&self) -> &[u8] {
        &self.unread
    }

    /// The transport, and what was received and not used.
    pub fn into_parts(self) -> (T, Vec<u8>) {
        (self.transport, self.unread)
    }
}

impl<T> From<BufReader<T>> for Plain<T> {
    fn from(reader: BufReader<T>) -> Plain<T> {
        let unread = reader.buffer().to_vec();
        Plain::new(reader.into_inner(), unread)
    }
}

/// The result of [`TlsStream::unwrap`](crate::TlsStream::unwrap).
impl<T> From<(T, Vec<u8>)> for Plain<T> {
    fn from((transport, unread): (T, Vec<u8>)) -> Plain<T> {
        Plain::new(transport, unread)
    }
}

impl<T> fmt::Debug for Plain<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Plain")
            .field("unread", &self.unread.len())
            .finish_non_exhaustive()
    }
}
