//! A flag that is raised once, and those who wait for it: what a sleep, a
//! future and a run of parallel calls end with.

use crate::error::WaitError;
use crate::sync::WaitQueue;
use crate::wait::WaitReason;
use std::cell::Cell;

/// Closed until it is opened, and open for ever after.
#[derive(Debug)]
pub(super) struct Gate {
    open: Cell<bool>,
    waiters: WaitQueue,
}

impl Gate {
    pub(super) const fn new() -> Gate {
        Gate {
            open: Cell::new(false),
            waiters: WaitQueue::new(),
        }
    }

    /// Lets everyone through, oldest waiter first. Never switches.
    pub(super) fn open(&self) {
        self.open.set(true);
        self.waiters.notify_all();
    }

    /// Parks the caller until the gate is open.
    #[track_caller]
    pub(super) fn wait(&self, reason: &'static WaitReason) -> Result<(), WaitError> {
        if self.open.get() {
            return Ok(());
        }
        self.waiters.wait(reason, None)
    }
}
