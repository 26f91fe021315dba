//! A lock among the tasklets that share one stream.
//!
//! It is handed over in order of arrival: the tasklet that leaves gives it to the
//! one that waited longest, and nobody gets in between. A tasklet that is killed
//! or times out between being chosen and running passes the lock on.
//!
//! Without the scheduler there is nobody to wait for: a lock that is held is
//! held further up on the same stack, which is misuse.

use std::cell::Cell;
use std::time::Instant;

use crate::error::Error;

#[cfg(feature = "greenling")]
pub(super) use greenling::WaitReason;

/// Stands in for the runtime's type, so that callers are the same either way.
#[cfg(not(feature = "greenling"))]
pub(super) type WaitReason = ();

/// Held by at most one tasklet.
#[derive(Debug, Default)]
pub(super) struct Lock {
    held: Cell<bool>,
    #[cfg(feature = "greenling")]
    queue: queue::Queue,
}

/// Releases the lock when dropped.
#[derive(Debug)]
pub(super) struct LockGuard<'a>(&'a Lock);

impl Lock {
    /// Whether some tasklet holds it or has been chosen to.
    pub(super) fn is_held(&self) -> bool {
        self.held.get()
    }

    /// Takes it if it is free.
    #[inline]
    pub(super) fn try_lock(&self) -> Option<LockGuard<'_>> {
        if self.held.replace(true) {
            None
        } else {
            Some(LockGuard(self))
        }
    }

    /// Waits for it if it is held.
    pub(super) fn lock(
        &self,
        reason: &'static WaitReason,
        deadline: Option<Instant>,
    ) -> Result<LockGuard<'_>, Error> {
        match self.try_lock() {
            Some(guard) => Ok(guard),
            None => self.wait(reason, deadline),
        }
    }

    #[cfg(not(feature = "greenling"))]
    fn wait(&self, _: &'static WaitReason, _: Option<Instant>) -> Result<LockGuard<'_>, Error> {
        Err(Error::local(
            "the stream is used again from inside one of its own calls",
        ))
    }

    #[cfg(feature = "greenling")]
    fn wait(
        &self,
        reason: &'static WaitReason,
        deadline: Option<Instant>,
    ) -> Result<LockGuard<'_>, Error> {
        self.queue.wait(reason, deadline, self)?;
        Ok(LockGuard(self))
    }

    /// Gives the lock to the next in line, or frees it.
    #[cfg(feature = "greenling")]
    #[inline]
    fn release(&self) {
        self.held.set(self.queue.choose_next());
    }

    #[cfg(not(feature = "greenling"))]
    fn release(&self) {
        self.held.set(false);
    }
}

impl Drop for LockGuard<'_> {
    #[inline]
    fn drop(&mut self) {
        self.0.release();
    }
}

#[cfg(feature = "greenling")]
mod queue {
    use std::cell::Cell;
    use std::time::Instant;

    use greenling::WaitReason;
    use greenling::sync::WaitQueue;

    use super::Lock;
    use crate::error::Error;

    /// The tasklets in line. At most one of them has been chosen and has not run
    /// yet; the lock counts as held then.
    #[derive(Debug, Default)]
    pub(super) struct Queue {
        waiters: WaitQueue,
        /// Tasklets inside [`Queue::wait`], chosen or not.
        inside: Cell<usize>,
        chosen: Cell<bool>,
    }

    /// Leaves the line whichever way the wait ends.
    struct Place<'a> {
        queue: &'a Queue,
        lock: &'a Lock,
        /// The wait ended with the lock in hand.
        served: bool,
    }

    impl Queue {
        pub(super) fn wait(
            &self,
            reason: &'static WaitReason,
            deadline: Option<Instant>,
            lock: &Lock,
        ) -> Result<(), Error> {
            self.inside.set(self.inside.get() + 1);
            let mut place = Place {
                queue: self,
                lock,
                served: false,
            };
            self.waiters
                .wait(reason, deadline)
                .map_err(|error| Error::from(std::io::Error::from(error)))?;
            place.served = true;
            Ok(())
        }

        /// Chooses the longest waiter; whether there was one.
        #[inline]
        pub(super) fn choose_next(&self) -> bool {
            let chosen = self.inside.get() > 0 && self.waiters.notify_one();
            self.chosen.set(chosen);
            chosen
        }
    }

    impl Drop for Place<'_> {
        fn drop(&mut self) {
            self.queue.inside.set(self.queue.inside.get() - 1);
            if self.served {
                self.queue.chosen.set(false);
                return;
            }
            // Everybody else inside is still in line, so the chosen one was this.
            let in_line = self.queue.waiters.len();
            if self.queue.chosen.get() && self.queue.inside.get() == in_line {
                self.lock.release();
            }
        }
    }
}
