//! Signs of life, for a watcher on another thread.
//!
//! ```text
//!   tick, every 64 switches at most     beats += 1
//!   waiting for the world               idle while it lasts, then beats += 1
//! ```
//!
//! A switch itself gives none: it has no instruction to spare. So beats that
//! stand still make a tasklet suspect, no more; what it was to be convicted of
//! is asked of the thread itself, by `glimpse`.

use super::{Scheduler, guard};
use crate::tasklet::raw::TcbRef;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

/// What a watcher can see of a scheduler.
#[derive(Debug)]
pub(crate) struct Pulse {
    beats: AtomicU64,
    idle: AtomicBool,
    ended: AtomicBool,
    /// Called when the thread ceases to idle.
    busy: fn(),
}

/// What a thread is at, seen from a signal handler.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Glimpse {
    /// Changes with every switch; not a count.
    pub(crate) switches: u64,
    /// Who runs.
    pub(crate) task: TcbRef,
    /// Live tasklets, main included.
    pub(crate) alive: usize,
    /// It runs on the thread's native stack.
    pub(crate) on_system_stack: bool,
}

impl Pulse {
    /// A number that grows now and then while tasklets switch; `None` while the
    /// thread idles.
    pub(crate) fn beats(&self) -> Option<u64> {
        // Pairs with `set_idle`: who finds everybody idle and then sleeps is
        // woken by whoever ceases to be after that.
        let idle = self.idle.load(Ordering::SeqCst);
        (!idle).then(|| self.beats.load(Ordering::Relaxed))
    }

    /// The thread has no scheduler any more.
    pub(crate) fn has_ended(&self) -> bool {
        self.ended.load(Ordering::Relaxed)
    }

    pub(super) fn beat(&self) {
        // Written by one thread only.
        let beats = self.beats.load(Ordering::Relaxed);
        self.beats.store(beats + 1, Ordering::Relaxed);
    }

    pub(super) fn set_idle(&self, idle: bool) {
        self.idle.store(idle, Ordering::SeqCst);
        if !idle {
            self.beat();
            (self.busy)();
        }
    }

    pub(super) fn end(&self) {
        self.ended.store(true, Ordering::Relaxed);
    }
}

impl Scheduler {
    /// This scheduler's pulse, which it has from the first call on. `busy` is
    /// called whenever it ceases to idle.
    pub(crate) fn pulse(&self, busy: fn()) -> Arc<Pulse> {
        let pulse = self.pulse.get_or_init(|| {
            Arc::new(Pulse {
                beats: AtomicU64::new(0),
                idle: AtomicBool::new(false),
                ended: AtomicBool::new(false),
                busy,
            })
        });
        pulse.clone()
    }

    /// What this thread is at. Called by a signal handler, at any instruction:
    /// it takes no locks, allocates nothing and cannot panic, and while the
    /// scheduler is at work its answer may be stale or mixed.
    pub(crate) fn glimpse(&self) -> Glimpse {
        Glimpse {
            switches: self.switches(),
            task: self.running(),
            alive: self.alive.get(),
            on_system_stack: self.guard_bits() & guard::SYSTEM_STACK != 0,
        }
    }
}
