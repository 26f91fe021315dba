//! What reaches a suspended tasklet besides what it waited for.
//!
//! ```text
//!   kill, throw, deadline, deadlock, another's failure
//!        |  post: unlink its waits, set `wake`, append or keep its place
//!        v
//!   the tasklet resumes, sees `wake != Notified`
//!        |  after_park: an error for calls that return one
//!        |  deliver_or_unwind: an unwind for calls that don't
//! ```
//!
//! A later post replaces an earlier one. `Killed` and `Raised` always unwind.
//! While `defer_kill` is in force, the last kill or throw is kept apart, in
//! `deferred` with the flag `DEFERRED`, since waits go on and may end with an
//! error of their own meanwhile. The first park after the guard is gone
//! delivers it.

use super::Scheduler;
use crate::error::{TaskletExit, Thrown, Uncaught, WaitError};
use crate::tasklet::entry::drop_quietly;
use crate::tasklet::raw::{Cargo, State, TcbRef, Wake, flag};
use crate::time::scope;
use crate::wait::unlink_all;
use std::any::Any;
use std::panic::resume_unwind;
use std::time::Instant;

/// How often the destructors of tasklet-local values may make new ones.
const ROUNDS_OF_VALUES: usize = 5;

/// How often a tasklet that nobody can reach is killed before it is let be.
const REFUSALS_MAX: u32 = 10;

impl Scheduler {
    /// Makes a blocked tasklet runnable, at the end of the queue.
    #[inline(always)]
    pub(crate) fn make_runnable(&self, task: TcbRef) {
        debug_assert!(task.state.get() == State::Blocked);
        self.mark_woken(task);
        self.append(task);
    }

    /// Lets a test kill a tasklet between its wake-up and its run.
    #[inline(always)]
    pub(super) fn mark_woken(&self, task: TcbRef) {
        if self.is_guarded() && task.has(flag::KILL_ON_WAKE) {
            task.clear(flag::KILL_ON_WAKE);
            task.wake.set(Wake::Killed);
        }
    }

    /// Gives a suspended tasklet something else than it waited for, and makes
    /// it runnable if it is not.
    pub(super) fn post(&self, task: TcbRef, wake: Wake, cargo: Option<Cargo>) {
        debug_assert!(task.is_alive());
        let replaced = task.cargo.replace(cargo.map(Box::new));
        task.wake.set(wake);
        match task.state.get() {
            State::Blocked => {
                unlink_all(task);
                self.append(task);
            }
            State::Paused => self.append_paused(task),
            _ => {}
        }
        if replaced.is_some() {
            self.drop_replaced(task, replaced);
        }
    }

    /// Foreign code in the middle of an operation: it must not switch.
    #[cold]
    fn drop_replaced(&self, task: TcbRef, replaced: Option<Box<Cargo>>) {
        self.contain(|| {
            drop_quietly(task, replaced);
            log::debug!("greenling: an error thrown at {task:?} was replaced by a later one");
        });
    }

    /// Posts a kill or a throw, or keeps it back if the target wants that.
    pub(super) fn post_or_defer(&self, task: TcbRef, wake: Wake, cargo: Option<Cargo>) {
        if task.deferrals.get() == 0 {
            return self.post(task, wake, cargo);
        }
        task.set(flag::DEFERRED);
        let replaced = task.deferred.replace(cargo.map(Box::new));
        if replaced.is_some() {
            self.drop_replaced(task, replaced);
        }
    }

    /// Arms the timer for the earlier of the wait's and the scope's deadline.
    // Called, so that waits without a deadline do not carry it.
    #[inline(never)]
    pub(super) fn arm_timer(&self, task: TcbRef, deadline: Option<Instant>) {
        if let Some(deadline) = scope::earlier(task, deadline) {
            self.timers.borrow_mut().set(task.slot.get(), deadline);
            task.set(flag::TIMER);
        }
    }

    /// Ends the wait of a tasklet, if it waits, as its deadline does.
    pub(crate) fn end_wait(&self, task: TcbRef) {
        if task.state.get() == State::Blocked {
            self.post(task, Wake::TimedOut, None);
            self.mark_woken(task);
        }
    }

    /// Wakes every tasklet whose deadline has passed, earliest first.
    pub(super) fn expire_timers(&self, now: Instant) {
        loop {
            let Some(slot) = self.timers.borrow_mut().pop_due(now) else {
                return;
            };
            let task = self.table.get(slot);
            let task = task.expect("timers name blocks that exist");
            task.clear(flag::TIMER);
            // It may have been woken otherwise since; then that counts.
            self.end_wait(task);
        }
    }

    /// How a wait, with or without a deadline of its own, ended that did not
    /// simply end.
    #[cold]
    pub(super) fn after_park(
        &self,
        current: TcbRef,
        deadline: Option<Instant>,
    ) -> Result<(), WaitError> {
        self.disarm(current);
        match current.wake.replace(Wake::Notified) {
            Wake::Notified => Ok(()),
            Wake::TimedOut => Err(scope::note_expiry(current, deadline)),
            Wake::Deadlock => Err(WaitError::Deadlock),
            Wake::Thrown => match take_cargo(current) {
                Some(Cargo::Thrown(error)) => Err(WaitError::Thrown(error)),
                _ => Ok(()),
            },
            Wake::Killed => exit(),
            Wake::Raised => {
                raise(current);
                Ok(())
            }
        }
    }

    /// As `after_park`, for calls that return nothing: a throw unwinds.
    #[cold]
    pub(crate) fn deliver_or_unwind(&self, current: TcbRef) {
        self.disarm(current);
        match current.wake.replace(Wake::Notified) {
            Wake::Notified | Wake::TimedOut | Wake::Deadlock => {}
            Wake::Thrown => {
                if let Some(Cargo::Thrown(error)) = take_cargo(current) {
                    tell_of_unwind(current, &error);
                    resume_unwind(Box::new(error));
                }
            }
            Wake::Killed => exit(),
            Wake::Raised => raise(current),
        }
    }

