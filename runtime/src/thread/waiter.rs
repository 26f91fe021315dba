//! A waiting flow of control of any kind: a tasklet, a plain OS thread or, with
//! feature `may`, a coroutine of the `may` crate.
//!
//! ```text
//!   wait: whoever calls is       and parks              a waker
//!     a coroutine of may    -->  the coroutine     <--  sets the flag, unparks it
//!     a thread with tasklets     its tasklet            sends the ticket
//!     any other thread           the thread             sets the flag, unparks it
//! ```
//!
//! Coroutines come first: they run on threads of their own scheduler, which must
//! not be blocked, whether there are tasklets on it or not.

use crate::error::WaitError;
use crate::primitives::{AtomicBool, Thread, current_thread, park_thread, park_thread_timeout};
use crate::scheduler::{ExternalWaker, Park, local};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

/// Wakes one wait; harmless when late or repeated.
#[derive(Clone)]
pub(super) struct Waiter {
    id: u64,
    kind: Kind,
}

#[derive(Clone)]
enum Kind {
    Tasklet(ExternalWaker),
    Thread(Arc<Flag<Thread>>),
    #[cfg(feature = "may")]
    Coroutine(Arc<Flag<may::coroutine::Coroutine>>),
}

/// Who waits for it to be set, and is parked meanwhile.
struct Flag<W> {
    whose: W,
    is_set: AtomicBool,
}

impl<W> Flag<W> {
    fn of(whose: W) -> Arc<Flag<W>> {
        Arc::new(Flag {
            whose,
            is_set: AtomicBool::new(false),
        })
    }

    fn set(&self, unpark: impl FnOnce(&W)) {
        self.is_set.store(true, Ordering::Release);
        unpark(&self.whose);
    }

    /// Parks, again if woken for nothing, until it is set or `deadline` has
    /// passed.
    fn wait(
        &self,
        deadline: Option<Instant>,
        park: impl Fn(Option<Duration>),
    ) -> Result<(), WaitError> {
        while !self.is_set.load(Ordering::Acquire) {
            #[cfg(all(loom, test))]
            super::models::give_up()?;
            let left = deadline.map(|deadline| deadline.saturating_duration_since(Instant::now()));
            if left.is_some_and(|left| left.is_zero()) {
                return Err(WaitError::TimedOut);
            }
            park(left);
        }
        Ok(())
    }
}

impl Waiter {
    fn new(kind: Kind) -> Waiter {
        static IDS: AtomicU64 = AtomicU64::new(0);
        Waiter {
            id: IDS.fetch_add(1, Ordering::Relaxed),
            kind,
        }
    }

    /// For a tasklet that waits for several things by one waker.
    pub(super) fn of_tasklet(waker: &ExternalWaker) -> Waiter {
        Waiter::new(Kind::Tasklet(waker.clone()))
    }

    /// Tells two waits apart.
    pub(super) fn id(&self) -> u64 {
        self.id
    }

    /// Ends the wait.
    pub(super) fn wake(&self) {
        match &self.kind {
            Kind::Tasklet(waker) => waker.wake(),
            Kind::Thread(flag) => flag.set(|thread| thread.unpark()),
            #[cfg(feature = "may")]
            Kind::Coroutine(flag) => flag.set(|coroutine| coroutine.unpark()),
        }
    }
}

/// Waits until the waiter given to `register` is woken. `register` returns false
/// if there is nothing to wait for any more.
pub(super) fn wait(park: Park, register: impl FnOnce(Waiter) -> bool) -> Result<(), WaitError> {
    #[cfg(feature = "may")]
    if may::coroutine::is_coroutine() {
        let flag = Flag::of(may::coroutine::current());
        if !register(Waiter::new(Kind::Coroutine(flag.clone()))) {
            return Ok(());
        }
        // A coroutine that is cancelled unwinds from here.
        return flag.wait(park.deadline, |left| match left {
            // may cuts to milliseconds and takes zero for no limit, and centuries
            // are too long for it; what ends early is begun again.
            Some(left) => {
                let left = left.min(Duration::from_secs(3600));
                may::coroutine::park_timeout(left + Duration::from_millis(1));
            }
            None => may::coroutine::park(),
        });
    }
    if let Some(scheduler) = local::get() {
        return scheduler.wait_external(park, |waker| register(Waiter::new(Kind::Tasklet(waker))));
    }
    let flag = Flag::of(current_thread());
    if !register(Waiter::new(Kind::Thread(flag.clone()))) {
        return Ok(());
    }
    flag.wait(park.deadline, |left| match left {
        Some(left) => park_thread_timeout(left),
        None => park_thread(),
    })
}

/// The end of a wait that may last so long; none if that is later than the clock
/// can express.
pub(super) fn deadline_after(timeout: Duration) -> Option<Instant> {
    Instant::now().checked_add(timeout)
}
