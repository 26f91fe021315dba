//! A number of permits that tasklets take and give back.
//!
//! ```text
//!                 acquire                         dropped
//!   available -----------------> held by a Permit ----------> available
//!       ^   |                          |
//!       |   +--> granted to a waiter --+--forget--> gone
//!       |            that has not run                |
//!       +---------------- add_permits ---------------+
//! ```
//!
//! `total` counts all but the gone ones, wherever they are, so a bounded
//! semaphore notices a permit that is put back twice even while others are out.
//!
//! Waiters are served strictly in the order in which they came: one that wants
//! many is not overtaken by those behind it that want few, or it might wait for
//! ever. So a waiter that leaves, with or without its grant, makes way for
//! those behind it.

mod error;

pub use error::{AcquireError, TooManyPermits, TryAcquireError};

use super::grant::{GrantList, deadline_after};
use crate::scheduler::Park;
use crate::tasklet::Tasklet;
use crate::wait::reason;
use std::cell::Cell;
use std::fmt;
use std::ops::Deref;
use std::panic::Location;
use std::rc::Rc;
use std::time::{Duration, Instant};

/// Limits how many tasklets of one thread do something at a time.
///
/// # Scheduling
///
/// Never switches, except where a method says so.
///
/// # Examples
///
/// ```
/// use greenling::sync::Semaphore;
/// use std::rc::Rc;
/// let connections = Rc::new(Semaphore::new(2));
/// let handlers: Vec<_> = (0..5)
///     .map(|n| {
///         let permit = connections.acquire_owned(1).unwrap();
///         greenling::spawn(move || {
///             let _permit = permit;
///             greenling::schedule();
///             n
///         })
///     })
///     .collect();
/// for (n, handler) in handlers.into_iter().enumerate() {
///     assert_eq!(handler.join().unwrap(), n);
/// }
/// assert_eq!(connections.available(), 2);
/// ```
#[doc(alias = "BoundedSemaphore")]
#[derive(Debug)]
pub struct Semaphore {
    available: Cell<usize>,
    total: Cell<usize>,
    /// The most that `total` may be.
    limit: usize,
    closed: Cell<bool>,
    waiters: GrantList<Wanted>,
}

#[derive(Debug)]
struct Wanted {
    count: usize,
    /// It was woken because the semaphore was closed.
    refused: bool,
}

impl Semaphore {
    /// One with `permits` permits, to which any number may be added.
    pub const fn new(permits: usize) -> Semaphore {
        Semaphore::with_limit(permits, usize::MAX)
    }

    /// One that never has more than `permits` permits: only those that were
    /// forgotten can be added again. What Python calls `BoundedSemaphore`.
    pub const fn bounded(permits: usize) -> Semaphore {
        Semaphore::with_limit(permits, permits)
    }

    const fn with_limit(permits: usize, limit: usize) -> Semaphore {
        Semaphore {
            available: Cell::new(permits),
            total: Cell::new(permits),
            limit,
            closed: Cell::new(false),
            waiters: GrantList::new(),
        }
    }

    /// Takes a permit, for which it waits if need be.
    ///
    /// # Scheduling
    ///
    /// Switches if there is no permit, or if others wait for one.
    ///
    /// # Cancellation
    ///
    /// The caller loses its place. A permit that was granted to a caller which
    /// is then killed, or thrown at, before it runs goes to the next.
    ///
    /// # Errors
    ///
    /// `Closed` if the semaphore is closed, now or while the caller waits;
    /// `Wait` if the wait ended otherwise.
    #[track_caller]
    pub fn acquire(&self) -> Result<Permit<&Semaphore>, AcquireError> {
        self.acquire_many(1)
    }

    /// As [`acquire`](Semaphore::acquire), but not longer than until
    /// `deadline`.
    ///
    /// # Scheduling
    ///
    /// As [`acquire`](Semaphore::acquire).
    ///
    /// # Cancellation
    ///
    /// As [`acquire`](Semaphore::acquire).
    ///
    /// # Errors
    ///
    /// As `acquire`; after the deadline `Wait(WaitError::TimedOut)`.
    #[track_caller]
    pub fn acquire_deadline(&self, deadline: Instant) -> Result<Permit<&Semaphore>, AcquireError> {
        self.take(1, Some(deadline))?;
        Ok(Permit::new(self, 1))
    }

