//! Blocking work on a bounded pool of OS threads.
//!
//! ```text
//!   tasklet:  job -> queue, waits by ticket        pool thread:  runs the job,
//!             woken through the inbox <-----------               stores, wakes
//! ```
//!
//! Threads are made when jobs wait and none is idle, up to a limit, and end
//! after some idle seconds. The pool is the process's, shared by schedulers.

use crate::error::WaitError;
use crate::scheduler::{ExternalWaker, Park, local};
use crate::wait::reason;
use crossbeam_channel::{Receiver, RecvTimeoutError, Sender, unbounded};
use std::panic::{AssertUnwindSafe, Location, catch_unwind, resume_unwind};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, LazyLock, Mutex, PoisonError};
use std::time::Duration;

/// Most threads of the pool, unless `GREENLING_OFFLOAD_THREADS` says otherwise.
const THREADS_MAX: usize = 64;

/// How long a thread waits for another job before it ends.
const IDLE: Duration = Duration::from_secs(10);

type Job = Box<dyn FnOnce() + Send>;

struct Pool {
    jobs: Sender<Job>,
    queue: Receiver<Job>,
    threads: AtomicUsize,
    /// Threads that wait for a job.
    idle: AtomicUsize,
    limit: usize,
}

static POOL: LazyLock<Pool> = LazyLock::new(|| {
    let (jobs, queue) = unbounded();
    let limit = std::env::var("GREENLING_OFFLOAD_THREADS");
    let limit = limit.ok().and_then(|text| text.parse().ok());
    Pool {
        jobs,
        queue,
        threads: AtomicUsize::new(0),
        idle: AtomicUsize::new(0),
        limit: limit.unwrap_or(THREADS_MAX).max(1),
    }
});

/// Where a job leaves what it returned or panicked with.
type Answer<T> = Arc<Mutex<Option<std::thread::Result<T>>>>;

/// Runs `f` on an OS thread of a bounded pool; the tasklet waits.
///
/// For calls that block the thread: files, name look-ups, heavy computing. At
/// most 64 run at once (`GREENLING_OFFLOAD_THREADS`), the rest queue.
///
/// # Scheduling
///
/// Always switches.
///
/// # Cancellation
///
/// A kill or timeout ends the wait only. `f` runs to its end, and its result
/// is dropped on the pool's thread.
///
/// # Errors
///
/// The reasons of [`WaitError`].
///
/// # Panics
///
/// With the panic of `f`, which is resumed in the caller.
///
/// # Examples
///
/// ```
/// let text = greenling::offload(|| std::fs::read_to_string("/dev/null"));
/// assert_eq!(text.unwrap().unwrap(), "");
/// ```
#[doc(alias = "spawn_blocking")]
#[track_caller]
pub fn offload<F, T>(f: F) -> Result<T, WaitError>
where
    F: FnOnce() -> T + Send + 'static,
    T: Send + 'static,
{
    let location = Location::caller();
    let scheduler = local::get_or_make().ok_or(WaitError::Unwinding)?;
    let answer: Answer<T> = Arc::default();
    let park = Park::new(&reason::OFFLOAD, location);
    let theirs = answer.clone();
    scheduler.wait_external(park, move |waker| {
        submit(Box::new(move || {
            let finished = Finished(Some(waker));
            let result = catch_unwind(AssertUnwindSafe(f));
            *theirs.lock().unwrap_or_else(PoisonError::into_inner) = Some(result);
            // The waiter may look at once, so the answer must be there first.
            drop(theirs);
            drop(finished);
        }));
        true
    })?;
    let result = answer.lock().unwrap_or_else(PoisonError::into_inner).take();
    match result {
        Some(Ok(value)) => Ok(value),
        Some(Err(payload)) => resume_unwind(payload),
        None => Err(WaitError::Deadlock),
    }
}

/// Wakes the waiter when the job is done, whatever became of it.
struct Finished(Option<ExternalWaker>);

impl Drop for Finished {
    fn drop(&mut self) {
        if let Some(waker) = self.0.take() {
            waker.wake();
        }
    }
}

fn submit(job: Job) {
    let pool = &*POOL;
    // The pool holds a receiver itself, so the queue is never closed.
    let _ = pool.jobs.send(job);
    if pool.idle.load(Ordering::SeqCst) < pool.queue.len() {
        pool.grow();
    }
}

impl Pool {
    fn grow(&'static self) {
        let count = self.threads.fetch_add(1, Ordering::SeqCst);
        if count >= self.limit {
            self.threads.fetch_sub(1, Ordering::SeqCst);
            return;
        }
        let thread = std::thread::Builder::new().name("greenling-offload".into());
        if let Err(error) = thread.spawn(|| self.work()) {
            self.threads.fetch_sub(1, Ordering::SeqCst);
            log::error!("greenling: no thread for the offload pool: {error}");
            if count == 0 {
                // Nobody else would ever run it: better late than never.
                self.run_one();
            }
        }
    }

    fn work(&self) {
        loop {
            self.idle.fetch_add(1, Ordering::SeqCst);
            let job = self.queue.recv_timeout(IDLE);
            self.idle.fetch_sub(1, Ordering::SeqCst);
            match job {
                Ok(job) => run(job),
                Err(RecvTimeoutError::Timeout | RecvTimeoutError::Disconnected) => break,
            }
        }
        self.threads.fetch_sub(1, Ordering::SeqCst);
        // A job may have come between the timeout and the subtraction, and its
        // sender may have counted this thread as idle.
        if !self.queue.is_empty() {
            self.run_one();
        }
    }

    fn run_one(&self) {
        if let Ok(job) = self.queue.try_recv() {
            run(job);
        }
    }
}

fn run(job: Job) {
    // The job catches its closure's panic; what is left is a destructor's.
    if catch_unwind(AssertUnwindSafe(job)).is_err() {
        log::error!("greenling: dropping the result of an offloaded job panicked");
    }
}
