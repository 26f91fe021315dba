//! The loop at the bottom of many a ported program.
//!
//! ```text
//!   turn:  wait --> calls of other threads --> yield channel --> pumps, in the
//!          order in which they were added --> event queue --> run(budget)
//!
//!   wait:  not at all   if somebody is runnable, is nice, or an event is due
//!          until        the next event, a descriptor, a timer, another thread
//!          at most      `max_wait`, and the loop's own limit
//! ```
//!
//! During the wait nobody runs, so whoever it wakes runs in its place in the
//! turn. What fails is told to the error hook, and the loop goes on; a kill of
//! the looping tasklet, or an error thrown at it, unwinds from it.

use super::caught;
use super::clock::Clock;
use super::event_queue::{CancelOnDrop, EventQueue};
use super::loop_handle::LoopHandle;
use super::sleeper::Sleeper;
use super::turn::{BudgetHook, LoopError, LoopErrorHook, Turn};
use super::yield_channel::YieldChannel;
use crate::error::{TaskletError, Uncaught};
use crate::scheduler::{RunOptions, RunReport, local, run_with};
use crate::tasklet::run_count;
use std::cell::{Cell, RefCell};
use std::fmt;
use std::io;
use std::rc::Rc;
use std::time::Duration;

/// How long a loop with pumps waits at most unless told otherwise: what they
/// look at can't wake it.
const PUMP_INTERVAL: Duration = Duration::from_millis(10);

/// Runs a program turn by turn: pumps, events, tasklets.
///
/// Any tasklet can run it. As other threads may have a handle, its scheduler
/// reports no deadlock while it exists: with nothing left to happen, it waits
/// for ever. So does one whose events go by a clock that stands.
///
/// # Scheduling
///
/// Never switches, except where a method says so.
///
/// # Examples
///
/// ```
/// use greenling::port::{Clock, MainLoop};
/// use std::time::Duration;
/// let main_loop = MainLoop::new(&Clock::virtual_jumping()).unwrap();
/// let (sleeper, stop) = (main_loop.sleeper(), main_loop.handle());
/// greenling::spawn(move || {
///     for _ in 0..24 {
///         sleeper.sleep(Duration::from_secs(3600)).unwrap();
///     }
///     stop.stop();
/// });
/// main_loop.run().unwrap();
/// assert_eq!(main_loop.clock().now(), Duration::from_secs(24 * 3600));
/// ```
#[doc(alias = "uthread")]
pub struct MainLoop {
    events: EventQueue,
    yields: YieldChannel,
    pumps: RefCell<Vec<Rc<Pump>>>,
    handle: LoopHandle,
    max_wait: Cell<Option<Duration>>,
    budget: RefCell<RunOptions>,
    budget_hook: RefCell<Option<BudgetHook>>,
    error_hook: RefCell<Option<LoopErrorHook>>,
}

struct Pump {
    name: Rc<str>,
    /// None while it is being called.
    f: Cell<Option<Box<dyn FnMut()>>>,
}

impl MainLoop {
    /// A loop for the calling thread, whose events go by `clock`.
    ///
    /// # Errors
    ///
    /// When the scheduler can't make what wakes it up (out of descriptors), or
    /// the thread is ending.
    pub fn new(clock: &Clock) -> io::Result<MainLoop> {
        Ok(MainLoop {
            events: EventQueue::new(clock),
            yields: YieldChannel::new(),
            pumps: RefCell::default(),
            handle: LoopHandle::new()?,
            max_wait: Cell::new(None),
            budget: RefCell::default(),
            budget_hook: RefCell::new(None),
            error_hook: RefCell::new(None),
        })
    }

    /// The loop's clock.
    pub fn clock(&self) -> &Clock {
        self.events.clock()
    }

    /// The queue that the loop pumps.
    pub fn events(&self) -> &EventQueue {
        &self.events
    }

    /// The yield channel that the loop pumps.
    pub fn yields(&self) -> &YieldChannel {
        &self.yields
    }

    /// For tasklets that sleep by the loop's clock.
    pub fn sleeper(&self) -> Sleeper {
        Sleeper::new(&self.events)
    }

    /// For other threads, and for whoever wants to stop the loop.
    pub fn handle(&self) -> LoopHandle {
        self.handle.clone()
    }

    /// Has `f` called in every turn, after the pumps that were added before.
    ///
    /// A pump may look at what can't wake the loop, so a loop that has any
    /// waits at most 10 ms; see [`set_max_wait`](MainLoop::set_max_wait).
    pub fn add_pump(&self, name: &str, f: impl FnMut() + 'static) {
        let pump = Pump {
            name: name.into(),
            f: Cell::new(Some(Box::new(f))),
        };
        self.pumps.borrow_mut().push(Rc::new(pump));
    }

