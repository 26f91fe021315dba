//! Panics of callbacks, told apart from what is meant for the tasklet that
//! calls them.

use crate::error::{TaskletExit, Thrown, Uncaught};
use std::any::Any;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};

/// Calls `f`. `Ok(Err(..))` is its panic; `Err(..)` is a kill of the caller or
/// an error thrown at it, to be passed on by [`resume_unwind`] when the caller
/// has cleaned up.
pub(super) fn call<R>(f: impl FnOnce() -> R) -> Result<Result<R, Uncaught>, Box<dyn Any + Send>> {
    match catch_unwind(AssertUnwindSafe(f)) {
        Ok(value) => Ok(Ok(value)),
        Err(payload) if is_for_the_caller(&*payload) => Err(payload),
        Err(payload) => Ok(Err(Uncaught::Panic(payload))),
    }
}

/// As [`call`], for a caller with nothing to clean up.
pub(super) fn contain<R>(f: impl FnOnce() -> R) -> Result<R, Uncaught> {
    call(f).unwrap_or_else(|payload| resume_unwind(payload))
}

fn is_for_the_caller(payload: &(dyn Any + Send)) -> bool {
    payload.is::<TaskletExit>() || payload.is::<Thrown>()
}
