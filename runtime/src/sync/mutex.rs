//! `Mutex`: one tasklet at a time.
//!
//! ```text
//!   Mutex                         MutexGuard
//!   +---------+------------+      +--------+------+
//!   | RawLock | RefCell<T> | <--- | RefMut | Hold |
//!   +---------+------------+      +--------+------+
//!                                  dropped: first, then
//! ```
//!
//! `RawLock` does the waiting, and the cell's flag proves to the compiler that
//! the guard is alone, so there is no unsafe code here.
//!
//! There is no poisoning. It would make a kill, which unwinds, break everybody
//! else who uses the mutex; code that must know has a flag in its value.

use super::grant::deadline_after;
use super::raw_lock::RawLock;
use crate::error::WaitError;
use crate::scheduler::Park;
use crate::tasklet::Tasklet;
use crate::wait::reason;
use std::cell::{RefCell, RefMut};
use std::fmt;
use std::ops::{Deref, DerefMut};
use std::panic::Location;
use std::time::{Duration, Instant};

/// A value that one tasklet at a time may use, also across waits.
///
/// Between the tasklets of a thread a plain `RefCell` will do as long as nobody
/// waits while it is borrowed; this is for when somebody does. Waiters are
/// served first in, first out: unlocking hands the mutex to the one that has
/// waited longest, so a tasklet that locks it again at once comes after those.
///
/// A mutex is not poisoned when its owner panics or is killed: it is just
/// unlocked. It is `Send` if `T` is, since it can move only while nobody waits,
/// and never `Sync`.
///
/// # Deadlocks
///
/// A tasklet that locks a mutex which it has locked already waits for itself.
/// While others run or could be woken, it just stays there, and
/// [`inspect`](crate::inspect) shows it waiting for `mutex`, with the line.
/// When nothing can wake anybody any more, the deadlock report names it, and
/// the last to wait gets [`WaitError::Deadlock`]. [`ReentrantMutex`] is for
/// code that locks again.
///
/// [`ReentrantMutex`]: super::ReentrantMutex
///
/// # Scheduling
///
/// Never switches, except where a method says so.
///
/// # Examples
///
/// ```
/// use greenling::{schedule, spawn, sync::Mutex};
/// use std::rc::Rc;
/// let log = Rc::new(Mutex::new(Vec::new()));
/// let writers = [1, 2].map(|number| {
///     let log = log.clone();
///     spawn(move || {
///         let mut log = log.lock().unwrap();
///         log.push(number);
///         schedule();
///         log.push(number);
///     })
/// });
/// writers.map(|writer| writer.join().unwrap());
/// assert_eq!(*log.lock().unwrap(), [1, 1, 2, 2]);
/// ```
#[derive(Default)]
#[doc(alias = "Lock")]
pub struct Mutex<T: ?Sized> {
    lock: RawLock,
    data: RefCell<T>,
}

impl<T> Mutex<T> {
    /// An unlocked mutex around a value.
    pub const fn new(value: T) -> Mutex<T> {
        Mutex {
            lock: RawLock::new(),
            data: RefCell::new(value),
        }
    }

    /// The value.
    pub fn into_inner(self) -> T {
        self.data.into_inner()
    }
}