    /// Takes the pumps of this name out of the loop; false if there is none.
    /// From the next turn on they are not called any more.
    pub fn remove_pump(&self, name: &str) -> bool {
        let is_named = |pump: &mut Rc<Pump>| *pump.name == *name;
        // Dropped while the list is not borrowed.
        let gone: Vec<_> = self.pumps.borrow_mut().extract_if(.., is_named).collect();
        !gone.is_empty()
    }

    /// Limits how long a turn waits, whatever its caller allows. Without a
    /// limit it waits for as long as nothing happens, or for 10 ms if the loop
    /// has pumps.
    pub fn set_max_wait(&self, limit: Option<Duration>) {
        self.max_wait.set(limit);
    }

    /// Bounds the run of each turn. The rest stays queued for the next one,
    /// which then does not wait.
    pub fn set_budget(&self, budget: RunOptions) {
        self.budget.replace(budget);
    }

    /// Chooses who is told of a run whose budget was spent.
    ///
    /// With [`RunOptions::max_slice`] this is a watchdog:
    /// [`RunReport::interrupted`] has held the thread for too long, and can be
    /// logged, killed or thrown at; it is nobody if that has ended since. Without
    /// a hook the log names it.
    ///
    /// # Examples
    ///
    /// ```
    /// use greenling::RunOptions;
    /// use greenling::port::{Clock, MainLoop};
    /// use std::{rc::Rc, time::Duration};
    /// let main_loop = MainLoop::new(&Clock::real()).unwrap();
    /// main_loop.set_budget(RunOptions::new().max_slice(Duration::from_millis(50)));
    /// main_loop.set_budget_hook(Some(Rc::new(|report| {
    ///     if let Some(hog) = &report.interrupted {
    ///         hog.throw_pending("you have held the thread for too long").unwrap();
    ///     }
    /// })));
    /// ```
    pub fn set_budget_hook(&self, hook: Option<BudgetHook>) {
        let previous = self.budget_hook.replace(hook);
        drop(previous);
    }

    /// Chooses who is told of failures; `None`: the log. The hook's own panic
    /// unwinds from the turn. What events fail with comes here, too, and not to
    /// the hook of their queue.
    ///
    /// A thread's [error handler](crate::set_error_handler) comes first: what
    /// it has dealt with never gets here.
    pub fn set_error_hook(&self, hook: Option<LoopErrorHook>) {
        let previous = self.error_hook.replace(hook);
        drop(previous);
    }

    /// One turn; waits at most `max_wait`, or without limit for `None`.
    ///
    /// # Scheduling
    ///
    /// Switches if a tasklet is runnable in the end.
    ///
    /// # Cancellation
    ///
    /// A kill, or an error thrown at the caller, unwinds from here; events that
    /// are due and tasklets that are queued stay so.
    ///
    /// # Errors
    ///
    /// Where switching is impossible: `SwitchTrap`, `Unwinding`.
    #[track_caller]
    pub fn turn(&self, max_wait: Option<Duration>) -> Result<Turn, TaskletError> {
        let timed_out = self.wait(max_wait)?;
        self.work(timed_out)
    }

    /// All of a turn but the wait.
    #[track_caller]
    fn work(&self, timed_out: bool) -> Result<Turn, TaskletError> {
        self.handle.queue_calls(&self.events);
        let yielded = self.yields.pump();
        self.call_pumps();
        let events = self.events.pump_telling(&|error| self.tell_of_event(error));
        Ok(Turn {
            yielded,
            events,
            timed_out,
            run: self.run_tasklets()?,
        })
    }

    /// Turns until `condition` holds (true), or `deadline` of the loop's clock
    /// has come, or the loop is stopped (false).
    ///
    /// # Scheduling
    ///
    /// As [`turn`](MainLoop::turn).
    ///
    /// # Cancellation
    ///
    /// As [`turn`](MainLoop::turn). The deadline of a
    /// [`timeout`](crate::time::timeout) scope ends it.
    ///
    /// # Errors
    ///
    /// As [`turn`](MainLoop::turn).
    ///
    /// # Examples
    ///
    /// ```
    /// use greenling::port::{Clock, Executor, MainLoop, Queued};
    /// let main_loop = MainLoop::new(&Clock::real()).unwrap();
    /// let answer = Queued.submit(|| 42);
    /// assert!(main_loop.run_until(|| answer.is_done(), None).unwrap());
    /// ```
    #[track_caller]
    pub fn run_until(
        &self,
        mut condition: impl FnMut() -> bool,
        deadline: Option<Duration>,
    ) -> Result<bool, TaskletError> {
        // An event, so that no wait goes beyond it.
        let _bell = deadline.map(|at| CancelOnDrop(self.events.call_at(at, || ())));
        loop {
            if condition() {
                return Ok(true);
            }
            if deadline.is_some_and(|at| self.clock().now() >= at) {
                return Ok(false);
            }
            let timed_out = self.wait(None)?;
            // Looked at before the calls of other threads are: what came before
            // the stop is done.
            let is_last = self.handle.take_stop();
            self.work(timed_out)?;
            if is_last || timed_out {
                return Ok(condition());
            }
        }
    }

