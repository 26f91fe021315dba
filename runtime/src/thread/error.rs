//! Errors of channels between threads; those of a send give the value back.

use crate::error::WaitError;
use std::error::Error;
use std::fmt;
use std::io;

/// Why a send between threads failed; the value comes back.
///
/// # Scheduling
///
/// Never switches, except where a method says so.
#[non_exhaustive]
pub enum SendError<T> {
    /// No receiver is left.
    Closed(T),
    /// The wait for room ended otherwise.
    Wait(WaitError, T),
}

impl<T> SendError<T> {
    /// The value that was not sent.
    pub fn into_inner(self) -> T {
        match self {
            SendError::Closed(value) | SendError::Wait(_, value) => value,
        }
    }
}

/// Without the value, so that it may be of any type, as in std.
impl<T> fmt::Debug for SendError<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            SendError::Closed(_) => f.write_str("Closed(..)"),
            SendError::Wait(error, _) => write!(f, "Wait({error:?}, ..)"),
        }
    }
}

impl<T> fmt::Display for SendError<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            SendError::Closed(_) => f.write_str("no receiver is left"),
            SendError::Wait(error, _) => error.fmt(f),
        }
    }
}

impl<T> Error for SendError<T> {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        match self {
            SendError::Closed(_) => None,
            SendError::Wait(error, _) => Some(error),
        }
    }
}

/// Why a send between threads that must not wait failed.
///
/// # Scheduling
///
/// Never switches, except where a method says so.
#[non_exhaustive]
pub enum TrySendError<T> {
    /// There is no room.
    Full(T),
    /// No receiver is left.
    Closed(T),
}

/// Without the value, as for [`SendError`].
impl<T> fmt::Debug for TrySendError<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            TrySendError::Full(_) => "Full(..)",
            TrySendError::Closed(_) => "Closed(..)",
        })
    }
}

impl<T> fmt::Display for TrySendError<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            TrySendError::Full(_) => "the channel is full",
            TrySendError::Closed(_) => "no receiver is left",
        })
    }
}

impl<T> Error for TrySendError<T> {}

/// Why a receive between threads failed.
///
/// # Scheduling
///
/// Never switches, except where a method says so.
#[derive(Debug)]
#[non_exhaustive]
pub enum ReceiveError {
    /// The channel is empty and no sender is left.
    Closed,
    /// The wait ended otherwise.
    Wait(WaitError),
}

impl fmt::Display for ReceiveError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            ReceiveError::Closed => f.write_str("no sender is left"),
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

/// Why a receive between threads that must not wait failed.
///
/// # Scheduling
///
/// Never switches, except where a method says so.
#[derive(Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum TryReceiveError {
    /// There is no value.
    Empty,
    /// There is no value, and no sender is left.
    Closed,
}

impl fmt::Display for TryReceiveError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            TryReceiveError::Empty => "the channel is empty",
            TryReceiveError::Closed => "no sender is left",
        })
    }
}

impl Error for TryReceiveError {}

impl<T> From<SendError<T>> for io::Error {
    fn from(error: SendError<T>) -> io::Error {
        match error {
            SendError::Closed(_) => no_partner(io::ErrorKind::BrokenPipe, "no receiver is left"),
            SendError::Wait(error, _) => error.into(),
        }
    }
}

impl<T> From<TrySendError<T>> for io::Error {
    fn from(error: TrySendError<T>) -> io::Error {
        match error {
            TrySendError::Full(_) => io::ErrorKind::WouldBlock.into(),
            TrySendError::Closed(_) => no_partner(io::ErrorKind::BrokenPipe, "no receiver is left"),
        }
    }
}

impl From<ReceiveError> for io::Error {
    fn from(error: ReceiveError) -> io::Error {
        match error {
            ReceiveError::Closed => no_partner(io::ErrorKind::UnexpectedEof, "no sender is left"),
            ReceiveError::Wait(error) => error.into(),
        }
    }
}

impl From<TryReceiveError> for io::Error {
    fn from(error: TryReceiveError) -> io::Error {
        match error {
            TryReceiveError::Empty => io::ErrorKind::WouldBlock.into(),
            TryReceiveError::Closed => {
                no_partner(io::ErrorKind::UnexpectedEof, "no sender is left")
            }
        }
    }
}

fn no_partner(kind: io::ErrorKind, text: &'static str) -> io::Error {
    io::Error::new(kind, text)
}
