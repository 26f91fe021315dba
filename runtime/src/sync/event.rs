//! A flag that can be waited for.
//!
//! ```text
//!                       set                      set, nobody waits
//!   manual:   clear <---------> set    auto:   clear <---------> set
//!                      clear                     wait, clear
//!             set wakes all                    set wakes the oldest waiter
//!                                              instead, if there is one
//! ```
//!
//! What an automatic event gives, it gives once, so a waiter that dies between
//! its wake-up and its run must put it back. Sets are numbered for that: if the
//! event was cleared since, what is put back may still go to somebody who
//! waited before the set, but does not undo the clearing.

use super::grant::{GrantList, deadline_after};
use crate::error::WaitError;
use crate::scheduler::Park;
use crate::tasklet::Tasklet;
use crate::wait::reason;
use std::cell::Cell;
use std::panic::Location;
use std::time::{Duration, Instant};

/// A flag for which tasklets of one thread wait.
///
/// # Scheduling
///
/// Never switches, except where a method says so.
///
/// # Examples
///
/// ```
/// use greenling::sync::Event;
/// use std::rc::Rc;
/// let ready = Rc::new(Event::new());
/// let waiting = ready.clone();
/// let user = greenling::spawn(move || waiting.wait());
/// greenling::schedule();
/// ready.set();
/// user.join().unwrap().unwrap();
/// assert!(ready.is_set());
///
/// let ticket = Event::auto_reset();
/// ticket.set();
/// ticket.wait().unwrap();
/// assert!(!ticket.is_set());
/// ```
#[derive(Debug)]
pub struct Event {
    auto: bool,
    /// Automatic: only while nobody waits.
    is_set: Cell<bool>,
    /// Sets so far.
    sets: Cell<u64>,
    /// Sets before the last clearing.
    cleared: Cell<u64>,
    /// With each waiter, the sets before it came; from its wake-up on, the
    /// number of its own.
    waiters: GrantList<u64>,
}

impl Event {
    /// One that stays set until it is cleared, and is clear now.
    pub const fn new() -> Event {
        Event::with_mode(false)
    }

    /// One that each wait clears, and is clear now: a set releases one waiter.
    pub const fn auto_reset() -> Event {
        Event::with_mode(true)
    }

    const fn with_mode(auto: bool) -> Event {
        Event {
            auto,
            is_set: Cell::new(false),
            sets: Cell::new(0),
            cleared: Cell::new(0),
            waiters: GrantList::new(),
        }
    }

    /// Sets the event and wakes all who wait; one that resets itself wakes the
    /// tasklet that has waited longest instead, if there is one.
    ///
    /// # Scheduling
    ///
    /// Never switches.
    pub fn set(&self) {
        let number = self.sets.get() + 1;
        self.sets.set(number);
        if self.auto {
            self.is_set.set(!self.give(number, |_| true));
        } else {
            self.is_set.set(true);
            while self.give(number, |_| true) {}
        }
    }

    /// Releases the oldest waiter, if `accept` takes the number of sets before
    /// it came.
    fn give(&self, number: u64, accept: impl Fn(u64) -> bool) -> bool {
        let give = |waiter: &mut u64| {
            let accepted = accept(*waiter);
            if accepted {
                *waiter = number;
            }
            accepted
        };
        self.waiters.grant_if(give)
    }

    /// Undoes [`set`](Event::set). Who was woken by it goes on all the same.
    ///
    /// # Scheduling
    ///
    /// Never switches.
    pub fn clear(&self) {
        self.is_set.set(false);
        self.cleared.set(self.sets.get());
    }

    /// Whether the event is set.
    pub fn is_set(&self) -> bool {
        self.is_set.get()
    }

    /// Whether the event is set, clearing it if it resets itself: a wait that
    /// does not wait.
    ///
    /// # Scheduling
    ///
    /// Never switches.
    pub fn try_wait(&self) -> bool {
        let was_set = self.is_set.get();
        if self.auto {
            self.is_set.set(false);
        }
        was_set
    }

    /// Waits until the event is set; clears it again if it resets itself.
    ///
    /// # Scheduling
    ///
    /// Switches if the event is clear.
    ///
    /// # Cancellation
    ///
    /// Nothing is lost: what a self-resetting event gave to a caller that is
    /// then killed, or thrown at, before it runs goes to the next, or the event
    /// is set again.
    ///
    /// # Errors
    ///
    /// The reasons of [`WaitError`].
    #[track_caller]
    pub fn wait(&self) -> Result<(), WaitError> {
        self.wait_until(None)
    }

    /// As [`wait`](Event::wait), but not longer than until `deadline`.
    ///
    /// # Scheduling
    ///
    /// As [`wait`](Event::wait).
    ///
    /// # Cancellation
    ///
    /// As [`wait`](Event::wait).
    ///
    /// # Errors
    ///
    /// As `wait`; `TimedOut` after the deadline.
    #[track_caller]
    pub fn wait_deadline(&self, deadline: Instant) -> Result<(), WaitError> {
        self.wait_until(Some(deadline))
    }

    /// As [`wait`](Event::wait), but not longer than `timeout`.
    ///
    /// # Scheduling
    ///
    /// As [`wait`](Event::wait).
    ///
    /// # Cancellation
    ///
    /// As [`wait`](Event::wait).
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
        self.wait_by(Park::new(&reason::EVENT, Location::caller()).until(deadline))
    }

    /// For waits that have a reason of their own.
    pub(crate) fn wait_by(&self, park: Park) -> Result<(), WaitError> {
        if self.try_wait() {
            return Ok(());
        }
        let undo = |number: &mut u64, granted| {
            if granted && self.auto {
                self.put_back(*number);
            }
        };
        self.waiters.wait(self.sets.get(), park, undo, |_| ())
    }

    /// A waiter that was released by set `number` did not live to run.
    fn put_back(&self, number: u64) {
        if number > self.cleared.get() {
            if !self.give(number, |_| true) {
                self.is_set.set(true);
            }
        } else {
            self.give(number, |before| before < number);
        }
    }

    /// Who waits, oldest first.
    pub fn waiters(&self) -> Vec<Tasklet> {
        self.waiters.waiters()
    }
}

impl Default for Event {
    /// As [`Event::new`].
    fn default() -> Event {
        Event::new()
    }
}