    /// Turns until the loop is stopped.
    ///
    /// # Scheduling
    ///
    /// As [`turn`](MainLoop::turn).
    ///
    /// # Cancellation
    ///
    /// As [`run_until`](MainLoop::run_until).
    ///
    /// # Errors
    ///
    /// As [`turn`](MainLoop::turn).
    #[track_caller]
    pub fn run(&self) -> Result<(), TaskletError> {
        self.run_until(|| false, None).map(drop)
    }

    /// True if the deadline of a scope has ended the wait.
    fn wait(&self, max_wait: Option<Duration>) -> Result<bool, TaskletError> {
        let scheduler = local::get_or_make().ok_or(TaskletError::Dead)?;
        let clock = self.clock();
        let due = self.events.next_due();
        let to_event = due.map(|at| at.saturating_sub(clock.now()));
        let is_due = to_event == Some(Duration::ZERO);
        if self.handle.take_wake() || run_count() > 1 || is_due {
            return scheduler.wait_if_alone(Some(Duration::ZERO));
        }
        if let Some(to_event) = to_event.filter(|_| clock.jumps()) {
            let timed_out = scheduler.wait_if_alone(Some(Duration::ZERO))?;
            if run_count() == 1 && !timed_out {
                clock.advance(max_wait.map_or(to_event, |limit| limit.min(to_event)));
            }
            return Ok(timed_out);
        }
        if self.yields.waiting() > 0 {
            return scheduler.wait_if_alone(Some(Duration::ZERO));
        }
        // The time of a virtual clock does not come by waiting.
        let to_event = to_event.filter(|_| !clock.is_virtual());
        let limit = match self.max_wait.get() {
            None if !self.pumps.borrow().is_empty() => Some(PUMP_INTERVAL),
            limit => limit,
        };
        let limits = [to_event, max_wait, limit];
        scheduler.wait_if_alone(limits.into_iter().flatten().min())
    }

    fn call_pumps(&self) {
        let pumps = self.pumps.borrow().clone();
        for pump in pumps {
            // None for a pump that itself turns the loop.
            let Some(mut f) = pump.f.take() else {
                continue;
            };
            let outcome = caught::call(&mut f);
            pump.f.set(Some(f));
            if let Err(caught) = outcome {
                self.tell(&LoopError::Pump(pump.name.clone(), caught.into_panic()));
            }
        }
    }

    #[track_caller]
    fn run_tasklets(&self) -> Result<RunReport, TaskletError> {
        let budget = self.budget.borrow().clone();
        let report = loop {
            match run_with(&budget) {
                Ok(report) => break report,
                // The others are still queued, and this is still their turn.
                Err(TaskletError::Uncaught(error)) => self.tell(&LoopError::Tasklet(error)),
                Err(error) => return Err(error),
            }
        };
        if report.over_budget {
            self.tell_of_budget(&budget, &report);
        }
        Ok(report)
    }

    fn tell(&self, error: &LoopError) {
        let hook = self.error_hook.borrow().clone();
        match hook {
            Some(hook) => hook(error),
            None => log::error!("greenling: a main loop goes on after an error: {error}"),
        }
    }

    fn tell_of_event(&self, error: Uncaught) {
        self.tell(&LoopError::Event(error));
    }

    fn tell_of_budget(&self, budget: &RunOptions, report: &RunReport) {
        let hook = self.budget_hook.borrow().clone();
        match (hook, &report.interrupted) {
            (Some(hook), _) => hook(report),
            (None, Some(tasklet)) if budget.max_slice.is_some() => {
                log::warn!("greenling: {tasklet:?} has spent the budget of a main loop's turn");
            }
            (None, _) => {}
        }
    }
}

impl fmt::Debug for MainLoop {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("MainLoop")
            .field("events", &self.events)
            .field("nice", &self.yields.waiting())
            .field("pumps", &self.pumps.borrow().len())
            .finish_non_exhaustive()
    }
}
