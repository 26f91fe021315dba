//! A handle of a scheduler that other threads may hold.

use super::answer::Answer;
use super::channel::{self, Receiver};
use super::error::ReceiveError;
use crate::error::{JoinError, Panicked, TaskletExit};
use crate::scheduler::{Inbox, Message, local};
use std::fmt;
use std::io;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::sync::Arc;
use std::thread::{Thread, ThreadId};

/// The calling thread's scheduler, for use by other threads.
///
/// While a handle exists the scheduler never reports a deadlock: work may come
/// at any time.
///
/// # Scheduling
///
/// Never switches.
///
/// # Errors
///
/// When the scheduler can't make what wakes it up (out of descriptors), or the
/// thread is ending.
pub fn remote() -> io::Result<Remote> {
    let scheduler = local::get_or_make()
        .ok_or_else(|| io::Error::other("the thread is ending and runs no tasklets any more"))?;
    let inbox = scheduler.inbox()?;
    Ok(Remote::of(inbox))
}

/// Every scheduler of the process that other threads can reach: one that has had
/// a tasklet, has made a [`Remote`], or has waited for another thread. The calling
/// thread's is always among them.
///
/// # Scheduling
///
/// Never switches.
///
/// # Errors
///
/// As [`remote`].
#[doc(alias = "getthreads")]
pub fn threads() -> io::Result<Vec<Remote>> {
    drop(remote()?);
    Ok(Inbox::all().into_iter().map(Remote::of).collect())
}

/// A scheduler as seen from other threads; see [`remote`].
///
/// # Scheduling
///
/// Never switches, except where a method says so.
pub struct Remote {
    inbox: Arc<Inbox>,
}

impl Remote {
    pub(crate) fn of(inbox: Arc<Inbox>) -> Remote {
        inbox.add_remote();
        Remote { inbox }
    }

    /// Starts a tasklet on the scheduler's thread.
    ///
    /// # Scheduling
    ///
    /// Never switches. The tasklet is queued when that thread next polls.
    ///
    /// # Examples
    ///
    /// ```
    /// let home = greenling::thread::remote().unwrap();
    /// let (sender, receiver) = greenling::thread::channel(1);
    /// std::thread::spawn(move || {
    ///     let task = home.spawn(move || 6 * 7);
    ///     sender.send(task.join().unwrap()).unwrap();
    /// });
    /// assert_eq!(receiver.receive().unwrap(), 42);
    /// ```
    pub fn spawn<F, T>(&self, f: F) -> RemoteJoin<T>
    where
        F: FnOnce() -> T + Send + 'static,
        T: Send + 'static,
    {
        let (sender, receiver) = channel::channel(1);
        let start = move || {
            let answer = Answer::by(sender);
            let task = move || match catch_unwind(AssertUnwindSafe(f)) {
                Ok(value) => answer.give(Ok(value)),
                Err(payload) if payload.is::<TaskletExit>() => {
                    answer.give(Err(JoinError::Killed));
                    resume_unwind(payload);
                }
                Err(payload) => answer.give(Err(JoinError::Panicked(Panicked(payload)))),
            };
            match crate::Builder::new().spawn(task) {
                Ok(handle) => drop(handle),
                Err(error) => log::error!("greenling: a remote spawn failed: {error}"),
            }
        };
        // If the scheduler has ended, the closure is dropped, and with it the
        // sender: the join says so.
        self.run(start);
        RemoteJoin { receiver }
    }

    /// Has `job`, which must not switch, run at a safe point of that thread;
    /// false if that has ended.
    pub(crate) fn run(&self, job: impl FnOnce() + Send + 'static) -> bool {
        self.inbox.send(Message::Run(Box::new(job)))
    }

    /// The scheduler's thread; `None` once that has ended.
    pub fn thread_id(&self) -> Option<ThreadId> {
        self.inbox.thread().map(Thread::id)
    }

    /// Makes the scheduler look at its inbox and timers now.
    pub fn wake(&self) {
        self.inbox.send(Message::Wake);
    }
}

impl Clone for Remote {
    fn clone(&self) -> Remote {
        Remote::of(self.inbox.clone())
    }
}

impl Drop for Remote {
    fn drop(&mut self) {
        self.inbox.drop_remote();
    }
}

impl fmt::Debug for Remote {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Remote")
    }
}

/// Waits for a tasklet on another thread. Dropping it detaches the tasklet.
///
/// # Scheduling
///
/// Never switches, except where a method says so.
pub struct RemoteJoin<T> {
    receiver: Receiver<Result<T, JoinError>>,
}

impl<T: Send> RemoteJoin<T> {
    /// Waits for the tasklet's end and takes its value.
    ///
    /// # Scheduling
    ///
    /// Switches unless the tasklet has ended. On a thread without tasklets it
    /// blocks the thread.
    ///
    /// # Cancellation
    ///
    /// The tasklet goes on; its value is lost.
    ///
    /// # Errors
    ///
    /// As [`JoinHandle::join`](crate::JoinHandle::join); `Killed` also if its
    /// thread has ended first, or had no stack for it.
    #[track_caller]
    pub fn join(self) -> Result<T, JoinError> {
        match self.receiver.receive() {
            Ok(result) => result,
            Err(ReceiveError::Closed) => Err(JoinError::Killed),
            Err(ReceiveError::Wait(error)) => Err(JoinError::Wait(error)),
        }
    }
}

impl<T> fmt::Debug for RemoteJoin<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("RemoteJoin")
    }
}
