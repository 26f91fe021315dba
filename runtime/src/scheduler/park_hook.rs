//! A hook at every park point, for tests of kills.
//!
//! A scenario's park points are counted by running it once with a hook that
//! only counts; then it is run again for each of them, with a hook that has
//! the tasklet killed there.

use super::{Doom, Scheduler, guard, local};
use crate::tasklet::raw::flag;
use crate::tasklet::{Tasklet, switch_trap};
use crate::wait::WaitReason;
use std::rc::Rc;

/// What a park hook wants done with the tasklet that is about to park.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum ParkAction {
    /// Let it park.
    Continue,
    /// Let it park, then kill it at the next safe point.
    Kill,
    /// Let it park, and kill it when it has been woken but has not run yet.
    KillWhenWoken,
}

/// Called with the tasklet that is about to park and what for.
pub type ParkHook = Rc<dyn Fn(&Tasklet, &'static WaitReason) -> ParkAction>;

/// Installs a hook that is called before each park of this thread's tasklets;
/// `None` removes it. The hook can't block: switching is trapped while it
/// runs. Its panic unwinds from the wait. The wait has looked at what it waits
/// for before, and does not see what the hook changes about that.
///
/// Meant for tests: it takes every wait off the fast path.
///
/// # Scheduling
///
/// Never switches.
pub fn set_park_hook(hook: Option<ParkHook>) {
    let scheduler = local::expect();
    match hook {
        Some(hook) => {
            scheduler.set_guard(guard::PARK_HOOK);
            drop(scheduler.park_hook.replace(Some(hook)));
        }
        None => {
            scheduler.clear_guard(guard::PARK_HOOK);
            drop(scheduler.park_hook.take());
        }
    }
}

impl Scheduler {
    /// Calls the hook, if there is one. Every wait does so before it links the
    /// tasklet anywhere, so that the hook may do and panic as it likes.
    #[inline(always)]
    pub(crate) fn announce_park(&self, reason: &'static WaitReason) {
        if self.is_guarded() {
            self.call_park_hook(reason);
        }
    }

    #[cold]
    fn call_park_hook(&self, reason: &'static WaitReason) {
        let Some(hook) = self.park_hook.borrow().clone() else {
            return;
        };
        let current = self.current();
        current.clear(flag::KILL_ON_WAKE);
        let _trap = switch_trap();
        match hook(&Tasklet::from_tcb(current), reason) {
            ParkAction::Continue => {}
            ParkAction::Kill => self.doom(current, Doom::Whatever),
            ParkAction::KillWhenWoken => current.set(flag::KILL_ON_WAKE),
        }
    }
}
