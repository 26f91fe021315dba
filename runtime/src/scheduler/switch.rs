//! The hot paths: giving way, and parking.
//!
//! `schedule` and `park` are inlined into their callers down to the assembly,
//! whatever the compiler thinks of it: each place that switches then has a jump
//! of its own, which is predicted by where that place went before. Everything
//! that is not the common case is behind one test of `guarded`, one countdown and
//! one look at `wake` after resumption, each to a cold function.

use super::{Doom, Scheduler, guard, local};
use crate::context;
use crate::error::WaitError;
use crate::tasklet::raw::{State, TcbRef, Wake, flag};
use crate::wait::{WaitReason, reason};
use std::panic::Location;
use std::time::Instant;

/// What a park says of itself, and when it gives up.
#[derive(Clone, Copy)]
pub(crate) struct Park {
    pub(crate) reason: &'static WaitReason,
    pub(crate) location: &'static Location<'static>,
    pub(crate) deadline: Option<Instant>,
}

impl Park {
    #[inline(always)]
    pub(crate) fn new(reason: &'static WaitReason, location: &'static Location<'static>) -> Park {
        Park {
            reason,
            location,
            deadline: None,
        }
    }

    pub(crate) fn until(mut self, deadline: Option<Instant>) -> Park {
        self.deadline = deadline;
        self
    }
}

/// Whether the order of execution after a switch is part of what was asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Order {
    /// A budget that has run out may put its owner first.
    Free,
    /// A channel has promised who runs next.
    Fixed,
}

/// Lets every other runnable tasklet of this thread run before it returns.
///
/// The caller goes to the end of the run queue.
///
/// # Scheduling
///
/// Switches if another tasklet is runnable. Returns at once if the caller is
/// alone, if switching is trapped, and while unwinding.
///
/// # Cancellation
///
/// A kill or a throw unwinds from here; nothing is lost.
///
/// # Examples
///
/// ```
/// use std::{cell::Cell, rc::Rc};
/// let ran = Rc::new(Cell::new(false));
/// let seen = ran.clone();
/// greenling::spawn(move || seen.set(true));
/// greenling::schedule();
/// assert!(ran.get());
/// ```
#[doc(alias = "yield_now")]
#[inline(always)]
pub fn schedule() {
    let Some(scheduler) = local::get() else {
        return;
    };
    if scheduler.is_guarded() || std::thread::panicking() {
        return scheduler.schedule_guarded();
    }
    scheduler.give_way();
}

/// Takes the caller out of the run queue until somebody inserts, runs,
/// switches to or kills it.
///
/// # Scheduling
///
/// Always switches, with two exceptions: a lone main tasklet returns at once,
/// and so does a caller that is unwinding or for which switching is trapped.
/// If the caller was the last runnable tasklet, the innermost caller of
/// [`run`](crate::run), or a paused main tasklet, resumes; if there is none
/// and nothing could wake anybody, this returns.
///
/// # Cancellation
///
/// A kill or a throw unwinds from here; nothing is lost.
#[track_caller]
pub fn schedule_remove() {
    let Some(scheduler) = local::get() else {
        return;
    };
    if scheduler.check_may_park().is_err() {
        return;
    }
    let current = scheduler.current();
    if current.has(flag::MAIN) && scheduler.run_count() == 1 {
        return;
    }
    current.reason.set(&reason::NOTHING);
    current.location.set(Location::caller());
    if !current.is_reachable() {
        // Nobody can ever resume it.
        scheduler.doom(current, Doom::Abandoned);
    }
    scheduler.pause_current();
    scheduler.deliver_or_unwind(current);
}

impl Scheduler {
    /// The caller goes to the end of the queue.
    #[inline(always)]
    pub(crate) fn give_way(&self) {
        let current = self.current.get();
        self.count_down(current);
        self.go(current, current.next.get(), Order::Free);
        if current.wake.get() != Wake::Notified {
            self.deliver_or_unwind(current);
        }
    }

    #[cold]
    fn schedule_guarded(&self) {
        if self.check_may_park().is_ok() {
            self.give_way();
        }
    }

