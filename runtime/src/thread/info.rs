//! What the schedulers of other threads are at.

use super::channel;
use super::error::ReceiveError;
use super::remote::Remote;
use super::tasklet::RemoteTasklet;
use crate::error::TaskletError;
use std::io;

/// A scheduler at a moment; see [`Remote::info`].
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct ThreadInfo {
    /// Its main tasklet.
    pub main: RemoteTasklet,
    /// The tasklet that ran when it answered, or ran last.
    pub current: RemoteTasklet,
    /// How many of its tasklets were runnable, the running one included.
    pub run_count: usize,
}

impl Remote {
    /// What that scheduler is at: Stackless' `get_thread_info`.
    ///
    /// # Scheduling
    ///
    /// Waits until that thread looks at its inbox, unless it is this one.
    ///
    /// # Cancellation
    ///
    /// Nothing is lost.
    ///
    /// # Errors
    ///
    /// [`TaskletError::Dead`] if its thread has ended; `Wait` if the wait failed.
    #[track_caller]
    pub fn info(&self) -> Result<ThreadInfo, TaskletError> {
        if self.thread_id() == Some(std::thread::current().id()) {
            return info_of_this_thread().map_err(|_| TaskletError::Dead);
        }
        let (answer, receiver) = channel::channel(1);
        self.run(move || {
            if let Ok(info) = info_of_this_thread() {
                drop(answer.try_send(info));
            }
        });
        receiver.receive().map_err(|error| match error {
            ReceiveError::Closed => TaskletError::Dead,
            ReceiveError::Wait(error) => TaskletError::Wait(error),
        })
    }
}

fn info_of_this_thread() -> io::Result<ThreadInfo> {
    Ok(ThreadInfo {
        main: crate::main_tasklet().remote()?,
        current: crate::current().remote()?,
        run_count: crate::run_count(),
    })
}