    /// As [`acquire`](Semaphore::acquire), but not longer than `timeout`.
    ///
    /// # Scheduling
    ///
    /// As [`acquire`](Semaphore::acquire).
    ///
    /// # Cancellation
    ///
    /// As [`acquire`](Semaphore::acquire).
    ///
    /// # Errors
    ///
    /// As `acquire_deadline`.
    #[track_caller]
    pub fn acquire_timeout(&self, timeout: Duration) -> Result<Permit<&Semaphore>, AcquireError> {
        self.take(1, deadline_after(timeout))?;
        Ok(Permit::new(self, 1))
    }

    /// As [`acquire`](Semaphore::acquire), for `count` permits at once.
    ///
    /// # Scheduling
    ///
    /// As [`acquire`](Semaphore::acquire).
    ///
    /// # Cancellation
    ///
    /// As [`acquire`](Semaphore::acquire).
    ///
    /// # Errors
    ///
    /// As `acquire`; `TooMany` if a bounded semaphore never has that many.
    #[track_caller]
    pub fn acquire_many(&self, count: usize) -> Result<Permit<&Semaphore>, AcquireError> {
        self.take(count, None)?;
        Ok(Permit::new(self, count))
    }

    /// As [`acquire_many`](Semaphore::acquire_many), for a permit that can be
    /// moved into another tasklet.
    ///
    /// # Scheduling
    ///
    /// As [`acquire_many`](Semaphore::acquire_many).
    ///
    /// # Cancellation
    ///
    /// As [`acquire_many`](Semaphore::acquire_many).
    ///
    /// # Errors
    ///
    /// As `acquire_many`.
    #[track_caller]
    pub fn acquire_owned(
        self: &Rc<Semaphore>,
        count: usize,
    ) -> Result<Permit<Rc<Semaphore>>, AcquireError> {
        self.take(count, None)?;
        Ok(Permit::new(self.clone(), count))
    }

    /// Takes a permit if there is one and nobody waits.
    ///
    /// # Scheduling
    ///
    /// Never switches.
    ///
    /// # Errors
    ///
    /// `NoPermits` if there is none, or others wait; `Closed`.
    pub fn try_acquire(&self) -> Result<Permit<&Semaphore>, TryAcquireError> {
        self.try_acquire_many(1)
    }

    /// As [`try_acquire`](Semaphore::try_acquire), for `count` permits at once.
    ///
    /// # Scheduling
    ///
    /// Never switches.
    ///
    /// # Errors
    ///
    /// As `try_acquire`.
    pub fn try_acquire_many(&self, count: usize) -> Result<Permit<&Semaphore>, TryAcquireError> {
        self.try_take(count)?;
        Ok(Permit::new(self, count))
    }

    /// As [`try_acquire_many`](Semaphore::try_acquire_many), for a permit that
    /// can be moved into another tasklet.
    ///
    /// # Scheduling
    ///
    /// Never switches.
    ///
    /// # Errors
    ///
    /// As `try_acquire`.
    pub fn try_acquire_owned(
        self: &Rc<Semaphore>,
        count: usize,
    ) -> Result<Permit<Rc<Semaphore>>, TryAcquireError> {
        self.try_take(count)?;
        Ok(Permit::new(self.clone(), count))
    }

    fn try_take(&self, count: usize) -> Result<(), TryAcquireError> {
        if self.closed.get() {
            return Err(TryAcquireError::Closed);
        }
        let available = self.available.get();
        if available < count || !self.waiters.is_empty() {
            return Err(TryAcquireError::NoPermits);
        }
        self.available.set(available - count);
        Ok(())
    }

