//! Panics of callbacks, carried past OpenSSL's frames.
//!
//! A panic must not unwind through C: since Rust 1.81 it aborts the process. So
//! every callback given to OpenSSL runs inside [`guard_callback`], which keeps
//! the panic, lets the C call fail, and [`resume`] raises it again once that
//! call has returned. The keeping place is a thread-local: a callback and the
//! call that caused it are on one thread and no tasklet switches in between.

use std::any::Any;
use std::cell::Cell;
use std::ops::Deref;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};

thread_local! {
    static STASH: Cell<Option<Box<dyn Any + Send>>> = const { Cell::new(None) };
}

/// Runs the body of a callback that OpenSSL makes; if it panics, answers
/// `refusal` and keeps the panic for the wrapper of the C call.
///
/// `refusal` must be the answer that makes OpenSSL fail: a callback that cannot
/// decide must never mean "accept" (pyOpenSSL, CVE-2026-27448).
pub(crate) fn guard_callback<R>(refusal: R, body: impl FnOnce() -> R) -> R {
    // What the body borrowed is either the application's own, which sees the
    // panic next, or belongs to a connection that has failed by then.
    match catch_unwind(AssertUnwindSafe(body)) {
        Ok(answer) => answer,
        Err(payload) => {
            // The first panic is the cause; a later one is dropped.
            STASH.with(|stash| stash.set(Some(stash.take().unwrap_or(payload))));
            refusal
        }
    }
}

/// Raises the panic that a callback left behind, if any.
pub(crate) fn resume() {
    if let Some(payload) = STASH.with(Cell::take) {
        resume_unwind(payload);
    }
}

/// As [`resume`], in a destructor: while another panic unwinds, what a callback left
/// behind is dropped, since a second panic would abort the process.
pub(crate) fn resume_in_drop() {
    if std::thread::panicking() {
        drop(FreedByC::new(STASH.with(Cell::take)));
    } else {
        resume();
    }
}

/// Data of the application that OpenSSL frees together with an object of its own.
///
/// A panic of its destructor ends here. Whoever drops the last reference to the
/// object, a session say, need not be one who could raise it again, and the panic
/// hook has told of it.
pub(crate) struct FreedByC<T>(Option<T>);

impl<T> FreedByC<T> {
    pub(crate) fn new(data: T) -> FreedByC<T> {
        FreedByC(Some(data))
    }
}

impl<T> Deref for FreedByC<T> {
    type Target = T;

    fn deref(&self) -> &T {
        self.0.as_ref().expect("there until it is dropped")
    }
}

impl<T> Drop for FreedByC<T> {
    fn drop(&mut self) {
        let data = self.0.take();
        if let Err(payload) = catch_unwind(AssertUnwindSafe(|| drop(data))) {
            // It may panic again when it is dropped.
            std::mem::forget(payload);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keeps_the_first_panic_until_asked() {
        assert_eq!(guard_callback(0, || 7), 7);
        resume();
        assert_eq!(guard_callback(-1, || resume_unwind(Box::new("first"))), -1);
        assert_eq!(guard_callback(-1, || resume_unwind(Box::new("second"))), -1);
        let payload = catch_unwind(resume).expect_err("the panic comes back");
        assert_eq!(payload.downcast_ref(), Some(&"first"));
        resume();
    }
}
