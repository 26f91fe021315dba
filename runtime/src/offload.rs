//! Blocking work on a bounded pool of OS threads.
//!
//! ```text
//!   tasklet:  job -> queue, waits by ticket        pool thread:  runs the job,
//!             woken through the inbox <-----------               stores, wakes
//! ```
//!
//! Threads are made when jobs wait and none is idle, up to a limit, and end
//! after some idle seconds. Pools are the process's, shared by schedulers: one for
//! what the program hands in and for files, and one for look-ups of names, which
//! nobody can end, and which a resolver that does not answer holds for long.

use crate::error::{WaitError, contain};
use crate::scheduler::{ExternalWaker, Park, local};
use crate::system_stack::on_system_stack;
use crate::wait::reason;
use std::collections::VecDeque;
use std::panic::{AssertUnwindSafe, Location, catch_unwind, resume_unwind};
use std::sync::{Arc, Condvar, LazyLock, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

/// Most threads of the pool, unless `GREENLING_OFFLOAD_THREADS` says otherwise.
const THREADS_MAX: usize = 64;

/// Most threads for look-ups, unless `GREENLING_LOOKUP_THREADS` says otherwise.
const LOOKUPS_MAX: usize = 32;

/// How long a thread waits for another job before it ends.
const IDLE: Duration = Duration::from_secs(10);

type Job = Box<dyn FnOnce() + Send>;

/// A pool; all of it behind one lock, which is held for a few instructions.
struct Pool {
    state: Mutex<State>,
    /// Told once for each job that was promised to an idle thread.
    promised: Condvar,
    /// How its threads are called.
    name: &'static str,
    limit: usize,
}

/// A submitter takes an idle thread off the count itself: two jobs that come
/// in quick succession never count on the same thread.
#[derive(Default)]
struct State {
    jobs: VecDeque<Job>,
    threads: usize,
    /// Threads that wait and that no job was promised to.
    idle: usize,
    /// Jobs that an idle thread has yet to wake up for.
    promises: usize,
}

static OFFLOAD: LazyLock<Pool> = LazyLock::new(|| {
    Pool::new(
        "greenling-offload",
        "GREENLING_OFFLOAD_THREADS",
        THREADS_MAX,
    )
});

static LOOKUPS: LazyLock<Pool> =
    LazyLock::new(|| Pool::new("greenling-names", "GREENLING_LOOKUP_THREADS", LOOKUPS_MAX));

/// Where a job leaves what it returned or panicked with.
type Answer<T> = Arc<Mutex<Option<std::thread::Result<T>>>>;

/// Runs `f` on an OS thread of a bounded pool; the tasklet waits.
///
/// For calls that block the thread: files, foreign libraries, heavy computing. At
/// most 64 run at once (`GREENLING_OFFLOAD_THREADS`), the rest queue. Names are looked up
/// by threads of their own.
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
    run_on(&OFFLOAD, f, Location::caller())
}

/// As [`offload`], for a look-up of a name.
#[track_caller]
pub(crate) fn look_up<F, T>(f: F) -> Result<T, WaitError>
where
    F: FnOnce() -> T + Send + 'static,
    T: Send + 'static,
{
    run_on(&LOOKUPS, f, Location::caller())
}

fn run_on<F, T>(
    pool: &'static Pool,
    f: F,
    location: &'static Location<'static>,
) -> Result<T, WaitError>
where
    F: FnOnce() -> T + Send + 'static,
    T: Send + 'static,
{
    let scheduler = local::get_or_make().ok_or(WaitError::Unwinding)?;
    let answer: Answer<T> = Arc::default();
    let park = Park::new(&reason::OFFLOAD, location);
    let theirs = answer.clone();
    scheduler.wait_external(park, move |waker| {
        pool.submit(Box::new(move || {
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

/// What the pools of [`offload`] and of look-ups are at, taken together.
#[derive(Clone, Copy, Debug, Default)]
#[non_exhaustive]
pub struct OffloadMetrics {
    /// Jobs that wait for a thread.
    pub queued: usize,
    /// Jobs that run.
    pub running: usize,
    /// Threads, idle ones included.
    pub threads: usize,
}

/// What the pools are at now.
pub(crate) fn metrics() -> OffloadMetrics {
    let mut sum = OffloadMetrics::default();
    for pool in [&OFFLOAD, &LOOKUPS] {
        let state = pool.lock();
        let idle = state.idle + state.promises;
        sum.queued += state.jobs.len();
        sum.running += state.threads.saturating_sub(idle);
        sum.threads += state.threads;
    }
    sum
}

impl Pool {
    fn new(name: &'static str, variable: &str, usual: usize) -> Pool {
        let limit = std::env::var(variable).ok();
        let limit = limit.and_then(|text| text.parse().ok());
        Pool {
            state: Mutex::default(),
            promised: Condvar::new(),
            name,
            limit: limit.unwrap_or(usual).max(1),
        }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn submit(&'static self, job: Job) {
        let mut state = self.lock();
        state.jobs.push_back(job);
        if state.idle > 0 {
            state.idle -= 1;
            state.promises += 1;
            drop(state);
            self.promised.notify_one();
        } else if state.threads < self.limit {
            state.threads += 1;
            drop(state);
            self.add_thread();
        }
    }

    fn add_thread(&'static self) {
        let thread = std::thread::Builder::new().name(self.name.into());
        let Err(error) = thread.spawn(|| self.work()) else {
            return;
        };
        log::error!("greenling: no thread for the pool {}: {error}", self.name);
        let mut state = self.lock();
        state.threads -= 1;
        if state.threads > 0 {
            return;
        }
        // Nobody else would ever run them: better late than never. The caller
        // is a tasklet about to wait, so they must not switch.
        let jobs = std::mem::take(&mut state.jobs);
        drop(state);
        on_system_stack(|| jobs.into_iter().for_each(run));
    }

    fn work(&self) {
        let mut state = self.lock();
        loop {
            while let Some(job) = state.jobs.pop_front() {
                drop(state);
                run(job);
                state = self.lock();
            }
            state.idle += 1;
            let waiting = self
                .promised
                .wait_timeout_while(state, IDLE, |s| s.promises == 0);
            (state, _) = waiting.unwrap_or_else(PoisonError::into_inner);
            if state.promises == 0 {
                state.idle -= 1;
                state.threads -= 1;
                return;
            }
            state.promises -= 1;
        }
    }
}

fn run(job: Job) {
    // The job catches its closure's panic; what is left is a destructor's.
    if contain(job) {
        log::error!("greenling: dropping the result of an offloaded job panicked");
    }
}
