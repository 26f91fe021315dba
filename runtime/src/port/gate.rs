//! How the helpers wait, and a flag that is raised once, by which a sleep and a
//! run of parallel calls end.

use crate::error::WaitError;
use crate::scheduler::local;
use crate::sync::WaitQueue;
use crate::tasklet::current;
use crate::wait::WaitReason;
use std::cell::Cell;
use std::time::Instant;

/// Parks the caller in a queue, unless its block trap is set: in Stackless all
/// these waits are receives.
#[track_caller]
pub(super) fn wait_in(
    queue: &WaitQueue,
    reason: &'static WaitReason,
    deadline: Option<Instant>,
) -> Result<(), WaitError> {
    let scheduler = local::get_or_make().ok_or(WaitError::Unwinding)?;
    scheduler.check_may_park()?;
    if current().block_trap() {
        return Err(WaitError::BlockTrap);
    }
    queue.wait(reason, deadline)
}

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
        wait_in(&self.waiters, reason, None)
    }
}
