//! `Tasklet`: Stackless' object.

use super::binding::TaskletResult;
use super::builder::Builder;
use super::entry::drop_extras;
use super::raw::{State, TcbRef, flag};
use crate::error::TaskletError;
use crate::scheduler::local;
use crate::wait::neighbours;
use std::error::Error;
use std::fmt;
use std::panic::Location;
use std::thread::ThreadId;

/// A tasklet of this OS thread: a function with a stack of its own that can be
/// queued, taken out of the queue, run, killed.
///
/// Clones are handles of the same tasklet. The function returns `()` or a
/// `Result<(), E>`. An error or panic that leaves it goes to the error
/// handler; without one it goes to whoever waits in [`run`](crate::run), or
/// else to the main tasklet. For a tasklet whose result somebody wants, use
/// [`spawn`](crate::spawn).
///
/// When the last handle of a paused tasklet is dropped, it is killed at the
/// scheduler's next safe point.
///
/// # Scheduling
///
/// Never switches, except where a method says so.
///
/// # Examples
///
/// ```
/// use greenling::Tasklet;
/// let hello = Tasklet::new(|| println!("hello"));
/// assert!(hello.is_paused());
/// hello.insert().unwrap();
/// greenling::run().unwrap();
/// assert!(!hello.is_alive());
/// ```
pub struct Tasklet {
    task: TcbRef,
}

/// The running tasklet.
///
/// # Scheduling
///
/// Never switches.
///
/// # Panics
///
/// When the thread is ending.
pub fn current() -> Tasklet {
    Tasklet::from_tcb(local::expect().current())
}

/// The main tasklet of this thread: its native flow of control.
///
/// # Scheduling
///
/// Never switches.
///
/// # Panics
///
/// When the thread is ending.
pub fn main_tasklet() -> Tasklet {
    Tasklet::from_tcb(local::expect().main())
}

/// How many tasklets of this thread are runnable, the caller included.
///
/// # Scheduling
///
/// Never switches.
pub fn run_count() -> usize {
    local::get_or_make().map_or(0, |scheduler| scheduler.run_count())
}

impl Tasklet {
    /// An armed tasklet that is paused: `insert` or `run` starts it.
    ///
    /// # Scheduling
    ///
    /// Never switches.
    ///
    /// # Panics
    ///
    /// When no stack can be had; [`Builder::tasklet`] returns the error.
    #[track_caller]
    pub fn new<F, R>(f: F) -> Tasklet
    where
        F: FnOnce() -> R + 'static,
        R: TaskletResult,
    {
        match Builder::new().tasklet(f) {
            Ok(tasklet) => tasklet,
            Err(error) => panic!("greenling: no stack for a new tasklet: {error}"),
        }
    }

    /// Puts a paused tasklet at the end of the run queue, and returns it:
    /// `Tasklet::new(f).setup()?` is Stackless' `tasklet(f)()`.
    ///
    /// # Scheduling
    ///
    /// Never switches.
    ///
    /// # Errors
    ///
    /// As [`insert`](Tasklet::insert).
    pub fn setup(self) -> Result<Tasklet, TaskletError> {
        self.insert()?;
        Ok(self)
    }

    /// Puts a paused tasklet at the end of the run queue. One that is queued
    /// already keeps its place.
    ///
    /// # Scheduling
    ///
    /// Never switches.
    ///
    /// # Errors
    ///
    /// `Blocked` or `Dead`.
    pub fn insert(&self) -> Result<(), TaskletError> {
        let scheduler = local::get().ok_or(TaskletError::Dead)?;
        scheduler.insert(self.task)
    }

    /// Takes a tasklet out of the run queue: it is paused then. One that is
    /// not queued stays as it is.
    ///
    /// # Scheduling
    ///
    /// Never switches.
    ///
    /// # Errors
    ///
    /// `Current` or `Blocked`.
    pub fn remove(&self) -> Result<(), TaskletError> {
        let Some(scheduler) = local::get() else {
            return Ok(());
        };
        scheduler.remove(self.task)
    }

