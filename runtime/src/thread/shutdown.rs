//! A signal to all workers that it is time to stop, and by when.
//!
//! ```text
//!   running --trigger--> draining --drain limit--> killing --kill limit--> over
//!                           |                         |
//!                           +--- trigger_with again: only ever earlier
//! ```
//!
//! The flag itself ends nothing: whoever waits for it stops taking on new work,
//! and [`Shutdown::drain`] (in `drain.rs`) ends what is left by the two
//! deadlines, which are fixed when the flag is set.

use super::Remote;
use super::waiter::{Waiter, wait};
use crate::error::WaitError;
use crate::scheduler::{Park, local};
use crate::select::Operation;
use crate::select::steps::{Alarm, Here, Steps};
use crate::wait::reason;
use std::fmt;
use std::panic::Location;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

/// A flag that is set once and can be waited for, on any thread. Clones are
/// the same flag.
///
/// # Scheduling
///
/// Never switches, except where a method says so.
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
    shared: Arc<Shared>,
}

#[derive(Default)]
struct Shared {
    /// For those who ask often, and share no lock for it.
    is_triggered: AtomicBool,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    /// Set once triggered.
    deadlines: Option<Deadlines>,
    /// For `trigger`: how long draining takes, and killing after that.
    limits: (Duration, Duration),
    waiters: Vec<Waiter>,
    /// Tasklets inside `drain`.
    drainers: Vec<Drainer>,
}

/// When draining ends and when killing does; `None` is later than the clock
/// can express.
#[derive(Clone, Copy)]
struct Deadlines {
    drain: Option<Instant>,
    kill: Option<Instant>,
}

impl Deadlines {
    fn after(drain: Duration, kill: Duration) -> Deadlines {
        let drain = Instant::now().checked_add(drain);
        Deadlines {
            drain,
            kill: drain.and_then(|drain| drain.checked_add(kill)),
        }
    }

    fn brought_forward(self, other: Deadlines) -> Deadlines {
        let earlier = |a: Option<Instant>, b: Option<Instant>| a.into_iter().chain(b).min();
        Deadlines {
            drain: earlier(self.drain, other.drain),
            kill: earlier(self.kill, other.kill),
        }
    }
}

/// Who is to look at the deadlines again when they change.
struct Drainer {
    tasklet: u64,
    home: Remote,
}

impl Shutdown {
    /// A flag that is not set. [`trigger`](Shutdown::trigger) gives nobody time.
    pub fn new() -> Shutdown {
        Shutdown::default()
    }

    /// A flag that is not set, with the limits that `trigger` uses.
    ///
    /// # Examples
    ///
    /// ```
    /// use std::time::Duration;
    /// let (drain, kill) = (Duration::from_secs(5), Duration::from_secs(1));
    /// let stop = greenling::Shutdown::with_limits(drain, kill);
    /// assert_eq!(stop.drain_deadline(), None);
    /// stop.trigger();
    /// assert_eq!(stop.kill_deadline(), stop.drain_deadline().map(|at| at + kill));
    /// ```
    pub fn with_limits(drain: Duration, kill: Duration) -> Shutdown {
        let shutdown = Shutdown::new();
        shutdown.lock().limits = (drain, kill);
        shutdown
    }

    pub(crate) fn set_limits(&self, change: impl FnOnce(&mut (Duration, Duration))) {
        change(&mut self.lock().limits);
    }

    /// Sets the flag and wakes everyone who waits for it. Once it is set,
    /// nothing changes any more.
    ///
    /// # Scheduling
    ///
    /// Never switches.
    pub fn trigger(&self) {
        let state = self.lock();
        if state.deadlines.is_some() {
            return;
        }
        let (drain, kill) = state.limits;
        self.set(state, Deadlines::after(drain, kill));
    }

    /// As [`trigger`](Shutdown::trigger), with limits of its own: what runs may
    /// finish for as long as `drain`, then it is killed, and what needs time to
    /// clean up has it for as long as `kill`. If the flag is set already, this
    /// brings the deadlines forward where it can, and never puts them off: a
    /// second signal may shorten what the first began.
    ///
    /// # Scheduling
    ///
    /// Never switches.
    pub fn trigger_with(&self, drain: Duration, kill: Duration) {
        let asked = Deadlines::after(drain, kill);
        let state = self.lock();
        let deadlines = match state.deadlines {
            Some(deadlines) => deadlines.brought_forward(asked),
            None => asked,
        };
        self.set(state, deadlines);
    }

