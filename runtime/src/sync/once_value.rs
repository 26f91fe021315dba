//! A value, or an error, that many wait for and that comes once.
//!
//! ```text
//!   empty --set--> value        waiters of the empty one are woken, oldest
//!     |                         first; whoever comes later does not wait
//!     +--set_error--> error
//! ```
//!
//! There is no way back, so a waiter that is killed takes nothing with it: the
//! outcome stays where it is, for all others. This is what a channel can't do,
//! which hands each value to one receiver.

use super::grant::{GrantList, deadline_after};
use crate::error::{Thrown, WaitError};
use crate::scheduler::Park;
use crate::tasklet::Tasklet;
use crate::wait::reason;
use std::cell::OnceCell;
use std::error::Error;
use std::fmt;
use std::io;
use std::panic::Location;
use std::sync::Arc;
use std::time::{Duration, Instant};

/// A one-shot result that any number of tasklets of one thread wait for.
///
/// What stacklesslib calls `ValueEvent`. Between OS threads, use
/// [`thread::channel`](crate::thread::channel).
///
/// # Scheduling
///
/// Never switches, except where a method says so.
///
/// # Examples
///
/// ```
/// use greenling::sync::OnceValue;
/// use std::rc::Rc;
/// let address = Rc::new(OnceValue::new());
/// let users: Vec<_> = (0..2)
///     .map(|_| {
///         let address = address.clone();
///         greenling::spawn(move || *address.wait().unwrap() + 1)
///     })
///     .collect();
/// greenling::schedule();
/// address.set(80).unwrap();
/// for user in users {
///     assert_eq!(user.join().unwrap(), 81);
/// }
/// assert_eq!(address.set(81), Err(81));
/// ```
#[doc(alias = "ValueEvent")]
pub struct OnceValue<T> {
    outcome: OnceCell<Result<T, Arc<dyn Error + Send + Sync>>>,
    waiters: GrantList<()>,
}

impl<T> OnceValue<T> {
    /// One that has nothing yet.
    pub const fn new() -> OnceValue<T> {
        OnceValue {
            outcome: OnceCell::new(),
            waiters: GrantList::new(),
        }
    }

    /// Stores the value and wakes all who wait.
    ///
    /// # Scheduling
    ///
    /// Never switches.
    ///
    /// # Errors
    ///
    /// Gives `value` back if there is a value or an error already.
    pub fn set(&self, value: T) -> Result<(), T> {
        if self.is_set() {
            return Err(value);
        }
        self.settle(Ok(value));
        Ok(())
    }

    /// Stores an error, which all who wait get, now and later.
    ///
    /// # Scheduling
    ///
    /// Never switches.
    ///
    /// # Errors
    ///
    /// Gives the error back if there is a value or an error already.
    pub fn set_error(&self, error: impl Into<Thrown>) -> Result<(), Thrown> {
        let error = error.into();
        if self.is_set() {
            return Err(error);
        }
        self.settle(Err(Arc::from(error)));
        Ok(())
    }

    fn settle(&self, outcome: Result<T, Arc<dyn Error + Send + Sync>>) {
        let settled = self.outcome.set(outcome);
        debug_assert!(settled.is_ok(), "asked by both callers");
        self.waiters.grant_all(|()| ());
    }

    /// The value or the error, if it has come.
    ///
    /// # Errors
    ///
    /// `Failed` if it is an error.
    pub fn get(&self) -> Option<Result<&T, OnceValueError>> {
        let outcome = self.outcome.get()?.as_ref();
        Some(outcome.map_err(|error| OnceValueError::Failed(error.clone())))
    }

    /// Whether the value or the error has come.
    pub fn is_set(&self) -> bool {
        self.outcome.get().is_some()
    }

    /// The value, for which it waits if need be.
    ///
    /// # Scheduling
    ///
    /// Switches if there is nothing yet.
    ///
    /// # Cancellation
    ///
    /// Nothing is lost.
    ///
    /// # Errors
    ///
    /// `Failed` if an error was stored; `Wait` if the wait ended otherwise.
    #[track_caller]
    pub fn wait(&self) -> Result<&T, OnceValueError> {
        self.wait_until(None)
    }

    /// As [`wait`](OnceValue::wait), but not longer than until `deadline`.
    ///
    /// # Scheduling
    ///
    /// As [`wait`](OnceValue::wait).
    ///
    /// # Cancellation
    ///
    /// As [`wait`](OnceValue::wait).
    ///
    /// # Errors
    ///
    /// As `wait`; after the deadline `Wait(WaitError::TimedOut)`.
    #[track_caller]
    pub fn wait_deadline(&self, deadline: Instant) -> Result<&T, OnceValueError> {
        self.wait_until(Some(deadline))
    }

    /// As [`wait`](OnceValue::wait), but not longer than `timeout`.
    ///
    /// # Scheduling
    ///
    /// As [`wait`](OnceValue::wait).
    ///
    /// # Cancellation
    ///
    /// As [`wait`](OnceValue::wait).
    ///
    /// # Errors
    ///
    /// As `wait_deadline`.
    #[track_caller]
    pub fn wait_timeout(&self, timeout: Duration) -> Result<&T, OnceValueError> {
        self.wait_until(deadline_after(timeout))
    }

    #[track_caller]
    fn wait_until(&self, deadline: Option<Instant>) -> Result<&T, OnceValueError> {
        let park = Park::new(&reason::ONCE_VALUE, Location::caller()).until(deadline);
        loop {
            if let Some(outcome) = self.get() {
                return outcome;
            }
            self.waiters.wait((), park, |(), _| (), |()| ())?;
        }
    }

    /// The value or the error, out of its container.
    ///
    /// # Errors
    ///
    /// `Failed` if it is an error.
    pub fn into_inner(self) -> Option<Result<T, OnceValueError>> {
        let outcome = self.outcome.into_inner()?;
        Some(outcome.map_err(OnceValueError::Failed))
    }

    /// Who waits, oldest first.
    pub fn waiters(&self) -> Vec<Tasklet> {
        self.waiters.waiters()
    }
}

impl<T> Default for OnceValue<T> {
    fn default() -> OnceValue<T> {
        OnceValue::new()
    }
}

impl<T> fmt::Debug for OnceValue<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("OnceValue")
            .field("is_set", &self.is_set())
            .field("waiters", &self.waiters.len())
            .finish()
    }
}

/// Why there is no value.
#[derive(Debug)]
#[non_exhaustive]
pub enum OnceValueError {
    /// This was stored in its place. All who ask share it.
    Failed(Arc<dyn Error + Send + Sync>),
    /// It has not come: the wait ended otherwise.
    Wait(WaitError),
}

impl From<WaitError> for OnceValueError {
    fn from(error: WaitError) -> OnceValueError {
        OnceValueError::Wait(error)
    }
}

impl fmt::Display for OnceValueError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            OnceValueError::Failed(error) => error.fmt(f),
            OnceValueError::Wait(error) => error.fmt(f),
        }
    }
}

impl Error for OnceValueError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        match self {
            OnceValueError::Failed(error) => Some(&**error),
            OnceValueError::Wait(error) => Some(error),
        }
    }
}

impl From<OnceValueError> for io::Error {
    fn from(error: OnceValueError) -> io::Error {
        let kind = match error {
            OnceValueError::Wait(error) => return error.into(),
            OnceValueError::Failed(ref shared) => shared
                .downcast_ref::<io::Error>()
                .map_or(io::ErrorKind::Other, io::Error::kind),
        };
        io::Error::new(kind, error)
    }
}
