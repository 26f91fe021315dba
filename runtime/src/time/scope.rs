//! Scopes: an end, by time or by a token, for every wait inside a closure.
//!
//! A tasklet's scopes form a chain, innermost first. A wait arms one timer,
//! for the earliest deadline among its own and all scopes'. When it expires,
//! every scope whose deadline is not later is marked, and its `timeout` call
//! reports `Elapsed`. A token that was cancelled is a deadline in the past: so
//! waits that begin later end, too.

use super::cancel::Flag;
use crate::error::WaitError;
use crate::scheduler::local;
use crate::tasklet::raw::TcbRef;
use std::cell::Cell;
use std::error::Error;
use std::fmt;
use std::rc::Rc;
use std::time::{Duration, Instant};

/// What ends the waits in a scope.
#[derive(Debug)]
pub(super) enum End {
    At(Instant),
    By(Rc<Flag>),
}

/// One `timeout` or `CancelToken::run` call in progress.
#[derive(Debug)]
pub(crate) struct Scope {
    end: End,
    /// A wait inside was ended by this scope.
    expired: Cell<bool>,
    outer: Option<Rc<Scope>>,
}

impl Scope {
    fn deadline(&self) -> Option<Instant> {
        match &self.end {
            End::At(deadline) => Some(*deadline),
            End::By(flag) => flag.raised_at(),
        }
    }
}

/// The chain of scopes, innermost first.
fn chain(innermost: Option<&Scope>) -> impl Iterator<Item = &Scope> {
    std::iter::successors(innermost, |scope| scope.outer.as_deref())
}

/// The earliest of a wait's own deadline and those of the scopes.
#[inline]
pub(crate) fn earlier(scope: Option<&Scope>, own: Option<Instant>) -> Option<Instant> {
    match scope {
        None => own,
        Some(_) => chain(scope).filter_map(Scope::deadline).chain(own).min(),
    }
}

/// Marks the scopes that ended a wait with deadline `own`, and says how.
pub(crate) fn note_expiry(scope: Option<&Scope>, own: Option<Instant>) -> WaitError {
    // A wait may also be ended as if its time were over, before that of a scope is.
    let ended = earlier(scope, own).map(|ended| ended.min(Instant::now()));
    let mut why = WaitError::TimedOut;
    for scope in
        chain(scope).filter(|scope| scope.deadline().is_some() && scope.deadline() <= ended)
    {
        scope.expired.set(true);
        if matches!(scope.end, End::By(_)) {
            why = WaitError::Cancelled;
        }
    }
    why
}

/// Runs `f` in one more scope; true if that has ended a wait in it.
pub(super) fn run_in<T>(task: TcbRef, end: End, f: impl FnOnce() -> T) -> (T, bool) {
    let outer = task.scope();
    let scope = Rc::new(Scope {
        end,
        expired: Cell::new(false),
        outer: outer.clone(),
    });
    task.scope.set(Some(scope.clone()));
    let _restore = Restore { task, outer };
    (f(), scope.expired.get())
}

/// Runs `f` outside of all scopes of the tasklet.
pub(crate) fn without_scopes<T>(task: TcbRef, f: impl FnOnce() -> T) -> T {
    let outer = task.scope.take();
    let _restore = Restore { task, outer };
    f()
}

/// The deadline of a [`timeout`] passed while something inside it waited.
///
/// It carries what the closure returned, for nothing is lost by a timeout.
///
/// # Scheduling
///
/// Never switches, except where a method says so.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Elapsed<T> {
    value: T,
}

impl<T> Elapsed<T> {
    /// What the closure returned.
    pub fn into_inner(self) -> T {
        self.value
    }

    /// What the closure returned.
    pub fn get_ref(&self) -> &T {
        &self.value
    }
}

impl<T> fmt::Display for Elapsed<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the deadline has passed")
    }
}

impl<T: fmt::Debug> Error for Elapsed<T> {}

impl<T> From<Elapsed<T>> for std::io::Error {
    fn from(_: Elapsed<T>) -> std::io::Error {
        std::io::Error::new(std::io::ErrorKind::TimedOut, "the deadline has passed")
    }
}

/// Runs `f` with a deadline for every wait inside it.
///
/// When the deadline passes, the wait in progress ends with
/// [`WaitError::TimedOut`](crate::WaitError::TimedOut) (sockets:
/// `ErrorKind::TimedOut`), and so does every later wait in `f`; sleeps return
/// early. `f` decides what to do about it. Scopes nest, and the earliest
/// deadline counts.
///
/// # Scheduling
///
/// Switches only as `f` does.
///
/// # Cancellation
///
/// Nothing is lost: a wait that timed out took nothing, and what `f` returned
/// is in [`Elapsed`].
///
/// # Errors
///
/// [`Elapsed`] if the deadline ended a wait inside. A closure that ends late
/// without having been cut short is `Ok`.
///
/// # Panics
///
/// When the thread is ending.
///
/// # Examples
///
/// ```
/// use greenling::{Channel, time::timeout};
/// use std::time::Duration;
/// let never: Channel<u32> = Channel::new();
/// let result = timeout(Duration::from_millis(1), || never.receive());
/// assert!(result.unwrap_err().into_inner().is_err());
/// ```
pub fn timeout<T>(duration: Duration, f: impl FnOnce() -> T) -> Result<T, Elapsed<T>> {
    match Instant::now().checked_add(duration) {
        Some(deadline) => timeout_at(deadline, f),
        None => Ok(f()),
    }
}

/// As [`timeout`], with the deadline as an instant.
///
/// # Scheduling
///
/// Switches only as `f` does.
///
/// # Cancellation
///
/// As [`timeout`].
///
/// # Errors
///
/// As [`timeout`].
///
/// # Panics
///
/// When the thread is ending.
pub fn timeout_at<T>(deadline: Instant, f: impl FnOnce() -> T) -> Result<T, Elapsed<T>> {
    let task = local::expect().current();
    match run_in(task, End::At(deadline), f) {
        (value, false) => Ok(value),
        (value, true) => Err(Elapsed { value }),
    }
}

/// The earliest deadline of the scopes around the caller; one in the past when
/// a [`CancelToken`](super::CancelToken) around it was cancelled.
///
/// # Scheduling
///
/// Never switches.
pub fn deadline() -> Option<Instant> {
    let task = local::get()?.current();
    earlier(task.scope().as_deref(), None)
}

/// Leaves a scope, also by unwinding.
struct Restore {
    task: TcbRef,
    outer: Option<Rc<Scope>>,
}

impl Drop for Restore {
    fn drop(&mut self) {
        drop(self.task.scope.replace(self.outer.take()));
    }
}
