//! `RwLock`: many readers or one writer.
//!
//! Built like `Mutex`: a `RawRwLock` does the waiting, and the flag of a
//! `RefCell` proves to the compiler what the lock sees to.

use super::grant::deadline_after;
use super::raw_rw_lock::{RawRwLock, Use};
use crate::error::WaitError;
use crate::scheduler::Park;
use crate::tasklet::Tasklet;
use crate::wait::reason;
use std::cell::{Ref, RefCell, RefMut};
use std::fmt;
use std::ops::{Deref, DerefMut};
use std::panic::Location;
use std::time::{Duration, Instant};

/// A value that many tasklets may read or one may change, also across waits.
///
/// Readers and writers wait in one line, first in, first out, so neither can
/// starve. A tasklet that reads and locks for reading again while a writer
/// waits in between therefore waits for itself: that is a deadlock, and the
/// report of one names it, as for [`Mutex`](super::Mutex). Code that may be
/// reading already uses [`read_recursive`](RwLock::read_recursive).
///
/// There is no poisoning. The lock is `Send` if `T` is, since it can move only
/// while nobody waits, and never `Sync`.
///
/// # Scheduling
///
/// Never switches, except where a method says so.
///
/// # Examples
///
/// ```
/// use greenling::sync::RwLock;
/// let lock = RwLock::new(1);
/// let (a, b) = (lock.read().unwrap(), lock.read().unwrap());
/// assert!(lock.try_write().is_none());
/// assert_eq!(*a + *b, 2);
/// drop((a, b));
/// *lock.write().unwrap() = 5;
/// assert_eq!(lock.into_inner(), 5);
/// ```
#[derive(Default)]
#[doc(alias = "SquidgySemaphore")]
pub struct RwLock<T: ?Sized> {
    lock: RawRwLock,
    data: RefCell<T>,
}

impl<T> RwLock<T> {
    /// An unlocked lock around a value.
    pub const fn new(value: T) -> RwLock<T> {
        RwLock {
            lock: RawRwLock::new(),
            data: RefCell::new(value),
        }
    }

    /// The value.
    pub fn into_inner(self) -> T {
        self.data.into_inner()
    }
}

