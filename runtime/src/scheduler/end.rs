//! The last steps of a tasklet, taken on its own stack.
//!
//! ```text
//!   outcome stored -> uncaught error told -> joiners woken -> out of the ring
//!     -> somebody to resume is found -> stack and block given back -> leave
//! ```
//!
//! The stack goes back to the pool while it is still being run on: nobody else
//! runs on this thread until it is left, and the pool does not touch it.

use super::deliver::payload_of;
use super::idle::Between;
use super::switch::Order;
use super::{Doom, ErrorHandler, Scheduler, guard, local};
use crate::error::{TaskletExit, Uncaught, panic_message};
use crate::stack::Stack;
use crate::tasklet::Tasklet;
use crate::tasklet::entry::drop_quietly;
use crate::tasklet::extras::Extras;
use crate::tasklet::raw::{Cargo, State, TcbRef, Wake, flag};
use crate::wait::unlink_all;
use std::panic::{AssertUnwindSafe, catch_unwind};

/// Sets who is told of errors that leave a tasklet which nobody joins, for all
/// tasklets of this thread, and returns who was told before.
///
/// The handler runs in the dying tasklet's context and may not switch. When it
/// returns, the error is dealt with. When it panics, its panic takes the
/// error's place. Kills are no errors.
///
/// # Scheduling
///
/// Never switches.
///
/// # Panics
///
/// When the thread is ending.
///
/// # Examples
///
/// ```
/// use greenling::Tasklet;
/// use std::rc::Rc;
/// greenling::set_error_handler(Some(Rc::new(|tasklet, error| {
///     eprintln!("{tasklet:?}: {error}");
/// })));
/// Tasklet::new(|| Err::<(), _>("no luck")).setup().unwrap();
/// greenling::run().unwrap();
/// ```
pub fn set_error_handler(handler: Option<ErrorHandler>) -> Option<ErrorHandler> {
    local::expect().set_error_handler(handler)
}

/// The handler that [`set_error_handler`] has set.
///
/// # Scheduling
///
/// Never switches.
pub fn error_handler() -> Option<ErrorHandler> {
    local::get()?.error_handler()
}

impl Scheduler {
    /// Ends the current tasklet, whose outcome is stored.
    #[inline(always)]
    pub(crate) fn end_current(&self, current: TcbRef) -> ! {
        if current.wake.get() != Wake::Notified || current.has(flag::DEFERRED | flag::VALUES) {
            self.drop_undelivered(current);
        }
        while let Some(joiner) = current.joiners.first() {
            unlink_all(joiner);
            self.make_runnable(joiner);
        }
        // First of all, since an ended tasklet may be bound to another function.
        let stack = current.stack.replace(Stack::none());
        current.state.set(State::Dead);
        // Coroutines that were resumed on it may have left theirs behind.
        current.scope.set(None);
        self.alive.set(self.alive.get() - 1);
        match self.unlink_current(current) {
            Some(_) => self.count_down(current),
            None => self.next_when_empty(current),
        }
        if self.guard_bits() & guard::WATCHED != 0 {
            // A callback that takes a handle and drops it again must not be
            // the last to hold it.
            current.retain();
            self.before_switch(current, Order::Free);
            current.release();
        }
        if !current.has_handles()
            && let Some(extras) = self.last_handle_gone(current)
        {
            self.drop_extras(current, extras);
        }
        // Last of all: what runs above may spawn.
        self.stacks.borrow_mut().give_back(stack);
        self.leave_for_current()
    }

    /// Nobody has a handle of `task` any more: frees its block but for the
    /// extras, which the caller drops, or has it killed if it is paused.
    #[inline(always)]
    pub(crate) fn last_handle_gone(&self, task: TcbRef) -> Option<Box<Extras>> {
        if task.state.get() == State::Dead && !task.has(flag::EXTRAS) {
            self.table.give_back(task);
            return None;
        }
        self.last_handle_gone_early(task)
    }

