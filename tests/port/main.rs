//! The helpers for ported programs, on a virtual clock wherever there is one:
//! whole traces, since what ports rely on is the order of things.

mod calls;
mod events;
mod futures;
mod main_loop;
mod pools;
mod queue_channel;
mod random;
mod regions;
mod sleepers;

use std::time::Duration;

/// `n` seconds.
const fn secs(n: u64) -> Duration {
    Duration::from_secs(n)
}
