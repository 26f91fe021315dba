//! The end of a thread's tasklets by two deadlines.
//!
//! ```text
//!   wait for all of them ----drain deadline----> kill them, in id order
//!        |                                           |
//!     all ended                        wait for those that are not done yet
//!        |                                |                        |
//!        v                             all ended              kill deadline
//!      report <-------------------------- + <---- log who is left --+
//! ```
//!
//! Each is waited for as by a join, oldest first, so waiting costs nothing
//! while they run. What refuses to end keeps its stack: frames on it may hold
//! anything, and nobody else will ever run them.

use super::remote;
use super::shutdown::{Following, Shutdown};
use crate::error::WaitError;
use crate::inspect;
use crate::scheduler::{Park, Scheduler, local};
use crate::tasklet::defer_kill;
use crate::tasklet::raw::{TcbRef, flag};
use crate::time;
use crate::wait::reason;
use std::fmt;
use std::panic::Location;
use std::time::Instant;

/// What became of a thread's tasklets; see [`Shutdown::drain`].
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct DrainReport {
    /// How many were killed when the drain limit had passed.
    pub killed: usize,
    /// How many live on: they catch or defer their kill.
    pub left: usize,
}

impl Shutdown {
    /// Ends every other tasklet of this thread, but for main: waits for them
    /// until the drain deadline, kills the rest in the order of their ids, and
    /// waits until the kill deadline for those that clean up in a way of their
    /// own: that catch the kill, or defer it. Who is left then is named in the
    /// log as an error, and is let be.
    ///
    /// All tasklets count, so one that runs for ever is to watch this flag, or
    /// draining lasts as long as it may. If the flag is not set, this sets it.
    ///
    /// # Scheduling
    ///
    /// Switches unless there is no other tasklet.
    ///
    /// # Cancellation
    ///
    /// Whoever has not ended goes on. The deadline of a
    /// [`timeout`](crate::time::timeout) scope ends both waits early, as does a
    /// [`CancelToken`](crate::time::CancelToken).
    ///
    /// # Errors
    ///
    /// The reasons of [`WaitError`], but for those that say that waiting longer
    /// is of no use.
    ///
    /// # Examples
    ///
    /// ```
    /// use greenling::time::sleep;
    /// use std::time::Duration;
    /// let stop = greenling::Shutdown::new();
    /// let quick = greenling::spawn(|| sleep(Duration::from_millis(1)));
    /// let slow = greenling::spawn(|| sleep(Duration::from_secs(1000)));
    /// stop.trigger_with(Duration::from_millis(50), Duration::from_secs(1));
    /// let report = stop.drain().unwrap();
    /// assert_eq!((report.killed, report.left), (1, 0));
    /// quick.join().unwrap();
    /// assert!(slow.join().unwrap_err().is_killed());
    /// ```
    #[track_caller]
    pub fn drain(&self) -> Result<DrainReport, WaitError> {
        let location = Location::caller();
        let Some(scheduler) = local::get() else {
            return Ok(DrainReport::default());
        };
        self.trigger();
        let _following = self.follow_here();
        let drainer = Drainer {
            scheduler,
            location,
        };
        drainer.wait_until(|| self.drain_deadline())?;
        drainer.kill_all_until(|| self.kill_deadline())
    }

    /// As [`drain`](Shutdown::drain), with the time to finish being over.
    #[track_caller]
    pub(crate) fn kill_rest(&self) -> Result<DrainReport, WaitError> {
        let location = Location::caller();
        let Some(scheduler) = local::get() else {
            return Ok(DrainReport::default());
        };
        let _following = self.follow_here();
        let drainer = Drainer {
            scheduler,
            location,
        };
        drainer.kill_all_until(|| self.kill_deadline())
    }

    /// Has the calling tasklet look at the deadlines again when they change.
    pub(crate) fn follow_here(&self) -> Option<Following<'_>> {
        let scheduler = local::get()?;
        match remote() {
            Ok(home) => Some(self.follow(scheduler.current().id.get(), home)),
            Err(error) => {
                // Without a poller nobody outside can change them.
                log::debug!("greenling: draining by the deadlines as they are: {error}");
                None
            }
        }
    }
}

/// Waits by `wait`, which is given the deadline, until `is_over`, or until the
/// deadline has passed, which may change meanwhile: a wait that times out is
/// begun again if there is time.
pub(crate) fn wait_by(
    deadline: impl Fn() -> Option<Instant>,
    is_over: impl Fn() -> bool,
    wait: impl Fn(Option<Instant>) -> Result<(), WaitError>,
) -> Result<(), WaitError> {
    while !is_over() {
        let own = deadline();
        let ends = own.into_iter().chain(time::deadline()).min();
        if ends.is_some_and(|ends| ends <= Instant::now()) {
            return Ok(());
        }
        match wait(own) {
            // A token that was cancelled is a deadline in the past.
            Ok(()) | Err(WaitError::TimedOut | WaitError::Cancelled) => {}
            // Waiting longer is of no use.
            Err(WaitError::Deadlock) => return Ok(()),
            Err(error) => return Err(error),
        }
    }
    Ok(())
}

/// Names in the log what refuses to end.
#[cold]
pub(crate) fn report_left(what: fmt::Arguments<'_>) {
    let mut tasklets = Vec::new();
    let _ = inspect::dump(&mut tasklets);
    let tasklets = String::from_utf8_lossy(&tasklets);
    log::error!("greenling: {what} outlive the shutdown; all tasklets:\n{tasklets}");
}

struct Drainer {
    scheduler: &'static Scheduler,
    location: &'static Location<'static>,
}

impl Drainer {
    /// Whom this ends, by id.
    fn others(&self) -> Vec<(u64, TcbRef)> {
        let current = self.scheduler.current();
        let table = self.scheduler.table();
        let others = table
            .iter()
            .filter(|&task| task.is_alive() && task != current && !task.has(flag::MAIN));
        let mut others: Vec<_> = others.map(|task| (task.id.get(), task)).collect();
        others.sort_by_key(|&(id, _)| id);
        others
    }

    /// Waits until all have ended, or the deadline has passed.
    fn wait_until(&self, deadline: impl Fn() -> Option<Instant>) -> Result<(), WaitError> {
        loop {
            let others = self.others();
            let mut are_left = false;
            for (id, task) in others {
                // Its block may be another's by now.
                let has_ended = || task.id.get() != id || !task.is_alive();
                wait_by(&deadline, has_ended, |deadline| {
                    let park = Park::new(&reason::DRAIN, self.location).until(deadline);
                    task.joiners.wait(self.scheduler, park)
                })?;
                are_left |= !has_ended();
            }
            // Those that have ended may have started others.
            if are_left || self.others().is_empty() {
                return Ok(());
            }
        }
    }

    fn kill_all_until(
        &self,
        deadline: impl Fn() -> Option<Instant>,
    ) -> Result<DrainReport, WaitError> {
        let killed = self.kill_all();
        self.wait_until(deadline)?;
        let left = self.others().len();
        if left > 0 {
            report_left(format_args!("{left} tasklets"));
        }
        Ok(DrainReport { killed, left })
    }

    /// Kills all there are, in the order of their ids, and counts them.
    fn kill_all(&self) -> usize {
        // What the dying throw at the caller reaches it when all were killed.
        let _guard = defer_kill();
        let mut killed = 0;
        for (id, task) in self.others() {
            if task.id.get() == id && task.is_alive() {
                killed += 1;
                if let Err(error) = self.scheduler.kill(task, false) {
                    log::error!("greenling: the shutdown could not kill {task:?}: {error}");
                }
            }
        }
        killed
    }
}
