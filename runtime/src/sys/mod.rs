//! What is asked of the operating system directly, and what a platform must
//! supply:
//!
//! * `pin_to_processor`: ties the calling thread to one processor;
//! * `claim_inherited`: takes over descriptors that the process was started with;
//! * `signals`: delivers signals as messages, and tells whether `SIGPIPE` is ignored.

mod inherited;
mod processors;
pub(crate) mod signals;

pub(crate) use inherited::claim_inherited;
pub(crate) use processors::pin_to_processor;
