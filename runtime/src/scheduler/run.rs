//! `run`: wait until nobody else is runnable.
//!
//! Callers inside `run` are on a stack, and are in no ring. The innermost is
//! the *wake target*: it resumes when the ring drains, and it is told of
//! errors that leave a tasklet (Stackless calls this the watchdog). A caller
//! that is woken early, because somebody inserts it, takes those above it
//! along: their `run` returns too, after its own.

use super::budget::{InForce, RunOptions};
use super::{Scheduler, guard, local};
use crate::error::{TaskletError, Uncaught, WaitError};
use crate::tasklet::Tasklet;
use crate::tasklet::raw::{Cargo, State, TcbRef, Wake};
use crate::wait::reason;
use std::panic::Location;
use std::time::Duration;

/// What was left when [`run`] returned.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct RunReport {
    /// Tasklets that wait: for a channel, a timer, a descriptor.
    pub blocked: usize,
    /// Tasklets that are paused, other callers of `run` included.
    pub paused: usize,
    /// The budget of [`run_with`] was spent before the queue had drained.
    pub over_budget: bool,
    /// The tasklet at whose switch it was found spent, unless that has ended.
    /// It goes on in the next run; kill it, or throw something at it, if it
    /// has been holding the thread for too long.
    pub interrupted: Option<Tasklet>,
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

/// As [`run`], but returns also when a budget is spent; the rest stays queued.
///
/// Budgets are checked when tasklets switch. One that never does can't be
/// stopped, but [`RunReport::interrupted`] names it once it has. Of nested
/// budgets only the outermost counts.
///
/// # Scheduling
///
/// Switches unless the queue is empty.
///
/// # Cancellation
///
/// As [`run`].
///
/// # Errors
///
/// As [`run`].
///
/// # Examples
///
/// ```
/// use greenling::{RunOptions, Tasklet, run_with};
/// # use std::{cell::Cell, rc::Rc};
/// let rounds = Rc::new(Cell::new(0));
/// let counter = rounds.clone();
/// let busy = Tasklet::new(move || loop {
///     counter.set(counter.get() + 1);
///     greenling::schedule();
/// });
/// busy.insert().unwrap();
/// let report = run_with(&RunOptions::new().max_switches(3)).unwrap();
/// assert!(report.over_budget);
/// assert_eq!(report.interrupted, Some(busy.clone()));
/// busy.kill().unwrap();
/// ```
#[doc(alias = "totaltimeout")]
#[track_caller]
pub fn run_with(options: &RunOptions) -> Result<RunReport, TaskletError> {
    let Some(scheduler) = local::get() else {
        return Ok(RunReport::default());
    };
    let budget = scheduler.limit(scheduler.current(), options);
    let mut report = scheduler.run_until_drained(Location::caller())?;
    if let Some(outcome) = budget.map(InForce::outcome) {
        report.over_budget = outcome.spent;
        report.interrupted = outcome.at;
    }
    Ok(report)
}

/// One turn of a main loop: if no other tasklet is runnable, waits until one
/// is, at most for `max_wait`; then runs them all as [`run`] does.
///
/// `None` waits for as long as a timer, a descriptor or another thread could
/// wake a tasklet. [`Remote::wake`](crate::thread::Remote::wake) ends the wait.
///
/// # Scheduling
///
/// Switches if a tasklet is runnable in the end.
///
/// # Cancellation
///
/// As [`run`]. A [`timeout`](crate::time::timeout) scope ends the wait.
///
/// # Errors
///
/// As [`run`].
///
/// # Examples
///
/// ```
/// use std::time::Duration;
/// let sleeper = greenling::spawn(|| greenling::time::sleep(Duration::from_millis(1)));
/// while !sleeper.is_finished() {
///     greenling::turn(Some(Duration::from_secs(1))).unwrap();
/// }
/// ```
#[track_caller]
pub fn turn(max_wait: Option<Duration>) -> Result<RunReport, TaskletError> {
    let scheduler = local::get_or_make().ok_or(TaskletError::Dead)?;
    scheduler.wait_if_alone(max_wait)?;
    scheduler.run_until_drained(Location::caller())
}

/// As [`run`], but instead of coming back when all are blocked waits for them:
/// returns when nothing could wake any tasklet any more, or when the deadline
/// of a [`timeout`](crate::time::timeout) scope passes.
///
/// # Scheduling
///
/// Switches unless no tasklet is left.
///
/// # Cancellation
///
/// As [`run`].
///
/// # Errors
///
/// As [`run`].
///
/// # Examples
///
/// ```
/// use std::{cell::Cell, rc::Rc, time::Duration};
/// let woke = Rc::new(Cell::new(false));
/// let flag = woke.clone();
/// greenling::spawn(move || {
///     greenling::time::sleep(Duration::from_millis(1));
///     flag.set(true);
/// });
/// greenling::run_blocking().unwrap();
/// assert!(woke.get());
/// ```
#[doc(alias = "threadblock")]
#[track_caller]
pub fn run_blocking() -> Result<RunReport, TaskletError> {
    let Some(scheduler) = local::get() else {
        return Ok(RunReport::default());
    };
    loop {
        let report = scheduler.run_until_drained(Location::caller())?;
        let inserted = scheduler.run_count() > 1;
        if inserted || !scheduler.can_be_woken() || scheduler.wait_if_alone(None)? {
            return Ok(report);
        }
    }
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
                self.scheduler.append_paused(task);
            }
        }
    }
}

impl Scheduler {
    pub(super) fn run_until_drained(
        &self,
        location: &'static Location<'static>,
    ) -> Result<RunReport, TaskletError> {
        if self.run_count() == 1 && self.guard_bits() & guard::REFUSE == guard::TRAP {
            // A trap traps switches, and there is none to be made.
            return Ok(self.report());
        }
        self.check_may_switch()?;
        let current = self.current();
        self.kill_doomed_but(Some(current));
        if self.run_count() == 1 {
            // Loops around `run` must see what other threads and timers bring,
            // and have a safe point here.
            self.count_down(current);
            self.kill_doomed();
        }
        if current.wake.get() != Wake::Notified {
            self.deliver_or_unwind(current);
        }
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
        let paused = self.paused.get();
        RunReport {
            blocked: self.alive.get() - self.run_count() - paused,
            paused,
            ..RunReport::default()
        }
    }

    /// As `check_may_park`, for operations on tasklets.
    pub(crate) fn check_may_switch(&self) -> Result<(), TaskletError> {
        self.check_may_park().map_err(|error| match error {
            WaitError::SwitchTrap => TaskletError::SwitchTrap,
            _ => TaskletError::Unwinding,
        })
    }
}
