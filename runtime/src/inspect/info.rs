//! What is known of one tasklet.

use crate::scheduler::{ID_BITS, Scheduler, local};
use crate::tasklet::raw::{State, TcbRef, flag};
use std::fmt;
use std::panic::Location;
use std::time::Duration;

/// What is known of one tasklet.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct TaskletInfo {
    /// Never reused in the process.
    pub id: u64,
    /// Given by `Builder::name`.
    pub name: Option<String>,
    /// `running`, `runnable`, `paused` or `blocked`.
    pub state: &'static str,
    /// What it waits for, if it is blocked.
    pub wait_reason: Option<&'static str>,
    /// Which object it waits in, if it is one of this thread;
    /// [`Channel::id`](crate::Channel::id) tells a channel's.
    pub waits_in: Option<usize>,
    /// Where it waits, if it is blocked or paused: file, line and column.
    pub waits_at: Option<&'static Location<'static>>,
    /// Where it was made.
    pub spawned_at: &'static Location<'static>,
    /// Address space of its stack in bytes, the guard included; 0 for main.
    pub stack_size: usize,
    /// Bytes of its stack from the deepest page that is in memory; 0 for main.
    ///
    /// That is how deep its calls have gone, rounded up to pages, or those of
    /// an earlier tasklet: pages stay in memory when a stack is reused, and
    /// unused stacks give theirs back from time to time. Asking touches none.
    pub stack_used: usize,
    /// How often it was resumed, as far as [accounts](super::set_accounting)
    /// were kept.
    pub switches: u64,
    /// How long it has run, as far as [accounts](super::set_accounting) were
    /// kept. What code it calls on the system stack counts, idling does not.
    pub running_time: Duration,
    /// Handles that refer to it, of all kinds.
    pub handles: u32,
}

impl TaskletInfo {
    /// Number of the thread's scheduler, and of the tasklet on it.
    fn numbers(&self) -> (u64, u64) {
        (self.id >> ID_BITS, self.id & ((1 << ID_BITS) - 1))
    }
}

impl fmt::Display for TaskletInfo {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (thread, number) = self.numbers();
        write!(f, "{thread}.{number} {}", self.state)?;
        if let Some(name) = &self.name {
            write!(f, " {name:?}")?;
        }
        if let Some(reason) = self.wait_reason {
            write!(f, ", waits for {reason}")?;
        }
        if let Some(object) = self.waits_in {
            write!(f, " ({object:#x})")?;
        }
        if let Some(at) = self.waits_at {
            write!(f, " at {at}")?;
        }
        write!(f, ", made at {}", self.spawned_at)?;
        if self.stack_size > 0 {
            let (used, size) = (self.stack_used / 1024, self.stack_size / 1024);
            write!(f, ", stack {used} of {size} KiB")?;
        }
        if self.switches > 0 || !self.running_time.is_zero() {
            write!(
                f,
                ", {} switches, ran {:?}",
                self.switches, self.running_time
            )?;
        }
        Ok(())
    }
}

/// Every live tasklet of this thread, in the order of their ids.
///
/// # Scheduling
///
/// Never switches.
///
/// # Examples
///
/// ```
/// let (sender, receiver) = (greenling::Channel::<()>::new(), greenling::Channel::new());
/// # let _ = sender;
/// greenling::spawn(move || { let _: Result<(), _> = receiver.receive(); });
/// greenling::schedule();
/// let tasklets = greenling::inspect::tasklets();
/// assert_eq!(tasklets[0].state, "running");
/// assert_eq!(tasklets[1].wait_reason, Some("channel receive"));
/// ```
pub fn tasklets() -> Vec<TaskletInfo> {
    let Some(scheduler) = local::get() else {
        return Vec::new();
    };
    let tasks = live(scheduler);
    tasks
        .into_iter()
        .map(|task| info(scheduler, task))
        .collect()
}

/// The tasklets that are alive, in the order of their ids.
pub(super) fn live(scheduler: &Scheduler) -> Vec<TcbRef> {
    let table = scheduler.table();
    let mut tasks: Vec<_> = table.iter().filter(|task| task.is_alive()).collect();
    tasks.sort_by_key(|task| task.id.get());
    tasks
}

pub(super) fn info(scheduler: &Scheduler, task: TcbRef) -> TaskletInfo {
    let state = task.state.get();
    let account = scheduler.account(task);
    let away = matches!(state, State::Blocked | State::Paused);
    TaskletInfo {
        id: task.id.get(),
        name: task.name(),
        state: match state {
            _ if task == scheduler.running() && !away => "running",
            State::Runnable => "runnable",
            State::Blocked => "blocked",
            _ => "paused",
        },
        wait_reason: (state == State::Blocked).then(|| task.reason.get().name()),
        waits_in: crate::wait::list_of(task),
        waits_at: (away && task.has(flag::STARTED)).then(|| task.location.get()),
        spawned_at: task.spawned_at.get(),
        stack_size: task.stack_bounds().1,
        stack_used: task.stack_high_water(),
        switches: account.switches,
        running_time: account.running,
        handles: task.handle_count(),
    }
}
