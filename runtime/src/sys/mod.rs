//! What is asked of the operating system directly, and what a platform must
//! supply:
//!
//! * `pin_to_processor`: ties the calling thread to one processor;
//! * `signals`: delivers signals as messages.

mod processors;
pub(crate) mod signals;

pub(crate) use processors::pin_to_processor;
