//! From a closure to a running tasklet, and from its last value to the handle.
//!
//! The closure lies at the top of the tasklet's own stack, so a spawn allocates
//! nothing:
//!
//! ```text
//!   stack top  +----------------------------+
//!              | Start { drop, closure }    |  result cells point here until
//!              +----------------------------+  the tasklet starts
//!              | fresh context (32 bytes)   |
//!          sp  +----------------------------+
//! ```
//!
//! Two kinds share everything but the end: `Joined` keeps its value or panic
//! for the join handle, `Stackless` returns nothing and tells its errors to
//! the error handler and the wake target. Which it is, is a type, so the end
//! of a tasklet is compiled for it.

use super::extras::Extras;
use super::raw::{Cargo, Outcome, TcbRef, Wake, flag};
use crate::context::{self, STACK_ALIGN};
use crate::error::{TaskletExit, Thrown, Uncaught, contain};
use crate::scheduler::{Scheduler, local};
use crate::stack::Stack;
use std::any::Any;
use std::mem::ManuallyDrop;
use std::panic::{AssertUnwindSafe, catch_unwind};

/// Closures larger than this are boxed before they go to the stack.
const CLOSURE_MAX: usize = 2048;

type Payload = Box<dyn Any + Send>;

/// What happens to the value, error or panic a tasklet ends with.
pub(crate) trait Kind<T> {
    /// Runs on the dying tasklet, as its last act.
    fn finish(scheduler: &Scheduler, current: TcbRef, result: Result<T, Payload>);
}

/// `spawn`: the value waits for the join handle.
pub(crate) enum Joined {}

/// `Tasklet`: errors go to the handler, then to the wake target.
pub(crate) enum Stackless {}

/// What lies at the top of a stack until its tasklet starts.
#[repr(C)]
struct Start<F> {
    drop: unsafe fn(*mut u8),
    closure: ManuallyDrop<F>,
}

/// Gives `task` a stack and a function. The caller queues or pauses it.
#[inline(always)]
pub(crate) fn arm<K: Kind<T>, F: FnOnce() -> T + 'static, T: 'static>(
    task: TcbRef,
    stack: Stack,
    closure: F,
) {
    if size_of::<F>() > CLOSURE_MAX || align_of::<F>() > STACK_ALIGN {
        let boxed = Box::new(closure);
        place::<K, _, T>(task, stack, boxed);
    } else {
        place::<K, F, T>(task, stack, closure);
    }
}

#[inline(always)]
fn place<K: Kind<T>, F: FnOnce() -> T + 'static, T: 'static>(
    task: TcbRef,
    stack: Stack,
    closure: F,
) {
    let room = size_of::<Start<F>>().next_multiple_of(STACK_ALIGN);
    let top = stack.top().wrapping_sub(room);
    let start = top.cast::<Start<F>>();
    // SAFETY: `room` bytes below the top of a stack that nobody uses; aligned,
    // since tops are and `room` is a multiple of the alignment.
    unsafe {
        start.write(Start {
            drop: drop_start::<F>,
            closure: ManuallyDrop::new(closure),
        });
    }
    // SAFETY: 32 bytes below `top` are free as well: stacks have 32 KiB.
    let sp = unsafe { context::prepare(top, main_of::<K, F, T>, top) };
    task.sp.set(sp);
    task.stack.set(stack);
    // SAFETY: the result cells are empty until the tasklet ends.
    unsafe { task.put_result::<*mut u8>(top) };
}

unsafe fn drop_start<F>(start: *mut u8) {
    // SAFETY: the caller passes the Start<F> that `place` wrote.
    let start = unsafe { &mut *start.cast::<Start<F>>() };
    // SAFETY: the closure was never taken.
    unsafe { ManuallyDrop::drop(&mut start.closure) };
}

/// Drops the closure of a tasklet that never started and never will.
pub(crate) fn drop_closure(task: TcbRef) {
    assert!(!task.has(flag::STARTED), "its closure is gone");
    task.set(flag::STARTED);
    // SAFETY: `place` put this address there, and the tasklet never started.
    let start = unsafe { task.take_result::<*mut u8>() };
    // SAFETY: every Start<F> begins with its drop function.
    let drop = unsafe { start.cast::<unsafe fn(*mut u8)>().read() };
    // SAFETY: it is the function for this very Start<F>.
    unsafe { drop(start) };
}

