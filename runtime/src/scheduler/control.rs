//! Operations on a given tasklet of this thread.
//!
//! Queue order after each, with the ring written from current onward:
//!
//! ```text
//!   ring main A B C        run(B)      B C main A      a rotation only
//!   ring main A, P paused  run(P)      P main A        main is next after P
//!   ring main A, P paused  switch(P)   P A             main is paused
//!   ring main A, X blocked kill(X)     X main A        X unwinds at once
//!   ring main A B C        kill(B)     B C main A      a rotation only
//!
//!   in the flat order, C running:
//!   ring C A B             run(B)      B C A           only B moves
//!   ring main A B          run(B)      B A main        and main waits for all
//! ```

use super::switch::Order;
use super::{Doom, Scheduler, deliver, guard, local};
use crate::error::{TaskletError, Thrown};
use crate::stack::Stack;
use crate::tasklet::entry::{self, drop_quietly};
use crate::tasklet::raw::{Cargo, State, TcbRef, Wake, flag};
use crate::wait::reason;
use std::panic::{AssertUnwindSafe, Location, catch_unwind, resume_unwind};

/// What [`Tasklet::run`](crate::Tasklet::run) and its like do with a tasklet
/// that is queued already.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum QueueOrder {
    /// Stackless': the ring is rotated to it, so those queued behind it run
    /// before the caller does.
    #[default]
    Ring,
    /// That of CCP's scheduler: it alone moves to the front, and the caller
    /// comes right behind it. When the main tasklet is the caller, it comes
    /// back only when the queue has drained.
    Flat,
}

/// Chooses the order for this thread, and returns the one before.
///
/// It concerns `run`, `switch`, and immediate `kill` and `throw`.
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
/// use greenling::{QueueOrder, Tasklet, set_queue_order};
/// # use std::{cell::RefCell, rc::Rc};
/// set_queue_order(QueueOrder::Flat);
/// let trace = Rc::new(RefCell::new(String::new()));
/// let put = |name| {
///     let trace = trace.clone();
///     Tasklet::new(move || trace.borrow_mut().push(name)).setup().unwrap()
/// };
/// let (_a, b, _c) = (put('A'), put('B'), put('C'));
/// b.run().unwrap();
/// assert_eq!(*trace.borrow(), "BAC");
/// ```
pub fn set_queue_order(order: QueueOrder) -> QueueOrder {
    local::expect().order.replace(order)
}

impl Scheduler {
    /// Appends a paused tasklet; a queued one keeps its place.
    pub(crate) fn insert(&self, task: TcbRef) -> Result<(), TaskletError> {
        match task.state.get() {
            State::Runnable => Ok(()),
            State::Paused => {
                self.append_paused(task);
                Ok(())
            }
            State::Blocked => Err(TaskletError::Blocked),
            _ => Err(TaskletError::Dead),
        }
    }

    /// Takes a queued tasklet out of the ring.
    pub(crate) fn remove(&self, task: TcbRef) -> Result<(), TaskletError> {
        // While this thread has nobody to run, the first of the ring is merely
        // the first.
        let is_current = task == self.current();
        if is_current && !self.parked.get() {
            return Err(TaskletError::Current);
        }
        match task.state.get() {
            State::Blocked => Err(TaskletError::Blocked),
            State::Runnable => {
                if is_current {
                    self.unlink_current(task);
                } else {
                    self.unlink(task);
                }
                self.pause(task);
                Ok(())
            }
            _ => Ok(()),
        }
    }

    /// Drops the function of a paused tasklet that has never started.
    pub(crate) fn drop_function(&self, task: TcbRef) {
        self.end_pause(task);
        self.alive.set(self.alive.get() - 1);
        task.state.set(State::Unbound);
        let stack = task.stack.replace(Stack::none());
        // What was to meet it when it starts does not meet the next function.
        let signals = self.take_signals(task);
        let late = (signals, task.take_function(), task.take_values());
        // From here on destructors run, which may bind it again.
        let dropped = catch_unwind(AssertUnwindSafe(|| entry::drop_closure(task)));
        self.stacks.borrow_mut().give_back(stack);
        drop_quietly(task, late);
        if let Err(payload) = dropped {
            resume_unwind(payload);
        }
    }

    /// Makes `task` the next to run, for another thread: first of all if this
    /// one has nobody to run, else right behind the one that runs.
    pub(crate) fn queue_next(&self, task: TcbRef) -> Result<(), TaskletError> {
        match task.state.get() {
            State::Blocked => return Err(TaskletError::Blocked),
            State::Runnable if task == self.current() => return Ok(()),
            State::Runnable => self.remove(task)?,
            State::Paused => {}
            _ => return Err(TaskletError::Dead),
        }
        self.end_pause(task);
        if self.parked.get() {
            self.append(task);
            self.current.set(task);
        } else {
            self.insert_after_current(task);
        }
        Ok(())
    }

    /// Kills `task` for another thread: always when its turn comes.
    pub(crate) fn kill_from_outside(&self, task: TcbRef) {
        if !task.has(flag::MAIN) {
            self.post_or_defer(task, Wake::Killed, None);
        }
    }

