//! Other threads, one by one.

use super::ask::ask;
use super::dump::{self, DumpOptions};
use super::metrics::{Metrics, metrics};
use super::symbols::Symbols;
use crate::error::TaskletError;
use crate::thread::{ReceiveError, Remote};

impl Remote {
    /// A [`dump`](super::dump()) of that thread's tasklets. A thread that a
    /// tasklet holds does not answer: use a [`timeout`](crate::time::timeout).
    ///
    /// # Scheduling
    ///
    /// Switches until that thread looks at its inbox, unless it is this one.
    ///
    /// # Cancellation
    ///
    /// Nothing is lost.
    ///
    /// # Errors
    ///
    /// [`TaskletError::Dead`] if its thread has ended; `Wait` if the wait failed.
    #[track_caller]
    pub fn dump(&self, options: &DumpOptions) -> Result<String, TaskletError> {
        let options = options.clone();
        let snapshot = ask(self, move || dump::snapshot(&options)).wait();
        let snapshot = snapshot.map_err(failure)?;
        let mut text = String::new();
        dump::print(&mut text, &snapshot, "", &mut Symbols::default());
        Ok(text)
    }

    /// The [`metrics`](super::metrics()) of that thread.
    ///
    /// # Scheduling
    ///
    /// As [`dump`](Remote::dump).
    ///
    /// # Cancellation
    ///
    /// Nothing is lost.
    ///
    /// # Errors
    ///
    /// As [`dump`](Remote::dump).
    #[track_caller]
    pub fn metrics(&self) -> Result<Metrics, TaskletError> {
        ask(self, metrics).wait().map_err(failure)
    }
}

fn failure(error: ReceiveError) -> TaskletError {
    match error {
        ReceiveError::Closed => TaskletError::Dead,
        ReceiveError::Wait(error) => TaskletError::Wait(error),
    }
}
