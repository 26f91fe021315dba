//! A place that tasklets pass together.
//!
//! ```text
//!            the last party arrives: all pass, the next round begins
//!          +----------------------+
//!          v                      |
//!   open, n of N wait ------------+
//!      |         ^
//!      | a waiter dies, abort     reset (from either state; whoever waits
//!      v         |                gets `Broken`)
//!     broken ----+
//! ```
//!
//! A round ends for all at once, so a party that can't come any more ends it
//! for the others: they would wait for ever. Rounds are numbered, since one that
//! is over must not be broken by those who die on their way out of it.

use super::grant::{GrantList, deadline_after};
use crate::error::WaitError;
use crate::scheduler::Park;
use crate::tasklet::Tasklet;
use crate::wait::reason;
use std::cell::Cell;
use std::error::Error;
use std::fmt;
use std::io;
use std::panic::Location;
use std::time::{Duration, Instant};

/// How a round has ended for a waiter.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Outcome {
    Passed,
    Broken,
}

/// Lets a number of tasklets of one thread pass together, round after round.
///
/// # Scheduling
///
/// Never switches, except where a method says so.
///
/// # Examples
///
/// ```
/// use greenling::sync::Barrier;
/// use std::rc::Rc;
/// let barrier = Rc::new(Barrier::new(3));
/// let parties: Vec<_> = (0..3)
///     .map(|_| {
///         let barrier = barrier.clone();
///         greenling::spawn(move || barrier.wait().unwrap().is_leader())
///     })
///     .collect();
/// let leaders = parties.into_iter().filter_map(|party| party.join().ok());
/// assert_eq!(leaders.filter(|&leader| leader).count(), 1);
/// ```
#[derive(Debug)]
pub struct Barrier {
    parties: usize,
    /// Rounds that are over.
    round: Cell<u64>,
    broken: Cell<bool>,
    waiters: GrantList<Outcome>,
}

impl Barrier {
    /// A barrier that `parties` tasklets pass together; with 0 or 1 nobody
    /// ever waits.
    pub const fn new(parties: usize) -> Barrier {
        Barrier {
            parties,
            round: Cell::new(0),
            broken: Cell::new(false),
            waiters: GrantList::new(),
        }
    }

    /// Waits until all parties have arrived.
    ///
    /// The last to arrive is the leader, and goes on at once; the others run
    /// after it, in the order in which they came. The barrier is then ready
    /// for the next round.
    ///
    /// # Scheduling
    ///
    /// Switches unless the caller is the last to arrive.
    ///
    /// # Cancellation
    ///
    /// A kill, a throw or a deadline that reaches the caller while it waits
    /// breaks the barrier: the others get `Broken`, and so does whoever comes
    /// later, until [`reset`](Barrier::reset).
    ///
    /// # Errors
    ///
    /// `Broken` if the barrier is, or becomes so; `Wait` if the caller can't
    /// wait, which leaves the barrier as it was, or its wait ended otherwise,
    /// which breaks it.
    #[track_caller]
    pub fn wait(&self) -> Result<BarrierWaitResult, BarrierError> {
        self.arrive(None)
    }

    /// As [`wait`](Barrier::wait), but not longer than until `deadline`.
    ///
    /// # Scheduling
    ///
    /// As [`wait`](Barrier::wait).
    ///
    /// # Cancellation
    ///
    /// As [`wait`](Barrier::wait).
    ///
    /// # Errors
    ///
    /// As `wait`; after the deadline `Wait(WaitError::TimedOut)`.
    #[track_caller]
    pub fn wait_deadline(&self, deadline: Instant) -> Result<BarrierWaitResult, BarrierError> {
        self.arrive(Some(deadline))
    }

    /// As [`wait`](Barrier::wait), but not longer than `timeout`.
    ///
    /// # Scheduling
    ///
    /// As [`wait`](Barrier::wait).
    ///
    /// # Cancellation
    ///
    /// As [`wait`](Barrier::wait).
    ///
    /// # Errors
    ///
    /// As `wait_deadline`.
    #[track_caller]
    pub fn wait_timeout(&self, timeout: Duration) -> Result<BarrierWaitResult, BarrierError> {
        self.arrive(deadline_after(timeout))
    }

    #[track_caller]
    fn arrive(&self, deadline: Option<Instant>) -> Result<BarrierWaitResult, BarrierError> {
        if self.broken.get() {
            return Err(BarrierError::Broken);
        }
        let index = self.waiters.len();
        if index + 1 >= self.parties {
            self.end_round(Outcome::Passed);
            return Ok(BarrierWaitResult {
                index,
                leader: true,
            });
        }
        let park = Park::new(&reason::BARRIER, Location::caller()).until(deadline);
        let round = self.round.get();
        let leave = |_: &mut Outcome, _| {
            if self.round.get() == round {
                self.abort();
            }
        };
        let outcome = self
            .waiters
            .wait(Outcome::Passed, park, leave, |outcome| *outcome)?;
        match outcome {
            Outcome::Passed => Ok(BarrierWaitResult {
                index,
                leader: false,
            }),
            Outcome::Broken => Err(BarrierError::Broken),
        }
    }

    /// Tells all who wait how their round has ended.
    fn end_round(&self, outcome: Outcome) {
        self.round.set(self.round.get() + 1);
        self.waiters.grant_all(|waiter| *waiter = outcome);
    }

    /// Breaks the barrier: all who wait get `Broken`, and so does whoever comes
    /// later.
    ///
    /// # Scheduling
    ///
    /// Never switches.
    pub fn abort(&self) {
        self.broken.set(true);
        self.end_round(Outcome::Broken);
    }

    /// Makes the barrier as good as new; all who wait get `Broken`.
    ///
    /// # Scheduling
    ///
    /// Never switches.
    pub fn reset(&self) {
        self.broken.set(false);
        self.end_round(Outcome::Broken);
    }

    /// Whether the barrier is broken.
    pub fn is_broken(&self) -> bool {
        self.broken.get()
    }

    /// How many must arrive to pass.
    pub fn parties(&self) -> usize {
        self.parties
    }

    /// Who waits, oldest first.
    pub fn waiters(&self) -> Vec<Tasklet> {
        self.waiters.waiters()
    }
}

/// What a party has been told when it passed a [`Barrier`].
///
/// # Scheduling
///
/// Never switches, except where a method says so.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BarrierWaitResult {
    index: usize,
    leader: bool,
}

impl BarrierWaitResult {
    /// True for one party of each round: the last to arrive.
    pub fn is_leader(&self) -> bool {
        self.leader
    }

    /// How many had arrived before.
    pub fn index(&self) -> usize {
        self.index
    }
}

/// Why a barrier was not passed.
#[derive(Debug)]
#[non_exhaustive]
pub enum BarrierError {
    /// The barrier is broken, or was reset meanwhile.
    Broken,
    /// The caller could not wait, or its wait ended otherwise.
    Wait(WaitError),
}

impl From<WaitError> for BarrierError {
    fn from(error: WaitError) -> BarrierError {
        BarrierError::Wait(error)
    }
}

impl fmt::Display for BarrierError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            BarrierError::Broken => f.write_str("the barrier is broken"),
            BarrierError::Wait(error) => error.fmt(f),
        }
    }
}

impl Error for BarrierError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        match self {
            BarrierError::Broken => None,
            BarrierError::Wait(error) => Some(error),
        }
    }
}

impl From<BarrierError> for io::Error {
    fn from(error: BarrierError) -> io::Error {
        match error {
            BarrierError::Broken => io::Error::other(BarrierError::Broken),
            BarrierError::Wait(error) => error.into(),
        }
    }
}
