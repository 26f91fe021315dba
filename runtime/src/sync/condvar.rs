//! `Condvar`: waiting for a change of what a mutex guards.
//!
//! ```text
//!   locked --wait--> unlocked, in the condition's line
//!                         |  notified, or the call's own deadline
//!                         v
//!                    in the mutex's line --> locked: Ok
//!                         |
//!                         v  scope's deadline, throw, deadlock: Err, unlocked
//! ```
//!
//! The guard goes in and comes out by value, as in std. A condvar that kept a
//! reference to it would leave a guard without a lock to a tasklet that is
//! killed in here: an unwinding tasklet can't wait to lock again, and its
//! destructors could still reach the guard.

use super::grant::deadline_after;
use super::mutex::{Mutex, MutexGuard};
use super::notify::Notify;
use super::reentrant_mutex::{ReentrantMutex, ReentrantMutexGuard, Tenure};
use crate::error::WaitError;
use crate::scheduler::Park;
use crate::tasklet::Tasklet;
use crate::wait::reason;
use std::ops::Deref;
use std::panic::Location;
use std::time::{Duration, Instant};

/// Lets tasklets wait until what a [`Mutex`] or a [`ReentrantMutex`] guards has
/// changed.
///
/// It has no memory: a notification that finds nobody is lost. So check under
/// the lock, wait, and check again, or use [`wait_while`](Condvar::wait_while).
/// There are no wake-ups without a notification, but when a notified tasklet
/// has its lock, others may have been there before it.
///
/// Waiters are notified first in, first out. If no wait happens while the state
/// is being changed, [`Notify`] does without the mutex. The condvar is
/// `Send`, since it can move only while nobody waits, and not `Sync`.
///
/// # Scheduling
///
/// Never switches, except where a method says so.
///
/// # Errors
///
/// All waits take a guard and return it, locked, or they fail, and then the
/// mutex is not locked: there is nothing to unlock, and whoever goes on locks it
/// again. A wait for a limited time returns its guard also when the time is up.
///
/// # Examples
///
/// ```
/// use greenling::{spawn, sync::{Condvar, Mutex}};
/// use std::rc::Rc;
/// let shared = Rc::new((Mutex::new(false), Condvar::new()));
/// let other = shared.clone();
/// let starter = spawn(move || {
///     *other.0.lock().unwrap() = true;
///     other.1.notify_one();
/// });
/// let (started, changed) = &*shared;
/// let mut guard = started.lock().unwrap();
/// while !*guard {
///     guard = changed.wait(guard).unwrap();
/// }
/// starter.join().unwrap();
/// ```
#[derive(Debug, Default)]
pub struct Condvar {
    changed: Notify,
}

/// Whether a wait for a limited time ended because the time was up.
///
/// # Scheduling
///
/// Never switches, except where a method says so.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct WaitTimeoutResult {
    timed_out: bool,
}

impl WaitTimeoutResult {
    /// True if the time was up before anybody notified the caller.
    pub fn timed_out(&self) -> bool {
        self.timed_out
    }
}

/// The guards that a [`Condvar`] can unlock and lock again.
#[expect(private_bounds, reason = "nobody else can make one")]
pub trait CondvarGuard: Deref + Relock {}

impl<T: ?Sized> CondvarGuard for MutexGuard<'_, T> {}
impl<T: ?Sized> CondvarGuard for ReentrantMutexGuard<'_, T> {}

/// A guard that can be unlocked and locked again.
trait Relock: Sized {
    /// What to lock again.
    type Unlocked;

    fn unlock(self) -> Self::Unlocked;

    fn relock(
        unlocked: Self::Unlocked,
        location: &'static Location<'static>,
    ) -> Result<Self, WaitError>;
}

impl<'a, T: ?Sized> Relock for MutexGuard<'a, T> {
    type Unlocked = &'a Mutex<T>;

    fn unlock(self) -> &'a Mutex<T> {
        MutexGuard::unlock(self)
    }

    fn relock(
        mutex: &'a Mutex<T>,
        location: &'static Location<'static>,
    ) -> Result<MutexGuard<'a, T>, WaitError> {
        mutex.lock_by(None, location)
    }
}

impl<'a, T: ?Sized> Relock for ReentrantMutexGuard<'a, T> {
    type Unlocked = (&'a ReentrantMutex<T>, Tenure);

    fn unlock(self) -> Self::Unlocked {
        self.unlock_fully()
    }

    fn relock(
        (mutex, tenure): Self::Unlocked,
        location: &'static Location<'static>,
    ) -> Result<ReentrantMutexGuard<'a, T>, WaitError> {
        mutex.resume(&tenure, location)
    }
}

/// A notice that is passed on unless its receiver has come to use it.
struct Unused<'a> {
    changed: &'a Notify,
    number: Option<u64>,
}

impl Drop for Unused<'_> {
    fn drop(&mut self) {
        if let Some(number) = self.number {
            self.changed.give(number);
        }
    }
}

impl Condvar {
    /// A condvar that nobody waits for.
    pub const fn new() -> Condvar {
        Condvar {
            changed: Notify::new(),
        }
    }

