//! Why a future gave no value.

use crate::error::{JoinError, WaitError, panic_message};
use std::any::Any;
use std::error::Error;
use std::fmt;
use std::io;
use std::sync::Arc;

/// Why a future gave no value.
#[derive(Debug)]
#[non_exhaustive]
pub enum FutureError {
    /// It was given this error instead, or it was thrown at its worker.
    Failed(Arc<dyn Error + Send + Sync>),
    /// Its worker panicked, with this text.
    Panicked(Arc<str>),
    /// It was cancelled, or its worker was killed.
    Cancelled,
    /// Somebody else has taken the value.
    Taken,
    /// It has no result yet: the caller's own wait has ended.
    Wait(WaitError),
}

/// What a future has instead of a value; unlike a [`FutureError`] it can be
/// given to many.
#[derive(Clone, Debug)]
pub(super) enum Failure {
    Error(Arc<dyn Error + Send + Sync>),
    Panic(Arc<str>),
    Cancelled,
}

impl Failure {
    pub(super) fn of_panic(payload: &Box<dyn Any + Send>) -> Failure {
        Failure::Panic(panic_message(payload).into())
    }

    /// Of a join that ended because the tasklet did; `Err` if the wait did.
    pub(super) fn of_join(error: JoinError) -> Result<Failure, WaitError> {
        Ok(match error {
            JoinError::Panicked(payload) => Failure::of_panic(&payload.0),
            JoinError::Killed => Failure::Cancelled,
            JoinError::Thrown(error) => Failure::Error(error.into()),
            JoinError::Wait(error) => return Err(error),
        })
    }
}

impl From<Failure> for FutureError {
    fn from(failure: Failure) -> FutureError {
        match failure {
            Failure::Error(error) => FutureError::Failed(error),
            Failure::Panic(text) => FutureError::Panicked(text),
            Failure::Cancelled => FutureError::Cancelled,
        }
    }
}

impl fmt::Display for FutureError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            FutureError::Failed(error) => write!(f, "the future failed: {error}"),
            FutureError::Panicked(text) => write!(f, "the future's worker panicked: {text}"),
            FutureError::Cancelled => f.write_str("the future was cancelled"),
            FutureError::Taken => f.write_str("the future's value was taken already"),
            FutureError::Wait(error) => error.fmt(f),
        }
    }
}

impl Error for FutureError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        match self {
            FutureError::Failed(error) => Some(error.as_ref()),
            FutureError::Wait(error) => Some(error),
            _ => None,
        }
    }
}

impl From<FutureError> for io::Error {
    fn from(error: FutureError) -> io::Error {
        match error {
            FutureError::Wait(error) => error.into(),
            other => io::Error::other(other.to_string()),
        }
    }
}
