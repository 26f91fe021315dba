//! The handle of a tasklet that a scope has started.

use super::children::Outcome;
use crate::error::{JoinError, Panicked, WaitError};
use crate::tasklet::{Ending, JoinHandle, Tasklet};
use std::fmt;
use std::marker::PhantomData;
use std::rc::Rc;

/// Waits for a tasklet that [`Scope::spawn`](super::Scope::spawn) has started,
/// and takes what it returned. Dropping it leaves the tasklet to the scope,
/// which waits for it anyway.
pub struct ScopedJoinHandle<'scope, T> {
    /// None if the tasklet was never started, since the scope can't wait.
    handle: Option<JoinHandle<()>>,
    outcome: Rc<Outcome<T>>,
    scope: PhantomData<&'scope ()>,
}

impl<T> ScopedJoinHandle<'_, T> {
    pub(super) fn new(handle: JoinHandle<()>, outcome: Rc<Outcome<T>>) -> Self {
        ScopedJoinHandle {
            handle: Some(handle),
            outcome,
            scope: PhantomData,
        }
    }

    pub(super) fn refused(outcome: Rc<Outcome<T>>) -> Self {
        ScopedJoinHandle {
            handle: None,
            outcome,
            scope: PhantomData,
        }
    }

    /// Waits for the tasklet's end and takes its value.
    ///
    /// # Scheduling
    ///
    /// Switches unless the tasklet has ended.
    ///
    /// # Cancellation
    ///
    /// When the caller is killed or its deadline passes, the handle is gone;
    /// the scope still waits for the tasklet.
    ///
    /// # Errors
    ///
    /// [`JoinError`]: the tasklet has panicked, which the scope does not resume
    /// then; it was killed; or the wait failed. `Wait(Unwinding)` if it was
    /// never started.
    #[track_caller]
    pub fn join(self) -> Result<T, JoinError> {
        let handle = self.handle.ok_or(JoinError::Wait(WaitError::Unwinding))?;
        handle.join()?;
        if let Some(payload) = self.outcome.failure.payload.take() {
            return Err(JoinError::Panicked(Panicked(payload)));
        }
        self.outcome.value.take().ok_or(JoinError::Killed)
    }

    /// Waits for the tasklet's end and leaves its value in the handle.
    ///
    /// # Scheduling
    ///
    /// Switches unless the tasklet has ended.
    ///
    /// # Cancellation
    ///
    /// Nothing is lost.
    ///
    /// # Errors
    ///
    /// [`WaitError`] when the wait itself failed.
    #[track_caller]
    pub fn wait(&self) -> Result<(), WaitError> {
        self.handle.as_ref().map_or(Ok(()), JoinHandle::wait)
    }

    /// True if the tasklet has ended, or was never started.
    ///
    /// # Scheduling
    ///
    /// Never switches.
    pub fn is_finished(&self) -> bool {
        self.handle.as_ref().is_none_or(JoinHandle::is_finished)
    }

    /// The tasklet, for killing it and the like; `None` if it was never
    /// started.
    ///
    /// # Scheduling
    ///
    /// Never switches.
    pub fn tasklet(&self) -> Option<Tasklet> {
        self.handle.as_ref().map(JoinHandle::tasklet)
    }

    /// The tasklet's end to [`select!`](crate::select!); `None` if it was never
    /// started.
    ///
    /// # Scheduling
    ///
    /// Never switches by itself.
    pub fn ending(&self) -> Option<Ending<'_>> {
        self.handle.as_ref().map(JoinHandle::ending)
    }
}

impl<T> fmt::Debug for ScopedJoinHandle<'_, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("ScopedJoinHandle")
            .field(&self.handle)
            .finish()
    }
}
