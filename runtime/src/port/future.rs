//! A value that somebody works on.
//!
//! ```text
//!                  set_value, set_error, the worker's end
//!     pending  ------------------------------------------>  value or failure
//!        |                                                      |
//!        |  cancel: kills the worker                            | join takes
//!        v                                                      v  the value
//!     cancelled                                               taken
//! ```
//!
//! A future gets its result once; what comes later is given back or dropped.
//! Then, in this order: those who wait in `join` and `wait` are queued, oldest
//! first; waits on several futures are told; callbacks are called, in the
//! context of whoever set the result, where switching is trapped: the worker
//! may be unwinding, and a callback that waited would hold it up.

use super::completer::Completer;
use super::future_error::{Failure, FutureError};
use super::wait_for::{Waitable, Watcher};
use crate::error::{Thrown, Uncaught, WaitError};
use crate::scheduler::local;
use crate::sync::WaitQueue;
use crate::tasklet::{Builder, JoinHandle, Tasklet, switch_trap};
use crate::wait::reason;
use std::cell::{Cell, RefCell};
use std::fmt;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::rc::Rc;
use std::sync::Arc;

/// A value, or an error, that will be there some time. Clones are the same
/// future.
///
/// [Executors](super::Executor) return futures; one made by [`Future::new`] is
/// set by hand, for example by the callback of something that does not wait.
///
/// # Scheduling
///
/// Never switches, except where a method says so.
///
/// # Examples
///
/// ```
/// use greenling::port::Future;
/// let future = Future::new();
/// let theirs = future.clone();
/// greenling::spawn(move || theirs.set_value(42));
/// assert_eq!(future.join().unwrap(), 42);
/// ```
#[doc(alias = "ValueTasklet")]
pub struct Future<T> {
    shared: Rc<Shared<T>>,
}

struct Shared<T> {
    status: Cell<Status>,
    /// The value, unless it was taken.
    value: RefCell<Option<T>>,
    failure: RefCell<Option<Failure>>,
    /// Killed by `cancel`. Gone once there is a result.
    worker: RefCell<Option<Tasklet>>,
    waiters: WaitQueue,
    watchers: RefCell<Vec<Watcher>>,
    callbacks: RefCell<Vec<Callback<T>>>,
}

type Callback<T> = Box<dyn FnOnce(&Future<T>)>;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Status {
    Pending,
    HasValue,
    Failed,
    Cancelled,
}

impl<T> Future<T> {
    /// A future without a result and without a worker.
    pub fn new() -> Future<T> {
        Future {
            shared: Rc::new(Shared {
                status: Cell::new(Status::Pending),
                value: RefCell::new(None),
                failure: RefCell::new(None),
                worker: RefCell::new(None),
                waiters: WaitQueue::new(),
                watchers: RefCell::default(),
                callbacks: RefCell::default(),
            }),
        }
    }

    /// A future of what a spawned tasklet returns, so that it can be waited
    /// for together with others. [`cancel`](Future::cancel) kills the tasklet.
    ///
    /// # Scheduling
    ///
    /// Never switches. A tasklet of its own waits for the other's end.
    pub fn of(handle: JoinHandle<T>) -> Future<T>
    where
        T: 'static,
    {
        let future = Future::new();
        future.set_worker(handle.tasklet());
        let completer = Completer::new(&future);
        let watching = Builder::new().spawn(move || match handle.join() {
            Ok(value) => completer.succeed(value),
            Err(error) => match Failure::of_join(error) {
                Ok(failure) => completer.fail(failure),
                Err(error) => completer.fail(Failure::Error(Arc::new(error))),
            },
        });
        if let Err(error) = watching {
            // The completer has gone with the closure.
            log::error!("greenling: no tasklet to wait for another: {error}");
        }
        future
    }

    /// Sets the value; gives it back if there is a result already.
    ///
    /// # Scheduling
    ///
    /// Never switches: those who wait are queued. Callbacks are called here.
    ///
    /// # Errors
    ///
    /// The value, if the future has a result or was cancelled.
    pub fn set_value(&self, value: T) -> Result<(), T> {
        if self.is_done() {
            return Err(value);
        }
        self.complete(Ok(value));
        Ok(())
    }

    /// Sets an error instead of a value; gives it back if there is a result
    /// already.
    ///
    /// # Scheduling
    ///
    /// Never switches.
    ///
    /// # Errors
    ///
    /// The error, if the future has a result or was cancelled.
    #[doc(alias = "set_exception")]
    pub fn set_error(&self, error: impl Into<Thrown>) -> Result<(), Thrown> {
        let error = error.into();
        if self.is_done() {
            return Err(error);
        }
        self.complete(Err(Failure::Error(error.into())));
        Ok(())
    }

    /// Gives the future up: it counts as cancelled from now on, and its worker
    /// is killed when its turn comes. False if there is a result already.
    ///
    /// A worker that cancels its own future unwinds from here.
    ///
    /// # Scheduling
    ///
    /// Never switches.
    pub fn cancel(&self) -> bool {
        let worker = self.shared.worker.take();
        if !self.complete(Err(Failure::Cancelled)) {
            return false;
        }
        if let Some(worker) = worker {
            // The only error is that it can't be killed: then it goes on, and
            // its result is dropped.
            let _ = worker.kill_pending();
        }
        true
    }

