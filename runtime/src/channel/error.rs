//! Errors of channel operations; those of a send give the value back.

use super::{Parcel, Refusal};
use crate::error::WaitError;
use std::error::Error;
use std::fmt;
use std::io;

/// Why a send failed.
#[derive(Debug)]
#[non_exhaustive]
pub enum SendErrorKind {
    /// The channel is closing and no receiver waits.
    Closed,
    /// The sender could not wait, or its wait ended otherwise.
    Wait(WaitError),
}

/// A send that failed, with the value if nobody has taken it.
///
/// # Scheduling
///
/// Never switches, except where a method says so.
pub struct SendError<T> {
    kind: SendErrorKind,
    value: Option<T>,
}

impl<T> SendError<T> {
    #[cold]
    pub(super) fn new(refusal: Refusal, parcel: Parcel<T>) -> SendError<T> {
        let kind = match refusal {
            Refusal::Closed => SendErrorKind::Closed,
            Refusal::Wait(error) => SendErrorKind::Wait(error),
        };
        SendError {
            kind,
            value: parcel.ok(),
        }
    }

    /// For channels that are made otherwise.
    #[cold]
    pub(crate) fn from_parts(kind: SendErrorKind, value: Option<T>) -> SendError<T> {
        SendError { kind, value }
    }

    /// The value arrived, but something else reached the sender.
    #[cold]
    pub(super) fn taken(error: WaitError) -> SendError<T> {
        SendError {
            kind: SendErrorKind::Wait(error),
            value: None,
        }
    }

    /// The wait of a sender has not ended as it should.
    #[cold]
    #[inline(never)]
    pub(super) fn unsent(result: Result<(), WaitError>, left: Option<Parcel<T>>) -> SendError<T> {
        let error = result.err().unwrap_or(WaitError::Deadlock);
        match left {
            Some(parcel) => SendError::new(Refusal::Wait(error), parcel),
            None => SendError::taken(error),
        }
    }

    /// Why it failed.
    pub fn kind(&self) -> &SendErrorKind {
        &self.kind
    }

    /// The value, unless a receiver has it.
    pub fn into_inner(self) -> Option<T> {
        self.value
    }
}

impl<T> fmt::Debug for SendError<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SendError")
            .field("kind", &self.kind)
            .finish_non_exhaustive()
    }
}

impl<T> fmt::Display for SendError<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.kind {
            SendErrorKind::Closed => f.write_str("the channel is closed"),
            SendErrorKind::Wait(error) => error.fmt(f),
        }
    }
}

impl<T> Error for SendError<T> {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        match &self.kind {
            SendErrorKind::Closed => None,
            SendErrorKind::Wait(error) => Some(error),
        }
    }
}

impl<T> From<SendError<T>> for io::Error {
    fn from(error: SendError<T>) -> io::Error {
        match error.kind {
            SendErrorKind::Closed => io::Error::new(io::ErrorKind::BrokenPipe, "channel closed"),
            SendErrorKind::Wait(error) => error.into(),
        }
    }
}

/// Why a receive failed.
#[derive(Debug)]
#[non_exhaustive]
pub enum ReceiveError {
    /// The channel is closing and no sender waits.
    Closed,
    /// The receiver could not wait, its wait ended otherwise, or an error was
    /// sent (`WaitError::Thrown`).
    Wait(WaitError),
}

impl From<Refusal> for ReceiveError {
    fn from(refusal: Refusal) -> ReceiveError {
        match refusal {
            Refusal::Closed => ReceiveError::Closed,
            Refusal::Wait(error) => ReceiveError::Wait(error),
        }
    }
}

impl fmt::Display for ReceiveError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            ReceiveError::Closed => f.write_str("the channel is closed"),
            ReceiveError::Wait(error) => error.fmt(f),
        }
    }
}

impl Error for ReceiveError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        match self {
            ReceiveError::Closed => None,
            ReceiveError::Wait(error) => Some(error),
        }
    }
}

impl From<ReceiveError> for io::Error {
    fn from(error: ReceiveError) -> io::Error {
        match error {
            ReceiveError::Closed => io::Error::new(io::ErrorKind::BrokenPipe, "channel closed"),
            ReceiveError::Wait(error) => error.into(),
        }
    }
}

/// A sequence that was not sent to its end.
#[non_exhaustive]
pub struct SequenceError<T> {
    /// Items that were sent.
    pub sent: usize,
    /// Why the next one was not.
    pub error: SendError<T>,
}

impl<T> fmt::Debug for SequenceError<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SequenceError")
            .field("sent", &self.sent)
            .field("error", &self.error)
            .finish()
    }
}

impl<T> fmt::Display for SequenceError<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "after {} items: {}", self.sent, self.error)
    }
}

impl<T> Error for SequenceError<T> {}

impl<T> From<SequenceError<T>> for io::Error {
    fn from(error: SequenceError<T>) -> io::Error {
        error.error.into()
    }
}

/// Why a send that must not wait failed.
#[non_exhaustive]
pub enum TrySendError<T> {
    /// No receiver waits; the value comes back.
    WouldBlock(T),
    /// It could not take place for another reason.
    Failed(SendError<T>),
}

/// Without the value, which need not be `Debug`.
impl<T> fmt::Debug for TrySendError<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            TrySendError::WouldBlock(_) => f.write_str("WouldBlock(..)"),
            TrySendError::Failed(error) => f.debug_tuple("Failed").field(error).finish(),
        }
    }
}

impl<T> fmt::Display for TrySendError<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            TrySendError::WouldBlock(_) => f.write_str("no receiver waits"),
            TrySendError::Failed(error) => error.fmt(f),
        }
    }
}

impl<T> Error for TrySendError<T> {}

impl<T> From<TrySendError<T>> for io::Error {
    fn from(error: TrySendError<T>) -> io::Error {
        match error {
            TrySendError::WouldBlock(_) => io::ErrorKind::WouldBlock.into(),
            TrySendError::Failed(error) => error.into(),
        }
    }
}

/// Why a receive that must not wait failed.
#[derive(Debug)]
#[non_exhaustive]
pub enum TryReceiveError {
    /// No sender waits.
    WouldBlock,
    /// It could not take place for another reason.
    Failed(ReceiveError),
}

impl fmt::Display for TryReceiveError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            TryReceiveError::WouldBlock => f.write_str("no sender waits"),
            TryReceiveError::Failed(error) => error.fmt(f),
        }
    }
}

impl Error for TryReceiveError {}

impl From<TryReceiveError> for io::Error {
    fn from(error: TryReceiveError) -> io::Error {
        match error {
            TryReceiveError::WouldBlock => io::ErrorKind::WouldBlock.into(),
            TryReceiveError::Failed(error) => error.into(),
        }
    }
}
