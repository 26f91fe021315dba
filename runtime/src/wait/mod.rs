//! What a parked tasklet waits in and for.
//!
//! `reason` names every kind of wait; `list` holds the queues, whose nodes lie
//! on the stacks of the tasklets that wait. Both know nothing of channels,
//! sockets or timers, which are built from them.

#[allow(unsafe_code, reason = "nodes on the stacks of suspended tasklets")]
mod list;
pub(crate) mod reason;

pub(crate) use list::{
    Node, Place, Places, RawWaitList, Step, WaitList, list_of, neighbours, park_on_either,
    unlink_all, waits_in,
};
pub use reason::WaitReason;