    /// Throws at `task` for another thread: always when its turn comes.
    pub(crate) fn throw_from_outside(&self, task: TcbRef, error: Thrown) {
        self.post_or_defer(task, Wake::Thrown, Some(Cargo::Thrown(error)));
    }

    /// Resumes `task` now; the caller stays queued.
    pub(crate) fn run_task(&self, task: TcbRef) -> Result<(), TaskletError> {
        let current = self.current();
        if task == current {
            return Ok(());
        }
        self.check_can_run(task)?;
        self.go_to(current, task)
    }

    /// Resumes `task` now; the caller is paused.
    pub(crate) fn switch_to(
        &self,
        task: TcbRef,
        location: &'static Location<'static>,
    ) -> Result<(), TaskletError> {
        let current = self.current();
        if task == current {
            return Ok(());
        }
        self.check_can_run(task)?;
        self.bring_forward(task);
        self.unlink(current);
        self.pause(current);
        current.reason.set(&reason::NOTHING);
        current.location.set(location);
        if !current.is_reachable() {
            // Nobody can ever resume it.
            self.doom(current, Doom::Abandoned);
        }
        self.resume(current, task)
    }

    /// Unwinds `task` with `TaskletExit`. Immediately if the caller may
    /// switch; a caller that is unwinding leaves a pending kill instead.
    pub(crate) fn kill(&self, task: TcbRef, pending: bool) -> Result<(), TaskletError> {
        if cfg!(panic = "abort") {
            return Err(TaskletError::PanicAbort);
        }
        if !task.is_alive() {
            return Ok(());
        }
        if task.has(flag::MAIN) {
            return Err(TaskletError::Main);
        }
        self.signal(task, pending, Wake::Killed, || None, || deliver::exit())
    }

    /// Delivers an error to the wait of `task`.
    pub(crate) fn throw(
        &self,
        task: TcbRef,
        error: Thrown,
        pending: bool,
    ) -> Result<(), TaskletError> {
        if !task.is_alive() {
            return Err(TaskletError::Dead);
        }
        let cell = std::cell::Cell::new(Some(error));
        let cargo = || cell.take().map(Cargo::Thrown);
        let at_self = || match cell.take() {
            Some(error) => resume_unwind(Box::new(error)),
            None => Ok(()),
        };
        self.signal(task, pending, Wake::Thrown, cargo, at_self)
    }

    fn signal(
        &self,
        task: TcbRef,
        pending: bool,
        wake: Wake,
        cargo: impl FnOnce() -> Option<Cargo>,
        at_self: impl FnOnce() -> Result<(), TaskletError>,
    ) -> Result<(), TaskletError> {
        let current = self.current();
        if task == current && self.guard_bits() & guard::APART == 0 {
            if task.deferrals.get() == 0 {
                if std::thread::panicking() {
                    return Err(TaskletError::Unwinding);
                }
                return at_self();
            }
            self.post_or_defer(task, wake, cargo());
            return Ok(());
        }
        match self.check_may_switch() {
            Err(TaskletError::SwitchTrap) if !pending => return Err(TaskletError::SwitchTrap),
            may_switch => {
                let deferred = task.deferrals.get() > 0;
                self.post_or_defer(task, wake, cargo());
                // An error that was replaced has been dropped, and its destructor
                // may have taken the function away.
                if pending || deferred || may_switch.is_err() || !task.is_alive() {
                    return Ok(());
                }
            }
        }
        self.go_to(current, task)
    }

    /// Whether the caller may switch to `task`.
    fn check_can_run(&self, task: TcbRef) -> Result<(), TaskletError> {
        match task.state.get() {
            State::Paused | State::Runnable => self.check_may_switch(),
            State::Blocked => Err(TaskletError::Blocked),
            _ => Err(TaskletError::Dead),
        }
    }

    /// Resumes `task`, paused or queued, in place of the caller.
    fn go_to(&self, current: TcbRef, task: TcbRef) -> Result<(), TaskletError> {
        self.bring_forward(task);
        if self.order.get() == QueueOrder::Flat && current.has(flag::MAIN) {
            self.rotate_behind_current(task);
            return self.run_until_drained(current.location.get()).map(drop);
        }
        self.resume(current, task)
    }

    /// Leaves `current`, in the ring or not, for `task`, which is in it.
    fn resume(&self, current: TcbRef, task: TcbRef) -> Result<(), TaskletError> {
        self.current.set(task);
        self.count_down(current);
        self.go(current, task, Order::Free);
        self.after_switch(current)
    }

    /// Puts `task` just before the current tasklet: made current, it has the
    /// caller right behind it. One that is queued keeps its place, so that
    /// making it current rotates the ring; the flat order moves it, too.
    fn bring_forward(&self, task: TcbRef) {
        if task.state.get() == State::Runnable {
            if self.order.get() == QueueOrder::Ring {
                return;
            }
            self.unlink(task);
            self.pause(task);
        }
        self.append_paused(task);
    }

    /// What reached the caller while it was away.
    fn after_switch(&self, current: TcbRef) -> Result<(), TaskletError> {
        if current.wake.get() == Wake::Raised {
            return Err(self.take_uncaught(current));
        }
        if current.wake.get() != Wake::Notified {
            self.deliver_or_unwind(current);
        }
        Ok(())
    }
}
