//! Who takes the time.

use crate::scheduler::local;

/// Starts or stops counting the switches and the running time of each tasklet
/// of this thread, which [`TaskletInfo`](super::TaskletInfo) then has; returns
/// whether they were counted before.
///
/// Off by default, since a clock is read at every switch then. What was counted
/// is kept when the counting stops, and goes on from there when it starts
/// again.
///
/// # Scheduling
///
/// Never switches.
///
/// # Panics
///
/// When the thread is ending.
///
/// # Examples
///
/// ```
/// greenling::inspect::set_accounting(true);
/// let task = greenling::spawn(|| greenling::schedule_remove());
/// greenling::schedule();
/// let info = greenling::inspect::tasklets().remove(1);
/// assert_eq!(info.switches, 1);
/// # drop(task);
/// ```
pub fn set_accounting(on: bool) -> bool {
    local::expect().set_accounting(on)
}
