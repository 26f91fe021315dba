//! The handle of a spawned tasklet: waits for its end and takes its value.

use super::ending::Ending;
use super::entry::drop_quietly;
use super::handle::Tasklet;
use super::raw::{Outcome, State, TcbRef, flag};
use crate::error::{JoinError, Panicked, Thrown, Uncaught, WaitError};
use crate::scheduler::{Park, local};
use crate::wait::reason;
use std::any::Any;
use std::fmt;
use std::marker::PhantomData;
use std::mem::ManuallyDrop;
use std::panic::Location;

/// Waits for a tasklet that [`spawn`](crate::spawn) started, and takes what it
/// returned. Dropping it detaches the tasklet.
///
/// A panic of the tasklet stays in the handle. If the handle is gone, it goes
/// to the error handler, or else to the log.
///
/// # Scheduling
///
/// Never switches, except where a method says so.
pub struct JoinHandle<T> {
    task: TcbRef,
    value: PhantomData<T>,
}

impl<T> JoinHandle<T> {
    /// The first handle of a tasklet whose result is a `T`.
    #[inline(always)]
    pub(super) fn new(task: TcbRef) -> JoinHandle<T> {
        task.retain_first();
        JoinHandle {
            task,
            value: PhantomData,
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
    /// When the caller is killed or its deadline passes, the handle is gone:
    /// the tasklet goes on, detached. [`wait`](JoinHandle::wait) keeps it.
    ///
    /// # Errors
    ///
    /// [`JoinError`]: the tasklet panicked or was killed, or the wait failed.
    #[track_caller]
    #[inline]
    pub fn join(self) -> Result<T, JoinError> {
        if self.task.state.get() != State::Dead
            && let Err(error) = self.park_until_ended(Location::caller())
        {
            return Err(JoinError::Wait(error));
        }
        if self.task.outcome.get() == Outcome::Returned {
            self.task.outcome.set(Outcome::None);
            // SAFETY: `Returned` says that `Joined::finish` put a T there, the
            // T of the closure that this handle was made for, and it is taken
            // only together with the change of the outcome.
            let value = unsafe { self.task.take_result::<T>() };
            // Nothing is left that dropping the handle would have to look at.
            super::handle::release(ManuallyDrop::new(self).task);
            return Ok(value);
        }
        Err(self.failure())
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
        if self.task.state.get() == State::Dead {
            return Ok(());
        }
        self.park_until_ended(Location::caller())
    }

    /// True if the tasklet has ended.
    pub fn is_finished(&self) -> bool {
        self.task.state.get() == State::Dead
    }

    /// The tasklet, for killing it and the like.
    pub fn tasklet(&self) -> Tasklet {
        Tasklet::from_tcb(self.task)
    }

    /// The tasklet's end to [`select!`](crate::select!), after which
    /// [`join`](JoinHandle::join) does not wait.
    ///
    /// # Scheduling
    ///
    /// Never switches by itself.
    ///
    /// # Examples
    ///
    /// ```
    /// use greenling::{select, select::after, spawn};
    /// use std::time::Duration;
    /// let answer = spawn(|| 42);
    /// let in_time = select! {
    ///     () = answer.ending() => true,
    ///     () = after(Duration::from_secs(60)) => false,
    /// };
    /// assert!(in_time.unwrap());
    /// assert_eq!(answer.join().unwrap(), 42);
    /// ```
    pub fn ending(&self) -> Ending<'_> {
        Ending::of(self.task)
    }

    #[inline]
    fn park_until_ended(&self, location: &'static Location<'static>) -> Result<(), WaitError> {
        let scheduler = local::get().ok_or(WaitError::Unwinding)?;
        if self.task == scheduler.current() {
            return Err(WaitError::Deadlock);
        }
        let park = Park::new(&reason::JOIN, location);
        self.task.joiners.wait(scheduler, park)
    }

    #[cold]
    fn failure(&self) -> JoinError {
        match self.task.outcome.replace(Outcome::None) {
            Outcome::Panicked => {
                // SAFETY: `Panicked` says that a payload is there.
                let payload = unsafe { self.task.take_result::<Box<dyn Any + Send>>() };
                JoinError::Panicked(Panicked(payload))
            }
            Outcome::Thrown => {
                // SAFETY: `Thrown` says that an error is there.
                JoinError::Thrown(unsafe { self.task.take_result::<Thrown>() })
            }
            Outcome::Killed | Outcome::None | Outcome::Returned => JoinError::Killed,
        }
    }

    /// Deals with a result that nobody took.
    #[cold]
    fn discard(&self) {
        match self.task.outcome.get() {
            Outcome::Returned => {
                self.task.outcome.set(Outcome::None);
                // SAFETY: as in `join`.
                let value = unsafe { self.task.take_result::<T>() };
                drop_quietly(self.task, value);
            }
            Outcome::Panicked | Outcome::Thrown => {
                let uncaught = match self.failure() {
                    JoinError::Panicked(payload) => Uncaught::Panic(payload.0),
                    JoinError::Thrown(error) => Uncaught::Error(error),
                    _ => return,
                };
                if let Some(scheduler) = local::get() {
                    scheduler.tell_uncaught(self.task, uncaught);
                }
            }
            Outcome::None | Outcome::Killed => {}
        }
    }
}

impl<T> Drop for JoinHandle<T> {
    #[inline]
    fn drop(&mut self) {
        if self.task.outcome.get() != Outcome::None {
            self.discard();
        }
        self.task.set(flag::DETACHED);
        super::handle::release(self.task);
    }
}

impl<T> fmt::Debug for JoinHandle<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("JoinHandle").field(&self.task).finish()
    }
}
