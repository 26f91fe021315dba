//! What other threads hold of a main loop.

use super::event_queue::EventQueue;
use crate::thread::{Remote, remote};
use std::collections::VecDeque;
use std::fmt;
use std::io;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

/// Wakes, stops and gives work to a [`MainLoop`](super::MainLoop), from any
/// thread. While a handle exists, the loop's scheduler reports no deadlock.
///
/// # Examples
///
/// ```
/// use greenling::port::{Clock, MainLoop};
/// let main_loop = MainLoop::new(&Clock::real()).unwrap();
/// let handle = main_loop.handle();
/// let thread = std::thread::spawn(move || {
///     handle.call_soon(|| println!("on the loop's thread"));
///     handle.stop();
/// });
/// main_loop.run().unwrap();
/// thread.join().unwrap();
/// ```
#[derive(Clone)]
pub struct LoopHandle {
    shared: Arc<Shared>,
    remote: Remote,
}

/// Flags are set before the scheduler is poked, and the loop looks at them
/// right before it waits: a poke after that look ends the wait, and one before
/// it is in the flags, even if the scheduler has heard it long ago.
#[derive(Default)]
struct Shared {
    woken: AtomicBool,
    stopped: AtomicBool,
    calls: Mutex<VecDeque<Box<dyn FnOnce() + Send>>>,
}

impl LoopHandle {
    /// For a loop on the calling thread.
    pub(super) fn new() -> io::Result<LoopHandle> {
        Ok(LoopHandle {
            shared: Arc::default(),
            remote: remote()?,
        })
    }

    /// Ends the wait that the loop is in, or the next one.
    ///
    /// # Scheduling
    ///
    /// Never switches.
    pub fn wake(&self) {
        self.shared.woken.store(true, Ordering::Release);
        self.remote.wake();
    }

    /// Ends the `run` or `run_until` that the loop is in, or the next one, after
    /// a turn that does what was handed in by
    /// [`call_soon`](LoopHandle::call_soon) before.
    ///
    /// # Scheduling
    ///
    /// Never switches.
    pub fn stop(&self) {
        self.shared.stopped.store(true, Ordering::Release);
        self.wake();
    }

    /// Has `f` called by the loop, as an event of its next turn. If the loop's
    /// thread has ended, `f` is dropped with the last handle.
    ///
    /// # Scheduling
    ///
    /// Never switches.
    #[doc(alias = "call_soon_threadsafe")]
    pub fn call_soon(&self, f: impl FnOnce() + Send + 'static) {
        self.calls().push_back(Box::new(f));
        self.wake();
    }

    /// Nothing foreign runs under the lock, so poison means nothing.
    fn calls(&self) -> std::sync::MutexGuard<'_, VecDeque<Box<dyn FnOnce() + Send>>> {
        let calls = self.shared.calls.lock();
        calls.unwrap_or_else(PoisonError::into_inner)
    }

    /// Moves what other threads want called to the loop's events, in the order
    /// in which it came.
    pub(super) fn queue_calls(&self, events: &EventQueue) {
        let calls = std::mem::take(&mut *self.calls());
        for call in calls {
            events.call_soon(call);
        }
    }

    /// Whether there was a wake-up since the last look.
    pub(super) fn take_wake(&self) -> bool {
        self.shared.woken.swap(false, Ordering::AcqRel)
    }

    /// Whether the loop is to stop: asked once.
    pub(super) fn take_stop(&self) -> bool {
        self.shared.stopped.swap(false, Ordering::AcqRel)
    }
}

impl fmt::Debug for LoopHandle {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("LoopHandle")
    }
}