impl<T: ?Sized> RwLock<T> {
    /// Shares the value with other readers until the guard is dropped.
    ///
    /// # Scheduling
    ///
    /// Switches if a writer is inside or anybody waits; else never. Unlocking
    /// never switches.
    ///
    /// # Cancellation
    ///
    /// A killed caller leaves the line; if it had been let in already, it leaves
    /// again.
    ///
    /// # Errors
    ///
    /// `TimedOut` after the deadline of a [`timeout`](crate::time::timeout)
    /// scope; the other reasons of [`WaitError`]. Nothing is locked then.
    #[track_caller]
    #[inline]
    pub fn read(&self) -> Result<RwLockReadGuard<'_, T>, WaitError> {
        self.read_by(None, Location::caller())
    }

    /// As [`read`](RwLock::read), but waits no longer than until `deadline`.
    ///
    /// # Scheduling
    ///
    /// As [`read`](RwLock::read), whatever the deadline.
    ///
    /// # Cancellation
    ///
    /// As [`read`](RwLock::read).
    ///
    /// # Errors
    ///
    /// As [`read`](RwLock::read); `TimedOut` also after `deadline`.
    #[track_caller]
    pub fn read_deadline(&self, deadline: Instant) -> Result<RwLockReadGuard<'_, T>, WaitError> {
        self.read_by(Some(deadline), Location::caller())
    }

    /// As [`read`](RwLock::read), but waits no longer than `timeout`.
    ///
    /// # Scheduling
    ///
    /// As [`read`](RwLock::read), whatever the timeout.
    ///
    /// # Cancellation
    ///
    /// As [`read`](RwLock::read).
    ///
    /// # Errors
    ///
    /// As [`read`](RwLock::read); `TimedOut` also after `timeout`.
    #[track_caller]
    pub fn read_timeout(&self, timeout: Duration) -> Result<RwLockReadGuard<'_, T>, WaitError> {
        self.read_by(deadline_after(timeout), Location::caller())
    }

    /// As [`read`](RwLock::read), but does not wait behind writers in line if
    /// readers are inside: for code that may be reading already. Those who come
    /// in like this often enough starve writers.
    ///
    /// # Scheduling
    ///
    /// Switches if a writer is inside, or if nobody is and anybody waits.
    ///
    /// # Cancellation
    ///
    /// As [`read`](RwLock::read).
    ///
    /// # Errors
    ///
    /// As [`read`](RwLock::read).
    #[track_caller]
    pub fn read_recursive(&self) -> Result<RwLockReadGuard<'_, T>, WaitError> {
        if self.lock.join_readers() {
            return Ok(self.reading());
        }
        self.read_by(None, Location::caller())
    }

    /// Has the value alone until the guard is dropped.
    ///
    /// # Scheduling
    ///
    /// Switches if anybody is inside; else never. Unlocking never switches.
    ///
    /// # Cancellation
    ///
    /// As [`read`](RwLock::read).
    ///
    /// # Errors
    ///
    /// As [`read`](RwLock::read).
    #[track_caller]
    #[inline]
    #[doc(alias = "acquire_exclusive")]
    pub fn write(&self) -> Result<RwLockWriteGuard<'_, T>, WaitError> {
        self.write_by(None, Location::caller())
    }

    /// As [`write`](RwLock::write), but waits no longer than until `deadline`.
    ///
    /// # Scheduling
    ///
    /// As [`write`](RwLock::write), whatever the deadline.
    ///
    /// # Cancellation
    ///
    /// As [`read`](RwLock::read).
    ///
    /// # Errors
    ///
    /// As [`read`](RwLock::read); `TimedOut` also after `deadline`.
    #[track_caller]
    pub fn write_deadline(&self, deadline: Instant) -> Result<RwLockWriteGuard<'_, T>, WaitError> {
        self.write_by(Some(deadline), Location::caller())
    }

    /// As [`write`](RwLock::write), but waits no longer than `timeout`.
    ///
    /// # Scheduling
    ///
    /// As [`write`](RwLock::write), whatever the timeout.
    ///
    /// # Cancellation
    ///
    /// As [`read`](RwLock::read).
    ///
    /// # Errors
    ///
    /// As [`read`](RwLock::read); `TimedOut` also after `timeout`.
    #[track_caller]
    pub fn write_timeout(&self, timeout: Duration) -> Result<RwLockWriteGuard<'_, T>, WaitError> {
        self.write_by(deadline_after(timeout), Location::caller())
    }

    /// Shares the value if no writer is inside and nobody waits.
    ///
    /// # Scheduling
    ///
    /// Never switches.
    #[inline]
    pub fn try_read(&self) -> Option<RwLockReadGuard<'_, T>> {
        self.lock.try_enter(Use::Read).then(|| self.reading())
    }

    /// Has the value alone if nobody is inside.
    ///
    /// # Scheduling
    ///
    /// Never switches.
    #[inline]
    pub fn try_write(&self) -> Option<RwLockWriteGuard<'_, T>> {
        self.lock.try_enter(Use::Write).then(|| self.writing())
    }

    /// The value, without locking: nobody else can have it.
    pub fn get_mut(&mut self) -> &mut T {
        self.data.get_mut()
    }

    /// How many readers are inside.
    pub fn readers(&self) -> usize {
        self.lock.readers()
    }

    /// True if a writer is inside.
    pub fn is_writing(&self) -> bool {
        self.lock.is_writing()
    }

    /// Who waits, oldest first.
    pub fn waiters(&self) -> Vec<Tasklet> {
        self.lock.waiters()
    }

    #[inline]
    fn read_by(
        &self,
        deadline: Option<Instant>,
        location: &'static Location<'static>,
    ) -> Result<RwLockReadGuard<'_, T>, WaitError> {
        let park = Park::new(&reason::RW_READ, location).until(deadline);
        self.lock.enter(Use::Read, park)?;
        Ok(self.reading())
    }

    #[inline]
    fn write_by(
        &self,
        deadline: Option<Instant>,
        location: &'static Location<'static>,
    ) -> Result<RwLockWriteGuard<'_, T>, WaitError> {
        let park = Park::new(&reason::RW_WRITE, location).until(deadline);
        self.lock.enter(Use::Write, park)?;
        Ok(self.writing())
    }

    #[inline]
    fn reading(&self) -> RwLockReadGuard<'_, T> {
        let inside = Inside(self);
        RwLockReadGuard {
            data: self.data.borrow(),
            _inside: inside,
        }
    }

    #[inline]
    fn writing(&self) -> RwLockWriteGuard<'_, T> {
        let inside = Inside(self);
        RwLockWriteGuard {
            data: self.data.borrow_mut(),
            inside,
        }
    }
}

