//! Errors of queues; those of a put give the value back.

use crate::error::WaitError;
use std::error::Error;
use std::fmt;
use std::io;

/// Why a value was not put; it comes back.
///
/// # Scheduling
///
/// Never switches, except where a method says so.
#[non_exhaustive]
pub enum PutError<T> {
    /// The queue is closed.
    Closed(T),
    /// The caller could not wait for room, or its wait ended otherwise.
    Wait(WaitError, T),
}

impl<T> PutError<T> {
    /// The value that was not put.
    pub fn into_inner(self) -> T {
        match self {
            PutError::Closed(value) | PutError::Wait(_, value) => value,
        }
    }
}

/// Without the value, so that it may be of any type, as in std.
impl<T> fmt::Debug for PutError<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            PutError::Closed(_) => f.write_str("Closed(..)"),
            PutError::Wait(error, _) => write!(f, "Wait({error:?}, ..)"),
        }
    }
}

impl<T> fmt::Display for PutError<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            PutError::Closed(_) => f.write_str(CLOSED),
            PutError::Wait(error, _) => error.fmt(f),
        }
    }
}

impl<T> Error for PutError<T> {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        match self {
            PutError::Closed(_) => None,
            PutError::Wait(error, _) => Some(error),
        }
    }
}

impl<T> From<PutError<T>> for io::Error {
    fn from(error: PutError<T>) -> io::Error {
        match error {
            PutError::Closed(_) => io::Error::new(io::ErrorKind::BrokenPipe, CLOSED),
            PutError::Wait(error, _) => error.into(),
        }
    }
}

/// Why a value was not put without waiting; it comes back.
///
/// # Scheduling
///
/// Never switches, except where a method says so.
#[non_exhaustive]
pub enum TryPutError<T> {
    /// There is no room, or others wait for it.
    Full(T),
    /// The queue is closed.
    Closed(T),
}

impl<T> TryPutError<T> {
    /// The value that was not put.
    pub fn into_inner(self) -> T {
        match self {
            TryPutError::Full(value) | TryPutError::Closed(value) => value,
        }
    }
}

/// Without the value, as for [`PutError`].
impl<T> fmt::Debug for TryPutError<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            TryPutError::Full(_) => "Full(..)",
            TryPutError::Closed(_) => "Closed(..)",
        })
    }
}

impl<T> fmt::Display for TryPutError<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            TryPutError::Full(_) => "the queue is full",
            TryPutError::Closed(_) => CLOSED,
        })
    }
}

impl<T> Error for TryPutError<T> {}

impl<T> From<TryPutError<T>> for io::Error {
    fn from(error: TryPutError<T>) -> io::Error {
        let kind = match error {
            TryPutError::Full(_) => io::ErrorKind::WouldBlock,
            TryPutError::Closed(_) => io::ErrorKind::BrokenPipe,
        };
        io::Error::new(kind, error.to_string())
    }
}

/// Why there is no value.
#[derive(Debug)]
#[non_exhaustive]
pub enum GetError {
    /// The queue is closed, and all values have been taken.
    Closed,
    /// The caller could not wait for a value, or its wait ended otherwise.
    Wait(WaitError),
}

impl From<WaitError> for GetError {
    fn from(error: WaitError) -> GetError {
        GetError::Wait(error)
    }
}

impl fmt::Display for GetError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            GetError::Closed => f.write_str(CLOSED),
            GetError::Wait(error) => error.fmt(f),
        }
    }
}

impl Error for GetError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        match self {
            GetError::Closed => None,
            GetError::Wait(error) => Some(error),
        }
    }
}

impl From<GetError> for io::Error {
    fn from(error: GetError) -> io::Error {
        match error {
            GetError::Closed => io::Error::new(io::ErrorKind::UnexpectedEof, CLOSED),
            GetError::Wait(error) => error.into(),
        }
    }
}

/// Why there is no value without waiting.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum TryGetError {
    /// There is none, or others were woken to get it.
    Empty,
    /// The queue is closed, and all values have been taken.
    Closed,
}

impl fmt::Display for TryGetError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            TryGetError::Empty => "the queue is empty",
            TryGetError::Closed => CLOSED,
        })
    }
}

impl Error for TryGetError {}

impl From<TryGetError> for io::Error {
    fn from(error: TryGetError) -> io::Error {
        let kind = match error {
            TryGetError::Empty => io::ErrorKind::WouldBlock,
            TryGetError::Closed => io::ErrorKind::UnexpectedEof,
        };
        io::Error::new(kind, error)
    }
}

const CLOSED: &str = "the queue is closed";
