//! Waiting for several things at once, and in the order in which they come.
//!
//! A wait makes a `Watch`, a list of the indices that became ready, and gives
//! each of the awaited a `Watcher`, which adds one index to it. The awaited
//! hold the watch weakly, so a wait that has ended is simply forgotten.

use crate::error::WaitError;
use crate::sync::{WaitQueue, deadline_after};
use crate::wait::reason;
use std::cell::RefCell;
use std::collections::VecDeque;
use std::fmt;
use std::iter::FusedIterator;
use std::rc::{Rc, Weak};
use std::time::{Duration, Instant};

/// What [`wait_for`] and its kin can wait for. For the handle of a spawned
/// tasklet, use [`Future::of`](super::Future::of).
pub trait Waitable {
    /// True if there is nothing left to wait for.
    fn is_ready(&self) -> bool;

    /// True if it is ready, but has not what was hoped for.
    fn has_failed(&self) -> bool;

    /// Has the watcher notified, once, when this is ready: at once if it is.
    fn subscribe(&self, watcher: Watcher);
}

impl<W: Waitable + ?Sized> Waitable for &W {
    fn is_ready(&self) -> bool {
        (**self).is_ready()
    }

    fn has_failed(&self) -> bool {
        (**self).has_failed()
    }

    fn subscribe(&self, watcher: Watcher) {
        (**self).subscribe(watcher);
    }
}

/// Whom a [`Waitable`] tells that it is ready.
///
/// # Scheduling
///
/// Never switches, except where a method says so.
pub struct Watcher {
    watch: Weak<Watch>,
    index: usize,
}

impl Watcher {
    /// Tells the wait. A watcher of a wait that has ended does nothing.
    ///
    /// # Scheduling
    ///
    /// Never switches.
    pub fn notify(&self) {
        if let Some(watch) = self.watch.upgrade() {
            watch.ready.borrow_mut().push_back(self.index);
            watch.waiter.notify_one();
        }
    }

    /// True if the wait is still going on.
    pub fn is_wanted(&self) -> bool {
        self.watch.strong_count() > 0
    }
}

impl fmt::Debug for Watcher {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Watcher")
            .field("index", &self.index)
            .finish_non_exhaustive()
    }
}

/// One wait for several.
#[derive(Debug)]
struct Watch {
    /// Indices of those that became ready, the first to do so first.
    ready: RefCell<VecDeque<usize>>,
    waiter: WaitQueue,
}

impl Watch {
    fn over<W: Waitable>(items: &[W]) -> Rc<Watch> {
        let watch = Rc::new(Watch {
            ready: RefCell::default(),
            waiter: WaitQueue::new(),
        });
        for (index, item) in items.iter().enumerate() {
            item.subscribe(Watcher {
                watch: Rc::downgrade(&watch),
                index,
            });
        }
        watch
    }

    /// The next index, in the order of readiness.
    #[track_caller]
    fn next(&self, deadline: Option<Instant>) -> Result<usize, WaitError> {
        loop {
            // A statement of its own: the wait must not hold the borrow.
            let next = self.ready.borrow_mut().pop_front();
            match next {
                Some(index) => return Ok(index),
                None => self.waiter.wait_as_receive(&reason::SEVERAL, deadline)?,
            }
        }
    }
}

/// When [`wait_for`] returns.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Until {
    /// One is ready.
    #[doc(alias = "FIRST_COMPLETED")]
    First,
    /// One has failed, or all are ready.
    #[doc(alias = "FIRST_EXCEPTION")]
    FirstFailed,
    /// All are ready.
    #[doc(alias = "ALL_COMPLETED")]
    All,
}

impl Until {
    fn is_reached(self, count: usize, ready: usize, failed: bool) -> bool {
        let enough = match self {
            Until::First => ready > 0,
            Until::FirstFailed => failed,
            Until::All => false,
        };
        enough || ready == count
    }
}

