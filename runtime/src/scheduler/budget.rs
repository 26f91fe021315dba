//! Budgets of `run_with`: how long the others may run before the caller does.
//!
//! Native code can't be interrupted, so budgets are checked where tasklets
//! switch anyway (Stackless calls this a soft timeout):
//!
//! ```text
//!   run_with --> first slice --switch--> second slice --switch--> ...
//!                                |                        |
//!                            spent? no                spent? yes
//!                                                         v
//!                 the owner is put before whoever would be next, and resumes
//! ```
//!
//! A tasklet that gives way while it is alone counts as switched, or it would
//! go on for ever.
//!
//! One budget is in force at a time, the outermost: a `run_with` inside of
//! another acts as `run`. A switch that a channel has promised is left alone,
//! and so is that of a tasklet that calls itself atomic; the next one is it.

use super::switch::Order;
use super::{Scheduler, guard};
use crate::tasklet::Tasklet;
use crate::tasklet::raw::{State, TcbRef, flag};
use std::time::{Duration, Instant};

/// What ends a [`run_with`](crate::run_with) before the queue has drained. No
/// limit by default.
///
/// # Scheduling
///
/// Never switches, except where a method says so.
///
/// # Examples
///
/// ```
/// use greenling::RunOptions;
/// use std::time::Duration;
/// let frame = RunOptions::new().max_time(Duration::from_millis(10));
/// assert_eq!(frame.max_switches, None);
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct RunOptions {
    /// How many times a tasklet is resumed in all; 0 counts as 1.
    pub max_switches: Option<u64>,
    /// How long the tasklets run in all.
    pub max_time: Option<Duration>,
    /// How long one tasklet runs without giving way.
    pub max_slice: Option<Duration>,
}

impl RunOptions {
    /// No limit.
    pub fn new() -> RunOptions {
        RunOptions::default()
    }

    /// Limits how many times a tasklet is resumed; 0 counts as 1.
    #[must_use]
    pub fn max_switches(mut self, switches: u64) -> RunOptions {
        self.max_switches = Some(switches);
        self
    }

    /// Limits how long the tasklets run in all. The first always runs.
    #[must_use]
    pub fn max_time(mut self, time: Duration) -> RunOptions {
        self.max_time = Some(time);
        self
    }

    /// Ends the run when a tasklet gives way that has held the thread for
    /// longer than this: [`RunReport`](crate::RunReport) names it.
    #[must_use]
    pub fn max_slice(mut self, time: Duration) -> RunOptions {
        self.max_slice = Some(time);
        self
    }

    fn is_unlimited(&self) -> bool {
        *self == RunOptions::default()
    }
}

/// The budget in force.
pub(super) struct Budget {
    /// The caller of `run_with`, which resumes when it is spent.
    owner: TcbRef,
    switches: Option<u64>,
    deadline: Option<Instant>,
    slice: Option<Duration>,
    slice_began: Option<Instant>,
    outcome: Spent,
}

/// How a budget ended.
#[derive(Debug, Default)]
pub(super) struct Spent {
    /// It did not last until the queue had drained.
    pub(super) spent: bool,
    /// The tasklet at whose switch it was found spent, if that still lives.
    pub(super) at: Option<Tasklet>,
}

/// Lifts a budget however the run ends.
pub(super) struct InForce<'a>(&'a Scheduler);

impl InForce<'_> {
    /// Lifts it, and tells how it ended.
    pub(super) fn outcome(self) -> Spent {
        let mut budget = self.0.budget.borrow_mut();
        let outcome = budget.as_mut().map(|it| std::mem::take(&mut it.outcome));
        outcome.unwrap_or_default()
    }
}

impl Drop for InForce<'_> {
    fn drop(&mut self) {
        self.0.clear_guard(guard::BUDGET);
        let budget = self.0.budget.take();
        // A handle may go with it, and with that a tasklet's block.
        drop(budget);
    }
}

impl Scheduler {
    /// Puts the limits for a run of `owner` in force, unless there are none,
    /// or others already.
    pub(super) fn limit(&self, owner: TcbRef, options: &RunOptions) -> Option<InForce<'_>> {
        if options.is_unlimited() || self.guard_bits() & guard::BUDGET != 0 {
            return None;
        }
        let now = (options.max_time.is_some() || options.max_slice.is_some()).then(Instant::now);
        let end = |time| now.and_then(|now| now.checked_add(time));
        *self.budget.borrow_mut() = Some(Budget {
            owner,
            switches: options.max_switches,
            deadline: options.max_time.and_then(end),
            slice: options.max_slice,
            slice_began: now,
            outcome: Spent::default(),
        });
        self.set_guard(guard::BUDGET);
        Some(InForce(self))
    }

    /// Counts the switch from `from` to the current tasklet, and makes the
    /// owner current instead if the budget is spent.
    pub(super) fn charge(&self, from: TcbRef, order: Order) {
        let mut budget = self.budget.borrow_mut();
        let Some(budget) = budget.as_mut() else {
            return;
        };
        let owner = budget.owner;
        if self.current.get() == owner {
            return;
        }
        let now = budget.slice_began.map(|_| Instant::now());
        let spent = from != owner && budget.is_spent(now);
        budget.slice_began = now;
        if spent && order == Order::Free && !from.has(flag::ATOMIC) {
            // Not if it is on its way to resume anyway.
            if owner.state.get() == State::Paused {
                budget.outcome.spent = true;
                budget.outcome.at = from.is_alive().then(|| Tasklet::from_tcb(from));
                self.append_paused(owner);
                self.current.set(owner);
            }
            return;
        }
        budget.switches = budget.switches.map(|left| left.saturating_sub(1));
    }
}

impl Budget {
    fn is_spent(&self, now: Option<Instant>) -> bool {
        let overran = |began: Instant, now: Instant| {
            self.slice
                .is_some_and(|slice| now.duration_since(began) > slice)
        };
        self.switches == Some(0)
            || self.deadline.zip(now).is_some_and(|(end, now)| now >= end)
            || self
                .slice_began
                .zip(now)
                .is_some_and(|(began, now)| overran(began, now))
    }
}
