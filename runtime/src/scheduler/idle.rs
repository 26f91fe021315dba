//! What the scheduler does between tasklets: looking at the world while some
//! are runnable (`tick`), and waiting for it when none is.
//!
//! ```text
//!   next_when_empty(leaving)
//!     1. a doomed tasklet is to be killed        -> it runs
//!     2. someone sits in run(), or main is paused -> that one resumes
//!     3. a timer, descriptor, offload job or other thread may wake somebody
//!                                                -> poll until one is runnable
//!     4. nothing ever could                      -> deadlock: the one that
//!        tried to block gets the error, or main if the last tasklet has ended
//! ```
//!
//! Loggers and destructors that run in here are not tasklets: `Between` keeps
//! them from switching, and ends the process when one of them panics.
//!
//! Polling runs on the system stack, so that it touches no page of a tasklet's
//! stack. With no timer armed the wait is unbounded: nothing due means that
//! the thread does not wake up at all.

use super::{Scheduler, guard};
use crate::error::TaskletError;
use crate::system_stack::on_native_stack;
use crate::tasklet::raw::{State, TcbRef, Wake, flag};
use crate::time::scope;
use std::time::{Duration, Instant};

/// The clock is read at least every so many switches.
const INTERVAL_MAX: u32 = 64;

/// How often the world is looked at while tasklets are runnable.
const QUANTUM: Duration = Duration::from_micros(100);

/// Memory of unused stacks is given back at most this often.
const TRIM_EVERY: Duration = Duration::from_millis(500);

/// Lives while the scheduler is between two tasklets: what runs on the stack
/// of the one that is left is not the current tasklet, so it must not switch,
/// nor unwind through a tasklet that is linked in the list it waits in.
pub(super) struct Between<'a>(&'a Scheduler);

impl<'a> Between<'a> {
    /// `running` is the one that is left.
    pub(super) fn new(scheduler: &'a Scheduler, running: TcbRef) -> Between<'a> {
        debug_assert!(scheduler.guard_bits() & guard::APART == 0);
        scheduler.apart.set(running);
        scheduler.set_guard(guard::SYSTEM_STACK | guard::BETWEEN);
        Between(scheduler)
    }
}

impl Drop for Between<'_> {
    fn drop(&mut self) {
        // Nothing gets here while a panic is under way, save by that panic.
        if std::thread::panicking() {
            eprintln!("greenling: a logger or destructor panicked inside the scheduler; aborting");
            std::process::abort();
        }
        self.0.clear_guard(guard::SYSTEM_STACK | guard::BETWEEN);
    }
}

impl Scheduler {
    /// The first value of the countdown.
    pub(super) const fn first_interval() -> u32 {
        INTERVAL_MAX
    }

    /// Runs every so many switches: kills the doomed, and if the quantum is
    /// over polls timers, descriptors and the inbox.
    #[cold]
    #[inline(never)]
    pub(super) fn tick(&self, running: TcbRef) {
        let _between = Between::new(self, running);
        self.load_countdown(self.pace.interval.get());
        if let Some(pulse) = self.pulse.get() {
            pulse.beat();
        }
        self.external.set_away(false);
        self.kill_doomed();
        if !self.has_world() {
            if self.external.is_poked() {
                self.below_main(running, || self.drain_inbox());
            }
            return;
        }
        let now = Instant::now();
        let since = now.saturating_duration_since(self.pace.last.get());
        let interval = self.pace.interval.get();
        if since >= QUANTUM {
            if since >= QUANTUM * 2 {
                self.pace.interval.set((interval / 2).max(1));
            }
            self.pace.last.set(now);
            self.poll_below_main(running, Some(Duration::ZERO), now);
        } else if since < QUANTUM / 2 {
            self.pace.interval.set((interval * 2).min(INTERVAL_MAX));
        }
    }

    /// True if there is anything outside the ring to look at regularly.
    fn has_world(&self) -> bool {
        self.driver.get().is_some() || !self.timers.borrow().is_empty()
    }

    /// The ring has drained: `leaving` has left it, because it is blocked,
    /// paused or has ended. On return `current` is a tasklet to resume, which
    /// may be `leaving` itself.
    #[cold]
    #[inline(never)]
    pub(super) fn next_when_empty(&self, leaving: TcbRef) {
        let _between = Between::new(self, leaving);
        self.count_idle_switch();
        if leaving.state.get() != State::Dead {
            return self.find_next(leaving);
        }
        // A logger that takes a handle of the ended tasklet and drops it again
        // must not be the last to hold it.
        leaving.retain();
        self.find_next(leaving);
        leaving.release();
    }

    fn find_next(&self, leaving: TcbRef) {
        loop {
            self.kill_doomed();
            if self.run_count.get() > 0 {
                return;
            }
            if let Some(target) = self.floating_target(leaving) {
                return self.append_paused(target);
            }
            if !self.can_be_woken() {
                return self.report_deadlock(leaving);
            }
            self.wait_for_world(leaving);
        }
    }

    /// The innermost caller of `run`, or else a paused main.
    fn floating_target(&self, leaving: TcbRef) -> Option<TcbRef> {
        if let Some(&runner) = self.runners.borrow().last() {
            return Some(runner);
        }
        let paused = self.main.state.get() == State::Paused;
        (paused && self.main != leaving).then_some(self.main)
    }

