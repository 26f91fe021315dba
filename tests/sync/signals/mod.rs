//! Signals and counters: what wakes whom, and what must not get lost.
//!
//! `refusals` and `interrupted` ask the same of all of them; the others are
//! about one type each. That nothing leaks wherever a waiter is killed is the
//! business of `tests/kill`.

mod barrier;
mod event;
mod interrupted;
mod notify;
mod once_value;
mod queue;
mod refusals;
mod semaphore;
mod wait_group;

use greenling::{JoinHandle, schedule, spawn};

/// A tasklet that has run as far as it can.
pub(crate) fn parked<T: 'static>(f: impl FnOnce() -> T + 'static) -> JoinHandle<T> {
    let handle = spawn(f);
    schedule();
    handle
}
