//! Operations that never have to wait, and still must not keep the thread.
//!
//! Whoever feeds them may be another thread, or the end of a channel that is for
//! ever: a loop around one would never switch. So before each the tasklet asks
//! here, and gives way when many have succeeded since the thread's last switch.
//! Sockets have a budget each, in `io`.

use super::Scheduler;
use crate::error::WaitError;

/// Operations between two switches.
const SPREE_MAX: u32 = 32;

impl Scheduler {
    /// Lets others run if it is their turn. Before an operation, never after it:
    /// what reaches the tasklet meanwhile must not take a value along.
    #[inline]
    pub(crate) fn give_way_when_due(&self) -> Result<(), WaitError> {
        let (switches, count) = (self.switches(), self.spree.get());
        match count {
            (since, count) if since == switches && count < SPREE_MAX => {
                self.spree.set((since, count + 1));
                Ok(())
            }
            (since, _) if since == switches => self.give_way_now(),
            _ => {
                self.spree.set((switches, 1));
                Ok(())
            }
        }
    }

    #[cold]
    fn give_way_now(&self) -> Result<(), WaitError> {
        if self.check_may_park().is_err() {
            return Ok(());
        }
        self.yield_after_hand_over()
    }
}
