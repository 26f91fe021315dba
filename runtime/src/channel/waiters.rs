//! Who waits in a channel, and what can be done to all of them.

use super::Channel;
use crate::error::TaskletError;
use crate::tasklet::Tasklet;
use crate::wait::waits_in;

impl<T> Channel<T> {
    /// Waiting senders (positive) or receivers (negative).
    pub fn balance(&self) -> isize {
        let count = self.shared.waiters.len() as isize;
        if self.shared.senders_wait.get() {
            count
        } else {
            -count
        }
    }

    /// The waiting tasklets, the oldest first.
    pub fn queue(&self) -> Vec<Tasklet> {
        let tasks = self.shared.waiters.tasks();
        tasks.into_iter().map(Tasklet::from_tcb).collect()
    }

    /// A number that tells this channel from all others that exist; dumps of
    /// tasklets show it.
    pub fn id(&self) -> usize {
        self.shared.waiters.address()
    }

    /// Kills every tasklet that waits here, the oldest first, and returns how
    /// many there were. A main tasklet can't be killed and goes on waiting.
    ///
    /// # Scheduling
    ///
    /// Switches to each of them, as [`Tasklet::kill`] does.
    ///
    /// # Cancellation
    ///
    /// A kill of the caller leaves those that were not killed yet.
    ///
    /// # Errors
    ///
    /// As [`Tasklet::kill`], at the first that can't be killed or that fails
    /// meanwhile.
    pub fn clear(&self) -> Result<usize, TaskletError> {
        let mut killed = 0;
        for tasklet in self.queue() {
            // A kill may have woken those behind.
            if !tasklet.is_main() && tasklet.waits_in(self) {
                tasklet.kill()?;
                killed += 1;
            }
        }
        Ok(killed)
    }
}

impl Tasklet {
    /// Whether it waits in `channel`, alone or among others.
    #[doc(alias = "_channel")]
    pub fn waits_in<T>(&self, channel: &Channel<T>) -> bool {
        waits_in(self.tcb(), channel.id())
    }
}
