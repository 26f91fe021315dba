//! A waiting flow of control of either kind: a tasklet, or a plain OS thread.

use crate::error::WaitError;
use crate::primitives::{AtomicBool, Thread, current_thread, park_thread};
use crate::scheduler::{ExternalWaker, Park, local};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

/// Wakes one wait; harmless when late or repeated.
#[derive(Clone)]
pub(super) struct Waiter {
    id: u64,
    kind: Kind,
}

#[derive(Clone)]
enum Kind {
    Tasklet(ExternalWaker),
    Thread(Arc<ThreadWait>),
}

struct ThreadWait {
    thread: Thread,
    woken: AtomicBool,
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
            Kind::Thread(wait) => {
                wait.woken.store(true, Ordering::Release);
                wait.thread.unpark();
            }
        }
    }
}

/// Waits until the waiter given to `register` is woken: parks the tasklet if
/// this thread has a scheduler, else the thread. `register` returns false if
/// there is nothing to wait for any more.
pub(super) fn wait(park: Park, register: impl FnOnce(Waiter) -> bool) -> Result<(), WaitError> {
    if let Some(scheduler) = local::get() {
        return scheduler.wait_external(park, |waker| register(Waiter::new(Kind::Tasklet(waker))));
    }
    let wait = Arc::new(ThreadWait {
        thread: current_thread(),
        woken: AtomicBool::new(false),
    });
    if register(Waiter::new(Kind::Thread(wait.clone()))) {
        while !wait.woken.load(Ordering::Acquire) {
            #[cfg(all(loom, test))]
            super::models::give_up()?;
            park_thread();
        }
    }
    Ok(())
}