    fn disarm(&self, task: TcbRef) {
        if task.has(flag::TIMER) {
            task.clear(flag::TIMER);
            self.timers.borrow_mut().clear(task.slot.get());
        }
    }

    /// Drops what reached the current tasklet too late: it ends.
    #[cold]
    #[inline(never)]
    pub(super) fn drop_undelivered(&self, current: TcbRef) {
        self.contain(|| {
            drop_quietly(current, self.take_signals(current));
            self.drop_values(current);
        });
        // What those destructors have thrown at it does not meet the next
        // tasklet in this block, nor one more destructor.
        std::mem::forget(self.take_signals(current));
    }

    /// What was to reach a tasklet, which it no longer does.
    pub(super) fn take_signals(&self, task: TcbRef) -> [Option<Box<Cargo>>; 2] {
        task.wake.set(Wake::Notified);
        task.clear(flag::DEFERRED);
        [task.cargo.take(), task.deferred.take()]
    }

    /// Drops the values of an ending tasklet, and those that this brings up;
    /// leaks what comes up again and again.
    pub(super) fn drop_values(&self, task: TcbRef) {
        for round in 0..=ROUNDS_OF_VALUES {
            let Some(values) = task.take_values() else {
                return;
            };
            if round < ROUNDS_OF_VALUES {
                drop(values);
            } else {
                std::mem::forget(values);
            }
        }
    }

    /// Called when a `defer_kill` guard of the current tasklet goes: what was
    /// held back is delivered by its next park.
    pub(crate) fn release_deferred(&self, current: TcbRef) {
        if current.has(flag::DEFERRED) && current.deferrals.get() == 0 {
            self.doom(current, Doom::HeldBack);
        }
    }

    /// Has a tasklet killed at the next safe point: for callers that must not
    /// switch, such as destructors.
    pub(crate) fn doom(&self, task: TcbRef, doom: Doom) {
        self.doomed.borrow_mut().push((task.id.get(), task, doom));
        self.load_countdown(1);
    }

    /// The safe point: posts a kill (or a throw that was held back) to each
    /// doomed tasklet, in the order of their ids.
    pub(super) fn kill_doomed(&self) {
        if !self.doomed.borrow().is_empty() {
            self.kill_doomed_but(None);
        }
    }

    /// As `kill_doomed`, but leaves `spared` for next time: it is about to
    /// leave the ring, and a post to it now would not bring it back.
    pub(super) fn kill_doomed_but(&self, spared: Option<TcbRef>) {
        let mut doomed = self.doomed.take();
        doomed.sort_by_key(|&(id, ..)| id);
        for (id, task, doom) in doomed {
            if Some(task) == spared {
                self.doom(task, doom);
                continue;
            }
            let there = task.id.get() == id && task.is_alive();
            let abandoned = task.state.get() == State::Paused
                && !task.is_reachable()
                && !self.runners.borrow().contains(&task);
            let due = match doom {
                Doom::Abandoned => abandoned,
                Doom::HeldBack => task.has(flag::DEFERRED),
                Doom::Whatever => true,
            };
            if !there || !due {
                continue;
            }
            if task.deferrals.get() > 0 {
                // Held back, again: the last guard to go sees to it.
                task.set(flag::DEFERRED);
                continue;
            }
            if doom == Doom::Abandoned && self.refuses(task) {
                continue;
            }
            task.clear(flag::DEFERRED);
            let held_back = task.deferred.take();
            let wake = match held_back {
                Some(_) => Wake::Thrown,
                None => Wake::Killed,
            };
            self.post(task, wake, held_back.map(|cargo| *cargo));
        }
    }

    /// Counts the kill of an abandoned tasklet; true if it has caught so many
    /// that it is left alone, like a Stackless tasklet that won't be finalised.
    fn refuses(&self, task: TcbRef) -> bool {
        let kills = task.refusals.get();
        if kills < REFUSALS_MAX {
            task.refusals.set(kills + 1);
            return false;
        }
        log::error!("greenling: {task:?} catches every kill; it stays paused for ever");
        true
    }
}

/// Under which condition a doomed tasklet is killed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Doom {
    /// If it is still paused without any handle.
    Abandoned,
    /// If something for it is held back, which no earlier entry has delivered.
    HeldBack,
    /// If it is alive.
    Whatever,
}

pub(super) fn take_cargo(task: TcbRef) -> Option<Cargo> {
    task.cargo.take().map(|cargo| *cargo)
}

/// Unwinds the current tasklet without calling the panic hook.
pub(crate) fn exit() -> ! {
    resume_unwind(Box::new(TaskletExit))
}

/// An error is no panic, so no panic hook speaks of it; unwinding main ends
/// the program, as a rule, and that must not happen without a word.
fn tell_of_unwind(current: TcbRef, error: &Thrown) {
    if current.has(flag::MAIN) {
        eprintln!("greenling: the main tasklet unwinds with an error: {error}");
    }
}

fn raise(current: TcbRef) {
    if let Some(Cargo::Raised(payload)) = take_cargo(current) {
        if let Some(error) = payload.downcast_ref::<Thrown>() {
            tell_of_unwind(current, error);
        }
        resume_unwind(payload);
    }
}

/// The payload of an unwind that a failed tasklet causes in its wake target.
pub(super) fn payload_of(uncaught: Uncaught) -> Box<dyn Any + Send> {
    match uncaught {
        Uncaught::Panic(payload) => payload,
        Uncaught::Error(error) => Box::new(error),
    }
}