    #[track_caller]
    fn take(&self, count: usize, deadline: Option<Instant>) -> Result<(), AcquireError> {
        match self.try_take(count) {
            Ok(()) => return Ok(()),
            Err(TryAcquireError::Closed) => return Err(AcquireError::Closed),
            Err(TryAcquireError::NoPermits) if count > self.limit => {
                return Err(AcquireError::TooMany);
            }
            Err(TryAcquireError::NoPermits) => {}
        }
        let park = Park::new(&reason::SEMAPHORE, Location::caller()).until(deadline);
        let wanted = Wanted {
            count,
            refused: false,
        };
        let undo = |wanted: &mut Wanted, woken| {
            if woken && !wanted.refused {
                self.available.set(self.available.get() + wanted.count);
            }
            self.serve();
        };
        let refused = self
            .waiters
            .wait(wanted, park, undo, |wanted| wanted.refused)?;
        if refused {
            return Err(AcquireError::Closed);
        }
        Ok(())
    }

    fn give_back(&self, count: usize) {
        self.available.set(self.available.get() + count);
        self.serve();
    }

    /// Grants the waiters what they want, oldest first, as far as it goes.
    fn serve(&self) {
        let grant = |wanted: &mut Wanted| {
            let left = self.available.get().checked_sub(wanted.count);
            if let Some(left) = left {
                self.available.set(left);
            }
            left.is_some()
        };
        while self.waiters.grant_if(grant) {}
    }

    /// Adds permits, or puts back those that were forgotten.
    ///
    /// # Scheduling
    ///
    /// Never switches.
    ///
    /// # Errors
    ///
    /// If a bounded semaphore would have more than in the beginning, counting
    /// those that are held; nothing is added then.
    #[doc(alias = "release")]
    pub fn add_permits(&self, count: usize) -> Result<(), TooManyPermits> {
        let total = self.total.get().checked_add(count);
        let total = total.filter(|&total| total <= self.limit);
        self.total.set(total.ok_or(TooManyPermits)?);
        self.give_back(count);
        Ok(())
    }

    /// Refuses permits from now on; all who wait for one get `Closed`. Permits
    /// that are held stay valid.
    ///
    /// # Scheduling
    ///
    /// Never switches.
    pub fn close(&self) {
        self.closed.set(true);
        self.waiters.grant_all(|wanted| wanted.refused = true);
    }

    /// Whether the semaphore is closed.
    pub fn is_closed(&self) -> bool {
        self.closed.get()
    }

    /// Permits that nobody has.
    pub fn available(&self) -> usize {
        self.available.get()
    }

    /// Who waits, oldest first.
    pub fn waiters(&self) -> Vec<Tasklet> {
        self.waiters.waiters()
    }
}

/// Permits taken from a [`Semaphore`], given back when this is dropped.
///
/// # Scheduling
///
/// Never switches, except where a method says so.
#[must_use = "the permits are given back when this is dropped"]
pub struct Permit<S: Deref<Target = Semaphore>> {
    semaphore: S,
    count: usize,
}

impl<S: Deref<Target = Semaphore>> Permit<S> {
    fn new(semaphore: S, count: usize) -> Permit<S> {
        Permit { semaphore, count }
    }

    /// How many permits these are.
    pub fn count(&self) -> usize {
        self.count
    }

    /// Takes the permits out of the world: they are not given back, until
    /// [`add_permits`](Semaphore::add_permits) adds as many.
    pub fn forget(mut self) {
        let count = std::mem::take(&mut self.count);
        let total = &self.semaphore.total;
        total.set(total.get() - count);
    }
}

impl<S: Deref<Target = Semaphore> + Clone> Permit<S> {
    /// Takes `count` of the permits apart; `None` if there are not so many.
    pub fn split(&mut self, count: usize) -> Option<Permit<S>> {
        self.count = self.count.checked_sub(count)?;
        Some(Permit::new(self.semaphore.clone(), count))
    }
}

impl<S: Deref<Target = Semaphore>> Drop for Permit<S> {
    fn drop(&mut self) {
        if self.count > 0 {
            self.semaphore.give_back(self.count);
        }
    }
}

impl<S: Deref<Target = Semaphore>> fmt::Debug for Permit<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Permit")
            .field("count", &self.count)
            .finish_non_exhaustive()
    }
}
