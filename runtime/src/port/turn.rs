//! What a main loop tells of its turns.

use crate::error::Uncaught;
use crate::scheduler::RunReport;
use std::error::Error;
use std::fmt;
use std::rc::Rc;

/// What has failed in a turn of a [`MainLoop`](super::MainLoop).
#[derive(Debug)]
#[non_exhaustive]
pub enum LoopError {
    /// A tasklet that nobody joins.
    Tasklet(Uncaught),
    /// An event of the queue.
    Event(Uncaught),
    /// The pump of this name.
    Pump(Rc<str>, Uncaught),
}

impl fmt::Display for LoopError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            LoopError::Tasklet(error) => error.fmt(f),
            LoopError::Event(error) => write!(f, "in an event: {error}"),
            LoopError::Pump(name, error) => write!(f, "in the pump {name}: {error}"),
        }
    }
}

impl Error for LoopError {}

/// Told of failures; see [`MainLoop::set_error_hook`](super::MainLoop::set_error_hook).
pub type LoopErrorHook = Rc<dyn Fn(&LoopError)>;

/// Told of spent budgets; see [`MainLoop::set_budget_hook`](super::MainLoop::set_budget_hook).
pub type BudgetHook = Rc<dyn Fn(&RunReport)>;

/// What a [turn](super::MainLoop::turn) did.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Turn {
    /// Nice tasklets that were queued.
    pub yielded: usize,
    /// Events that were called.
    pub events: usize,
    /// The deadline of a [`timeout`](crate::time::timeout) scope around the
    /// turn ended its wait.
    pub timed_out: bool,
    /// What was left when the run queue had drained or the budget was spent.
    /// A tasklet that fails does not end the turn of the others.
    pub run: RunReport,
}