impl<T> From<T> for RwLock<T> {
    fn from(value: T) -> RwLock<T> {
        RwLock::new(value)
    }
}

impl<T: ?Sized + fmt::Debug> fmt::Debug for RwLock<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut shown = f.debug_struct("RwLock");
        match self.try_read() {
            Some(guard) => shown.field("data", &&*guard),
            None => shown.field("data", &format_args!("<locked>")),
        };
        shown.field("waiting", &self.lock.waiting()).finish()
    }
}

/// Leaves when dropped.
struct Inside<'a, T: ?Sized>(&'a RwLock<T>);

impl<T: ?Sized> Drop for Inside<'_, T> {
    #[inline]
    fn drop(&mut self) {
        self.0.lock.leave();
    }
}

/// The value of a [`RwLock`], shared with other readers; unlocks it when
/// dropped.
///
/// Dropping it never switches, also while unwinding.
#[must_use = "the lock is held only while the guard lives"]
pub struct RwLockReadGuard<'a, T: ?Sized> {
    /// Declared first: it goes before the next are let in.
    data: Ref<'a, T>,
    _inside: Inside<'a, T>,
}

/// The value of a [`RwLock`], for its only user; unlocks it when dropped.
///
/// Dropping it never switches, also while unwinding.
#[must_use = "the lock is held only while the guard lives"]
pub struct RwLockWriteGuard<'a, T: ?Sized> {
    /// Declared first: it goes before the next are let in.
    data: RefMut<'a, T>,
    inside: Inside<'a, T>,
}

impl<'a, T: ?Sized> RwLockWriteGuard<'a, T> {
    /// Goes on as a reader, without letting a writer in between. Readers that
    /// are first in line get in as well.
    ///
    /// # Scheduling
    ///
    /// Never switches.
    pub fn downgrade(guard: RwLockWriteGuard<'a, T>) -> RwLockReadGuard<'a, T> {
        let RwLockWriteGuard { data, inside } = guard;
        drop(data);
        let lock = inside.0;
        lock.lock.downgrade();
        RwLockReadGuard {
            data: lock.data.borrow(),
            _inside: inside,
        }
    }
}

impl<T: ?Sized> Deref for RwLockReadGuard<'_, T> {
    type Target = T;

    #[inline]
    fn deref(&self) -> &T {
        &self.data
    }
}

impl<T: ?Sized> Deref for RwLockWriteGuard<'_, T> {
    type Target = T;

    #[inline]
    fn deref(&self) -> &T {
        &self.data
    }
}

impl<T: ?Sized> DerefMut for RwLockWriteGuard<'_, T> {
    #[inline]
    fn deref_mut(&mut self) -> &mut T {
        &mut self.data
    }
}

impl<T: ?Sized + fmt::Debug> fmt::Debug for RwLockReadGuard<'_, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        (**self).fmt(f)
    }
}

impl<T: ?Sized + fmt::Debug> fmt::Debug for RwLockWriteGuard<'_, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        (**self).fmt(f)
    }
}

impl<T: ?Sized + fmt::Display> fmt::Display for RwLockReadGuard<'_, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        (**self).fmt(f)
    }
}

impl<T: ?Sized + fmt::Display> fmt::Display for RwLockWriteGuard<'_, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        (**self).fmt(f)
    }
}
