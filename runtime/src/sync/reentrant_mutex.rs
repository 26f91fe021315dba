//! `ReentrantMutex`: one tasklet at a time, as often as it likes.
//!
//! The lock knows its owner by the tasklet's id, so that the owner gets another
//! guard at once; the last guard to go unlocks. Several guards may be alive, so
//! they give shared access only.
//!
//! Each time the mutex goes from unlocked to locked begins a *tenure*, which
//! has a number. A guard belongs to its tenure: `Condvar` ends the tenure under
//! the guards of a waiting owner and resumes it afterwards, and if that fails,
//! guards which are left from it unlock nothing.

use super::grant::deadline_after;
use super::raw_lock::RawLock;
use crate::error::WaitError;
use crate::scheduler::Park;
use crate::tasklet::Tasklet;
use crate::wait::reason;
use std::cell::Cell;
use std::fmt;
use std::ops::Deref;
use std::panic::Location;
use std::time::{Duration, Instant};

/// A value that one tasklet at a time may use, which may lock it again.
///
/// This is the `RLock` of Stackless and Python programs. Its guards give shared
/// access: put a `Cell` or a `RefCell` inside to change the value.
///
/// The owner is the tasklet that locked it. Otherwise it is like [`Mutex`]:
/// waiters are served first in, first out, there is no poisoning, and it is
/// `Send` but not `Sync`.
///
/// [`Mutex`]: super::Mutex
///
/// # Scheduling
///
/// Never switches, except where a method says so.
///
/// # Examples
///
/// ```
/// use greenling::sync::ReentrantMutex;
/// use std::cell::Cell;
/// let total = ReentrantMutex::new(Cell::new(0));
/// let outer = total.lock().unwrap();
/// let inner = total.lock().unwrap();
/// inner.set(outer.get() + 1);
/// drop(outer);
/// assert!(total.is_locked());
/// drop(inner);
/// assert!(!total.is_locked());
/// ```
#[derive(Default)]
#[doc(alias = "RLock")]
#[doc(alias = "CriticalSection")]
pub struct ReentrantMutex<T: ?Sized> {
    lock: RawLock,
    /// Guards of this tenure; zero also between a hand-over and the new owner.
    depth: Cell<usize>,
    tenure: Cell<u64>,
    /// Tenures so far.
    tenures: Cell<u64>,
    value: T,
}

impl<T> ReentrantMutex<T> {
    /// An unlocked mutex around a value.
    pub const fn new(value: T) -> ReentrantMutex<T> {
        ReentrantMutex {
            lock: RawLock::new(),
            depth: Cell::new(0),
            tenure: Cell::new(0),
            tenures: Cell::new(0),
            value,
        }
    }

    /// The value.
    pub fn into_inner(self) -> T {
        self.value
    }
}

