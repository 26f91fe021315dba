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
use super::shutdown::Shutdown;
use crate::error::WaitError;
use crate::inspect;
use crate::scheduler::{Park, Scheduler, local};
use crate::tasklet::defer_kill;
use crate::tasklet::raw::{TcbRef, flag};
use crate::time;
use crate::wait::reason;
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
    /// [`timeout`](crate::time::timeout) scope ends both waits early.
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
        let drainer = Drainer {
            shutdown: self,
            scheduler,
            location,
        };
        let home = remote();
        let _following = match home {
            Ok(home) => Some(self.follow(scheduler.current().id.get(), home)),
            Err(error) => {
                // Without a poller nobody outside can change the deadlines.
                log::debug!("greenling: draining by the deadlines as they are: {error}");
                None
            }
        };
        drainer.wait_until(|shutdown| shutdown.deadlines().and_then(|d| d.drain))?;
        let killed = drainer.kill_all();
        drainer.wait_until(|shutdown| shutdown.deadlines().and_then(|d| d.kill))?;
        let left = drainer.others().len();
        if left > 0 {
            let mut text = Vec::new();
            let _ = inspect::dump(&mut text);
            let text = String::from_utf8_lossy(&text);
            log::error!("greenling: {left} tasklets outlive the shutdown; all there are:\n{text}");
        }
        Ok(DrainReport { killed, left })
    }
}

struct Drainer<'a> {
    shutdown: &'a Shutdown,
    scheduler: &'static Scheduler,
    location: &'static Location<'static>,
}

impl Drainer<'_> {
    /// Whom this ends, by id.
    fn others(&self) -> Vec<(u64, TcbRef)> {
        let current = self.scheduler.current();
        let table = self.scheduler.table().borrow();
        let others = table
            .iter()
            .filter(|&task| task.is_alive() && task != current && !task.has(flag::MAIN));
        let mut others: Vec<_> = others.map(|task| (task.id.get(), task)).collect();
        others.sort_by_key(|&(id, _)| id);
        others
    }

    /// Waits until all have ended, or the deadline has passed.
    fn wait_until(&self, deadline: impl Fn(&Shutdown) -> Option<Instant>) -> Result<(), WaitError> {
        loop {
            let others = self.others();
            if others.is_empty() {
                return Ok(());
            }
            for (id, task) in others {
                // Its block may be another's by now.
                while task.id.get() == id && task.is_alive() {
                    let own = deadline(self.shutdown);
                    let ends = own.into_iter().chain(time::deadline()).min();
                    if ends.is_some_and(|ends| ends <= Instant::now()) {
                        return Ok(());
                    }
                    let park = Park::new(&reason::DRAIN, self.location).until(own);
                    match task.joiners.wait(self.scheduler, park) {
                        // Also when the deadlines have changed.
                        Ok(()) | Err(WaitError::TimedOut) => {}
                        Err(WaitError::Deadlock) => return Ok(()),
                        Err(error) => return Err(error),
                    }
                }
            }
        }
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
