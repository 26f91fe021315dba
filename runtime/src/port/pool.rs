//! Tasklets that are there before their work is.
//!
//! ```text
//!   submit --> [ queue of calls ] --> worker 1 .. n --> futures
//! ```
//!
//! A worker outlives the panics of its calls, but not a kill, by which a
//! running call is cancelled. It is replaced when calls are waiting, at once or
//! by the next `submit`. Closing puts one end marker a worker behind the calls,
//! so that what was submitted is done.

use super::completer::Completer;
use super::executor::Executor;
use super::future::Future;
use super::queue_channel::QueueChannel;
use crate::channel::ReceiveError;
use crate::error::WaitError;
use crate::tasklet::Builder;
use std::cell::Cell;
use std::fmt;
use std::io;
use std::rc::Rc;

type Call = Box<dyn FnOnce()>;

/// A number of tasklets that run calls, at most one each at a time: an executor
/// that bounds how much goes on at once.
///
/// Dropping the pool closes it: what was submitted is still done.
///
/// # Scheduling
///
/// Never switches, except where a method says so.
///
/// # Examples
///
/// ```
/// use greenling::port::{Executor, Pool};
/// let pool = Pool::new(2).unwrap();
/// let squares: Vec<_> = (0..5).map(|n| pool.submit(move || n * n)).collect();
/// let squares: Vec<_> = squares.iter().map(|square| square.join().unwrap()).collect();
/// assert_eq!(squares, [0, 1, 4, 9, 16]);
/// ```
pub struct Pool {
    shared: Rc<Shared>,
}

struct Shared {
    /// `None` ends the worker that receives it.
    calls: QueueChannel<Option<Call>>,
    size: usize,
    /// Workers that have not ended.
    workers: Cell<usize>,
    /// A worker is being made: one that there is no stack for is not replaced.
    starting: Cell<bool>,
}

impl Pool {
    /// Starts `size` workers, at least one.
    ///
    /// # Scheduling
    ///
    /// Never switches.
    ///
    /// # Errors
    ///
    /// When there is no stack for a worker.
    pub fn new(size: usize) -> io::Result<Pool> {
        let pool = Pool {
            shared: Rc::new(Shared {
                calls: QueueChannel::unbounded(),
                size: size.max(1),
                workers: Cell::new(0),
                starting: Cell::new(false),
            }),
        };
        for _ in 0..pool.shared.size {
            pool.shared.start_worker()?;
        }
        Ok(pool)
    }

    /// How many calls wait for a worker.
    pub fn queued(&self) -> usize {
        self.shared.calls.len()
    }

    /// Ends the workers once all that was submitted is done; later calls are
    /// cancelled at once.
    ///
    /// # Scheduling
    ///
    /// Never switches.
    pub fn close(&self) {
        if self.shared.calls.is_closing() {
            return;
        }
        if !self.shared.calls.is_empty() {
            self.shared.refill();
        }
        for _ in 0..self.shared.workers.get() {
            // The buffer has no limit.
            let _ = self.shared.calls.try_send(None);
        }
        self.shared.calls.close();
    }
}

impl Executor for Pool {
    /// # Scheduling
    ///
    /// Never switches.
    fn submit<T: 'static>(&self, f: impl FnOnce() -> T + 'static) -> Future<T> {
        let future = Future::new();
        let completer = Completer::new(&future);
        let call = move || completer.run_as_current(f);
        // If the pool is closed, the call is dropped and so cancelled.
        if self.shared.calls.try_send(Some(Box::new(call))).is_ok() {
            self.shared.refill();
        }
        future
    }
}

impl Shared {
    /// Replaces workers that were killed. Without any stack for one, those that
    /// are left do the work; if none is, the next call tries again.
    fn refill(self: &Rc<Shared>) {
        while self.workers.get() < self.size && !self.starting.get() {
            if let Err(error) = self.start_worker() {
                return log::error!("greenling: no stack for the worker of a pool: {error}");
            }
        }
    }

    fn start_worker(self: &Rc<Shared>) -> io::Result<()> {
        self.workers.set(self.workers.get() + 1);
        self.starting.set(true);
        let mut presence = Presence {
            shared: self.clone(),
            is_over: false,
        };
        let worker = move || {
            presence.shared.work();
            presence.is_over = true;
        };
        let started = Builder::new().name("pool worker").spawn(worker);
        self.starting.set(false);
        started.map(drop)
    }

    fn work(&self) {
        loop {
            match self.calls.receive() {
                Ok(Some(call)) => call(),
                Err(ReceiveError::Wait(WaitError::Thrown(error))) => {
                    log::debug!("greenling: an error thrown at a worker of a pool: {error}");
                }
                Ok(None) | Err(_) => return,
            }
        }
    }
}

/// Counts a worker, also one that never began.
struct Presence {
    shared: Rc<Shared>,
    /// It has come to the end of its work.
    is_over: bool,
}

impl Drop for Presence {
    fn drop(&mut self) {
        let shared = &self.shared;
        shared.workers.set(shared.workers.get() - 1);
        if !self.is_over && !shared.calls.is_empty() {
            shared.refill();
        }
    }
}

impl Drop for Pool {
    fn drop(&mut self) {
        self.close();
    }
}

impl fmt::Debug for Pool {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Pool")
            .field("size", &self.shared.size)
            .field("queued", &self.queued())
            .finish_non_exhaustive()
    }
}
