//! Panics of callbacks, told apart from what is meant for the tasklet that
//! calls them.

use crate::error::{TaskletExit, Thrown, Uncaught};
use std::any::Any;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};

type Payload = Box<dyn Any + Send>;

/// What a call has ended with instead of a value.
pub(super) enum Caught {
    Panic(Payload),
    /// An error was thrown at the caller.
    Thrown(Thrown),
    /// The caller was killed: to be passed on by [`resume_unwind`] when it has
    /// cleaned up.
    Killed(Payload),
}

pub(super) fn call<R>(f: impl FnOnce() -> R) -> Result<R, Caught> {
    catch_unwind(AssertUnwindSafe(f)).map_err(|payload| {
        if payload.is::<TaskletExit>() {
            return Caught::Killed(payload);
        }
        match payload.downcast() {
            Ok(error) => Caught::Thrown(*error),
            Err(payload) => Caught::Panic(payload),
        }
    })
}

impl Caught {
    /// The panic, to be told of. What is meant for the caller unwinds from here.
    pub(super) fn into_panic(self) -> Uncaught {
        match self {
            Caught::Panic(payload) => Uncaught::Panic(payload),
            Caught::Thrown(error) => resume_unwind(Box::new(error)),
            Caught::Killed(payload) => resume_unwind(payload),
        }
    }
}