/// The first and last function of every tasklet.
unsafe extern "C" fn main_of<K: Kind<T>, F: FnOnce() -> T, T>(start: *mut u8) -> ! {
    let scheduler = local::get().expect("a tasklet runs on its scheduler's thread");
    let current = scheduler.current();
    current.set(flag::STARTED);
    // SAFETY: `place` wrote it for this very instance, which runs once.
    let start = unsafe { &mut *start.cast::<Start<F>>() };
    // SAFETY: taken once, here.
    let closure = unsafe { ManuallyDrop::take(&mut start.closure) };
    let result = if current.wake.get() == Wake::Notified {
        catch_unwind(AssertUnwindSafe(closure))
    } else {
        let cause = cause_of_early_end(current);
        catch_unwind(AssertUnwindSafe(|| drop(closure))).and(Err(cause))
    };
    K::finish(scheduler, current, result);
    scheduler.end_current(current)
}

/// What a tasklet that was killed or thrown at before it began ends with.
#[cold]
fn cause_of_early_end(current: TcbRef) -> Payload {
    current.wake.set(Wake::Notified);
    match current.cargo.take().map(|cargo| *cargo) {
        Some(Cargo::Thrown(error)) => Box::new(error),
        _ => Box::new(TaskletExit),
    }
}

impl<T> Kind<T> for Joined {
    #[inline(always)]
    fn finish(scheduler: &Scheduler, current: TcbRef, result: Result<T, Payload>) {
        match result {
            Ok(value) if !current.has(flag::DETACHED) => {
                // SAFETY: the cells held the start address, which was used.
                unsafe { current.put_result::<T>(value) };
                current.outcome.set(Outcome::Returned);
            }
            Ok(value) => drop_quietly(current, value),
            Err(payload) => finish_failed(scheduler, current, payload),
        }
    }
}

#[cold]
fn finish_failed(scheduler: &Scheduler, current: TcbRef, payload: Payload) {
    let detached = current.has(flag::DETACHED);
    match classify(payload) {
        None => current.outcome.set(Outcome::Killed),
        Some(uncaught) if detached => scheduler.tell_uncaught(current, uncaught),
        Some(Uncaught::Error(error)) => {
            // SAFETY: the cells are empty, as in `Joined::finish`.
            unsafe { current.put_result::<Thrown>(error) };
            current.outcome.set(Outcome::Thrown);
        }
        Some(Uncaught::Panic(payload)) => {
            // SAFETY: as above.
            unsafe { current.put_result::<Payload>(payload) };
            current.outcome.set(Outcome::Panicked);
        }
    }
}

impl Kind<Result<(), Thrown>> for Stackless {
    fn finish(scheduler: &Scheduler, current: TcbRef, result: Result<Result<(), Thrown>, Payload>) {
        let uncaught = match result {
            Ok(Ok(())) => return,
            Ok(Err(error)) => Uncaught::Error(error),
            Err(payload) => match classify(payload) {
                None => return,
                Some(uncaught) => uncaught,
            },
        };
        scheduler.tell_uncaught(current, uncaught);
    }
}

/// Tells a kill (`None`), a thrown error and a panic apart.
fn classify(payload: Payload) -> Option<Uncaught> {
    if payload.is::<TaskletExit>() {
        return None;
    }
    Some(match payload.downcast::<Thrown>() {
        Ok(error) => Uncaught::Error(*error),
        Err(payload) => Uncaught::Panic(payload),
    })
}

/// Drops what few tasklets have, off the path of the others.
#[cold]
#[inline(never)]
pub(crate) fn drop_extras(task: TcbRef, extras: Box<Extras>) {
    drop_quietly(task, extras);
}

/// Drops what a tasklet leaves behind; a destructor that panics concerns nobody.
#[inline]
pub(crate) fn drop_quietly<T>(task: TcbRef, value: T) {
    if contain(|| drop(value)) {
        contain(|| log::error!("greenling: a destructor panicked on what {task:?} left behind"));
    }
}
