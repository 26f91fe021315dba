//! A list of calls, so many at a time, and their results in order.
//!
//! ```text
//!   calls 1 .. n --> up to `limit` workers, each takes the next --> results
//!                        first failure: no more are taken, the others
//!                        are killed, and the caller goes on with it
//! ```

use super::caught::{self, Caught};
use crate::error::{JoinError, Panicked, WaitError};
use crate::scheduler::Park;
use crate::sync::Event;
use crate::tasklet::{Builder, Tasklet};
use crate::wait::reason;
use std::cell::{Cell, RefCell};
use std::collections::VecDeque;
use std::error::Error;
use std::fmt;
use std::io;
use std::panic::{Location, resume_unwind};
use std::rc::Rc;

/// The first failure of [`parallel`].
#[derive(Debug)]
#[non_exhaustive]
pub enum ParallelError<E> {
    /// The call at `index` returned this error.
    Failed {
        /// Its position in the list.
        index: usize,
        /// What it returned.
        error: E,
    },
    /// A call panicked, was killed or thrown at, or there was no stack for one.
    Join(JoinError),
    /// The caller's own wait has failed.
    Wait(WaitError),
}

impl<E: fmt::Display> fmt::Display for ParallelError<E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            ParallelError::Failed { index, error } => write!(f, "call {index} failed: {error}"),
            ParallelError::Join(error) => error.fmt(f),
            ParallelError::Wait(error) => error.fmt(f),
        }
    }
}

impl<E: fmt::Debug + fmt::Display> Error for ParallelError<E> {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        match self {
            // It need not be an `Error`.
            ParallelError::Failed { .. } => None,
            ParallelError::Join(error) => Some(error),
            ParallelError::Wait(error) => Some(error),
        }
    }
}

/// Runs calls on tasklets of their own, at most `limit` (at least one) at a
/// time, and returns their values in the order of the list.
///
/// The first failure wins: the calls that have not begun are dropped, those
/// under way are killed when their turn comes, and the failure is returned at
/// once.
///
/// # Scheduling
///
/// Always switches, unless the list is empty.
///
/// # Cancellation
///
/// When the caller is killed or its wait ends early, the calls end as after a
/// failure.
///
/// # Errors
///
/// [`ParallelError`].
///
/// # Examples
///
/// ```
/// use greenling::port::{ParallelError, parallel};
/// let squares = parallel((1..=4).map(|n| move || Ok::<_, String>(n * n)), 2);
/// assert_eq!(squares.unwrap(), [1, 4, 9, 16]);
///
/// let calls = (0..4).map(|n| move || if n < 2 { Ok(n) } else { Err(n) });
/// let error = parallel(calls, 30).unwrap_err();
/// assert!(matches!(error, ParallelError::Failed { index: 2, error: 2 }));
/// ```
#[track_caller]
pub fn parallel<T, E, F>(
    calls: impl IntoIterator<Item = F>,
    limit: usize,
) -> Result<Vec<T>, ParallelError<E>>
where
    F: FnOnce() -> Result<T, E> + 'static,
    T: 'static,
    E: 'static,
{
    let calls: VecDeque<(usize, F)> = calls.into_iter().enumerate().collect();
    let count = calls.len();
    if count == 0 {
        return Ok(Vec::new());
    }
    let mut team = Team::with_work(calls);
    for _ in 0..limit.clamp(1, count) {
        match team.hire() {
            Ok(()) => {}
            Err(error) if team.workers.is_empty() => {
                return Err(ParallelError::Join(JoinError::Thrown(error.into())));
            }
            // The others do its share.
            Err(_) => break,
        }
    }
    let park = Park::new(&reason::PARALLEL, Location::caller());
    team.shared
        .done
        .wait_by(park)
        .map_err(ParallelError::Wait)?;
    let failure = team.shared.failure.take();
    failure.map_or_else(|| Ok(team.dismiss()), Err)
}

