//! What is asked of the operating system directly, and what a platform must
//! supply:
//!
//! * `pin_to_processor`: ties the calling thread to one processor;
//! * `claim_inherited`: takes over descriptors that the process was started with;
//! * `peer_of`: names the peer of a descriptor that somebody else owns;
//! * `unsent` (Linux): how much of a socket's buffer is in use;
//! * `signals`: delivers signals as messages, and tells whether `SIGPIPE` is ignored.

mod inherited;
mod peer;
mod processors;
pub(crate) mod signals;
#[cfg(target_os = "linux")]
mod unsent;

pub(crate) use inherited::claim_inherited;
pub(crate) use peer::peer_of;
pub(crate) use processors::pin_to_processor;
#[cfg(target_os = "linux")]
pub(crate) use unsent::unsent;
