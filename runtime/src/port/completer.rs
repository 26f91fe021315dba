//! Whoever owes a future its result.

use super::caught::{self, Caught};
use super::future::Future;
use super::future_error::Failure;
use crate::tasklet::current;
use std::panic::resume_unwind;

/// Sets a future's result, and cancels it if that is never done: because the
/// worker was killed, or never began. A result that comes after a cancellation
/// is dropped.
pub(super) struct Completer<T>(Future<T>);

impl<T> Completer<T> {
    pub(super) fn new(future: &Future<T>) -> Completer<T> {
        Completer(future.clone())
    }

    pub(super) fn succeed(self, value: T) {
        self.0.complete(Ok(value));
    }

    pub(super) fn fail(self, failure: Failure) {
        if let Failure::Panic(text) = &failure
            && self.0.is_abandoned()
        {
            log::error!("greenling: the worker of an abandoned future panicked: {text}");
        }
        self.0.complete(Err(failure));
    }

    /// Sets what `f` returns or panics with. A kill goes on unwinding.
    pub(super) fn run(self, f: impl FnOnce() -> T) {
        self.run_fallible(|| Ok(f()));
    }

    /// As `run`, for what may also fail.
    pub(super) fn run_fallible(self, f: impl FnOnce() -> Result<T, Failure>) {
        match caught::call(f) {
            Ok(Ok(value)) => self.succeed(value),
            Ok(Err(failure)) => self.fail(failure),
            Err(Caught::Panic(payload)) => self.fail(Failure::of_panic(&payload)),
            Err(Caught::Thrown(error)) => self.fail(Failure::Error(error.into())),
            Err(Caught::Killed(kill)) => {
                self.fail(Failure::Cancelled);
                resume_unwind(kill);
            }
        }
    }

    /// As `run`, for a tasklet that goes on to other work afterwards: it is the
    /// worker while it runs. What was cancelled meanwhile is not begun.
    pub(super) fn run_as_current(self, f: impl FnOnce() -> T) {
        if !self.0.is_done() {
            self.0.set_worker(current());
            self.run(f);
        }
    }
}

impl<T> Drop for Completer<T> {
    fn drop(&mut self) {
        self.0.complete(Err(Failure::Cancelled));
    }
}
