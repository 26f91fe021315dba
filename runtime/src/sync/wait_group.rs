//! Waiting until all of a number of jobs are done.
//!
//! A job is a guard that the tasklet doing it holds: it counts until it is
//! dropped, by an unwind too, so a job that fails is not waited for in vain.
//! The count is not set in advance and may grow from zero again; whoever waits
//! when it reaches zero is released, even if another job begins before it runs.

use super::grant::{GrantList, deadline_after};
use crate::error::WaitError;
use crate::scheduler::Park;
use crate::tasklet::Tasklet;
use crate::wait::reason;
use std::cell::Cell;
use std::panic::Location;
use std::rc::Rc;
use std::time::{Duration, Instant};

/// A count of jobs under way on one thread. Clones are the same group.
///
/// To wait for the end of a tasklet and for its result, join it; a group is
/// for when nobody has the handles, or a tasklet lives longer than its job.
///
/// # Scheduling
///
/// Never switches, except where a method says so.
///
/// # Examples
///
/// ```
/// use greenling::sync::WaitGroup;
/// let group = WaitGroup::new();
/// for _ in 0..3 {
///     let job = group.add();
///     greenling::spawn(move || {
///         greenling::schedule();
///         drop(job);
///     });
/// }
/// assert_eq!(group.count(), 3);
/// group.wait().unwrap();
/// assert_eq!(group.count(), 0);
/// ```
#[derive(Clone, Debug)]
pub struct WaitGroup {
    shared: Rc<Shared>,
}

#[derive(Debug)]
struct Shared {
    count: Cell<usize>,
    waiters: GrantList<()>,
}

impl WaitGroup {
    /// A group without jobs.
    pub fn new() -> WaitGroup {
        WaitGroup {
            shared: Rc::new(Shared {
                count: Cell::new(0),
                waiters: GrantList::new(),
            }),
        }
    }

    /// Counts one more job until the guard is dropped.
    ///
    /// # Scheduling
    ///
    /// Never switches, and neither does dropping the guard.
    pub fn add(&self) -> Job {
        let shared = self.shared.clone();
        shared.count.set(shared.count.get() + 1);
        Job { shared }
    }

    /// Waits until no job is under way.
    ///
    /// # Scheduling
    ///
    /// Switches if a job is under way.
    ///
    /// # Cancellation
    ///
    /// Nothing is lost.
    ///
    /// # Errors
    ///
    /// The reasons of [`WaitError`].
    #[track_caller]
    pub fn wait(&self) -> Result<(), WaitError> {
        self.wait_until(None)
    }

    /// As [`wait`](WaitGroup::wait), but not longer than until `deadline`.
    ///
    /// # Scheduling
    ///
    /// As [`wait`](WaitGroup::wait).
    ///
    /// # Cancellation
    ///
    /// As [`wait`](WaitGroup::wait).
    ///
    /// # Errors
    ///
    /// As `wait`; `TimedOut` after the deadline.
    #[track_caller]
    pub fn wait_deadline(&self, deadline: Instant) -> Result<(), WaitError> {
        self.wait_until(Some(deadline))
    }

    /// As [`wait`](WaitGroup::wait), but not longer than `timeout`.
    ///
    /// # Scheduling
    ///
    /// As [`wait`](WaitGroup::wait).
    ///
    /// # Cancellation
    ///
    /// As [`wait`](WaitGroup::wait).
    ///
    /// # Errors
    ///
    /// As `wait_deadline`.
    #[track_caller]
    pub fn wait_timeout(&self, timeout: Duration) -> Result<(), WaitError> {
        self.wait_until(deadline_after(timeout))
    }

    #[track_caller]
    fn wait_until(&self, deadline: Option<Instant>) -> Result<(), WaitError> {
        if self.count() == 0 {
            return Ok(());
        }
        let park = Park::new(&reason::WAIT_GROUP, Location::caller()).until(deadline);
        self.shared.waiters.wait((), park, |(), _| (), |()| ())
    }

    /// How many jobs are under way.
    pub fn count(&self) -> usize {
        self.shared.count.get()
    }

    /// Who waits, oldest first.
    pub fn waiters(&self) -> Vec<Tasklet> {
        self.shared.waiters.waiters()
    }
}

impl Default for WaitGroup {
    fn default() -> WaitGroup {
        WaitGroup::new()
    }
}

/// A job that a [`WaitGroup`] counts for as long as this lives.
///
/// # Scheduling
///
/// Never switches, except where a method says so.
#[derive(Debug)]
#[must_use = "the job counts as done when this is dropped"]
pub struct Job {
    shared: Rc<Shared>,
}

impl Job {
    /// Says that the job is done: drops this.
    pub fn done(self) {}
}

impl Drop for Job {
    fn drop(&mut self) {
        let left = self.shared.count.get() - 1;
        self.shared.count.set(left);
        if left == 0 {
            self.shared.waiters.grant_all(|()| ());
        }
    }
}
