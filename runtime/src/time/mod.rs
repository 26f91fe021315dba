//! Sleeping, deadlines around any code, and tokens that cancel it.

mod cancel;
mod interval;
pub(crate) mod scope;
mod sleep;

pub use cancel::{CancelToken, Cancelled, Cancelling};
pub use interval::{Interval, MissedTick, Ticking, interval, interval_at};
pub use scope::{Elapsed, deadline, shield, timeout, timeout_at};
pub use sleep::{sleep, sleep_until};
