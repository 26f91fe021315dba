//! Ticks at a steady pace.

use crate::error::WaitError;
use crate::scheduler::{Park, local};
use crate::select::Operation;
use crate::select::steps::{Here, Steps};
use crate::wait::reason;
use std::panic::Location;
use std::time::{Duration, Instant};

/// What an [`Interval`] does about ticks that came and went while nobody
/// waited for them.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum MissedTick {
    /// They are made up for at once, one after the other; the pace stays.
    #[default]
    Burst,
    /// They are left out; the pace stays.
    Skip,
    /// They are left out, and a new pace begins with the late tick.
    Delay,
}

/// Ticks every `period`, the first time at once; see [`interval_at`].
///
/// # Scheduling
///
/// Never switches.
///
/// # Panics
///
/// For a period of zero.
///
/// # Examples
///
/// ```
/// use std::time::Duration;
/// let mut pulse = greenling::time::interval(Duration::from_millis(1));
/// let first = pulse.tick().unwrap();
/// assert_eq!(pulse.tick().unwrap() - first, pulse.period());
/// ```
pub fn interval(period: Duration) -> Interval {
    interval_at(Instant::now(), period)
}

/// Ticks at `start`, and every `period` after it.
///
/// # Scheduling
///
/// Never switches.
///
/// # Panics
///
/// For a period of zero.
pub fn interval_at(start: Instant, period: Duration) -> Interval {
    assert!(!period.is_zero(), "an interval needs a period");
    Interval {
        next: Some(start),
        period,
        missed: MissedTick::Burst,
    }
}

/// A clock to wait for again and again. It drifts neither by what happens
/// between the ticks nor by late wake-ups.
#[derive(Clone, Debug)]
pub struct Interval {
    /// None beyond what the clock can express: never.
    next: Option<Instant>,
    period: Duration,
    missed: MissedTick,
}

impl Interval {
    /// Says what is to be done about missed ticks.
    ///
    /// # Scheduling
    ///
    /// Never switches.
    #[must_use]
    pub fn missed(mut self, missed: MissedTick) -> Interval {
        self.missed = missed;
        self
    }

    /// Waits for the next tick and returns when it was due.
    ///
    /// # Scheduling
    ///
    /// Switches if the tick is not due yet.
    ///
    /// # Cancellation
    ///
    /// Nothing is lost: the next call waits for the same tick.
    ///
    /// # Errors
    ///
    /// The reasons of [`WaitError`].
    #[track_caller]
    pub fn tick(&mut self) -> Result<Instant, WaitError> {
        let now = Instant::now();
        let due = match self.next {
            Some(due) if due <= now => due,
            next => {
                self.wait_until(next, Location::caller())?;
                next.unwrap_or(now)
            }
        };
        self.next = self.after(due, now.max(due));
        Ok(due)
    }

    /// The next tick to [`select!`](crate::select!); the output is when it was
    /// due. One that is not chosen is still the next.
    ///
    /// # Scheduling
    ///
    /// Never switches by itself.
    ///
    /// # Examples
    ///
    /// ```
    /// use greenling::{Channel, select, time::interval};
    /// use std::time::Duration;
    /// let (never, mut pulse) = (Channel::<()>::new(), interval(Duration::from_millis(1)));
    /// for _ in 0..3 {
    ///     let ticked = select! {
    ///         _ = never.receiving() => false,
    ///         _ = pulse.ticking() => true,
    ///     };
    ///     assert!(ticked.unwrap());
    /// }
    /// ```
    pub fn ticking(&mut self) -> Ticking<'_> {
        Ticking {
            interval: self,
            has_waited: false,
            tick: None,
        }
    }

    /// When the next tick is due; `None` if the clock can't express it.
    ///
    /// # Scheduling
    ///
    /// Never switches.
    pub fn next_due(&self) -> Option<Instant> {
        self.next
    }

    /// The time between two ticks.
    ///
    /// # Scheduling
    ///
    /// Never switches.
    pub fn period(&self) -> Duration {
        self.period
    }

    /// Has the next tick come one period from now.
    ///
    /// # Scheduling
    ///
    /// Never switches.
    pub fn reset(&mut self) {
        self.next = Instant::now().checked_add(self.period);
    }

    fn after(&self, due: Instant, now: Instant) -> Option<Instant> {
        match self.missed {
            MissedTick::Burst => due.checked_add(self.period),
            MissedTick::Delay => now.checked_add(self.period),
            MissedTick::Skip => {
                let (late, period) = ((now - due).as_nanos(), self.period.as_nanos());
                let to_next = period - late % period;
                let to_next = Duration::from_nanos(u64::try_from(to_next).ok()?);
                now.checked_add(to_next)
            }
        }
    }

    fn wait_until(
        &self,
        due: Option<Instant>,
        location: &'static Location<'static>,
    ) -> Result<(), WaitError> {
        let scheduler = local::get_or_make().ok_or(WaitError::Unwinding)?;
        scheduler.check_may_park()?;
        scheduler.announce_park(&reason::INTERVAL);
        let park = Park::new(&reason::INTERVAL, location).until(due);
        match scheduler.park(park) {
            // Its own time is up, and not that of a scope before it.
            Err(WaitError::TimedOut) if due.is_some_and(|due| due <= Instant::now()) => Ok(()),
            result => result,
        }
    }
}

/// Completes with the next tick; see [`Interval::ticking`].
#[derive(Debug)]
#[must_use = "it does nothing until it is selected"]
pub struct Ticking<'i> {
    interval: &'i mut Interval,
    /// Then the tick is not late: somebody has waited for it.
    has_waited: bool,
    tick: Option<Instant>,
}

impl Steps for Ticking<'_> {
    fn attempt(&mut self, _here: Here<'_>) -> bool {
        let now = Instant::now();
        if self.tick.is_none()
            && let Some(due) = self.interval.next.filter(|due| *due <= now)
        {
            let late = if self.has_waited { due } else { now };
            self.interval.next = self.interval.after(due, late);
            self.has_waited = false;
            self.tick = Some(due);
        }
        self.tick.is_some()
    }

    fn prepare(&mut self, _here: Here<'_>) -> Result<bool, WaitError> {
        self.has_waited = true;
        Ok(false)
    }

    fn deadline(&self) -> Option<Instant> {
        self.interval.next
    }
}

impl Operation for Ticking<'_> {
    type Output = Instant;

    fn take(&mut self) -> Option<Instant> {
        self.tick.take()
    }
}
