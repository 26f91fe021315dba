//! Seeing inside: every tasklet of the calling thread, and what it waits for.

use crate::scheduler::{Scheduler, local};
use crate::tasklet::raw::{State, TcbRef, flag};
use std::fmt::{self, Write as _};
use std::io;

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
    pub waits_at: Option<&'static std::panic::Location<'static>>,
    /// Where it was made.
    pub spawned_at: &'static std::panic::Location<'static>,
    /// Address space of its stack in bytes, the guard included; 0 for main.
    pub stack_size: usize,
}

impl fmt::Display for TaskletInfo {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let number = self.id & ((1 << crate::scheduler::ID_BITS) - 1);
        let thread = self.id >> crate::scheduler::ID_BITS;
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
        write!(f, ", made at {}", self.spawned_at)
    }
}

/// Every live tasklet of this thread, in the order of their ids.
///
/// # Scheduling
///
/// Never switches.
pub fn tasklets() -> Vec<TaskletInfo> {
    local::get().map(infos).unwrap_or_default()
}

/// Writes a line for each live tasklet of this thread.
///
/// # Scheduling
///
/// Switches only if `out` does.
///
/// # Errors
///
/// Those of `out`.
pub fn dump(out: &mut impl io::Write) -> io::Result<()> {
    for info in tasklets() {
        writeln!(out, "{info}")?;
    }
    Ok(())
}

/// How often this thread has asked the kernel what is ready: an idle thread's
/// count stands still.
pub fn polls() -> u64 {
    local::get().map_or(0, Scheduler::polls)
}

/// The dump as text, for reports of the scheduler itself.
pub(crate) fn listing(scheduler: &Scheduler) -> String {
    let mut text = String::new();
    for info in infos(scheduler) {
        let _ = writeln!(text, "  {info}");
    }
    text
}

fn infos(scheduler: &Scheduler) -> Vec<TaskletInfo> {
    let table = scheduler.table().borrow();
    let alive = table.iter().filter(|task| task.is_alive());
    let mut infos: Vec<_> = alive.map(|task| info(scheduler, task)).collect();
    infos.sort_by_key(|info| info.id);
    infos
}

fn info(scheduler: &Scheduler, task: TcbRef) -> TaskletInfo {
    let state = task.state.get();
    let away = matches!(state, State::Blocked | State::Paused);
    TaskletInfo {
        id: task.id.get(),
        name: task.name(),
        state: match state {
            _ if task == scheduler.current() && !away => "running",
            State::Runnable => "runnable",
            State::Blocked => "blocked",
            _ => "paused",
        },
        wait_reason: (state == State::Blocked).then(|| task.reason.get().name()),
        waits_in: crate::wait::list_of(task),
        waits_at: (away && task.has(flag::STARTED)).then(|| task.location.get()),
        spawned_at: task.spawned_at.get(),
        stack_size: task.stack_bounds().1,
    }
}
