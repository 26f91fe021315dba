//! Tokens that end the waits of all who work under them.
//!
//! ```text
//!   token.run(|| .. wait ..)      tasklet A  --+
//!   token.run(|| .. wait ..)      tasklet B  --+--> members of the flag, in the
//!   token.child().run(|| .. )     tasklet C  --+    order in which they came
//!                                                            |
//!   token.cancel(): raise the flag, end the wait of each <---+
//! ```
//!
//! A raised flag stays raised, so it does not matter whether a member waits at
//! that moment: its next wait ends at once. That is what tells a token from a
//! throw ([`port::cancellable`](crate::port::cancellable)), which ends one wait.

use super::scope::{End, earlier, run_in};
use crate::error::WaitError;
use crate::scheduler::{Park, Scheduler, local};
use crate::select::Operation;
use crate::select::steps::{Here, Links, Steps};
use crate::wait::{Place, RawWaitList, WaitList, reason};
use std::cell::{Cell, RefCell};
use std::error::Error;
use std::fmt;
use std::panic::Location;
use std::rc::{Rc, Weak};
use std::time::Instant;

/// The state that the clones of a token share.
#[derive(Default)]
pub(crate) struct Flag {
    raised_at: Cell<Option<Instant>>,
    /// Who is inside `run`, in the order of arrival.
    members: RawWaitList,
    waiters: WaitList<()>,
    /// Kept, so that a cancelled grandparent finds its grandchildren.
    parent: Cell<Option<Rc<Flag>>>,
    children: RefCell<Vec<Weak<Flag>>>,
}

impl Flag {
    /// When it was cancelled.
    pub(super) fn raised_at(&self) -> Option<Instant> {
        self.raised_at.get()
    }

    /// Raises this flag alone.
    fn raise(&self, scheduler: Option<&Scheduler>, now: Instant) {
        self.raised_at.set(Some(now));
        let Some(scheduler) = scheduler else {
            return;
        };
        for task in self.members.tasks() {
            // Not if it waits behind a shield, or has ended and left a coroutine in `run`.
            if earlier(task, None).is_some_and(|end| end <= now) {
                scheduler.end_wait(task);
            }
        }
        self.waiters.wake_all(scheduler);
    }
}

impl Drop for Flag {
    fn drop(&mut self) {
        // One by one, as chains may be longer than the stack is deep.
        let mut parent = self.parent.take();
        while let Some(flag) = parent {
            parent = Rc::into_inner(flag).and_then(|flag| flag.parent.take());
        }
    }
}

impl fmt::Debug for Flag {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Flag")
            .field("raised", &self.raised_at.get().is_some())
            .field("members", &self.members.len())
            .finish()
    }
}

/// Cancels the work of any number of tasklets of one thread. Clones are the
/// same token.
///
/// A tasklet works under a token inside [`run`](CancelToken::run). Tokens and
/// [`timeout`](super::timeout) scopes nest as one likes, in any order.
///
/// To stop the tasklets of several threads, give each thread a token, and have
/// a tasklet there cancel it when a [`Shutdown`](crate::Shutdown) is triggered.
///
/// # Examples
///
/// ```
/// use greenling::{Channel, spawn, time::CancelToken};
/// let token = CancelToken::new();
/// let never: Channel<u32> = Channel::new();
/// let workers: Vec<_> = (0..3)
///     .map(|n| {
///         let (token, never) = (token.clone(), never.clone());
///         spawn(move || token.run(|| never.receive()).is_err().then_some(n))
///     })
///     .collect();
/// greenling::schedule();
/// token.cancel();
/// let stopped = workers.into_iter().filter_map(|worker| worker.join().unwrap());
/// assert_eq!(stopped.collect::<Vec<_>>(), [0, 1, 2]);
/// ```
#[derive(Clone, Default)]
pub struct CancelToken {
    flag: Rc<Flag>,
}

impl CancelToken {
    /// A token that is not cancelled.
    ///
    /// # Scheduling
    ///
    /// Never switches.
    pub fn new() -> CancelToken {
        CancelToken::default()
    }

    /// A token that is cancelled together with this one, or alone.
    ///
    /// # Scheduling
    ///
    /// Never switches.
    pub fn child(&self) -> CancelToken {
        let child = CancelToken::new();
        child.flag.raised_at.set(self.flag.raised_at());
        child.flag.parent.set(Some(self.flag.clone()));
        let mut children = self.flag.children.borrow_mut();
        if children.len() == children.capacity() {
            // Before it grows, so that this costs nothing by and large.
            children.retain(|child| child.strong_count() > 0);
        }
        children.push(Rc::downgrade(&child.flag));
        drop(children);
        child
    }

    /// Ends the wait of every tasklet inside [`run`](CancelToken::run) with
    /// [`WaitError::Cancelled`], in the order in which they came there, and
    /// every wait that they begin there later; then does the same to the
    /// children. Once is for ever, more is for nothing.
    ///
    /// # Scheduling
    ///
    /// Never switches: those tasklets are queued.
    pub fn cancel(&self) {
        let scheduler = local::get();
        let now = Instant::now();
        // A loop, as chains of children may be longer than the stack is deep.
        let mut flags = vec![self.flag.clone()];
        while let Some(flag) = flags.pop() {
            if flag.raised_at().is_none() {
                flag.raise(scheduler, now);
            }
            let children = flag.children.take();
            flags.extend(children.iter().rev().filter_map(Weak::upgrade));
        }
    }

