//! The links of the ring. All are O(1) and run no foreign code.

use super::Scheduler;
use crate::tasklet::raw::{State, TcbRef};

impl Scheduler {
    /// Links `task` just before current: it runs last. With an empty ring it
    /// becomes current itself.
    #[inline(always)]
    pub(crate) fn append(&self, task: TcbRef) {
        debug_assert!(task.state.get() != State::Runnable);
        task.state.set(State::Runnable);
        let count = self.run_count.get();
        if count == 0 {
            task.link_to_self();
            self.current.set(task);
        } else {
            self.link_before(self.current.get(), task);
        }
        self.run_count.set(count + 1);
    }

    /// Links `task` just behind current: it runs next.
    #[inline(always)]
    pub(crate) fn insert_after_current(&self, task: TcbRef) {
        debug_assert!(task.state.get() != State::Runnable);
        debug_assert!(self.run_count.get() > 0);
        task.state.set(State::Runnable);
        self.link_before(self.current.get().next.get(), task);
        self.run_count.set(self.run_count.get() + 1);
    }

    /// Says that `task`, linked nowhere, is paused.
    pub(crate) fn pause(&self, task: TcbRef) {
        task.state.set(State::Paused);
        self.paused.set(self.paused.get() + 1);
    }

    /// As `append`, for a paused tasklet.
    pub(super) fn append_paused(&self, task: TcbRef) {
        self.end_pause(task);
        self.append(task);
    }

    /// Before a paused tasklet becomes something else.
    pub(super) fn end_pause(&self, task: TcbRef) {
        debug_assert!(task.state.get() == State::Paused);
        self.paused.set(self.paused.get() - 1);
    }

    #[inline(always)]
    fn link_before(&self, at: TcbRef, task: TcbRef) {
        let prev = at.prev.get();
        task.next.set(at);
        task.prev.set(prev);
        prev.next.set(task);
        at.prev.set(task);
    }

    /// Unlinks a member, which is not left in a state: the caller sets it.
    #[inline(always)]
    pub(super) fn unlink(&self, task: TcbRef) {
        let (next, prev) = (task.next.get(), task.prev.get());
        prev.next.set(next);
        next.prev.set(prev);
        self.run_count.set(self.run_count.get() - 1);
    }

    /// Unlinks `current`, which is current, and makes its successor current;
    /// `None` if the ring is empty now, in which case `current` stays as it was.
    #[inline(always)]
    pub(super) fn unlink_current(&self, current: TcbRef) -> Option<TcbRef> {
        debug_assert!(current == self.current.get());
        let (next, prev) = (current.next.get(), current.prev.get());
        prev.next.set(next);
        next.prev.set(prev);
        self.current.set(next);
        let left = self.run_count.get() - 1;
        self.run_count.set(left);
        (left != 0).then_some(next)
    }
}