    #[cold]
    #[inline(never)]
    fn last_handle_gone_early(&self, task: TcbRef) -> Option<Box<Extras>> {
        match task.state.get() {
            State::Dead | State::Unbound => {
                let extras = task.take_extras();
                self.table.give_back(task);
                return extras;
            }
            State::Paused => self.doom(task, Doom::Abandoned),
            State::Free | State::Runnable | State::Blocked => {}
        }
        None
    }

    /// A name, as a rule; perhaps values, put there by what ran in its context
    /// after its own were dropped.
    #[cold]
    #[inline(never)]
    fn drop_extras(&self, task: TcbRef, extras: Box<Extras>) {
        let _between = Between::new(self, task);
        drop_quietly(task, extras);
    }

    /// Tells whoever is to know that an error has left the current tasklet and
    /// that nobody will join it. Stackless tasklets fail their wake target;
    /// others are logged.
    ///
    /// Never unwinds, and nothing in here may switch: the handler, the logger
    /// and the payload's destructor run while the tasklet ends.
    #[cold]
    pub(crate) fn tell_uncaught(&self, current: TcbRef, uncaught: Uncaught) {
        self.contain(|| self.tell(current, uncaught));
    }

    fn tell(&self, current: TcbRef, uncaught: Uncaught) {
        let Some(uncaught) = self.ask_error_handler(current, uncaught) else {
            return;
        };
        if !current.has(flag::STACKLESS) {
            log::error!("greenling: {uncaught} (detached tasklet {current:?})");
            return;
        }
        let target = self.wake_target();
        self.raise_in(target, current, uncaught);
    }

    /// The error handler consumes the error by returning; if it panics, its
    /// panic takes the error's place.
    fn ask_error_handler(&self, current: TcbRef, uncaught: Uncaught) -> Option<Uncaught> {
        let Some(handler) = self.error_handler() else {
            return Some(uncaught);
        };
        let tasklet = Tasklet::from_tcb(current);
        let result = catch_unwind(AssertUnwindSafe(|| handler(&tasklet, &uncaught)));
        match result {
            Ok(()) => None,
            Err(payload) if payload.is::<TaskletExit>() => None,
            Err(payload) => Some(Uncaught::Panic(payload)),
        }
    }

    /// The innermost caller of `run`, or main.
    fn wake_target(&self) -> TcbRef {
        self.runners.borrow().last().copied().unwrap_or(self.main)
    }

    /// The target runs as soon as `dying` has left, ahead of the queue.
    fn raise_in(&self, target: TcbRef, dying: TcbRef, uncaught: Uncaught) {
        if !target.is_alive() {
            log::error!("greenling: {uncaught} (tasklet {dying:?}; nobody is left to be told)");
            return;
        }
        let cargo = Box::new(Cargo::Raised(payload_of(uncaught)));
        let replaced = target.cargo.replace(Some(cargo));
        target.wake.set(Wake::Raised);
        match target.state.get() {
            State::Blocked => {
                unlink_all(target);
                self.insert_after_current(target);
            }
            State::Paused => {
                self.end_pause(target);
                self.insert_after_current(target);
            }
            // Already queued: the ring is rotated to it.
            _ => self.rotate_behind_current(target),
        }
        if let Some(Cargo::Raised(lost)) = replaced.as_deref() {
            let lost = panic_message(lost);
            log::debug!("greenling: a failure on its way to {target:?} was replaced: {lost}");
        }
    }

    /// Makes `target` the successor of current without changing the order of
    /// the others: current moves in front of it.
    pub(super) fn rotate_behind_current(&self, target: TcbRef) {
        let current = self.current.get();
        if current.next.get() == target || current == target {
            return;
        }
        self.unlink(current);
        self.current.set(target);
        // In no state in between: nobody looks.
        current.state.set(State::Unbound);
        self.append(current);
        self.current.set(current);
    }
}
