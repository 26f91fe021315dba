//! Where a function runs whose result is a future.

use super::completer::Completer;
use super::future::Future;
use super::future_error::Failure;
use crate::error::TaskletError;
use crate::offload::offload;
use crate::tasklet::{Builder, Tasklet};
use std::sync::Arc;

/// Runs functions somewhere, and gives futures of their results.
///
/// # Examples
///
/// ```
/// use greenling::port::{Executor, Immediate, Queued};
/// fn sum_of_squares(executor: &impl Executor) -> u32 {
///     let squares: Vec<_> = (1..=3).map(|n| executor.submit(move || n * n)).collect();
///     squares.iter().map(|square| square.join().unwrap()).sum()
/// }
/// assert_eq!(sum_of_squares(&Queued), 14);
/// assert_eq!(sum_of_squares(&Immediate), 14);
/// ```
pub trait Executor {
    /// Has `f` run. What it panics with is the future's failure. If there is no
    /// stack for it, the future is cancelled and the log says why.
    ///
    /// # Scheduling
    ///
    /// Depends on the executor.
    fn submit<T: 'static>(&self, f: impl FnOnce() -> T + 'static) -> Future<T>;
}

/// Runs each function in the caller, before `submit` returns.
///
/// An error that is thrown at the caller meanwhile, and that the function lets
/// pass, is the future's failure; a kill cancels the future and unwinds from
/// `submit`.
#[derive(Clone, Copy, Debug, Default)]
pub struct Direct;

impl Executor for Direct {
    fn submit<T: 'static>(&self, f: impl FnOnce() -> T + 'static) -> Future<T> {
        let future = Future::new();
        Completer::new(&future).run(f);
        future
    }
}

/// Runs each function on a new tasklet, at the end of the run queue. `submit`
/// never switches.
#[derive(Clone, Copy, Debug, Default)]
pub struct Queued;

impl Executor for Queued {
    fn submit<T: 'static>(&self, f: impl FnOnce() -> T + 'static) -> Future<T> {
        let (future, worker) = worker(|completer| completer.run(f));
        queue(worker);
        future
    }
}

/// Runs each function on a new tasklet at once: `submit` returns when it has
/// ended or must wait. Where switching is trapped it is queued instead.
///
/// Code that mostly need not wait then runs in the order in which it is
/// written (Stackless' `async` helpers). A kill of the caller, or an error
/// thrown at it meanwhile, unwinds from `submit`; the function goes on.
#[derive(Clone, Copy, Debug, Default)]
pub struct Immediate;

impl Executor for Immediate {
    fn submit<T: 'static>(&self, f: impl FnOnce() -> T + 'static) -> Future<T> {
        let (future, worker) = worker(|completer| completer.run(f));
        match worker.as_ref().map(Tasklet::run) {
            None | Some(Ok(())) => {}
            Some(Err(TaskletError::Uncaught(other))) => {
                // Another one failed meanwhile, and its wake target is here.
                log::error!("greenling: {other}");
            }
            Some(Err(_)) => queue(worker),
        }
        future
    }
}

/// A future, and the paused tasklet that works on it; none if there is no stack
/// for it: then the future is cancelled.
fn worker<T: 'static>(work: impl FnOnce(Completer<T>) + 'static) -> (Future<T>, Option<Tasklet>) {
    let future = Future::new();
    let completer = Completer::new(&future);
    match Builder::new().tasklet(move || work(completer)) {
        Ok(worker) => {
            future.set_worker(worker.clone());
            (future, Some(worker))
        }
        Err(error) => {
            log::error!("greenling: no stack for the worker of a future: {error}");
            (future, None)
        }
    }
}

/// It may have ended or been queued already, which is as good.
fn queue(worker: Option<Tasklet>) {
    if let Some(worker) = worker {
        let _ = worker.insert();
    }
}

/// Runs functions that may move to another thread on the OS threads of the
/// [`offload`](crate::offload) pool.
///
/// # Examples
///
/// ```
/// use greenling::port::OsThreads;
/// let here = std::thread::current().id();
/// let future = OsThreads.submit(move || std::thread::current().id() != here);
/// assert!(future.join().unwrap());
/// ```
#[derive(Clone, Copy, Debug, Default)]
pub struct OsThreads;

impl OsThreads {
    /// Has `f` run on an OS thread. Cancelling the future leaves `f` running;
    /// its result is dropped.
    ///
    /// # Scheduling
    ///
    /// Never switches: a new tasklet, at the end of the run queue, waits for
    /// the thread.
    pub fn submit<F, T>(&self, f: F) -> Future<T>
    where
        F: FnOnce() -> T + Send + 'static,
        T: Send + 'static,
    {
        let (future, worker) = worker(|completer| {
            let offloaded = || offload(f).map_err(|error| Failure::Error(Arc::new(error)));
            completer.run_fallible(offloaded);
        });
        queue(worker);
        future
    }
}
