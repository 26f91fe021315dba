//! The scopes around the code of a tasklet, as frames on its stack.
//!
//! ```text
//!   control block --scope--> innermost --outer--> next --outer--> none
//!                                |                 |
//!                            frame of           frame of
//!                            `run_in`           `run_in`
//! ```
//!
//! Entering and leaving one costs a few stores: whoever serves requests does so once or twice for
//! each.
//!
//! # Why this is sound
//!
//! * A scope is in its tasklet's chain only while the call of `run_in` whose frame holds it is in
//!   progress: a guard takes it off when that returns or unwinds, wherever in the chain it is.
//!   Calls of a tasklet nest as a rule, and then it is the head; coroutines of other crates that
//!   run on it may leave their scopes in any order.
//! * A chain does not outlive its tasklet: what coroutines have left in it is forgotten when the
//!   tasklet ends, and no chain is touched once the thread's scheduler has ended.
//! * A tasklet's stack is never freed with live frames, and frames that a thread leaves behind when
//!   it ends are neither run nor looked at again. That no other crate frees the stack of a
//!   coroutine without unwinding it, while the tasklet that was in `run_in` there goes on, is
//!   assumed here, as it is by `std::thread::scope`.
//! * References into the chain do not leave this file, and no foreign code runs while there are
//!   any.

use super::super::cancel::Flag;
use crate::error::WaitError;
use crate::scheduler::local;
use crate::tasklet::raw::TcbRef;
use std::cell::Cell;
use std::iter::successors;
use std::ptr::NonNull;
use std::time::Instant;

/// What ends the waits in a scope.
#[derive(Clone, Copy, Debug)]
pub(in crate::time) enum End<'f> {
    At(Instant),
    By(&'f Flag),
    /// Nothing does, also none of the scopes around this one.
    Never,
}

/// One `timeout` or `CancelToken::run` call in progress.
#[derive(Debug)]
struct Scope<'f> {
    end: End<'f>,
    /// A wait inside was ended by this scope.
    expired: Cell<bool>,
    outer: Cell<Option<Innermost>>,
}

/// The head of a tasklet's chain.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Innermost(NonNull<Scope<'static>>);

impl Scope<'_> {
    fn address(&self) -> Innermost {
        Innermost(NonNull::from(self).cast())
    }

    fn deadline(&self) -> Option<Instant> {
        match self.end {
            End::At(deadline) => Some(deadline),
            End::By(flag) => flag.raised_at(),
            End::Never => None,
        }
    }
}

/// The scopes of a tasklet that may end its waits, innermost first.
///
/// # Safety
///
/// The caller lets go of all of them before the tasklet runs on.
unsafe fn scopes<'f>(task: TcbRef) -> impl Iterator<Item = &'f Scope<'static>> + Clone {
    // SAFETY: what is in the chain is alive (see the header), and stays so by the caller's word.
    let of = |at: Option<Innermost>| at.map(|Innermost(at)| unsafe { at.as_ref() });
    let all = successors(of(task.scope.get()), move |scope: &&Scope<'static>| {
        of(scope.outer.get())
    });
    all.take_while(|scope| !matches!(scope.end, End::Never))
}

/// The earliest of a wait's own deadline and those of the tasklet's scopes.
#[inline]
pub(crate) fn earlier(task: TcbRef, own: Option<Instant>) -> Option<Instant> {
    if task.scope.get().is_none() {
        return own;
    }
    // SAFETY: none is kept.
    let scopes = unsafe { scopes(task) };
    scopes.filter_map(Scope::deadline).chain(own).min()
}

/// Marks the scopes of a tasklet that ended its wait with deadline `own`, and says how.
pub(crate) fn note_expiry(task: TcbRef, own: Option<Instant>) -> WaitError {
    // A wait may also be ended as if its time were over, before that of a scope is.
    let ended = earlier(task, own).map(|ended| ended.min(Instant::now()));
    let mut why = WaitError::TimedOut;
    // SAFETY: none is kept.
    for scope in unsafe { scopes(task) } {
        let deadline = scope.deadline();
        if deadline.is_some() && deadline <= ended {
            scope.expired.set(true);
            if matches!(scope.end, End::By(_)) {
                why = WaitError::Cancelled;
            }
        }
    }
    why
}

/// Runs `f` in one more scope; true if that has ended a wait in it.
#[inline]
pub(in crate::time) fn run_in<T>(task: TcbRef, end: End<'_>, f: impl FnOnce() -> T) -> (T, bool) {
    let scope = Scope {
        end,
        expired: Cell::new(false),
        outer: Cell::new(task.scope.get()),
    };
    let _leaving = Leaving {
        task,
        scope: &scope,
    };
    task.scope.set(Some(scope.address()));
    let value = f();
    (value, scope.expired.get())
}

/// Runs `f` outside of all scopes of the tasklet.
pub(crate) fn without_scopes<T>(task: TcbRef, f: impl FnOnce() -> T) -> T {
    run_in(task, End::Never, f).0
}

/// Takes a scope off the chain, also by unwinding.
struct Leaving<'a, 'f> {
    task: TcbRef,
    scope: &'a Scope<'f>,
}

impl Drop for Leaving<'_, '_> {
    #[inline]
    fn drop(&mut self) {
        if local::get().is_none() {
            // The block is gone: this is a coroutine that was kept in a thread-local.
            return;
        }
        let address = self.scope.address();
        if self.task.scope.get() == Some(address) {
            self.task.scope.set(self.scope.outer.get());
        } else {
            take_out(self.task, address, self.scope.outer.get());
        }
    }
}

/// Takes a scope that is not the head off the chain.
#[cold]
fn take_out(task: TcbRef, scope: Innermost, outer: Option<Innermost>) {
    let mut at = task.scope.get();
    while let Some(Innermost(inner)) = at {
        // SAFETY: what is in the chain is alive (see the header).
        let inner = unsafe { inner.as_ref() };
        at = inner.outer.get();
        if at == Some(scope) {
            return inner.outer.set(outer);
        }
    }
}
