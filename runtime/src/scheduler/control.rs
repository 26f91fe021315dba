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
//! ```

use super::{Doom, Scheduler, deliver};
use crate::error::{TaskletError, Thrown};
use crate::tasklet::raw::{Cargo, State, TcbRef, Wake, flag};
use crate::wait::reason;
use std::panic::{Location, resume_unwind};

impl Scheduler {
    /// Appends a paused tasklet; a queued one keeps its place.
    pub(crate) fn insert(&self, task: TcbRef) -> Result<(), TaskletError> {
        match task.state.get() {
            State::Runnable => Ok(()),
            State::Paused => {
                self.append(task);
                Ok(())
            }
            State::Blocked => Err(TaskletError::Blocked),
            _ => Err(TaskletError::Dead),
        }
    }

    /// Takes a queued tasklet out of the ring.
    pub(crate) fn remove(&self, task: TcbRef) -> Result<(), TaskletError> {
        if task == self.current() {
            return Err(TaskletError::Current);
        }
        match task.state.get() {
            State::Blocked => Err(TaskletError::Blocked),
            State::Runnable => {
                self.unlink(task);
                task.link_to_self();
                task.state.set(State::Paused);
                Ok(())
            }
            _ => Ok(()),
        }
    }

    /// Resumes `task` now; the caller stays queued.
    pub(crate) fn run_task(&self, task: TcbRef) -> Result<(), TaskletError> {
        let current = self.current();
        if task == current {
            return Ok(());
        }
        self.queue_for_switch(task)?;
        self.go(current, task);
        self.after_switch(current)
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
        self.queue_for_switch(task)?;
        self.unlink(current);
        current.link_to_self();
        current.state.set(State::Paused);
        current.reason.set(&reason::NOTHING);
        current.location.set(location);
        if !current.has_handles() {
            // Nobody can ever resume it.
            self.doom(current, Doom::Abandoned);
        }
        self.go(current, task);
        self.after_switch(current)
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
        if task == current {
            if task.deferrals.get() > 0 {
                self.post_or_defer(task, wake, cargo());
                return Ok(());
            }
            if std::thread::panicking() {
                return Err(TaskletError::Unwinding);
            }
            return at_self();
        }
        match self.check_may_switch() {
            Err(TaskletError::SwitchTrap) if !pending => return Err(TaskletError::SwitchTrap),
            may_switch => {
                self.post_or_defer(task, wake, cargo());
                if pending || may_switch.is_err() || task.state.get() != State::Runnable {
                    return Ok(());
                }
            }
        }
        self.go(current, task);
        self.after_switch(current)
    }

    /// Makes sure that `task` is in the ring and that the caller may switch to
    /// it; changes nothing if not.
    fn queue_for_switch(&self, task: TcbRef) -> Result<(), TaskletError> {
        match task.state.get() {
            State::Paused | State::Runnable => self.check_may_switch()?,
            State::Blocked => return Err(TaskletError::Blocked),
            _ => return Err(TaskletError::Dead),
        }
        self.insert(task)
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