    fn set(&self, mut state: MutexGuard<'_, State>, deadlines: Deadlines) {
        state.deadlines = Some(deadlines);
        self.shared.is_triggered.store(true, Ordering::Release);
        let waiters = std::mem::take(&mut state.waiters);
        for drainer in &state.drainers {
            drainer.hurry();
        }
        drop(state);
        waiters.iter().for_each(Waiter::wake);
    }

    /// Whether the flag is set.
    pub fn is_triggered(&self) -> bool {
        self.shared.is_triggered.load(Ordering::Acquire)
    }

    /// When draining ends; `None` before the flag is set, and for a limit
    /// beyond what the clock can express.
    pub fn drain_deadline(&self) -> Option<Instant> {
        self.lock().deadlines?.drain
    }

    /// When killing ends; `None` as for
    /// [`drain_deadline`](Shutdown::drain_deadline).
    pub fn kill_deadline(&self) -> Option<Instant> {
        self.lock().deadlines?.kill
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
            if state.deadlines.is_some() {
                return false;
            }
            leaving.id = Some(waiter.id());
            state.waiters.push(waiter);
            true
        })
    }

    /// The flag to [`select!`](crate::select!).
    ///
    /// # Scheduling
    ///
    /// Never switches by itself.
    pub fn triggering(&self) -> Triggering<'_> {
        Triggering {
            shutdown: self,
            leaving: None,
            is_over: false,
        }
    }

    /// Has the waits of the tasklet `id`, on `home`'s thread, end when the
    /// deadlines change, as by their own deadline.
    pub(super) fn follow(&self, tasklet: u64, home: Remote) -> Following<'_> {
        self.lock().drainers.push(Drainer { tasklet, home });
        Following {
            shutdown: self,
            tasklet,
        }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.shared
            .state
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drainer {
    fn hurry(&self) {
        let id = self.tasklet;
        self.home.run(move || {
            let Some(scheduler) = local::get() else {
                return;
            };
            let found = scheduler.table().iter().find(|t| t.id.get() == id);
            if let Some(task) = found {
                scheduler.end_wait(task);
            }
        });
    }
}

/// Ends what `follow` began.
pub(crate) struct Following<'a> {
    shutdown: &'a Shutdown,
    tasklet: u64,
}

impl Drop for Following<'_> {
    fn drop(&mut self) {
        let mut state = self.shutdown.lock();
        let drainers = &mut state.drainers;
        let position = drainers.iter().position(|d| d.tasklet == self.tasklet);
        let gone = position.map(|position| drainers.remove(position));
        drop(state);
        // A handle of a scheduler, whose count it changes: not under the lock.
        drop(gone);
    }
}

/// Completes when a [`Shutdown`] is triggered; see [`Shutdown::triggering`].
///
/// # Scheduling
///
/// Never switches, except where a method says so.
#[must_use = "it does nothing until it is selected"]
pub struct Triggering<'s> {
    shutdown: &'s Shutdown,
    leaving: Option<Leave<'s>>,
    is_over: bool,
}

impl Steps for Triggering<'_> {
    fn attempt(&mut self, _here: Here<'_>) -> bool {
        self.is_over = self.shutdown.is_triggered();
        self.is_over
    }

    fn prepare(&mut self, _here: Here<'_>) -> Result<bool, WaitError> {
        Ok(true)
    }

    fn enrol(&mut self, alarm: &Alarm) -> bool {
        let waiter = Waiter::of_tasklet(&alarm.0);
        let mut state = self.shutdown.lock();
        if state.deadlines.is_some() {
            return false;
        }
        self.leaving = Some(Leave {
            shutdown: self.shutdown,
            id: Some(waiter.id()),
        });
        state.waiters.push(waiter);
        true
    }

    fn leave(&mut self) {
        self.leaving = None;
    }
}

impl Operation for Triggering<'_> {
    type Output = ();

    fn take(&mut self) -> Option<()> {
        std::mem::take(&mut self.is_over).then_some(())
    }
}

impl fmt::Debug for Triggering<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Triggering").field(self.shutdown).finish()
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
