//! Loom's types, and the queue between threads that loom does not have.

pub(crate) use loom::sync::atomic::{AtomicBool, AtomicUsize};
pub(crate) use loom::sync::{Condvar, Mutex, MutexGuard};
pub(crate) use loom::thread::{Thread, current as current_thread, park as park_thread};

use std::cell::Cell;
use std::collections::VecDeque;
use std::sync::atomic::Ordering;
use std::sync::{Arc, PoisonError};
use std::time::Duration;

/// Loom's threads know no time; no model waits for less than ever.
pub(crate) fn park_thread_timeout(_: Duration) {
    park_thread();
}

/// What `crossbeam_channel::unbounded` promises: whole values in the order in
/// which they were sent, and none once the receiver is gone.
///
/// The receiver may miss values that were not sent *before* it looked, in the
/// memory model's sense: who relies on seeing them needs an ordering of its own.
pub(crate) fn unbounded<T>() -> (Sender<T>, Receiver<T>) {
    let queue = Arc::new(Queue {
        values: Mutex::new(Some(VecDeque::new())),
        sent: AtomicUsize::new(0),
    });
    let receiver = Receiver {
        queue: queue.clone(),
        taken: Cell::new(0),
    };
    (Sender(queue), receiver)
}

struct Queue<T> {
    /// `None` when the receiver is gone.
    values: Mutex<Option<VecDeque<T>>>,
    /// All that were ever put in.
    sent: AtomicUsize,
}

impl<T> Queue<T> {
    fn lock(&self) -> MutexGuard<'_, Option<VecDeque<T>>> {
        self.values.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

pub(crate) struct Sender<T>(Arc<Queue<T>>);

impl<T> Sender<T> {
    pub(crate) fn send(&self, value: T) -> Result<(), T> {
        let mut values = self.0.lock();
        let Some(values) = values.as_mut() else {
            return Err(value);
        };
        values.push_back(value);
        self.0.sent.fetch_add(1, Ordering::Relaxed);
        Ok(())
    }
}

pub(crate) struct Receiver<T> {
    queue: Arc<Queue<T>>,
    taken: Cell<usize>,
}

impl<T> Receiver<T> {
    pub(crate) fn try_recv(&self) -> Result<T, ()> {
        if self.is_empty() {
            return Err(());
        }
        let mut values = self.queue.lock();
        let value = values.as_mut().and_then(VecDeque::pop_front).ok_or(())?;
        self.taken.set(self.taken.get() + 1);
        Ok(value)
    }

    /// Takes no lock, which would order too much.
    pub(crate) fn len(&self) -> usize {
        self.queue.sent.load(Ordering::Relaxed) - self.taken.get()
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

impl<T> Drop for Receiver<T> {
    fn drop(&mut self) {
        // Dropping the values may run anything, so not under the lock.
        let values = self.queue.lock().take();
        drop(values);
    }
}