    /// Makes `to`, a member of the ring, current, and leaves `from`'s stack for
    /// its, unless they are the same. Every switch but a tasklet's last passes
    /// here.
    #[inline(always)]
    pub(super) fn go(&self, from: TcbRef, to: TcbRef, order: Order) {
        // A trap that was set since the switch was allowed comes too late.
        debug_assert!(self.guarded.get() & guard::REFUSE & !guard::TRAP == 0);
        self.current.set(to);
        // Who it is stays in a register: to read `current` back would hold up
        // the switch until the store is through.
        let to = if self.guarded.get() & guard::WATCHED == 0 {
            to
        } else {
            self.before_switch(from, order)
        };
        if to != from {
            // SAFETY: a runnable tasklet other than the one that runs is
            // suspended in this function or fresh, on this OS thread, and `sp`
            // says where; being current now, it is resumed this once.
            unsafe { context::switch(from.sp.as_ptr(), to.sp.get()) };
        }
    }

    /// Leaves the stack of a tasklet that has ended for the current one.
    #[inline(always)]
    pub(super) fn leave_for_current(&self) -> ! {
        // SAFETY: as in `go`; the caller has no use for its stack.
        unsafe { context::leave(self.current.get().sp.get()) }
    }

    /// Takes the current tasklet, whose state says why, out of the ring, and
    /// resumes its successor.
    #[inline(always)]
    fn leave_ring(&self, current: TcbRef) {
        let next = match self.unlink_current(current) {
            Some(next) => {
                self.count_down(current);
                next
            }
            None => {
                self.next_when_empty(current);
                self.current.get()
            }
        };
        self.go(current, next, Order::Free);
    }

    /// Whether the caller may switch at all.
    #[inline(always)]
    pub(crate) fn check_may_park(&self) -> Result<(), WaitError> {
        if self.guarded.get() & guard::REFUSE != 0 || std::thread::panicking() {
            return Err(self.why_not());
        }
        Ok(())
    }

    #[cold]
    fn why_not(&self) -> WaitError {
        if self.guarded.get() & guard::REFUSE & !guard::ENDED != 0 {
            WaitError::SwitchTrap
        } else {
            WaitError::Unwinding
        }
    }

    /// Takes the current tasklet out of the ring until it is woken.
    ///
    /// The caller has asked `check_may_park` and told `announce_park`, and has
    /// linked the tasklet to whatever will wake it. On return it is linked
    /// nowhere.
    #[inline(always)]
    pub(crate) fn park(&self, park: Park) -> Result<(), WaitError> {
        let current = self.current.get();
        current.reason.set(park.reason);
        current.location.set(park.location);
        if park.deadline.is_some() || current.has_scope() {
            self.arm_timer(current, park.deadline);
        }
        current.state.set(State::Blocked);
        self.leave_ring(current);
        if current.wake.get() != Wake::Notified || current.has(flag::TIMER) {
            return self.after_park(current, park.deadline);
        }
        Ok(())
    }

    /// Resumes `partner`, just off a channel, now; the caller comes last.
    #[inline(always)]
    pub(crate) fn hand_over_to(&self, partner: TcbRef) -> Result<(), WaitError> {
        self.mark_woken(partner);
        self.insert_after_current(partner);
        self.go_to_next(Order::Fixed)
    }

    /// Gives way to all others, after a partner was queued.
    #[inline(always)]
    pub(crate) fn yield_after_hand_over(&self) -> Result<(), WaitError> {
        self.go_to_next(Order::Free)
    }

    /// Resumes the successor of the current tasklet, which stays in the ring.
    #[inline(always)]
    fn go_to_next(&self, order: Order) -> Result<(), WaitError> {
        let current = self.current.get();
        self.count_down(current);
        self.go(current, current.next.get(), order);
        if current.wake.get() != Wake::Notified {
            return self.after_turn(current);
        }
        Ok(())
    }

    /// What reached a tasklet that was queued all the time.
    #[cold]
    pub(super) fn after_turn(&self, current: TcbRef) -> Result<(), WaitError> {
        self.after_park(current, None)
    }

    /// Takes the current tasklet out of the ring without a wait.
    pub(super) fn pause_current(&self) {
        let current = self.current.get();
        self.pause(current);
        self.leave_ring(current);
    }

    /// Counts one switch, and looks at the world when it is time. `running` is
    /// the tasklet whose stack this is, current or not.
    #[inline(always)]
    pub(super) fn count_down(&self, running: TcbRef) {
        let left = self.countdown.get() - 1;
        self.countdown.set(left);
        if left == 0 {
            self.tick(running);
        }
    }
}
