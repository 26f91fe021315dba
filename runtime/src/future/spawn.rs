//! Work in blocking style that a future waits for.

use crate::error::{JoinError, Panicked, TaskletExit, contain};
use crate::tasklet::{JoinHandle, Tasklet};
use std::cell::RefCell;
use std::fmt;
use std::future::Future;
use std::io;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll, Waker};

/// Starts a tasklet that runs `f`, and returns a future of what it returns.
///
/// This is how async code gets to code in blocking style: `f` may receive from
/// channels, sleep, read and write, while the future is pending and whatever
/// else is polled beside it goes on.
///
/// # Scheduling
///
/// Never switches. The tasklet goes to the end of the run queue.
///
/// # Cancellation
///
/// Dropping the future detaches the tasklet, which runs to its end, unless
/// [`kill_on_drop`](Work::kill_on_drop) was asked for.
///
/// # Errors
///
/// When there is no stack for it. The future's: how the tasklet ended, as
/// [`JoinHandle::join`] says it.
///
/// # Examples
///
/// ```
/// use greenling::{Channel, block_on, future};
/// let channel = Channel::new();
/// let receiving = channel.clone();
/// greenling::spawn(move || channel.send(20).unwrap());
/// let sum = block_on(async {
///     let work = future::spawn(move || receiving.receive().unwrap() + 22)?;
///     Ok::<u32, std::io::Error>(work.await?)
/// });
/// assert_eq!(sum.unwrap().unwrap(), 42);
/// ```
pub fn spawn<T: 'static>(f: impl FnOnce() -> T + 'static) -> io::Result<Work<T>> {
    let outcome = Rc::new(Outcome {
        result: RefCell::new(None),
        waker: RefCell::new(None),
    });
    let end = End(outcome.clone());
    let handle = crate::Builder::new().spawn(move || end.run(f))?;
    Ok(Work {
        outcome,
        handle,
        kill: false,
    })
}

/// A future of what a tasklet returns; made by [`spawn`].
///
/// # Scheduling
///
/// Never switches, except where a method says so.
pub struct Work<T> {
    outcome: Rc<Outcome<T>>,
    handle: JoinHandle<()>,
    /// Whether the tasklet ends with this.
    kill: bool,
}

impl<T> Work<T> {
    /// The tasklet.
    pub fn tasklet(&self) -> Tasklet {
        self.handle.tasklet()
    }

    /// Has the tasklet killed when this is dropped before it is ready, for work
    /// that is of no use to anybody else.
    pub fn kill_on_drop(mut self) -> Work<T> {
        self.kill = true;
        self
    }
}

impl<T> Future for Work<T> {
    type Output = Result<T, JoinError>;

    fn poll(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Result<T, JoinError>> {
        let waker = context.waker().clone();
        let replaced = self.outcome.waker.replace(Some(waker));
        drop(replaced);
        match self.outcome.result.take() {
            Some(result) => Poll::Ready(result),
            None => Poll::Pending,
        }
    }
}

impl<T> Drop for Work<T> {
    fn drop(&mut self) {
        if self.kill {
            // It may have ended.
            let _ = self.handle.tasklet().kill_pending();
        }
    }
}

impl<T> fmt::Debug for Work<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Work").field(&self.handle.tasklet()).finish()
    }
}

struct Outcome<T> {
    result: RefCell<Option<Result<T, JoinError>>>,
    /// Of whoever waits for the result.
    waker: RefCell<Option<Waker>>,
}

/// Tells whoever waits, also when the tasklet ends before it begins.
struct End<T>(Rc<Outcome<T>>);

impl<T> End<T> {
    fn run(self, f: impl FnOnce() -> T) {
        let (result, exit) = match catch_unwind(AssertUnwindSafe(f)) {
            Ok(value) => (Ok(value), None),
            Err(payload) if payload.is::<TaskletExit>() => (Err(JoinError::Killed), Some(payload)),
            Err(payload) => (Err(JoinError::Panicked(Panicked(payload))), None),
        };
        self.0.result.replace(Some(result));
        drop(self);
        if let Some(payload) = exit {
            resume_unwind(payload);
        }
    }
}

impl<T> Drop for End<T> {
    fn drop(&mut self) {
        self.0
            .result
            .borrow_mut()
            .get_or_insert(Err(JoinError::Killed));
        let waker = self.0.waker.take();
        if let Some(waker) = waker
            && contain(|| waker.wake())
        {
            log::error!("greenling: a waker has panicked");
        }
    }
}
