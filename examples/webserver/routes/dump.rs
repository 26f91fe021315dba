//! The tasklets of all workers, as text.
//!
//! A scheduler shows its tasklets only to its own thread, so each is asked by a tasklet that the
//! asker starts there.

use std::io;
use std::sync::Mutex;

use greenling::thread::{Remote, remote};

/// The schedulers of all workers.
#[derive(Debug, Default)]
pub(crate) struct Schedulers(Mutex<Vec<Remote>>);

impl Schedulers {
    /// Adds the calling thread's scheduler.
    pub(crate) fn register(&self) -> io::Result<()> {
        let this = remote()?;
        self.lock().push(this);
        Ok(())
    }

    /// One line for each tasklet of each worker, and where and why it waits. A worker that has
    /// ended is left out.
    pub(crate) fn dump(&self) -> Vec<u8> {
        // Asked all at once, and not while the lock is held: waiting switches tasklets.
        let schedulers = self.lock().clone();
        let asked: Vec<_> = schedulers
            .iter()
            .map(|scheduler| scheduler.spawn(dump_this))
            .collect();
        asked
            .into_iter()
            .filter_map(|answer| answer.join().ok())
            .flatten()
            .collect()
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Vec<Remote>> {
        // A list of handles cannot be left half changed.
        self.0
            .lock()
            .unwrap_or_else(std::sync::PoisonError::into_inner)
    }
}

fn dump_this() -> Vec<u8> {
    let mut text = Vec::new();
    if let Err(error) = greenling::inspect::dump(&mut text) {
        log::warn!("dump: {error}");
    }
    text
}
