//! Sleeping, and deadlines around any code.

pub(crate) mod scope;
mod sleep;

pub use scope::{Elapsed, deadline, timeout, timeout_at};
pub use sleep::{sleep, sleep_until};
