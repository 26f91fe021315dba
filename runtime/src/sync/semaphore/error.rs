//! Why a semaphore gave no permit, or took none.

use crate::error::WaitError;
use std::error::Error;
use std::fmt;
use std::io;

/// Why permits were not acquired.
#[derive(Debug)]
#[non_exhaustive]
pub enum AcquireError {
    /// The semaphore is closed.
    Closed,
    /// A bounded semaphore never has that many permits.
    TooMany,
    /// The caller could not wait, or its wait ended otherwise.
    Wait(WaitError),
}

impl From<WaitError> for AcquireError {
    fn from(error: WaitError) -> AcquireError {
        AcquireError::Wait(error)
    }
}

impl fmt::Display for AcquireError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            AcquireError::Closed => f.write_str("the semaphore is closed"),
            AcquireError::TooMany => f.write_str("the semaphore never has that many permits"),
            AcquireError::Wait(error) => error.fmt(f),
        }
    }
}

impl Error for AcquireError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        match self {
            AcquireError::Wait(error) => Some(error),
            _ => None,
        }
    }
}

impl From<AcquireError> for io::Error {
    fn from(error: AcquireError) -> io::Error {
        match error {
            AcquireError::Closed => io::Error::new(io::ErrorKind::BrokenPipe, error),
            AcquireError::TooMany => io::Error::new(io::ErrorKind::InvalidInput, error),
            AcquireError::Wait(error) => error.into(),
        }
    }
}

/// Why permits were not acquired without waiting.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum TryAcquireError {
    /// The semaphore is closed.
    Closed,
    /// There are not enough, or others wait for some.
    NoPermits,
}

impl fmt::Display for TryAcquireError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            TryAcquireError::Closed => "the semaphore is closed",
            TryAcquireError::NoPermits => "there are no permits",
        })
    }
}

impl Error for TryAcquireError {}

impl From<TryAcquireError> for io::Error {
    fn from(error: TryAcquireError) -> io::Error {
        let kind = match error {
            TryAcquireError::Closed => io::ErrorKind::BrokenPipe,
            TryAcquireError::NoPermits => io::ErrorKind::WouldBlock,
        };
        io::Error::new(kind, error)
    }
}

/// More permits were to be added than a semaphore may have.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TooManyPermits;

impl fmt::Display for TooManyPermits {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the semaphore may not have so many permits")
    }
}

impl Error for TooManyPermits {}
