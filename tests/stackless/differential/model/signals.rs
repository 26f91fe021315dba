//! Kills, throws and failures of others: rules 23 to 25 and 42 to 46, and
//! guards that hold kills and throws back.

use super::{Model, Progress, State, Unwinds, Wake, done, refused};
use crate::differential::trace::{Cause, Why};

impl Model<'_> {
    /// Puts something in a suspended tasklet's slot, in the place of what was
    /// there, and makes it runnable.
    pub(super) fn post(&mut self, task: usize, wake: Wake) {
        self.tasks[task].wake = Some(wake);
        match self.tasks[task].state {
            State::Blocked => {
                self.unlink(task);
                self.append(task);
            }
            State::Paused => self.append(task),
            _ => {}
        }
    }

    /// The wake target is to run as soon as `me` has left the ring.
    pub(super) fn raise(&mut self, me: usize, cause: Cause) {
        let target = self.wake_target();
        self.tasks[target].wake = Some(Wake::Raised(cause));
        match self.tasks[target].state {
            State::Blocked => {
                self.unlink(target);
                self.insert_after_current(target);
            }
            State::Paused => self.insert_after_current(target),
            _ => {
                self.ring.pop_front();
                self.go(target);
                self.ring.push_front(me);
            }
        }
    }

    /// Delivers what was held back to a tasklet that now waits.
    pub(super) fn release(&mut self, me: usize) {
        let task = &mut self.tasks[me];
        if task.guards == 0
            && let Some(wake) = task.held_back.take()
        {
            self.post(me, wake);
        }
    }

    /// A kill or a throw of `task` by `me`.
    pub(super) fn signal(&mut self, me: usize, task: usize, wake: Wake, now: bool) -> Progress {
        let state = self.tasks[task].state;
        let is_kill = wake == Wake::Killed;
        match state {
            State::Dead | State::Unbound if is_kill => return done(),
            State::Dead | State::Unbound => return refused(Why::Dead),
            _ if is_kill && task == 0 => return refused(Why::Main),
            _ => {}
        }
        let holds_back = self.tasks[task].guards > 0;
        if task == me && !holds_back && self.forbidden == Some(Why::Unwinding) {
            return refused(Why::Unwinding);
        }
        if task == me && !holds_back {
            return Unwinds(match wake {
                Wake::Thrown(value) => Cause::Error(value),
                _ => Cause::Exit,
            });
        }
        if task != me && now && self.forbidden == Some(Why::SwitchTrap) {
            return refused(Why::SwitchTrap);
        }
        // For a destructor all signals are pending ones.
        let now = now && self.forbidden.is_none();
        if holds_back {
            self.tasks[task].held_back = Some(wake);
            return done();
        }
        self.post(task, wake);
        if now {
            self.resume_now(me, task)
        } else {
            done()
        }
    }
}
