//! One scheduler per OS thread.
//!
//! ```text
//!   made -----all made?----> f(worker) ----f returns----> drain, kill ----> joined
//!     |                                                   (if it is time to stop)
//!     +--one can't be made: none runs, and the caller is told
//! ```

use super::shutdown::Shutdown;
use crate::scheduler::{enter, local};
use crate::sys;
use std::io;
use std::sync::OnceLock;
use std::thread;
use std::time::Duration;

/// What a worker is given: who it is, and when to stop.
///
/// # Scheduling
///
/// Never switches, except where a method says so.
#[derive(Clone, Debug)]
pub struct Worker {
    index: usize,
    shutdown: Shutdown,
}

impl Worker {
    /// This worker's number, from zero.
    pub fn index(&self) -> usize {
        self.index
    }

    /// The signal to stop, shared by all workers.
    pub fn shutdown(&self) -> &Shutdown {
        &self.shutdown
    }
}

/// Runs `f` on `count` OS threads, each with a scheduler of its own, and
/// returns what each returned, or the panic that ended it.
///
/// Workers share nothing but what `f` borrows or captures; connections are
/// spread among them by listeners that bind the same port
/// ([`TcpListener::bind_reuseport`](crate::net::TcpListener::bind_reuseport)).
/// When a worker's `f` returns, the tasklets left on its thread are killed, as
/// by [`enter`], and after a shutdown may finish first; see
/// [`Workers::drain_limit`]. The other workers go on, whether it returned or
/// panicked. For pinning to cores, see [`Workers`].
///
/// # Scheduling
///
/// Blocks the calling OS thread, with all its tasklets, until every worker has
/// ended: call it from a thread that has nothing else to do.
///
/// # Cancellation
///
/// None: no tasklet of this thread runs meanwhile, so nobody can kill the caller.
///
/// # Panics
///
/// When an OS thread can't be made.
///
/// # Examples
///
/// ```
/// let squares = greenling::workers(3, |worker| worker.index() * worker.index());
/// let squares: Vec<_> = squares.into_iter().map(Result::unwrap).collect();
/// assert_eq!(squares, [0, 1, 4]);
/// ```
pub fn workers<F, T>(count: usize, f: F) -> Vec<thread::Result<T>>
where
    F: Fn(Worker) -> T + Send + Sync,
    T: Send,
{
    Workers::new(count).run(f)
}

/// As [`workers`], with options.
///
/// # Scheduling
///
/// Never switches, except where a method says so.
#[derive(Clone, Debug)]
#[must_use = "workers do nothing until they run"]
pub struct Workers {
    count: usize,
    pinned: bool,
    shutdown: Shutdown,
}

impl Workers {
    /// `count` workers, at least one.
    pub fn new(count: usize) -> Workers {
        Workers {
            count: count.max(1),
            pinned: false,
            shutdown: Shutdown::new(),
        }
    }

    /// Pins each worker to one of the processors that the process may use, in
    /// turn. Where that fails, a warning is logged.
    pub fn pinned(mut self, on: bool) -> Workers {
        self.pinned = on;
        self
    }

    /// How long the tasklets of a worker may finish, once it is time to stop and
    /// the worker's function has returned; counted from
    /// [`trigger`](Shutdown::trigger). Then what is left is killed, as by
    /// [`Shutdown::drain`]. No time by default.
    pub fn drain_limit(self, limit: Duration) -> Workers {
        self.shutdown.set_limits(|limits| limits.0 = limit);
        self
    }

    /// How long those that were killed may take to clean up, where they catch
    /// or defer the kill; counted from the end of the drain limit. No time by
    /// default. Who is left then is named in the log, and its stack leaked.
    ///
    /// A tasklet that computes without ever waiting can't be ended at all: its
    /// worker, and with it `run`, lasts as long as that does.
    pub fn kill_limit(self, limit: Duration) -> Workers {
        self.shutdown.set_limits(|limits| limits.1 = limit);
        self
    }

    /// The signal to stop, for use from elsewhere.
    pub fn shutdown(&self) -> Shutdown {
        self.shutdown.clone()
    }

    /// Runs the workers; see [`workers`].
    ///
    /// # Scheduling
    ///
    /// Blocks the calling OS thread until every worker has ended.
    ///
    /// # Cancellation
    ///
    /// As [`workers`].
    ///
    /// # Panics
    ///
    /// When an OS thread can't be made; no worker runs then.
    pub fn run<F, T>(self, f: F) -> Vec<thread::Result<T>>
    where
        F: Fn(Worker) -> T + Send + Sync,
        T: Send,
    {
        match self.try_run(f) {
            Ok(results) => results,
            Err(error) => panic!("greenling: no OS thread for a worker: {error}"),
        }
    }

    /// As [`run`](Workers::run), with the error returned.
    ///
    /// # Scheduling
    ///
    /// Blocks the calling OS thread until every worker has ended.
    ///
    /// # Cancellation
    ///
    /// As [`workers`].
    ///
    /// # Errors
    ///
    /// When an OS thread can't be made. No worker runs then: they start when all
    /// threads are there. Those that were made are gone, and with them what they
    /// held.
    pub fn try_run<F, T>(self, f: F) -> io::Result<Vec<thread::Result<T>>>
    where
        F: Fn(Worker) -> T + Send + Sync,
        T: Send,
    {
        if let Some(scheduler) = local::get() {
            scheduler.goes_away();
        }
        let run_one = |index: usize| {
            if self.pinned
                && let Err(error) = sys::pin_to_processor(index)
            {
                log::warn!("greenling: worker {index} is not pinned: {error}");
            }
            enter(|| {
                let result = f(Worker {
                    index,
                    shutdown: self.shutdown.clone(),
                });
                self.drain(index);
                result
            })
        };
        let run_one = &run_one;
        let all_made = &OnceLock::<bool>::new();
        thread::scope(|scope| {
            let mut threads = Vec::with_capacity(self.count);
            for index in 0..self.count {
                let thread = thread::Builder::new().name(format!("worker-{index}"));
                let made =
                    thread.spawn_scoped(scope, move || all_made.wait().then(|| run_one(index)));
                match made {
                    Ok(thread) => threads.push(thread),
                    Err(error) => {
                        let _ = all_made.set(false);
                        // A scope waits for what its threads run, not for the
                        // threads: until they are joined they hold their stacks.
                        for thread in threads {
                            let _ = thread.join();
                        }
                        return Err(error);
                    }
                }
            }
            let _ = all_made.set(true);
            let results = threads.into_iter().map(|thread| {
                let result = thread.join();
                result.map(|value| value.unwrap_or_else(|| unreachable!("all were made")))
            });
            Ok(results.collect())
        })
    }

    fn drain(&self, index: usize) {
        if self.shutdown.is_triggered()
            && let Err(error) = self.shutdown.drain()
        {
            log::error!("greenling: worker {index} was not drained: {error}");
        }
    }
}