impl<T: ?Sized> ReentrantMutex<T> {
    /// Locks the mutex until the guard is dropped.
    ///
    /// # Scheduling
    ///
    /// Switches if another tasklet has locked it, and then returns in the
    /// caller's turn after that has unlocked it; else never. Unlocking never
    /// switches.
    ///
    /// # Cancellation
    ///
    /// A killed caller leaves the line; if the mutex had been handed to it
    /// already, the next gets it.
    ///
    /// # Errors
    ///
    /// `TimedOut` after the deadline of a [`timeout`](crate::time::timeout)
    /// scope; the other reasons of [`WaitError`]. The mutex is not locked once
    /// more then.
    #[track_caller]
    #[inline]
    pub fn lock(&self) -> Result<ReentrantMutexGuard<'_, T>, WaitError> {
        self.lock_by(None, Location::caller())
    }

    /// As [`lock`](ReentrantMutex::lock), but waits no longer than until
    /// `deadline`.
    ///
    /// # Scheduling
    ///
    /// As [`lock`](ReentrantMutex::lock), whatever the deadline.
    ///
    /// # Cancellation
    ///
    /// As [`lock`](ReentrantMutex::lock).
    ///
    /// # Errors
    ///
    /// As [`lock`](ReentrantMutex::lock); `TimedOut` also after `deadline`.
    #[track_caller]
    pub fn lock_deadline(
        &self,
        deadline: Instant,
    ) -> Result<ReentrantMutexGuard<'_, T>, WaitError> {
        self.lock_by(Some(deadline), Location::caller())
    }

    /// As [`lock`](ReentrantMutex::lock), but waits no longer than `timeout`.
    ///
    /// # Scheduling
    ///
    /// As [`lock`](ReentrantMutex::lock), whatever the timeout.
    ///
    /// # Cancellation
    ///
    /// As [`lock`](ReentrantMutex::lock).
    ///
    /// # Errors
    ///
    /// As [`lock`](ReentrantMutex::lock); `TimedOut` also after `timeout`.
    #[track_caller]
    pub fn lock_timeout(&self, timeout: Duration) -> Result<ReentrantMutexGuard<'_, T>, WaitError> {
        self.lock_by(deadline_after(timeout), Location::caller())
    }

    #[inline]
    fn lock_by(
        &self,
        deadline: Option<Instant>,
        location: &'static Location<'static>,
    ) -> Result<ReentrantMutexGuard<'_, T>, WaitError> {
        if !self.lock.is_mine() {
            let park = Park::new(&reason::REENTRANT_MUTEX, location).until(deadline);
            self.lock.acquire(park)?;
            self.begin_tenure();
        }
        Ok(self.locked_once_more())
    }

    /// Locks the mutex if no other tasklet has locked it.
    ///
    /// # Scheduling
    ///
    /// Never switches.
    pub fn try_lock(&self) -> Option<ReentrantMutexGuard<'_, T>> {
        if !self.lock.is_mine() {
            if !self.lock.try_acquire() {
                return None;
            }
            self.begin_tenure();
        }
        Some(self.locked_once_more())
    }

    /// For the tasklet that has just become the owner.
    fn begin_tenure(&self) {
        debug_assert_eq!(self.depth.get(), 0);
        self.tenures.set(self.tenures.get() + 1);
        self.tenure.set(self.tenures.get());
    }

    fn locked_once_more(&self) -> ReentrantMutexGuard<'_, T> {
        self.depth.set(self.depth.get() + 1);
        ReentrantMutexGuard {
            mutex: self,
            tenure: self.tenure.get(),
        }
    }

    /// Waits to lock it again after [`ReentrantMutexGuard::unlock_fully`].
    pub(super) fn resume(
        &self,
        tenure: &Tenure,
        location: &'static Location<'static>,
    ) -> Result<ReentrantMutexGuard<'_, T>, WaitError> {
        self.lock
            .acquire(Park::new(&reason::REENTRANT_MUTEX, location))?;
        self.tenure.set(tenure.number);
        self.depth.set(tenure.depth);
        Ok(ReentrantMutexGuard {
            mutex: self,
            tenure: tenure.number,
        })
    }

    /// The value, without locking: nobody else can have it.
    pub fn get_mut(&mut self) -> &mut T {
        &mut self.value
    }

    /// True while it is locked. It may be handed to a tasklet that has not run
    /// yet.
    pub fn is_locked(&self) -> bool {
        !self.lock.is_free()
    }

    /// True if the running tasklet has locked it.
    #[doc(alias = "_is_owned")]
    pub fn is_mine(&self) -> bool {
        self.lock.is_mine()
    }

    /// The tasklet that locked it, if it is locked and that is alive. For
    /// diagnosis: it looks through all tasklets.
    pub fn owner(&self) -> Option<Tasklet> {
        self.lock.owner()
    }

    /// Who waits for it, oldest first.
    pub fn waiters(&self) -> Vec<Tasklet> {
        self.lock.waiters()
    }
}

impl<T> From<T> for ReentrantMutex<T> {
    fn from(value: T) -> ReentrantMutex<T> {
        ReentrantMutex::new(value)
    }
}

impl<T: ?Sized + fmt::Debug> fmt::Debug for ReentrantMutex<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut shown = f.debug_struct("ReentrantMutex");
        match self.try_lock() {
            Some(guard) => shown.field("value", &&*guard),
            None => shown.field("value", &format_args!("<locked>")),
        };
        shown.field("waiting", &self.lock.waiting()).finish()
    }
}

/// The locked value of a [`ReentrantMutex`]; the last one to be dropped unlocks
/// it.
///
/// Dropping it never switches, also while unwinding: the next in line becomes
/// runnable.
#[must_use = "the mutex is locked only while the guard lives"]
pub struct ReentrantMutexGuard<'a, T: ?Sized> {
    mutex: &'a ReentrantMutex<T>,
    tenure: u64,
}

/// What was unlocked, to be resumed.
#[derive(Debug)]
pub(super) struct Tenure {
    number: u64,
    depth: usize,
}

impl<'a, T: ?Sized> ReentrantMutexGuard<'a, T> {
    /// Unlocks the mutex, however often its owner has locked it.
    pub(super) fn unlock_fully(self) -> (&'a ReentrantMutex<T>, Tenure) {
        let mutex = self.mutex;
        let tenure = Tenure {
            number: self.tenure,
            // Zero if this guard is left over from a tenure that has ended.
            depth: if self.is_current() {
                mutex.depth.replace(1)
            } else {
                1
            },
        };
        (mutex, tenure)
    }

    fn is_current(&self) -> bool {
        self.mutex.tenure.get() == self.tenure && self.mutex.depth.get() > 0
    }
}

impl<T: ?Sized> Drop for ReentrantMutexGuard<'_, T> {
    fn drop(&mut self) {
        if !self.is_current() {
            return;
        }
        let mutex = self.mutex;
        mutex.depth.set(mutex.depth.get() - 1);
        if mutex.depth.get() == 0 {
            mutex.lock.release();
        }
    }
}

impl<T: ?Sized> Deref for ReentrantMutexGuard<'_, T> {
    type Target = T;

    fn deref(&self) -> &T {
        &self.mutex.value
    }
}

impl<T: ?Sized + fmt::Debug> fmt::Debug for ReentrantMutexGuard<'_, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        (**self).fmt(f)
    }
}

impl<T: ?Sized + fmt::Display> fmt::Display for ReentrantMutexGuard<'_, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        (**self).fmt(f)
    }
}
