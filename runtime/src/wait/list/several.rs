//! Waiting in any number of lists at once, with a payload in each.
//!
//! ```text
//!   Places --> node in list A --> node in list B --> node in list C
//!               |  sibling         |  sibling         |
//!             Place<P>           Place<Q>           Place<R>      in the caller's frame
//! ```
//!
//! A waker of any list fills the payload of that place, if it has something to
//! hand over, and takes the tasklet off all lists. Afterwards the places tell
//! by their payloads which it was.

use super::{Node, RawWaitList, Slot, WaitList, unlink_all};
use crate::error::WaitError;
use crate::scheduler::{Park, Scheduler};
use crate::tasklet::raw::TcbRef;
use std::cell::UnsafeCell;
use std::marker::PhantomData;
use std::ptr;

/// Where the current tasklet is to wait in a list.
pub(crate) struct Place<P> {
    slot: Slot<P>,
}

impl<P> Place<P> {
    /// A place for the current tasklet, which is linked nowhere.
    pub(crate) fn new(scheduler: &Scheduler, payload: P) -> Place<P> {
        Place {
            slot: Slot {
                node: Node::new(scheduler.current(), ptr::null()),
                payload: UnsafeCell::new(payload),
            },
        }
    }

    /// What the waker has left.
    pub(crate) fn payload(&mut self) -> &mut P {
        self.slot.payload.get_mut()
    }
}

/// A place and the list that it is for.
#[derive(Clone, Copy)]
pub(crate) struct Spot<'a> {
    list: &'a RawWaitList,
    at: *const Node,
    place: PhantomData<&'a Node>,
}

impl<P> WaitList<P> {
    /// Pairs the list with a place in it.
    pub(crate) fn spot<'a>(&'a self, place: &'a Place<P>) -> Spot<'a> {
        Spot {
            list: &self.raw,
            // The whole slot's address: `pop_with` reaches the payload by it.
            at: (&raw const place.slot).cast(),
            place: PhantomData,
        }
    }
}

impl RawWaitList {
    /// Pairs the list with a place in it.
    pub(crate) fn spot<'a>(&'a self, place: &'a Place<()>) -> Spot<'a> {
        Spot {
            list: self,
            at: (&raw const place.slot).cast(),
            place: PhantomData,
        }
    }
}

/// The places in which the current tasklet is linked; it leaves them when this
/// is dropped, if nobody has taken it off before.
pub(crate) struct Places<'a> {
    scheduler: &'a Scheduler,
    task: TcbRef,
}

impl<'a> Places<'a> {
    /// None yet.
    pub(crate) fn new(scheduler: &'a Scheduler) -> Places<'a> {
        Places {
            scheduler,
            task: scheduler.current(),
        }
    }

    /// Appends the tasklet to a list.
    pub(crate) fn add(&mut self, spot: Spot<'a>) {
        // SAFETY: the place is borrowed for 'a, which `self` does not outlive.
        let node = unsafe { &*spot.at };
        debug_assert!(node.list.get().is_null() && node.task == self.task);
        // SAFETY: the place neither moves nor goes for as long as it is
        // borrowed, and `drop` or `park` unlink it before that is over.
        unsafe { spot.list.link(spot.at) };
        node.sibling.set(self.task.waits.get());
        self.task.waits.set(spot.at);
    }

    /// Parks the tasklet until one of the lists, or anything else, wakes it.
    /// The caller has asked `check_may_park` and told `announce_park`.
    pub(crate) fn park(self, park: Park) -> Result<(), WaitError> {
        self.scheduler.park(park)
    }
}

impl Drop for Places<'_> {
    fn drop(&mut self) {
        unlink_all(self.task);
    }
}
