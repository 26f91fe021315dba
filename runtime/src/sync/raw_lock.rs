//! A lock without anything in it: who has it, and who waits for it.
//!
//! ```text
//!           acquire                      release, nobody waits
//!   free -----------> owned by A --------------------------------> free
//!                        |   ^
//!      release, B waits  |   | the same, until nobody waits
//!                        v   |
//!                     owned by B, which is runnable or runs
//! ```
//!
//! The lock is handed to the tasklet that has waited longest, which owns it
//! from that moment on, before it runs. So somebody waits only while somebody
//! owns, and the order is first in, first out whatever the run queue looks
//! like. The alternative, to free the lock and let whoever runs first take it,
//! saves nothing between the tasklets of one thread, since no two run at the
//! same time; and a tasklet that locks again right after it unlocked would
//! starve all others.

use super::grant::GrantList;
use crate::error::WaitError;
use crate::scheduler::{Park, local};
use crate::tasklet::Tasklet;
use std::cell::Cell;

/// No tasklet has this id.
const FREE: u64 = 0;

/// Owns what is locked after its thread's tasklets have ended. Nor this.
const NOBODY: u64 = u64::MAX;

impl Default for RawLock {
    fn default() -> RawLock {
        RawLock::new()
    }
}

/// Mutual exclusion, by the ids of tasklets. A handle of the owner would keep
/// an abandoned one from being killed, so there is none in here.
#[derive(Debug)]
pub(super) struct RawLock {
    owner: Cell<u64>,
    /// The waiters' ids. Empty while the lock is free.
    waiting: GrantList<u64>,
}

impl RawLock {
    pub(super) const fn new() -> RawLock {
        RawLock {
            owner: Cell::new(FREE),
            waiting: GrantList::new(),
        }
    }

    #[inline]
    pub(super) fn is_free(&self) -> bool {
        self.owner.get() == FREE
    }

    /// True if the running tasklet owns it.
    #[inline]
    pub(super) fn is_mine(&self) -> bool {
        let me = current_id();
        me != NOBODY && self.owner.get() == me
    }

    #[inline]
    pub(super) fn try_acquire(&self) -> bool {
        let free = self.is_free();
        if free {
            self.owner.set(current_id());
        }
        free
    }

    #[inline]
    pub(super) fn acquire(&self, park: Park) -> Result<(), WaitError> {
        if self.try_acquire() {
            return Ok(());
        }
        self.acquire_later(park)
    }

    /// Waits in line. If the caller is given the lock but ends before it runs,
    /// the lock is passed on.
    #[cold]
    fn acquire_later(&self, park: Park) -> Result<(), WaitError> {
        let undo = |_: &mut u64, granted| {
            if granted {
                self.release();
            }
        };
        self.waiting.wait(current_id(), park, undo, |_| ())
    }

    /// Hands the lock to the next in line; true if it is free now.
    #[inline]
    pub(super) fn release(&self) -> bool {
        debug_assert!(!self.is_free());
        let free = self.waiting.is_empty() || !self.hand_over();
        if free {
            self.owner.set(FREE);
        }
        free
    }

    /// False if nobody can be woken any more: the thread is ending.
    #[cold]
    fn hand_over(&self) -> bool {
        self.waiting.grant_next(|waiter| self.owner.set(*waiter))
    }

    /// The tasklet that acquired it last, while it is locked and alive.
    pub(super) fn owner(&self) -> Option<Tasklet> {
        let id = self.owner.get();
        let scheduler = local::get()?;
        let table = scheduler.table();
        let owner = table
            .iter()
            .find(|task| task.id.get() == id && task.is_alive())?;
        Some(Tasklet::from_tcb(owner))
    }

    /// Those in line, oldest first.
    pub(super) fn waiters(&self) -> Vec<Tasklet> {
        self.waiting.waiters()
    }

    /// How many are in line.
    pub(super) fn waiting(&self) -> usize {
        self.waiting.len()
    }
}

#[inline]
fn current_id() -> u64 {
    local::get_or_make().map_or(NOBODY, |scheduler| scheduler.current().id.get())
}
