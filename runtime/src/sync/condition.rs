//! `Condition`: waiting for a change, without a lock.
//!
//! Between the tasklets of a thread nothing happens between a check and the
//! wait that follows it, so a condition needs no mutex to be free of races.
//!
//! A notification of one tasklet is a grant: if its waiter ends before it has
//! run, or before it has seen to what it was notified of, the next waiter gets
//! it. A notification of all is not passed on: all who could use it have it.

use super::grant::{GrantList, deadline_after};
use crate::error::WaitError;
use crate::scheduler::{Park, local};
use crate::tasklet::Tasklet;
use crate::wait::reason;
use std::panic::Location;
use std::time::{Duration, Instant};

/// What a waiter was woken by.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Notice {
    None,
    /// For one tasklet, whichever: passed on if it can't be used.
    One,
    /// For all who waited.
    All,
}

/// Tasklets that wait until somebody says that something has changed.
///
/// It has no memory: a notification that finds nobody is lost. So check, wait,
/// and check again, or use [`wait_while`](Condition::wait_while), which does.
/// This is stacklesslib's `NLCondition`; [`Condvar`](super::Condvar) is for
/// state that lives in a mutex.
///
/// Waiters are notified first in, first out. The condition is `Send`, since it
/// can move only while nobody waits, and not `Sync`.
///
/// # Examples
///
/// ```
/// use greenling::{spawn, sync::Condition};
/// use std::{cell::Cell, rc::Rc};
/// let stock = Rc::new((Cell::new(0), Condition::new()));
/// let shared = stock.clone();
/// let customer = spawn(move || {
///     let (stock, arrived) = &*shared;
///     arrived.wait_while(|| stock.get() == 0)?;
///     stock.set(stock.get() - 1);
///     Ok::<_, greenling::WaitError>(())
/// });
/// greenling::schedule();
/// stock.0.set(3);
/// stock.1.notify_one();
/// customer.join().unwrap().unwrap();
/// assert_eq!(stock.0.get(), 2);
/// ```
#[derive(Debug, Default)]
#[doc(alias = "NLCondition")]
pub struct Condition {
    waiting: GrantList<Notice>,
}

impl Condition {
    /// A condition that nobody waits for.
    pub const fn new() -> Condition {
        Condition {
            waiting: GrantList::new(),
        }
    }

    /// Waits until the caller is notified.
    ///
    /// # Scheduling
    ///
    /// Always switches.
    ///
    /// # Cancellation
    ///
    /// If the caller was notified by `notify_one` or `notify` and ends before it
    /// runs, the next waiter is notified in its place.
    ///
    /// # Errors
    ///
    /// `TimedOut` after the deadline of a [`timeout`](crate::time::timeout)
    /// scope; the other reasons of [`WaitError`].
    #[track_caller]
    pub fn wait(&self) -> Result<(), WaitError> {
        let park = Park::new(&reason::CONDITION, Location::caller());
        self.wait_for_notice(park).map(drop)
    }

    /// As [`wait`](Condition::wait), but no longer than until `deadline`.
    ///
    /// # Scheduling
    ///
    /// Always switches.
    ///
    /// # Cancellation
    ///
    /// As [`wait`](Condition::wait).
    ///
    /// # Errors
    ///
    /// As [`wait`](Condition::wait); `TimedOut` also after `deadline`.
    #[track_caller]
    pub fn wait_deadline(&self, deadline: Instant) -> Result<(), WaitError> {
        let park = Park::new(&reason::CONDITION, Location::caller());
        self.wait_for_notice(park.until(Some(deadline))).map(drop)
    }

    /// As [`wait`](Condition::wait), but no longer than `timeout`.
    ///
    /// # Scheduling
    ///
    /// Always switches.
    ///
    /// # Cancellation
    ///
    /// As [`wait`](Condition::wait).
    ///
    /// # Errors
    ///
    /// As [`wait`](Condition::wait); `TimedOut` also after `timeout`.
    #[track_caller]
    pub fn wait_timeout(&self, timeout: Duration) -> Result<(), WaitError> {
        let park = Park::new(&reason::CONDITION, Location::caller());
        self.wait_for_notice(park.until(deadline_after(timeout)))
            .map(drop)
    }

    /// Waits as long as `condition` is true; it is asked before each wait.
    ///
    /// # Scheduling
    ///
    /// Switches if `condition` is true at first; else only as it does.
    ///
    /// # Cancellation
    ///
    /// As [`wait`](Condition::wait).
    ///
    /// # Errors
    ///
    /// As [`wait`](Condition::wait).
    #[track_caller]
    #[doc(alias = "wait_for")]
    pub fn wait_while(&self, mut condition: impl FnMut() -> bool) -> Result<(), WaitError> {
        let park = Park::new(&reason::CONDITION, Location::caller());
        while condition() {
            self.wait_for_notice(park)?;
        }
        Ok(())
    }

    /// Notifies the tasklet that has waited longest; false if none waits.
    ///
    /// # Scheduling
    ///
    /// Never switches.
    pub fn notify_one(&self) -> bool {
        self.notify_next(Notice::One)
    }

    /// Notifies up to `count` tasklets, oldest first, and says how many.
    ///
    /// # Scheduling
    ///
    /// Never switches.
    pub fn notify(&self, count: usize) -> usize {
        (0..count)
            .take_while(|_| self.notify_next(Notice::One))
            .count()
    }

    /// Notifies all who wait now, oldest first, and says how many.
    ///
    /// # Scheduling
    ///
    /// Never switches.
    pub fn notify_all(&self) -> usize {
        std::iter::from_fn(|| self.notify_next(Notice::All).then_some(())).count()
    }

    /// Who waits, oldest first.
    pub fn waiters(&self) -> Vec<Tasklet> {
        let tasks = self.waiting.tasks();
        tasks.into_iter().map(Tasklet::from_tcb).collect()
    }

    fn notify_next(&self, notice: Notice) -> bool {
        local::get().is_some_and(|scheduler| {
            self.waiting
                .grant_next(scheduler, |received| *received = notice)
        })
    }

    pub(super) fn wait_for_notice(&self, park: Park) -> Result<Notice, WaitError> {
        let undo = |notice: &mut Notice, _| self.pass_on(*notice);
        self.waiting
            .wait(Notice::None, park, undo, |notice| *notice)
    }

    /// Passes on what the caller was woken by but does not use.
    pub(super) fn pass_on(&self, notice: Notice) {
        if notice == Notice::One {
            self.notify_one();
        }
    }
}