    /// Runs the tasklet now. The caller stays in the queue: right behind the
    /// tasklet if that was paused; if it was queued, behind those that were
    /// queued after it, since the ring is only rotated.
    ///
    /// # Scheduling
    ///
    /// Switches, unless the tasklet is the current one.
    ///
    /// # Cancellation
    ///
    /// A kill of the caller takes effect when it is resumed; the tasklet goes on.
    ///
    /// # Errors
    ///
    /// `Blocked`, `Dead`, `SwitchTrap`, `Unwinding`; `Uncaught` when a tasklet
    /// fails meanwhile and the caller is the one to be told.
    pub fn run(&self) -> Result<(), TaskletError> {
        let scheduler = local::get().ok_or(TaskletError::Dead)?;
        scheduler.run_task(self.task)
    }

    /// As [`run`](Tasklet::run), but the caller is paused.
    ///
    /// # Scheduling
    ///
    /// Switches, unless the tasklet is the current one.
    ///
    /// # Cancellation
    ///
    /// As [`run`](Tasklet::run).
    ///
    /// # Errors
    ///
    /// As [`run`](Tasklet::run).
    #[track_caller]
    pub fn switch(&self) -> Result<(), TaskletError> {
        let scheduler = local::get().ok_or(TaskletError::Dead)?;
        scheduler.switch_to(self.task, Location::caller())
    }

    /// Unwinds the tasklet with [`TaskletExit`](crate::TaskletExit), now.
    ///
    /// Its destructors run before this returns, unless it catches the exit. One
    /// that never started ends without running. Killing the current tasklet
    /// unwinds right here. Ended and unbound tasklets are left alone. Called
    /// by a destructor during an unwind, it is a pending kill.
    ///
    /// # Scheduling
    ///
    /// Switches to the tasklet.
    ///
    /// # Cancellation
    ///
    /// As [`run`](Tasklet::run): the tasklet is killed whatever becomes of the caller.
    ///
    /// # Errors
    ///
    /// `Main`, `SwitchTrap`, `PanicAbort`; `Uncaught` as for `run`.
    pub fn kill(&self) -> Result<(), TaskletError> {
        let Some(scheduler) = local::get() else {
            return Ok(());
        };
        scheduler.kill(self.task, false)
    }

    /// Has the tasklet unwound when its turn comes; the caller goes on.
    ///
    /// # Scheduling
    ///
    /// Never switches.
    ///
    /// # Errors
    ///
    /// `Main`, `PanicAbort`.
    pub fn kill_pending(&self) -> Result<(), TaskletError> {
        let Some(scheduler) = local::get() else {
            return Ok(());
        };
        scheduler.kill(self.task, true)
    }

    /// Makes the tasklet's suspended call return
    /// [`WaitError::Thrown`](crate::WaitError::Thrown), now; a call that
    /// returns nothing unwinds.
    ///
    /// # Scheduling
    ///
    /// Switches to the tasklet.
    ///
    /// # Cancellation
    ///
    /// As [`run`](Tasklet::run): the error is thrown whatever becomes of the caller.
    ///
    /// # Errors
    ///
    /// `Dead`, `SwitchTrap`; `Uncaught` as for `run`.
    pub fn throw(
        &self,
        error: impl Into<Box<dyn Error + Send + Sync>>,
    ) -> Result<(), TaskletError> {
        let scheduler = local::get().ok_or(TaskletError::Dead)?;
        scheduler.throw(self.task, error.into(), false)
    }

    /// As [`throw`](Tasklet::throw), when the tasklet's turn comes.
    ///
    /// # Scheduling
    ///
    /// Never switches.
    ///
    /// # Errors
    ///
    /// `Dead`.
    pub fn throw_pending(
        &self,
        error: impl Into<Box<dyn Error + Send + Sync>>,
    ) -> Result<(), TaskletError> {
        let scheduler = local::get().ok_or(TaskletError::Dead)?;
        scheduler.throw(self.task, error.into(), true)
    }

