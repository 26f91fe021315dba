//! The time that event queues go by: the real one, or one that a test moves.
//!
//! A time is a `Duration` since the clock's zero, so that both kinds read the
//! same. Clones are the same clock; queues that share one see the same time.

use std::cell::Cell;
use std::fmt;
use std::rc::Rc;
use std::time::{Duration, Instant};

/// What an [`EventQueue`](super::EventQueue) takes the time from.
///
/// # Scheduling
///
/// Never switches, except where a method says so.
///
/// # Examples
///
/// ```
/// use greenling::port::Clock;
/// use std::time::Duration;
/// let clock = Clock::virtual_from_zero();
/// clock.advance(Duration::from_secs(90));
/// assert_eq!(clock.now(), Duration::from_secs(90));
/// ```
#[derive(Clone)]
pub struct Clock {
    inner: Rc<Inner>,
}

struct Inner {
    source: Source,
    /// What was added by `advance`: all of a virtual clock's time.
    ahead: Cell<Duration>,
}

/// What makes a clock go.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Source {
    /// The monotonic clock of the system, from this instant on.
    Real(Instant),
    /// `advance` alone.
    Stands,
    /// `advance`, and a main loop that has nothing to do before the next event.
    Jumps,
}

impl Clock {
    /// A clock that goes by itself, from zero.
    pub fn real() -> Clock {
        Clock::new(Source::Real(Instant::now()))
    }

    /// A clock that stands at zero until [`advance`](Clock::advance) moves it.
    pub fn virtual_from_zero() -> Clock {
        Clock::new(Source::Stands)
    }

    /// A virtual clock that a [`MainLoop`](super::MainLoop) moves on to the
    /// next event when it would otherwise wait for it: simulated hours pass as
    /// fast as they are computed, in a fixed order.
    ///
    /// It does not wait for sockets or other threads first. What is to be done
    /// at the current time comes first, so a tasklet that sleeps for zero until
    /// some time has come keeps it from coming; one that is
    /// [nice](super::YieldChannel::be_nice) does not.
    pub fn virtual_jumping() -> Clock {
        Clock::new(Source::Jumps)
    }

    fn new(source: Source) -> Clock {
        Clock {
            inner: Rc::new(Inner {
                source,
                ahead: Cell::new(Duration::ZERO),
            }),
        }
    }

    /// The time since the clock's zero.
    pub fn now(&self) -> Duration {
        let ahead = self.inner.ahead.get();
        match self.inner.source {
            Source::Real(zero) => zero.elapsed().saturating_add(ahead),
            Source::Stands | Source::Jumps => ahead,
        }
    }

    /// Moves the clock on. A real one then goes on from there, that much ahead.
    ///
    /// Nothing happens yet: events that are due by this run at the next pump.
    pub fn advance(&self, by: Duration) {
        let ahead = self.inner.ahead.get();
        self.inner.ahead.set(ahead.saturating_add(by));
    }

    /// Moves the clock on to a time; no clock goes backwards.
    pub fn advance_to(&self, time: Duration) {
        self.advance(time.saturating_sub(self.now()));
    }

    /// True for a clock that does not go by itself.
    pub fn is_virtual(&self) -> bool {
        !matches!(self.inner.source, Source::Real(_))
    }

    /// True for [`Clock::virtual_jumping`].
    pub(super) fn jumps(&self) -> bool {
        self.inner.source == Source::Jumps
    }
}

impl Default for Clock {
    fn default() -> Clock {
        Clock::real()
    }
}

impl fmt::Debug for Clock {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Clock")
            .field("now", &self.now())
            .field("is_virtual", &self.is_virtual())
            .finish()
    }
}
