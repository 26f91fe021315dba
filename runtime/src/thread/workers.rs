//! One scheduler per OS thread.

use super::shutdown::Shutdown;
use crate::scheduler::enter;
use crate::sys;
use std::thread;

/// What a worker is given: who it is, and when to stop.
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
/// by [`enter`]. For pinning to cores, see [`Workers`].
///
/// # Scheduling
///
/// Blocks the calling OS thread, with all its tasklets, until every worker has
/// ended: call it from a thread that has nothing else to do.
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
    /// # Panics
    ///
    /// When an OS thread can't be made.
    pub fn run<F, T>(self, f: F) -> Vec<thread::Result<T>>
    where
        F: Fn(Worker) -> T + Send + Sync,
        T: Send,
    {
        let run_one = |index: usize| {
            if self.pinned
                && let Err(error) = sys::pin_to_processor(index)
            {
                log::warn!("greenling: worker {index} is not pinned: {error}");
            }
            enter(|| {
                f(Worker {
                    index,
                    shutdown: self.shutdown.clone(),
                })
            })
        };
        let run_one = &run_one;
        thread::scope(|scope| {
            let threads: Vec<_> = (0..self.count)
                .map(|index| {
                    thread::Builder::new()
                        .name(format!("worker-{index}"))
                        .spawn_scoped(scope, move || run_one(index))
                        .expect("an OS thread for a worker")
                })
                .collect();
            threads.into_iter().map(|t| t.join()).collect()
        })
    }
}