    pub(super) fn can_be_woken(&self) -> bool {
        !self.timers.borrow().is_empty()
            || self.driver.get().is_some_and(|driver| driver.has_waiters())
            || self.external.could_wake()
    }

    /// Waits once for the world on behalf of the current tasklet, if no other
    /// is runnable; true if a timeout scope has ended the wait.
    pub(crate) fn wait_if_alone(&self, max_wait: Option<Duration>) -> Result<bool, TaskletError> {
        let current = self.current();
        self.check_may_switch()?;
        let _between = Between::new(self, current);
        self.kill_doomed();
        let posted = current.wake.get() != Wake::Notified;
        if posted || self.run_count() > 1 || (max_wait.is_none() && !self.can_be_woken()) {
            return Ok(false);
        }
        let now = Instant::now();
        let limit = max_wait.and_then(|wait| now.checked_add(wait));
        let due = self.timers.borrow_mut().next_due();
        let due = [scope::earlier(current, limit), due];
        let due = due.into_iter().flatten().min();
        let timeout = due.map(|at| at.saturating_duration_since(now));
        self.poll_below_main(current, timeout, now);
        let end = scope::earlier(current, None);
        let ended = self.run_count() == 1 && end.is_some_and(|end| end <= Instant::now());
        if ended {
            scope::note_expiry(current, None);
        }
        Ok(ended)
    }

    /// Waits once for timers, descriptors and other threads.
    fn wait_for_world(&self, leaving: TcbRef) {
        let now = Instant::now();
        self.give_memory_back(now);
        let due = self.timers.borrow_mut().next_due();
        let timeout = due.map(|at| at.saturating_duration_since(now));
        self.pace.last.set(now);
        self.parked.set(true);
        self.poll_below_main(leaving, timeout, now);
        self.parked.set(false);
    }

    /// Polls on the native stack; `running` is the tasklet whose stack this is.
    // By itself the compiler makes a function of it: 25 instructions a poll.
    #[inline(always)]
    fn poll_below_main(&self, running: TcbRef, timeout: Option<Duration>, now: Instant) {
        let waits = timeout != Some(Duration::ZERO);
        if waits {
            self.note_idle(running, true);
        }
        self.below_main(running, || self.poll(timeout, now));
        if waits {
            self.note_idle(running, false);
        }
    }

    /// The thread begins to wait for the world, or has ended it.
    #[inline]
    fn note_idle(&self, running: TcbRef, begins: bool) {
        self.external.set_away(false);
        self.account_idle(running, begins);
        if let Some(pulse) = self.pulse.get() {
            pulse.set_idle(begins);
        }
    }

    /// Runs `f` on the native stack; `running` is the tasklet whose stack this
    /// is.
    fn below_main<R>(&self, running: TcbRef, f: impl FnOnce() -> R) -> R {
        if running.has(flag::MAIN) {
            f()
        } else {
            on_native_stack(self.main.sp.get(), f)
        }
    }

    /// Asks the kernel and the inbox, and expires timers.
    fn poll(&self, timeout: Option<Duration>, now: Instant) {
        self.polls.set(self.polls.get() + 1);
        let runnable = self.run_count.get();
        let timeout = if self.drain_inbox() > 0 {
            Some(Duration::ZERO)
        } else {
            timeout
        };
        match (self.driver.get(), timeout) {
            (Some(driver), timeout) => {
                if let Err(error) = driver.poll(self, timeout) {
                    // Out of kernel memory, at worst. The timers go on.
                    log::error!("greenling: polling descriptors failed: {error}");
                    pause_thread(timeout.unwrap_or(QUANTUM).min(TRIM_EVERY));
                }
            }
            (None, Some(Duration::ZERO)) => {}
            (None, timeout) => {
                if !self.external.nap(timeout) {
                    // Nobody outside knows of this thread.
                    pause_thread(timeout.unwrap_or_default());
                }
            }
        }
        self.drain_inbox();
        if self.timers.borrow().is_empty() {
            return;
        }
        let waited = timeout != Some(Duration::ZERO);
        if !waited {
            self.expire_timers(now);
        } else if self.run_count.get() == runnable {
            self.expire_timers(Instant::now());
        }
        // Else somebody was woken, and the clock is not worth another look:
        // whoever looks next, at the latest before the next sleep, expires what
        // is due.
    }

    fn give_memory_back(&self, now: Instant) {
        if now.saturating_duration_since(self.pace.trimmed.get()) >= TRIM_EVERY {
            self.pace.trimmed.set(now);
            self.stacks.borrow_mut().trim();
        }
    }

    /// Nothing could ever wake anybody.
    fn report_deadlock(&self, leaving: TcbRef) {
        let victim = if leaving.state.get() == State::Dead {
            self.main
        } else {
            leaving
        };
        // Backtraces take more stack than a tasklet may have left.
        let listing = self.below_main(leaving, || crate::inspect::listing(self));
        log::error!("greenling: deadlock: nothing can wake any tasklet of this thread\n{listing}");
        self.post(victim, Wake::Deadlock, None);
    }
}

/// Sleeps on an idle thread that nothing but a timer can wake.
#[allow(
    clippy::disallowed_methods,
    reason = "no tasklet is runnable and no descriptor is watched: the thread itself must sleep"
)]
fn pause_thread(time: Duration) {
    if !time.is_zero() {
        std::thread::sleep(time);
    }
}
