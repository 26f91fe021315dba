//! `enter`: a scope after which no tasklet is left.

use super::local;
use crate::error::TaskletError;
use crate::tasklet::defer_kill;
use crate::tasklet::raw::{State, TcbRef, flag};

/// How often those that are left are killed without one of them less.
const ROUNDS: usize = 10;

/// Runs `f`, then kills whatever tasklets are left on this thread.
///
/// Tasklets work without it: the first use of any function of this crate makes
/// the thread's scheduler. But a thread that just ends can't unwind its
/// tasklets any more, since thread-locals they use may be gone, and leaks
/// their stacks. `enter` ends them while everything is still there. Nested
/// calls only run `f`: the outermost cleans up.
///
/// The leftovers are killed in the order of their ids, also when `f` panics.
/// One that catches the kill and goes on is killed again, ten times, and then
/// left alone with a message to the log. One that holds kills back, as a
/// [`scope`](crate::scope) does until its tasklets have ended, has its turns.
///
/// # Scheduling
///
/// Switches to every tasklet that it kills.
///
/// # Cancellation
///
/// A kill of the caller kills those tasklets, too, since it unwinds through here.
///
/// # Panics
///
/// With the panic of `f`, after the clean-up; or when the thread is ending.
///
/// # Examples
///
/// ```
/// let answer = greenling::enter(|| {
///     greenling::spawn(|| loop {
///         greenling::schedule();
///     });
///     42
/// });
/// assert_eq!(answer, 42);
/// ```
#[track_caller]
pub fn enter<T>(f: impl FnOnce() -> T) -> T {
    let scheduler = local::expect();
    if scheduler.entered.replace(true) {
        return f();
    }
    scheduler.comes_back();
    let result = std::panic::catch_unwind(std::panic::AssertUnwindSafe(f));
    scheduler.entered.set(false);
    scheduler.kill_leftovers();
    scheduler.goes_away();
    match result {
        Ok(value) => value,
        Err(payload) => std::panic::resume_unwind(payload),
    }
}

impl super::Scheduler {
    fn kill_leftovers(&self) {
        // What the dying throw at the caller reaches it when all have ended.
        let _guard = defer_kill();
        let (mut rounds, mut fewest) = (0, usize::MAX);
        while rounds < ROUNDS {
            let mut left = self.leftovers();
            if left.is_empty() {
                return;
            }
            if left.len() >= fewest {
                rounds += 1;
            }
            fewest = fewest.min(left.len());
            left.sort_by_key(|&(id, _)| id);
            for (id, task) in left {
                // A kill may have ended others, whose blocks are reused.
                if task.id.get() == id
                    && task.is_alive()
                    && let Err(error) = self.kill_or_run(task)
                {
                    log::error!("greenling: enter could not kill {task:?}: {error}");
                }
            }
        }
        let left = self.leftovers().len();
        if left > 0 {
            log::error!("greenling: {left} tasklets outlive enter: they catch every kill");
        }
    }

    fn kill_or_run(&self, task: TcbRef) -> Result<(), TaskletError> {
        self.kill(task, false)?;
        if task.deferrals.get() > 0 && task.state.get() == State::Runnable {
            self.run_task(task)?;
        }
        Ok(())
    }

    fn leftovers(&self) -> Vec<(u64, TcbRef)> {
        let current = self.current();
        let table = self.table();
        let alive = table
            .iter()
            .filter(|&task| task.is_alive() && task != current && !task.has(flag::MAIN));
        alive.map(|task| (task.id.get(), task)).collect()
    }
}