struct Shared<T, E, F> {
    calls: RefCell<VecDeque<(usize, F)>>,
    values: RefCell<Vec<Option<T>>>,
    /// Calls that have not returned a value.
    left: Cell<usize>,
    failure: RefCell<Option<ParallelError<E>>>,
    /// Workers that have not ended.
    workers: Cell<usize>,
    /// Set when all have returned, or one has failed.
    done: Event,
}

impl<T, E, F: FnOnce() -> Result<T, E>> Shared<T, E, F> {
    fn work(&self) {
        loop {
            // A statement of its own: the call must not find it borrowed.
            let next = self.calls.borrow_mut().pop_front();
            let Some((index, call)) = next else {
                return;
            };
            match caught::call(call) {
                Ok(Ok(value)) => self.succeed(index, value),
                Ok(Err(error)) => return self.fail(ParallelError::Failed { index, error }),
                Err(Caught::Panic(payload)) => {
                    let error = JoinError::Panicked(Panicked(payload));
                    return self.fail(ParallelError::Join(error));
                }
                Err(Caught::Thrown(error)) => {
                    return self.fail(ParallelError::Join(JoinError::Thrown(error)));
                }
                Err(Caught::Killed(kill)) => {
                    self.fail(ParallelError::Join(JoinError::Killed));
                    resume_unwind(kill);
                }
            }
        }
    }

    fn succeed(&self, index: usize, value: T) {
        self.values.borrow_mut()[index] = Some(value);
        self.left.set(self.left.get() - 1);
        if self.left.get() == 0 {
            self.done.set();
        }
    }
}

impl<T, E, F> Shared<T, E, F> {
    /// Keeps the first failure.
    fn fail(&self, failure: ParallelError<E>) {
        if self.failure.borrow().is_some() {
            return drop(failure);
        }
        *self.failure.borrow_mut() = Some(failure);
        let abandoned = self.calls.take();
        self.done.set();
        drop(abandoned);
    }
}

/// Counts a worker, also one that was killed before it began.
struct Presence<T, E, F>(Rc<Shared<T, E, F>>);

impl<T, E, F> Drop for Presence<T, E, F> {
    fn drop(&mut self) {
        let shared = &self.0;
        shared.workers.set(shared.workers.get() - 1);
        if shared.workers.get() == 0 && shared.left.get() > 0 {
            shared.fail(ParallelError::Join(JoinError::Killed));
        }
    }
}

/// Whoever works for a caller, until that has no use for them any more.
struct Team<T, E, F> {
    shared: Rc<Shared<T, E, F>>,
    workers: Vec<Tasklet>,
}

impl<T, E, F> Team<T, E, F> {
    fn with_work(calls: VecDeque<(usize, F)>) -> Team<T, E, F> {
        let count = calls.len();
        let shared = Shared {
            calls: RefCell::new(calls),
            values: RefCell::new((0..count).map(|_| None).collect()),
            left: Cell::new(count),
            failure: RefCell::new(None),
            workers: Cell::new(0),
            done: Event::new(),
        };
        Team {
            shared: Rc::new(shared),
            workers: Vec::new(),
        }
    }

    /// Starts one more worker.
    fn hire(&mut self) -> io::Result<()>
    where
        F: FnOnce() -> Result<T, E> + 'static,
        T: 'static,
        E: 'static,
    {
        let workers = &self.shared.workers;
        workers.set(workers.get() + 1);
        let presence = Presence(self.shared.clone());
        let handle = Builder::new().spawn(move || presence.0.work())?;
        self.workers.push(handle.tasklet());
        Ok(())
    }

    /// All values, when they are there: the workers have nothing to do any more
    /// but to end.
    fn dismiss(mut self) -> Vec<T> {
        self.workers.clear();
        self.shared.values.take().into_iter().flatten().collect()
    }
}

impl<T, E, F> Drop for Team<T, E, F> {
    fn drop(&mut self) {
        let abandoned = self.shared.calls.take();
        for worker in &self.workers {
            // It can't be main, and with panic = "abort" it just goes on.
            let _ = worker.kill_pending();
        }
        drop(abandoned);
    }
}
