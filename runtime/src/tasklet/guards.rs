//! Guards that hold something back for as long as they live.

use super::handle::Tasklet;
use super::raw::{TcbRef, flag};
use crate::scheduler::{Scheduler, local};

/// Holds back kills and throws; see [`defer_kill`].
#[derive(Debug)]
#[must_use = "kills are held back only while the guard lives"]
pub struct DeferKill {
    task: TcbRef,
}

/// Holds back kills of, and throws at, the current tasklet until the guard is
/// dropped; the first wait after that delivers the last of them.
///
/// Required around foreign callbacks that park: a kill below an `extern "C"`
/// frame aborts the process. Guards nest.
///
/// # Scheduling
///
/// Never switches.
///
/// # Panics
///
/// When the thread is ending.
pub fn defer_kill() -> DeferKill {
    let task = local::expect().current();
    task.deferrals.set(task.deferrals.get() + 1);
    // The guard may be leaked or outlive the tasklet: it counts as a handle.
    task.retain();
    DeferKill { task }
}

impl Drop for DeferKill {
    fn drop(&mut self) {
        self.task.deferrals.set(self.task.deferrals.get() - 1);
        if let Some(scheduler) = local::get() {
            scheduler.release_deferred(self.task);
        }
        super::handle::release(self.task);
    }
}

/// Keeps a tasklet atomic; see [`Tasklet::atomic`].
#[derive(Debug)]
#[must_use = "the tasklet is atomic only while the guard lives"]
pub struct Atomic {
    tasklet: Tasklet,
    was: bool,
}

impl Tasklet {
    /// Makes the tasklet atomic until the guard is dropped, which restores
    /// what was before: a budget of [`run_with`](crate::run_with) does not end
    /// at its switches. Nothing else is held back, least of all its own
    /// switches. Tasklets that it makes don't inherit it.
    ///
    /// # Scheduling
    ///
    /// Never switches.
    pub fn atomic(&self) -> Atomic {
        Atomic {
            tasklet: self.clone(),
            was: self.set_atomic(true),
        }
    }

    /// Makes the tasklet atomic, or not, and returns what it was.
    ///
    /// # Scheduling
    ///
    /// Never switches.
    pub fn set_atomic(&self, on: bool) -> bool {
        let was = self.is_atomic();
        self.set_flag(flag::ATOMIC, on);
        was
    }

    /// Whether it is atomic.
    pub fn is_atomic(&self) -> bool {
        self.tcb().has(flag::ATOMIC)
    }
}

impl Drop for Atomic {
    fn drop(&mut self) {
        self.tasklet.set_atomic(self.was);
    }
}

/// Forbids switching; see [`switch_trap`].
#[must_use = "switching is forbidden only while the guard lives"]
pub struct SwitchTrap {
    /// Compared, never followed: the guard may outlive it.
    scheduler: *const Scheduler,
}

impl std::fmt::Debug for SwitchTrap {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("SwitchTrap")
    }
}

/// Makes every operation of this thread that would switch fail, with
/// everything rolled back, until the guard is dropped. Guards nest.
///
/// # Scheduling
///
/// Never switches.
///
/// # Panics
///
/// When the thread is ending.
pub fn switch_trap() -> SwitchTrap {
    let scheduler = local::expect();
    scheduler.change_traps(true);
    SwitchTrap { scheduler }
}

impl Drop for SwitchTrap {
    fn drop(&mut self) {
        // A guard that outlives its scheduler has nothing left to undo.
        if let Some(scheduler) = local::get()
            && std::ptr::eq(scheduler, self.scheduler)
        {
            scheduler.change_traps(false);
        }
    }
}
