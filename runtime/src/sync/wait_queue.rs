//! A bare queue of parked tasklets: what locks and events are made of.

use super::grant::may_wait;
use crate::error::WaitError;
use crate::scheduler::{Park, local};
use crate::tasklet::Tasklet;
use crate::wait::{WaitList, WaitReason};
use std::panic::Location;
use std::time::Instant;

/// First in, first out queue of parked tasklets of one thread.
///
/// It has no memory: a notification that finds nobody is lost, so check the
/// condition before waiting and again afterwards. A `WaitQueue` is `Send`,
/// since it can move only while nobody waits in it, but not `Sync`.
///
/// # Scheduling
///
/// Never switches, except where a method says so.
///
/// # Examples
///
/// ```
/// use greenling::{WaitReason, sync::WaitQueue};
/// use std::rc::Rc;
/// static DOOR: WaitReason = WaitReason::new("door");
/// let queue = Rc::new(WaitQueue::new());
/// let inside = queue.clone();
/// let guest = greenling::spawn(move || inside.wait(&DOOR, None));
/// greenling::schedule();
/// assert_eq!(queue.waiters(), [guest.tasklet()]);
/// assert!(queue.notify_one());
/// guest.join().unwrap().unwrap();
/// ```
#[derive(Debug)]
pub struct WaitQueue {
    list: WaitList<()>,
}

impl WaitQueue {
    /// An empty queue.
    pub const fn new() -> WaitQueue {
        WaitQueue {
            list: WaitList::new(),
        }
    }

    /// Parks the caller until it is notified.
    ///
    /// # Scheduling
    ///
    /// Always switches.
    ///
    /// # Cancellation
    ///
    /// The caller leaves the queue. If it was notified and then killed before
    /// it ran, the notification is lost: who passes on a resource by notifying
    /// needs a guard that passes it on again.
    ///
    /// # Errors
    ///
    /// `TimedOut` after `deadline` or that of a scope; the other reasons of
    /// [`WaitError`].
    #[track_caller]
    pub fn wait(
        &self,
        reason: &'static WaitReason,
        deadline: Option<Instant>,
    ) -> Result<(), WaitError> {
        let scheduler = local::get_or_make().ok_or(WaitError::Unwinding)?;
        scheduler.check_may_park()?;
        let park = Park::new(reason, Location::caller()).until(deadline);
        self.list.park(scheduler, park)
    }

    /// As `wait`, for what is a receive in Stackless: the block trap forbids it.
    #[track_caller]
    pub(crate) fn wait_as_receive(
        &self,
        reason: &'static WaitReason,
        deadline: Option<Instant>,
    ) -> Result<(), WaitError> {
        let scheduler = may_wait()?;
        let park = Park::new(reason, Location::caller()).until(deadline);
        self.list.park(scheduler, park)
    }

    /// Makes the tasklet that has waited longest runnable; false if none waits.
    ///
    /// # Scheduling
    ///
    /// Never switches.
    pub fn notify_one(&self) -> bool {
        let Some(scheduler) = local::get() else {
            return false;
        };
        let Some((task, ())) = self.list.pop_with(|()| ()) else {
            return false;
        };
        scheduler.make_runnable(task);
        true
    }

    /// Makes all waiting tasklets runnable, oldest first, and counts them.
    ///
    /// # Scheduling
    ///
    /// Never switches.
    pub fn notify_all(&self) -> usize {
        local::get().map_or(0, |scheduler| self.list.wake_all(scheduler))
    }

    /// True if nobody waits.
    pub fn is_empty(&self) -> bool {
        self.list.is_empty()
    }

    /// How many wait.
    pub fn len(&self) -> usize {
        self.list.len()
    }

    /// Who waits, oldest first.
    pub fn waiters(&self) -> Vec<Tasklet> {
        let tasks = self.list.tasks();
        tasks.into_iter().map(Tasklet::from_tcb).collect()
    }
}

impl Default for WaitQueue {
    fn default() -> WaitQueue {
        WaitQueue::new()
    }
}
