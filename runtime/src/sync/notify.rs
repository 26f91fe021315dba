//! A signal to tasklets that wait for something to change.
//!
//! ```text
//!   wait ---> in the list ---notify---> woken ---> runs
//!                 ^                       |
//!                 |    killed before it   |
//!                 +---- has run: the -----+
//!                   notification goes to the next that was there
//! ```
//!
//! It keeps no permit for a later `wait`. On one thread nothing happens between
//! a look at a condition and the wait for its change, so a notification that
//! finds nobody has nobody to tell; a kept one would only wake somebody for
//! nothing. [`Event`](super::Event) remembers, [`Semaphore`](super::Semaphore)
//! counts.
//!
//! Notifications are numbered, and a waiter knows the last one before it came.
//! So one that is passed on, because its receiver died, never reaches a waiter
//! that came after it was given, and a woken tasklet that waits again is not
//! woken twice by one `notify_all`.

use super::grant::{GrantList, deadline_after};
use crate::error::WaitError;
use crate::scheduler::Park;
use crate::tasklet::Tasklet;
use crate::wait::reason;
use std::cell::Cell;
use std::panic::Location;
use std::time::{Duration, Instant};

/// Wakes tasklets of one thread that wait for something to change.
///
/// What stacklesslib calls `SignalChannel`. What has changed can lie in a `Cell`
/// or `RefCell`: between tasklets of one thread it needs no lock, as long as no
/// wait comes between reading and writing it.
///
/// # Scheduling
///
/// Never switches, except where a method says so.
///
/// # Examples
///
/// ```
/// use greenling::sync::Notify;
/// use std::{cell::Cell, rc::Rc};
/// let (door, open) = (Rc::new(Notify::new()), Rc::new(Cell::new(false)));
/// let (waiting, state) = (door.clone(), open.clone());
/// let guest = greenling::spawn(move || waiting.wait_while(|| !state.get()));
/// greenling::schedule();
/// open.set(true);
/// assert_eq!(door.notify_all(), 1);
/// guest.join().unwrap().unwrap();
/// ```
#[doc(alias = "SignalChannel")]
#[doc(alias = "NLCondition")]
#[derive(Debug)]
pub struct Notify {
    /// Notifications given so far.
    given: Cell<u64>,
    /// With each waiter, the notifications given before it came; from its
    /// wake-up on, the number of its own.
    waiters: GrantList<u64>,
}

impl Notify {
    /// One that nobody waits for.
    pub const fn new() -> Notify {
        Notify {
            given: Cell::new(0),
            waiters: GrantList::new(),
        }
    }

    /// Waits for a notification.
    ///
    /// # Scheduling
    ///
    /// Always switches.
    ///
    /// # Cancellation
    ///
    /// Nothing is lost: a notification that reached a caller which is then
    /// killed, or thrown at, before it runs goes to the next that waits.
    ///
    /// # Errors
    ///
    /// The reasons of [`WaitError`].
    #[track_caller]
    pub fn wait(&self) -> Result<(), WaitError> {
        self.wait_until(None)
    }

    /// As [`wait`](Notify::wait), but not longer than until `deadline`.
    ///
    /// # Scheduling
    ///
    /// As [`wait`](Notify::wait).
    ///
    /// # Cancellation
    ///
    /// As [`wait`](Notify::wait).
    ///
    /// # Errors
    ///
    /// As `wait`; `TimedOut` after the deadline.
    #[track_caller]
    pub fn wait_deadline(&self, deadline: Instant) -> Result<(), WaitError> {
        self.wait_until(Some(deadline))
    }

    /// As [`wait`](Notify::wait), but not longer than `timeout`.
    ///
    /// # Scheduling
    ///
    /// As [`wait`](Notify::wait).
    ///
    /// # Cancellation
    ///
    /// As [`wait`](Notify::wait).
    ///
    /// # Errors
    ///
    /// As `wait_deadline`.
    #[track_caller]
    pub fn wait_timeout(&self, timeout: Duration) -> Result<(), WaitError> {
        self.wait_until(deadline_after(timeout))
    }

    /// Waits, notification by notification, until `condition` is false.
    ///
    /// # Scheduling
    ///
    /// Switches if `condition` is true.
    ///
    /// # Cancellation
    ///
    /// As [`wait`](Notify::wait).
    ///
    /// # Errors
    ///
    /// As [`wait`](Notify::wait).
    #[track_caller]
    pub fn wait_while(&self, mut condition: impl FnMut() -> bool) -> Result<(), WaitError> {
        while condition() {
            self.wait_until(None)?;
        }
        Ok(())
    }

    #[track_caller]
    fn wait_until(&self, deadline: Option<Instant>) -> Result<(), WaitError> {
        let park = Park::new(&reason::NOTIFY, Location::caller()).until(deadline);
        self.wait_by(park).map(drop)
    }

    /// Waits for a notification and returns its number.
    pub(super) fn wait_by(&self, park: Park) -> Result<u64, WaitError> {
        let undo = |number: &mut u64, granted| {
            if granted {
                self.give(*number);
            }
        };
        self.waiters
            .wait(self.given.get(), park, undo, |number| *number)
    }

    /// Wakes the tasklet that has waited longest; false if none waits.
    ///
    /// # Scheduling
    ///
    /// Never switches.
    pub fn notify_one(&self) -> bool {
        self.notify(1) == 1
    }

    /// Wakes all that wait now, oldest first, and counts them.
    ///
    /// # Scheduling
    ///
    /// Never switches.
    pub fn notify_all(&self) -> usize {
        self.notify(usize::MAX)
    }

    /// Wakes the `most` that have waited longest, or all if there are fewer,
    /// and counts them.
    ///
    /// # Scheduling
    ///
    /// Never switches.
    pub fn notify(&self, most: usize) -> usize {
        let number = self.given.get() + 1;
        self.given.set(number);
        let mut count = 0;
        while count < most && self.give(number) {
            count += 1;
        }
        count
    }

    /// Gives a notification to the oldest waiter that was there before it;
    /// false if there is none.
    pub(super) fn give(&self, number: u64) -> bool {
        let give = |waiter: &mut u64| {
            let was_there = *waiter < number;
            if was_there {
                *waiter = number;
            }
            was_there
        };
        self.waiters.grant_if(give)
    }

    /// Who waits, oldest first.
    pub fn waiters(&self) -> Vec<Tasklet> {
        self.waiters.waiters()
    }
}

impl Default for Notify {
    fn default() -> Notify {
        Notify::new()
    }
}