    /// A number that no other tasklet of the process ever has.
    pub fn id(&self) -> u64 {
        self.task.id.get()
    }

    /// The name given by [`Builder::name`].
    pub fn name(&self) -> Option<String> {
        self.task.name()
    }

    /// Has work left: runnable, blocked or paused.
    pub fn is_alive(&self) -> bool {
        self.task.is_alive()
    }

    /// Waits, in a channel or elsewhere.
    pub fn is_blocked(&self) -> bool {
        self.task.state.get() == State::Blocked
    }

    /// Linked somewhere: in the run queue, or in what it waits for.
    pub fn is_scheduled(&self) -> bool {
        matches!(self.task.state.get(), State::Runnable | State::Blocked)
    }

    /// Alive, but linked nowhere.
    pub fn is_paused(&self) -> bool {
        self.task.state.get() == State::Paused
    }

    /// The one that runs.
    pub fn is_current(&self) -> bool {
        local::get().is_some_and(|scheduler| scheduler.current() == self.task)
    }

    /// The main tasklet of its thread.
    pub fn is_main(&self) -> bool {
        self.task.has(flag::MAIN)
    }

    /// Whether operations that would queue it on a channel fail.
    pub fn block_trap(&self) -> bool {
        self.task.has(flag::BLOCK_TRAP)
    }

    /// Makes operations that would queue it on a channel fail, or not.
    pub fn set_block_trap(&self, on: bool) {
        self.set_flag(flag::BLOCK_TRAP, on);
    }

    pub(super) fn set_flag(&self, bit: u16, on: bool) {
        if on {
            self.task.set(bit);
        } else {
            self.task.clear(bit);
        }
    }

    /// The one behind it: in the run queue, which is a ring, or in the queue
    /// of a channel, where the last has none.
    pub fn next(&self) -> Option<Tasklet> {
        match self.task.state.get() {
            State::Runnable => Some(Tasklet::from_tcb(self.task.next.get())),
            _ => neighbours(self.task).1.map(Tasklet::from_tcb),
        }
    }

    /// The one before it, as for [`next`](Tasklet::next).
    pub fn prev(&self) -> Option<Tasklet> {
        match self.task.state.get() {
            State::Runnable => Some(Tasklet::from_tcb(self.task.prev.get())),
            _ => neighbours(self.task).0.map(Tasklet::from_tcb),
        }
    }

    /// The OS thread it runs on; `None` when that is ending.
    pub fn thread_id(&self) -> Option<ThreadId> {
        local::get().map(|_| std::thread::current().id())
    }

    pub(crate) fn tcb(&self) -> TcbRef {
        self.task
    }

    #[inline]
    pub(crate) fn from_tcb(task: TcbRef) -> Tasklet {
        task.retain();
        Tasklet { task }
    }
}

impl Clone for Tasklet {
    fn clone(&self) -> Tasklet {
        Tasklet::from_tcb(self.task)
    }
}

impl Drop for Tasklet {
    #[inline]
    fn drop(&mut self) {
        release(self.task);
    }
}

/// Gives one handle up. The block of an ended tasklet goes with the last one;
/// a paused tasklet that nobody can reach any more is doomed.
#[inline]
pub(super) fn release(task: TcbRef) {
    if task.release() && task.state.get() != State::Runnable {
        last_handle_gone(task);
    }
}

#[inline]
fn last_handle_gone(task: TcbRef) {
    if let Some(scheduler) = local::get()
        && let Some(extras) = scheduler.last_handle_gone(task)
    {
        drop_extras(task, extras);
    }
}

impl PartialEq for Tasklet {
    fn eq(&self, other: &Tasklet) -> bool {
        self.task == other.task
    }
}

impl Eq for Tasklet {}

impl fmt::Debug for Tasklet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Tasklet").field(&self.task).finish()
    }
}
