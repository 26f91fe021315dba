//! A signal to all workers that it is time to stop.

use super::waiter::{Waiter, wait};
use crate::error::WaitError;
use crate::scheduler::Park;
use crate::wait::reason;
use std::fmt;
use std::panic::Location;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// A flag that is set once and can be waited for, on any thread. Clones are
/// the same flag.
///
/// # Examples
///
/// ```
/// let stop = greenling::Shutdown::new();
/// let trigger = stop.clone();
/// std::thread::spawn(move || trigger.trigger());
/// stop.wait().unwrap();
/// assert!(stop.is_triggered());
/// ```
#[derive(Clone, Default)]
pub struct Shutdown {
    state: Arc<Mutex<State>>,
}

#[derive(Default)]
struct State {
    triggered: bool,
    waiters: Vec<Waiter>,
}

impl Shutdown {
    /// A flag that is not set.
    pub fn new() -> Shutdown {
        Shutdown::default()
    }

    /// Sets the flag and wakes everyone who waits for it.
    ///
    /// # Scheduling
    ///
    /// Never switches.
    pub fn trigger(&self) {
        let mut state = self.lock();
        state.triggered = true;
        let waiters = std::mem::take(&mut state.waiters);
        drop(state);
        waiters.iter().for_each(Waiter::wake);
    }

    /// Whether the flag is set.
    pub fn is_triggered(&self) -> bool {
        self.lock().triggered
    }

    /// Waits until the flag is set.
    ///
    /// # Scheduling
    ///
    /// Switches unless it is set. On a thread without tasklets it blocks the
    /// thread.
    ///
    /// # Cancellation
    ///
    /// Nothing is lost.
    ///
    /// # Errors
    ///
    /// The reasons of [`WaitError`].
    #[track_caller]
    pub fn wait(&self) -> Result<(), WaitError> {
        let mut leaving = Leave {
            shutdown: self,
            id: None,
        };
        wait(Park::new(&reason::SHUTDOWN, Location::caller()), |waiter| {
            let mut state = self.lock();
            if state.triggered {
                return false;
            }
            leaving.id = Some(waiter.id());
            state.waiters.push(waiter);
            true
        })
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Takes a waiter off the list however its wait ends.
struct Leave<'a> {
    shutdown: &'a Shutdown,
    id: Option<u64>,
}

impl Drop for Leave<'_> {
    fn drop(&mut self) {
        if let Some(id) = self.id {
            self.shutdown.lock().waiters.retain(|w| w.id() != id);
        }
    }
}

impl fmt::Debug for Shutdown {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Shutdown")
            .field(&self.is_triggered())
            .finish()
    }
}
