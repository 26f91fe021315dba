//! Sleeping without holding the thread.

use crate::scheduler::{Park, local};
use crate::wait::reason;
use std::panic::Location;
use std::time::{Duration, Instant};

/// Parks the tasklet for at least `duration`.
///
/// # Scheduling
///
/// Always switches, also for a zero duration; returns at once only while
/// unwinding, or where switching is trapped.
///
/// # Cancellation
///
/// The deadline of a [`timeout`](super::timeout) scope ends the sleep early. A
/// kill or a throw unwinds from here; nothing is lost.
///
/// # Examples
///
/// ```
/// use std::time::Duration;
/// greenling::time::sleep(Duration::from_millis(1));
/// ```
#[track_caller]
pub fn sleep(duration: Duration) {
    match Instant::now().checked_add(duration) {
        Some(deadline) => sleep_until(deadline),
        // Beyond what the clock can express: longer than anyone lives.
        None => sleep_until(Instant::now() + Duration::from_secs(u32::MAX.into())),
    }
}

/// Parks the tasklet until `deadline`, at least.
///
/// # Scheduling
///
/// As [`sleep`].
///
/// # Cancellation
///
/// As [`sleep`].
#[track_caller]
pub fn sleep_until(deadline: Instant) {
    let Some(scheduler) = local::get_or_make() else {
        return;
    };
    if scheduler.check_may_park().is_err() {
        return;
    }
    scheduler.announce_park(&reason::SLEEP);
    let park = Park::new(&reason::SLEEP, Location::caller()).until(Some(deadline));
    if let Err(crate::WaitError::Thrown(error)) = scheduler.park(park) {
        std::panic::resume_unwind(Box::new(error));
    }
}
