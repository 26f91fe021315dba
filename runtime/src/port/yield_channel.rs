//! Giving way to the main loop instead of to the next tasklet.
//!
//! A tasklet that calls `schedule` in a loop keeps the run queue from draining,
//! and so the main loop from coming back out of `run`. One that is *nice*
//! leaves the queue instead, and is back after the next pump:
//!
//! ```text
//!   loop:      pump              run ------------------ drained   pump  ...
//!   tasklets:       A, B queued      A: nice   B: nice                A, B queued
//! ```

use crate::error::WaitError;
use crate::sync::WaitQueue;
use crate::wait::reason;
use std::rc::Rc;

/// Where tasklets wait for the next pump. Clones are the same channel.
///
/// # Scheduling
///
/// Never switches, except where a method says so.
///
/// # Examples
///
/// ```
/// use greenling::port::YieldChannel;
/// let frames = YieldChannel::new();
/// let frame = frames.clone();
/// let task = greenling::spawn(move || {
///     for _ in 0..3 {
///         frame.be_nice().unwrap();
///     }
/// });
/// let mut pumps = 0;
/// while !task.is_finished() {
///     greenling::run().unwrap();
///     pumps += frames.pump();
/// }
/// assert_eq!(pumps, 3);
/// ```
#[doc(alias = "BeNice")]
#[derive(Clone, Debug, Default)]
pub struct YieldChannel {
    waiters: Rc<WaitQueue>,
}

impl YieldChannel {
    /// A channel in which nobody waits.
    pub fn new() -> YieldChannel {
        YieldChannel::default()
    }

    /// Leaves the run queue until the next pump.
    ///
    /// # Scheduling
    ///
    /// Always switches.
    ///
    /// # Cancellation
    ///
    /// Nothing is lost.
    ///
    /// # Errors
    ///
    /// The reasons of [`WaitError`]: `Deadlock` if nobody is left to pump.
    #[track_caller]
    pub fn be_nice(&self) -> Result<(), WaitError> {
        self.waiters.wait_as_receive(&reason::BE_NICE, None)
    }

    /// Queues the tasklets that wait now, oldest first, and counts them. Those
    /// that come back wait for the next pump.
    ///
    /// # Scheduling
    ///
    /// Never switches: they run when the caller gives way.
    pub fn pump(&self) -> usize {
        self.waiters.notify_all()
    }

    /// How many tasklets wait for the next pump.
    pub fn waiting(&self) -> usize {
        self.waiters.len()
    }
}