    /// Unlocks the mutex, waits until the caller is notified, and locks it
    /// again. A reentrant mutex is unlocked however often the caller has locked
    /// it, and locked as often again.
    ///
    /// # Scheduling
    ///
    /// Always switches.
    ///
    /// # Cancellation
    ///
    /// If the caller was notified by `notify_one` or `notify` and ends before it
    /// has locked the mutex, the next waiter is notified in its place.
    ///
    /// # Errors
    ///
    /// `TimedOut` after the deadline of a [`timeout`](crate::time::timeout)
    /// scope; the other reasons of [`WaitError`]. The mutex is not locked then.
    #[track_caller]
    pub fn wait<G: CondvarGuard>(&self, guard: G) -> Result<G, WaitError> {
        let park = Park::new(&reason::CONDVAR, Location::caller());
        self.wait_by(guard, park).map(|(guard, _)| guard)
    }

    /// Waits as long as `condition` is true of the guarded value; it is asked
    /// before each wait, with the mutex locked.
    ///
    /// # Scheduling
    ///
    /// Switches if `condition` is true at first; else only as it does.
    ///
    /// # Cancellation
    ///
    /// As [`wait`](Condvar::wait).
    ///
    /// # Errors
    ///
    /// As [`wait`](Condvar::wait).
    #[track_caller]
    #[doc(alias = "wait_for")]
    pub fn wait_while<G: CondvarGuard>(
        &self,
        mut guard: G,
        mut condition: impl FnMut(&G::Target) -> bool,
    ) -> Result<G, WaitError> {
        let park = Park::new(&reason::CONDVAR, Location::caller());
        while condition(&guard) {
            guard = self.wait_by(guard, park)?.0;
        }
        Ok(guard)
    }

    /// As [`wait`](Condvar::wait), but waits for a notification no longer than
    /// until `deadline`, and then locks the mutex again.
    ///
    /// # Scheduling
    ///
    /// Always switches.
    ///
    /// # Cancellation
    ///
    /// As [`wait`](Condvar::wait).
    ///
    /// # Errors
    ///
    /// As [`wait`](Condvar::wait). That `deadline` has passed is no error.
    #[track_caller]
    pub fn wait_deadline<G: CondvarGuard>(
        &self,
        guard: G,
        deadline: Instant,
    ) -> Result<(G, WaitTimeoutResult), WaitError> {
        let park = Park::new(&reason::CONDVAR, Location::caller());
        self.wait_by(guard, park.until(Some(deadline)))
    }

    /// As [`wait_deadline`](Condvar::wait_deadline), with the time from now on.
    ///
    /// # Scheduling
    ///
    /// Always switches.
    ///
    /// # Cancellation
    ///
    /// As [`wait`](Condvar::wait).
    ///
    /// # Errors
    ///
    /// As [`wait_deadline`](Condvar::wait_deadline).
    #[track_caller]
    pub fn wait_timeout<G: CondvarGuard>(
        &self,
        guard: G,
        timeout: Duration,
    ) -> Result<(G, WaitTimeoutResult), WaitError> {
        let park = Park::new(&reason::CONDVAR, Location::caller());
        self.wait_by(guard, park.until(deadline_after(timeout)))
    }

    /// As [`wait_while`](Condvar::wait_while), but waits no longer than
    /// `timeout`. The time was up if `condition` was still true then.
    ///
    /// # Scheduling
    ///
    /// As [`wait_while`](Condvar::wait_while).
    ///
    /// # Cancellation
    ///
    /// As [`wait`](Condvar::wait).
    ///
    /// # Errors
    ///
    /// As [`wait_deadline`](Condvar::wait_deadline).
    #[track_caller]
    pub fn wait_timeout_while<G: CondvarGuard>(
        &self,
        mut guard: G,
        timeout: Duration,
        mut condition: impl FnMut(&G::Target) -> bool,
    ) -> Result<(G, WaitTimeoutResult), WaitError> {
        let park = Park::new(&reason::CONDVAR, Location::caller()).until(deadline_after(timeout));
        let mut result = WaitTimeoutResult { timed_out: false };
        while condition(&guard) {
            if result.timed_out {
                return Ok((guard, result));
            }
            (guard, result) = self.wait_by(guard, park)?;
        }
        Ok((guard, WaitTimeoutResult { timed_out: false }))
    }

    /// Notifies the tasklet that has waited longest; false if none waits.
    ///
    /// # Scheduling
    ///
    /// Never switches.
    pub fn notify_one(&self) -> bool {
        self.changed.notify_one()
    }

    /// Notifies up to `count` tasklets, oldest first, and says how many.
    ///
    /// # Scheduling
    ///
    /// Never switches.
    pub fn notify(&self, count: usize) -> usize {
        self.changed.notify(count)
    }

    /// Notifies all who wait now, oldest first, and says how many.
    ///
    /// # Scheduling
    ///
    /// Never switches.
    pub fn notify_all(&self) -> usize {
        self.changed.notify_all()
    }

    /// Who waits to be notified, oldest first.
    pub fn waiters(&self) -> Vec<Tasklet> {
        self.changed.waiters()
    }

    fn wait_by<G: CondvarGuard>(
        &self,
        guard: G,
        park: Park,
    ) -> Result<(G, WaitTimeoutResult), WaitError> {
        let unlocked = guard.unlock();
        let waited = self.changed.wait_by(park);
        let own_deadline = || park.deadline.is_some_and(|at| at <= Instant::now());
        let mut unused = Unused {
            changed: &self.changed,
            number: match waited {
                Ok(number) => Some(number),
                Err(WaitError::TimedOut) if own_deadline() => None,
                Err(error) => return Err(error),
            },
        };
        let guard = G::relock(unlocked, park.location)?;
        let timed_out = unused.number.take().is_none();
        Ok((guard, WaitTimeoutResult { timed_out }))
    }
}