    /// Whether it was cancelled. Code that computes for long asks now and then.
    ///
    /// # Scheduling
    ///
    /// Never switches.
    pub fn is_cancelled(&self) -> bool {
        self.flag.raised_at().is_some()
    }

    /// Runs `f`, whose waits end when the token is cancelled; sleeps return
    /// early. `f` decides what to do about it.
    ///
    /// # Scheduling
    ///
    /// Switches only as `f` does.
    ///
    /// # Cancellation
    ///
    /// Nothing is lost: a wait that was cancelled took nothing, what it waited
    /// for can be used again, and what `f` returned is in [`Cancelled`].
    ///
    /// # Errors
    ///
    /// [`Cancelled`] if the token has ended a wait inside.
    ///
    /// # Panics
    ///
    /// With the panic of `f`, and when the thread is ending.
    pub fn run<T>(&self, f: impl FnOnce() -> T) -> Result<T, Cancelled<T>> {
        let task = local::expect().current();
        let end = End::By(&self.flag);
        let members = &self.flag.members;
        let (value, cancelled) = members.while_member(task, || run_in(task, end, f));
        if cancelled {
            Err(Cancelled { value })
        } else {
            Ok(value)
        }
    }

    /// Waits until the token is cancelled.
    ///
    /// # Scheduling
    ///
    /// Switches unless it is cancelled.
    ///
    /// # Cancellation
    ///
    /// Nothing is lost.
    ///
    /// # Errors
    ///
    /// The reasons of [`WaitError`].
    #[track_caller]
    pub fn wait(&self) -> Result<(), WaitError> {
        if self.is_cancelled() {
            return Ok(());
        }
        let scheduler = local::get_or_make().ok_or(WaitError::Unwinding)?;
        scheduler.check_may_park()?;
        let park = Park::new(&reason::CANCEL, Location::caller());
        self.flag.waiters.park(scheduler, park)
    }

    /// The cancellation to [`select!`](crate::select!).
    ///
    /// # Scheduling
    ///
    /// Never switches by itself.
    pub fn cancelling(&self) -> Cancelling<'_> {
        Cancelling {
            token: self,
            place: None,
            is_over: false,
        }
    }
}

/// Completes when a token is cancelled; see [`CancelToken::cancelling`].
#[must_use = "it does nothing until it is selected"]
pub struct Cancelling<'t> {
    token: &'t CancelToken,
    place: Option<Place<()>>,
    is_over: bool,
}

impl Steps for Cancelling<'_> {
    fn attempt(&mut self, _here: Here<'_>) -> bool {
        self.is_over = self.token.is_cancelled();
        self.is_over
    }

    fn prepare(&mut self, here: Here<'_>) -> Result<bool, WaitError> {
        self.place = Some(Place::new(here.0, ()));
        Ok(false)
    }

    fn link<'a>(&'a self, links: &mut Links<'a>) {
        if let Some(place) = &self.place {
            links.0.add(self.token.flag.waiters.spot(place));
        }
    }

    fn settle(&mut self, _woken: bool) -> bool {
        self.place = None;
        false
    }
}

impl Operation for Cancelling<'_> {
    type Output = ();

    fn take(&mut self) -> Option<()> {
        std::mem::take(&mut self.is_over).then_some(())
    }
}

impl fmt::Debug for Cancelling<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Cancelling").field(self.token).finish()
    }
}

impl fmt::Debug for CancelToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("CancelToken")
            .field(&self.is_cancelled())
            .finish()
    }
}

/// A [`CancelToken`] was cancelled while something under it waited.
///
/// It carries what the closure returned, for nothing is lost by cancelling.
///
/// # Scheduling
///
/// Never switches, except where a method says so.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Cancelled<T> {
    value: T,
}

impl<T> Cancelled<T> {
    /// What the closure returned.
    ///
    /// # Scheduling
    ///
    /// Never switches.
    pub fn into_inner(self) -> T {
        self.value
    }

    /// What the closure returned.
    ///
    /// # Scheduling
    ///
    /// Never switches.
    pub fn get_ref(&self) -> &T {
        &self.value
    }
}

impl<T> fmt::Display for Cancelled<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the token was cancelled")
    }
}

impl<T: fmt::Debug> Error for Cancelled<T> {}

impl<T> From<Cancelled<T>> for std::io::Error {
    fn from(_: Cancelled<T>) -> std::io::Error {
        WaitError::Cancelled.into()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn children_that_are_gone_take_no_room() {
        let token = CancelToken::new();
        let kept = token.child();
        (0..10_000).for_each(|_| drop(token.child()));
        assert!(token.flag.children.borrow().len() < 100);
        token.cancel();
        assert!(kept.is_cancelled());
    }
}
