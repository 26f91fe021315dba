//! The function of a [`Tasklet`]: what it may return, and how it is exchanged.

use super::entry::{self, Stackless};
use super::handle::Tasklet;
use super::raw::{State, flag};
use crate::error::{TaskletError, Thrown};
use crate::scheduler::local;
use crate::stack::default_stack_size;
use std::error::Error;
use std::panic::Location;

/// What the function of a [`Tasklet`] may return.
pub trait TaskletResult: 'static {
    /// The error, if it is one.
    ///
    /// # Errors
    ///
    /// When the function has failed.
    fn into_result(self) -> Result<(), Thrown>;
}

impl TaskletResult for () {
    fn into_result(self) -> Result<(), Thrown> {
        Ok(())
    }
}

/// `!` by a name that stable Rust accepts: what a function returns that is a
/// loop without an end.
type Never = <fn() -> ! as Returns>::Value;

/// Names what a function returns.
#[doc(hidden)]
pub trait Returns {
    /// It.
    type Value;
}

impl<T> Returns for fn() -> T {
    type Value = T;
}

impl TaskletResult for Never {
    fn into_result(self) -> Result<(), Thrown> {
        self
    }
}

impl<E: Into<Box<dyn Error + Send + Sync>> + 'static> TaskletResult for Result<(), E> {
    fn into_result(self) -> Result<(), Thrown> {
        self.map_err(Into::into)
    }
}

impl Tasklet {
    /// A tasklet without a function, for [`bind`](Tasklet::bind).
    ///
    /// # Scheduling
    ///
    /// Never switches.
    ///
    /// # Panics
    ///
    /// When the thread is ending.
    #[track_caller]
    pub fn unbound() -> Tasklet {
        let scheduler = local::expect();
        let id = scheduler.next_id();
        scheduler.count_unbound();
        let task = scheduler.table().take(id, Location::caller());
        task.state.set(State::Unbound);
        task.set(flag::STACKLESS);
        Tasklet::from_tcb(task)
    }

    /// Gives the tasklet a function, and pauses it. It has none yet, has
    /// ended, or is paused and has never started: then the new function takes
    /// the place of the old.
    ///
    /// # Scheduling
    ///
    /// Never switches.
    ///
    /// # Errors
    ///
    /// As [`unbind`](Tasklet::unbind); `Dead` also if the thread is ending, no stack
    /// can be had, or [`set_max_tasklets`](crate::set_max_tasklets) allows no more.
    pub fn bind<F, R>(&self, f: F) -> Result<(), TaskletError>
    where
        F: FnOnce() -> R + 'static,
        R: TaskletResult,
    {
        let scheduler = local::get().ok_or(TaskletError::Dead)?;
        if self.tcb() == scheduler.current() {
            return Err(TaskletError::Current);
        }
        self.unbind()?;
        if self.is_alive() {
            // A destructor has bound it again.
            return Err(TaskletError::Bound);
        }
        if !scheduler.may_be_born() {
            return Err(TaskletError::Dead);
        }
        let size = default_stack_size();
        let stack = scheduler.stacks().borrow_mut().take(size);
        let stack = stack.map_err(|_| TaskletError::Dead)?;
        self.tcb().clear(flag::STARTED);
        self.tcb().refusals.set(0);
        drop(self.tcb().take_function());
        let closure = move || f().into_result();
        entry::arm::<Stackless, _, Result<(), Thrown>>(self.tcb(), stack, closure);
        scheduler.count_binding();
        scheduler.pause(self.tcb());
        Ok(())
    }

    /// Takes the function away from a tasklet that is paused and has never
    /// started. One that has ended, or has no function, stays as it is.
    ///
    /// # Scheduling
    ///
    /// Never switches.
    ///
    /// # Errors
    ///
    /// `Bound` if it has started: what is on its stack can only be unwound, by
    /// [`kill`](Tasklet::kill). `Current`, `Scheduled`, `Blocked`, `Main`; `Dead`
    /// for those made by [`spawn`](crate::spawn).
    ///
    /// # Panics
    ///
    /// When the function's destructor does.
    pub fn unbind(&self) -> Result<(), TaskletError> {
        let Some(scheduler) = local::get() else {
            return Ok(());
        };
        if self.tcb() == scheduler.current() {
            return Err(TaskletError::Current);
        }
        match self.tcb().state.get() {
            State::Blocked => return Err(TaskletError::Blocked),
            State::Runnable => return Err(TaskletError::Scheduled),
            _ if self.is_main() => return Err(TaskletError::Main),
            _ if !self.tcb().has(flag::STACKLESS) => return Err(TaskletError::Dead),
            State::Paused if self.tcb().has(flag::STARTED) => return Err(TaskletError::Bound),
            State::Paused => scheduler.drop_function(self.tcb()),
            State::Free | State::Unbound | State::Dead => {}
        }
        Ok(())
    }
}
