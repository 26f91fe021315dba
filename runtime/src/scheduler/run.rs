//! `run`: wait until nobody else is runnable.
//!
//! Callers inside `run` are on a stack, and are in no ring. The innermost is
//! the *wake target*: it resumes when the ring drains, and it is told of
//! errors that leave a tasklet (Stackless calls this the watchdog). A caller
//! that is woken early, because somebody inserts it, takes those above it
//! along: their `run` returns too, after its own.

use super::{Scheduler, local};
use crate::error::{TaskletError, Uncaught, WaitError};
use crate::tasklet::raw::{Cargo, State, TcbRef, Wake};
use crate::wait::reason;
use std::panic::Location;

/// What was left when [`run`] returned.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct RunReport {
    /// Tasklets that wait: for a channel, a timer, a descriptor.
    pub blocked: usize,
    /// Tasklets that are paused, other callers of `run` included.
    pub paused: usize,
}

/// Runs the other tasklets until none is runnable.
///
/// The caller leaves the run queue and comes back when the queue has drained.
/// Tasklets that are blocked or paused then are not an error; the report
/// counts them. Waiting for a timer or a socket is being blocked: to wait for
/// such tasklets, join them. Calls nest, from any tasklet; the innermost
/// returns first. After an error, calling `run` again goes on with the rest.
///
/// # Scheduling
///
/// Switches unless the queue is empty.
///
/// # Cancellation
///
/// A kill unwinds from here; the other tasklets stay queued.
///
/// # Errors
///
/// [`TaskletError::Uncaught`] when a [`Tasklet`](crate::Tasklet) fails and no
/// error handler takes care of it; also the errors of a wait, as far as a
/// switch is impossible here.
///
/// # Examples
///
/// ```
/// use greenling::Tasklet;
/// # use std::{cell::RefCell, rc::Rc};
/// let trace = Rc::new(RefCell::new(Vec::new()));
/// for name in ["A", "B"] {
///     let trace = trace.clone();
///     Tasklet::new(move || {
///         for step in 1..=2 {
///             trace.borrow_mut().push(format!("{name}{step}"));
///             greenling::schedule();
///         }
///     })
///     .setup()
///     .unwrap();
/// }
/// greenling::run().unwrap();
/// assert_eq!(*trace.borrow(), ["A1", "B1", "A2", "B2"]);
/// ```
#[track_caller]
pub fn run() -> Result<RunReport, TaskletError> {
    let Some(scheduler) = local::get() else {
        return Ok(RunReport::default());
    };
    scheduler.run_until_drained(Location::caller())
}

/// Takes the caller off the stack of runners however `run` ends.
struct Runner<'a> {
    scheduler: &'a Scheduler,
    task: TcbRef,
}

impl Drop for Runner<'_> {
    fn drop(&mut self) {
        let mut runners = self.scheduler.runners.borrow_mut();
        let Some(position) = runners.iter().rposition(|&task| task == self.task) else {
            return;
        };
        let above = runners.split_off(position);
        drop(runners);
        for task in above.into_iter().skip(1) {
            if task.state.get() == State::Paused {
                self.scheduler.append(task);
            }
        }
    }
}

impl Scheduler {
    fn run_until_drained(
        &self,
        location: &'static Location<'static>,
    ) -> Result<RunReport, TaskletError> {
        self.check_may_switch()?;
        self.kill_doomed();
        let current = self.current();
        if self.run_count() > 1 {
            self.runners.borrow_mut().push(current);
            let runner = Runner {
                scheduler: self,
                task: current,
            };
            current.reason.set(&reason::NOTHING);
            current.location.set(location);
            self.pause_current();
            drop(runner);
            if current.wake.get() == Wake::Raised {
                return Err(self.take_uncaught(current));
            }
        }
        // Also when nobody else is runnable: this is a safe point.
        self.deliver_or_unwind(current);
        Ok(self.report())
    }

    pub(super) fn take_uncaught(&self, current: TcbRef) -> TaskletError {
        current.wake.set(Wake::Notified);
        let Some(Cargo::Raised(payload)) = super::deliver::take_cargo(current) else {
            return TaskletError::Dead;
        };
        TaskletError::Uncaught(match payload.downcast() {
            Ok(error) => Uncaught::Error(*error),
            Err(payload) => Uncaught::Panic(payload),
        })
    }

    fn report(&self) -> RunReport {
        let mut report = RunReport::default();
        for task in self.table.borrow().iter() {
            match task.state.get() {
                State::Blocked => report.blocked += 1,
                State::Paused => report.paused += 1,
                _ => {}
            }
        }
        report
    }

    /// As `check_may_park`, for operations on tasklets.
    pub(crate) fn check_may_switch(&self) -> Result<(), TaskletError> {
        self.check_may_park().map_err(|error| match error {
            WaitError::SwitchTrap => TaskletError::SwitchTrap,
            _ => TaskletError::Unwinding,
        })
    }
}