impl<T: ?Sized> Mutex<T> {
    /// Locks the mutex until the guard is dropped.
    ///
    /// # Scheduling
    ///
    /// Switches if it is locked, and then returns in the caller's turn after
    /// the owner before it has unlocked it; else never. Unlocking never
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
    /// scope; the other reasons of [`WaitError`]. The mutex is not locked then.
    ///
    /// # Examples
    ///
    /// ```
    /// # fn main() -> Result<(), greenling::WaitError> {
    /// let mutex = greenling::sync::Mutex::new(1);
    /// *mutex.lock()? += 1;
    /// assert_eq!(mutex.into_inner(), 2);
    /// # Ok(())
    /// # }
    /// ```
    #[track_caller]
    #[inline]
    pub fn lock(&self) -> Result<MutexGuard<'_, T>, WaitError> {
        self.lock_by(None, Location::caller())
    }

    /// As [`lock`](Mutex::lock), but waits no longer than until `deadline`.
    ///
    /// # Scheduling
    ///
    /// As [`lock`](Mutex::lock), whatever the deadline.
    ///
    /// # Cancellation
    ///
    /// As [`lock`](Mutex::lock).
    ///
    /// # Errors
    ///
    /// As [`lock`](Mutex::lock); `TimedOut` also after `deadline`.
    #[track_caller]
    pub fn lock_deadline(&self, deadline: Instant) -> Result<MutexGuard<'_, T>, WaitError> {
        self.lock_by(Some(deadline), Location::caller())
    }

    /// As [`lock`](Mutex::lock), but waits no longer than `timeout`.
    ///
    /// # Scheduling
    ///
    /// As [`lock`](Mutex::lock), whatever the timeout.
    ///
    /// # Cancellation
    ///
    /// As [`lock`](Mutex::lock).
    ///
    /// # Errors
    ///
    /// As [`lock`](Mutex::lock); `TimedOut` also after `timeout`.
    #[track_caller]
    pub fn lock_timeout(&self, timeout: Duration) -> Result<MutexGuard<'_, T>, WaitError> {
        self.lock_by(deadline_after(timeout), Location::caller())
    }

    #[inline]
    pub(super) fn lock_by(
        &self,
        deadline: Option<Instant>,
        location: &'static Location<'static>,
    ) -> Result<MutexGuard<'_, T>, WaitError> {
        let park = Park::new(&reason::MUTEX, location).until(deadline);
        self.lock.acquire(park)?;
        Ok(self.locked())
    }

    /// Locks the mutex if it is not locked.
    ///
    /// # Scheduling
    ///
    /// Never switches.
    #[inline]
    pub fn try_lock(&self) -> Option<MutexGuard<'_, T>> {
        self.lock.try_acquire().then(|| self.locked())
    }

    /// The guard of a caller that has just acquired the lock.
    #[inline]
    fn locked(&self) -> MutexGuard<'_, T> {
        let hold = Hold(self);
        MutexGuard {
            data: self.data.borrow_mut(),
            hold,
        }
    }

    /// The value, without locking: nobody else can have it.
    pub fn get_mut(&mut self) -> &mut T {
        self.data.get_mut()
    }

    /// True while it is locked. It may be handed to a tasklet that has not run
    /// yet.
    pub fn is_locked(&self) -> bool {
        !self.lock.is_free()
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

impl<T> From<T> for Mutex<T> {
    fn from(value: T) -> Mutex<T> {
        Mutex::new(value)
    }
}

impl<T: ?Sized + fmt::Debug> fmt::Debug for Mutex<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut shown = f.debug_struct("Mutex");
        match self.try_lock() {
            Some(guard) => shown.field("data", &&*guard),
            None => shown.field("data", &format_args!("<locked>")),
        };
        shown.field("waiting", &self.lock.waiting()).finish()
    }
}

/// The locked value of a [`Mutex`]; unlocks it when dropped.
///
/// Dropping it never switches, also while unwinding: the next in line becomes
/// runnable.
#[must_use = "the mutex is locked only while the guard lives"]
pub struct MutexGuard<'a, T: ?Sized> {
    /// Declared first: it goes before the lock is handed over.
    data: RefMut<'a, T>,
    hold: Hold<'a, T>,
}

/// Unlocks when dropped.
struct Hold<'a, T: ?Sized>(&'a Mutex<T>);

impl<T: ?Sized> Drop for Hold<'_, T> {
    #[inline]
    fn drop(&mut self) {
        self.0.lock.release();
    }
}

impl<'a, T: ?Sized> MutexGuard<'a, T> {
    /// Unlocks the mutex, and says which.
    pub(super) fn unlock(self) -> &'a Mutex<T> {
        self.hold.0
    }
}

impl<T: ?Sized> Deref for MutexGuard<'_, T> {
    type Target = T;

    #[inline]
    fn deref(&self) -> &T {
        &self.data
    }
}

impl<T: ?Sized> DerefMut for MutexGuard<'_, T> {
    #[inline]
    fn deref_mut(&mut self) -> &mut T {
        &mut self.data
    }
}

impl<T: ?Sized + fmt::Debug> fmt::Debug for MutexGuard<'_, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        (**self).fmt(f)
    }
}

impl<T: ?Sized + fmt::Display> fmt::Display for MutexGuard<'_, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        (**self).fmt(f)
    }
}
