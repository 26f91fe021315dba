//! The time as an operation.

use super::Operation;
use super::steps::{Here, Steps};
use std::time::{Duration, Instant};

/// Completes when its time has come; see [`after`] and [`at`].
#[derive(Clone, Debug)]
#[must_use = "it does nothing until it is selected"]
pub struct Timer {
    /// None beyond what the clock can express: never.
    due: Option<Instant>,
    is_over: bool,
}

/// Completes when `duration` has passed since this call.
///
/// # Scheduling
///
/// Never switches.
///
/// # Examples
///
/// ```
/// use greenling::{Channel, select, select::after};
/// use std::time::Duration;
/// let never: Channel<u32> = Channel::new();
/// let late = select! {
///     _ = never.receiving() => false,
///     () = after(Duration::from_millis(1)) => true,
/// };
/// assert!(late.unwrap());
/// ```
pub fn after(duration: Duration) -> Timer {
    Timer {
        due: Instant::now().checked_add(duration),
        is_over: false,
    }
}

/// Completes at `deadline`.
///
/// # Scheduling
///
/// Never switches.
pub fn at(deadline: Instant) -> Timer {
    Timer {
        due: Some(deadline),
        is_over: false,
    }
}

impl Steps for Timer {
    fn attempt(&mut self, _here: Here<'_>) -> bool {
        self.is_over = self.due.is_some_and(|due| due <= Instant::now());
        self.is_over
    }

    fn deadline(&self) -> Option<Instant> {
        self.due
    }
}

impl Operation for Timer {
    type Output = ();

    fn take(&mut self) -> Option<()> {
        std::mem::take(&mut self.is_over).then_some(())
    }
}
