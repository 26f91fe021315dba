//! What `select` asks of an operation, step by step.

use crate::error::WaitError;
use crate::scheduler::{ExternalWaker, Scheduler};
use crate::wait::Places;
use std::fmt;
use std::time::Instant;

/// The scheduler of the tasklet that selects.
#[derive(Clone, Copy)]
pub struct Here<'s>(pub(crate) &'s Scheduler);

/// What wakes that tasklet from other threads.
pub struct Alarm(pub(crate) ExternalWaker);

/// The lists that it is linked in.
pub struct Links<'a>(pub(crate) Places<'a>);

impl fmt::Debug for Here<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Here")
    }
}

impl fmt::Debug for Alarm {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Alarm")
    }
}

impl fmt::Debug for Links<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Links")
    }
}

/// The steps of an operation. Each has a default for those that need none.
///
/// While the tasklet is parked it may be linked in lists of its thread, and from
/// `enrol` to `leave` it may be enlisted with other threads. `settle` and `leave`
/// come however the wait ends; between them it may be attempted.
pub trait Steps {
    /// Takes place if that is possible without waiting, and keeps the output.
    fn attempt(&mut self, here: Here<'_>) -> bool;

    /// Gets ready to wait; true if other threads are to wake it.
    fn prepare(&mut self, _here: Here<'_>) -> Result<bool, WaitError> {
        Ok(false)
    }

    /// Gives the alarm to other threads; false if there is something to attempt
    /// already.
    fn enrol(&mut self, _alarm: &Alarm) -> bool {
        true
    }

    /// Links the tasklet wherever a tasklet of this thread may find it.
    fn link<'a>(&'a self, _links: &mut Links<'a>) {}

    /// The wait is over, well or not. True if a partner has completed the
    /// operation meanwhile, and the output is kept.
    fn settle(&mut self, _woken: bool) -> bool {
        false
    }

    /// Is enlisted with other threads no longer.
    fn leave(&mut self) {}

    /// When an attempt succeeds by itself.
    fn deadline(&self) -> Option<Instant> {
        None
    }
}

impl<O: Steps + ?Sized> Steps for &mut O {
    fn attempt(&mut self, here: Here<'_>) -> bool {
        (**self).attempt(here)
    }

    fn prepare(&mut self, here: Here<'_>) -> Result<bool, WaitError> {
        (**self).prepare(here)
    }

    fn enrol(&mut self, alarm: &Alarm) -> bool {
        (**self).enrol(alarm)
    }

    fn link<'a>(&'a self, links: &mut Links<'a>) {
        (**self).link(links);
    }

    fn settle(&mut self, woken: bool) -> bool {
        (**self).settle(woken)
    }

    fn leave(&mut self) {
        (**self).leave();
    }

    fn deadline(&self) -> Option<Instant> {
        (**self).deadline()
    }
}

impl<O: super::Operation + ?Sized> super::Operation for &mut O {
    type Output = O::Output;

    fn take(&mut self) -> Option<O::Output> {
        (**self).take()
    }
}