    /// Waits for the result and takes the value.
    ///
    /// # Scheduling
    ///
    /// Switches unless there is a result.
    ///
    /// # Cancellation
    ///
    /// Nothing is lost: the value is taken when this returns it.
    ///
    /// # Errors
    ///
    /// [`FutureError`]: `Taken` if another has taken the value; `Wait` if the
    /// caller's wait failed.
    #[doc(alias = "result")]
    #[track_caller]
    pub fn join(&self) -> Result<T, FutureError> {
        self.wait().map_err(FutureError::Wait)?;
        if let Some(failure) = self.shared.failure.borrow().clone() {
            return Err(failure.into());
        }
        let value = self.shared.value.borrow_mut().take();
        value.ok_or(FutureError::Taken)
    }

    /// Waits for the result and returns a copy of the value.
    ///
    /// # Scheduling
    ///
    /// As [`join`](Future::join).
    ///
    /// # Cancellation
    ///
    /// Nothing is lost.
    ///
    /// # Errors
    ///
    /// As [`join`](Future::join).
    #[track_caller]
    pub fn get(&self) -> Result<T, FutureError>
    where
        T: Clone,
    {
        let value = self.join()?;
        // Taken out for the time of a foreign `clone`, and put back even if
        // that panics.
        let returned = PutBack(&self.shared.value, Some(value));
        returned.1.clone().ok_or(FutureError::Taken)
    }

    /// Waits for the result and leaves it where it is.
    ///
    /// # Scheduling
    ///
    /// As [`join`](Future::join).
    ///
    /// # Cancellation
    ///
    /// Nothing is lost.
    ///
    /// # Errors
    ///
    /// [`WaitError`] when the wait itself failed.
    #[track_caller]
    pub fn wait(&self) -> Result<(), WaitError> {
        if self.is_done() {
            return Ok(());
        }
        self.shared.waiters.wait_as_receive(&reason::FUTURE, None)
    }

    /// True if there is a result: a value, an error, a cancellation.
    pub fn is_done(&self) -> bool {
        self.shared.status.get() != Status::Pending
    }

    /// True if there is an error instead of a value, or it was cancelled.
    pub fn has_failed(&self) -> bool {
        matches!(self.shared.status.get(), Status::Failed | Status::Cancelled)
    }

    /// True if it was cancelled, or its worker was killed.
    pub fn is_cancelled(&self) -> bool {
        self.shared.status.get() == Status::Cancelled
    }

    /// Has `f` called with this future when there is a result; at once, if
    /// there is one. In the order in which they were added.
    ///
    /// `f` runs in the context of whoever sets the result. Switching is
    /// trapped there, and a panic is logged.
    ///
    /// # Scheduling
    ///
    /// Never switches.
    #[doc(alias = "add_done_callback")]
    pub fn on_done(&self, f: impl FnOnce(&Future<T>) + 'static) {
        if self.is_done() {
            self.call(vec![Box::new(f)]);
        } else {
            self.shared.callbacks.borrow_mut().push(Box::new(f));
        }
    }

    /// Names the tasklet that `cancel` kills.
    pub(super) fn set_worker(&self, worker: Tasklet) {
        if !self.is_done() {
            let previous = self.shared.worker.replace(Some(worker));
            drop(previous);
        }
    }

    /// True if nobody else holds the future.
    pub(super) fn is_abandoned(&self) -> bool {
        Rc::strong_count(&self.shared) == 1
    }

    /// Sets the result; false, and it is dropped, if there is one already.
    pub(super) fn complete(&self, result: Result<T, Failure>) -> bool {
        let shared = &*self.shared;
        if self.is_done() {
            return false;
        }
        let status = match &result {
            Ok(_) => Status::HasValue,
            Err(Failure::Cancelled) => Status::Cancelled,
            Err(_) => Status::Failed,
        };
        shared.status.set(status);
        match result {
            Ok(value) => *shared.value.borrow_mut() = Some(value),
            Err(failure) => *shared.failure.borrow_mut() = Some(failure),
        }
        drop(shared.worker.take());
        shared.waiters.notify_all();
        let watchers = shared.watchers.take();
        watchers.iter().for_each(Watcher::notify);
        self.call(shared.callbacks.take());
        true
    }

    fn call(&self, callbacks: Vec<Callback<T>>) {
        if callbacks.is_empty() {
            return;
        }
        // There is none at the end of the thread, where nothing switches.
        let _trap = local::get().map(|_| switch_trap());
        for callback in callbacks {
            if let Err(payload) = catch_unwind(AssertUnwindSafe(|| callback(self))) {
                let error = Uncaught::Panic(payload);
                log::error!("greenling: a callback of a future failed: {error}");
            }
        }
    }
}

/// Puts a value back where it was.
struct PutBack<'a, T>(&'a RefCell<Option<T>>, Option<T>);

impl<T> Drop for PutBack<'_, T> {
    fn drop(&mut self) {
        *self.0.borrow_mut() = self.1.take();
    }
}

impl<T> Waitable for Future<T> {
    fn is_ready(&self) -> bool {
        self.is_done()
    }

    fn has_failed(&self) -> bool {
        Future::has_failed(self)
    }

    fn subscribe(&self, watcher: Watcher) {
        if self.is_done() {
            return watcher.notify();
        }
        let mut watchers = self.shared.watchers.borrow_mut();
        watchers.retain(Watcher::is_wanted);
        watchers.push(watcher);
    }
}

impl<T> Clone for Future<T> {
    fn clone(&self) -> Future<T> {
        Future {
            shared: self.shared.clone(),
        }
    }
}

impl<T> Default for Future<T> {
    fn default() -> Future<T> {
        Future::new()
    }
}

impl<T> fmt::Debug for Future<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Future")
            .field("status", &self.shared.status.get())
            .finish_non_exhaustive()
    }
}