/// Waits for several at once, and returns the indices of those that are ready
/// then, in the order of the list. It gives up after `timeout`, if there is
/// one: the indices tell how far it came.
///
/// # Scheduling
///
/// Switches unless the condition holds already.
///
/// # Cancellation
///
/// Nothing is lost, and what was waited for goes on.
///
/// # Errors
///
/// The reasons of [`WaitError`]; `TimedOut` only for the deadline of a scope
/// around it.
///
/// # Examples
///
/// ```
/// use greenling::port::{Future, Until, wait_for};
/// let futures = [Future::new(), Future::new(), Future::new()];
/// let third = futures[2].clone();
/// greenling::spawn(move || third.set_value("third"));
/// assert_eq!(wait_for(&futures, Until::First, None).unwrap(), [2]);
/// ```
#[track_caller]
pub fn wait_for<W: Waitable>(
    items: &[W],
    until: Until,
    timeout: Option<Duration>,
) -> Result<Vec<usize>, WaitError> {
    let deadline = timeout.and_then(deadline_after);
    let watch = Watch::over(items);
    let (mut ready, mut failed) = (0, false);
    while !until.is_reached(items.len(), ready, failed) {
        match watch.next(deadline) {
            Ok(index) => {
                ready += 1;
                failed |= items[index].has_failed();
            }
            Err(WaitError::TimedOut) if deadline.is_some_and(|end| Instant::now() >= end) => break,
            Err(error) => return Err(error),
        }
    }
    let indices = 0..items.len();
    Ok(indices.filter(|&index| items[index].is_ready()).collect())
}

/// Waits until one is ready, and returns its index: that of the first to become
/// ready, or the lowest of those that were so already.
///
/// # Scheduling
///
/// Switches unless one is ready.
///
/// # Cancellation
///
/// Nothing is lost, and what was waited for goes on.
///
/// # Errors
///
/// The reasons of [`WaitError`]; `Deadlock` for an empty list.
///
/// # Examples
///
/// ```
/// use greenling::port::{Executor, Queued, wait_any};
/// use greenling::schedule;
/// let racers = [2, 0, 1].map(|n| Queued.submit(move || (0..n).for_each(|_| schedule())));
/// assert_eq!(wait_any(&racers).unwrap(), 1);
/// ```
#[track_caller]
pub fn wait_any<W: Waitable>(items: &[W]) -> Result<usize, WaitError> {
    if items.is_empty() {
        return Err(WaitError::Deadlock);
    }
    Watch::over(items).next(None)
}

/// Waits until all are ready.
///
/// # Scheduling
///
/// Switches unless all are ready.
///
/// # Cancellation
///
/// Nothing is lost, and what was waited for goes on.
///
/// # Errors
///
/// The reasons of [`WaitError`].
///
/// # Examples
///
/// ```
/// use greenling::port::{Executor, Future, Queued, wait_all};
/// let squares = [2, 3].map(|n| Queued.submit(move || n * n));
/// wait_all(&squares).unwrap();
/// assert!(squares.iter().all(Future::is_done));
/// ```
#[track_caller]
pub fn wait_all<W: Waitable>(items: &[W]) -> Result<(), WaitError> {
    wait_for(items, Until::All, None).map(drop)
}

/// An iterator over the indices of a list, in the order in which its members
/// become ready. Each step waits for the next.
///
/// # Scheduling
///
/// A step switches unless another one is ready.
///
/// # Cancellation
///
/// A step whose wait fails says so, and the next one waits again.
///
/// # Examples
///
/// ```
/// use greenling::port::{Executor, Queued, as_completed};
/// use greenling::schedule;
/// let long = Queued.submit(|| (0..9).for_each(|_| schedule()));
/// let short = Queued.submit(|| schedule());
/// let order: Result<Vec<usize>, _> = as_completed(&[long, short]).collect();
/// assert_eq!(order.unwrap(), [1, 0]);
/// ```
pub fn as_completed<W: Waitable>(items: &[W]) -> AsCompleted {
    AsCompleted {
        watch: Watch::over(items),
        left: items.len(),
    }
}

/// See [`as_completed`].
#[derive(Debug)]
pub struct AsCompleted {
    watch: Rc<Watch>,
    left: usize,
}

impl Iterator for AsCompleted {
    type Item = Result<usize, WaitError>;

    #[track_caller]
    fn next(&mut self) -> Option<Result<usize, WaitError>> {
        if self.left == 0 {
            return None;
        }
        let next = self.watch.next(None);
        if next.is_ok() {
            self.left -= 1;
        }
        Some(next)
    }
}

impl FusedIterator for AsCompleted {}
