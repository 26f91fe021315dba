//! Sleeping until an event queue is pumped.

use super::event_queue::{CancelOnDrop, EventQueue};
use crate::error::WaitError;
use crate::scheduler::Park;
use crate::sync::Event;
use crate::wait::reason;
use std::panic::Location;
use std::rc::Rc;
use std::time::Duration;

/// Sleeps that an event queue ends: tasklets sleep by its clock, and wake when
/// it is pumped.
///
/// With a virtual clock, a program that sleeps for hours is tested in no time.
/// Where nobody pumps, [`time::sleep`](crate::time::sleep) is for you.
///
/// # Scheduling
///
/// Never switches, except where a method says so.
///
/// # Examples
///
/// ```
/// use greenling::port::{Clock, EventQueue, Sleeper};
/// use std::time::Duration;
/// let clock = Clock::virtual_from_zero();
/// let events = EventQueue::new(&clock);
/// let sleeper = Sleeper::new(&events);
/// let task = greenling::spawn(move || sleeper.sleep(Duration::from_secs(3600)));
/// greenling::run().unwrap();
/// clock.advance(Duration::from_secs(3600));
/// events.pump();
/// task.join().unwrap().unwrap();
/// ```
#[derive(Clone, Debug)]
pub struct Sleeper {
    events: EventQueue,
}

impl Sleeper {
    /// Sleeps by the events of `events`.
    pub fn new(events: &EventQueue) -> Sleeper {
        Sleeper {
            events: events.clone(),
        }
    }

    /// Parks the caller until the first pump after `duration` of the queue's
    /// clock; a sleep of zero ends with the next pump. Sleepers that are due at
    /// the same time are queued in the order in which they went to sleep.
    ///
    /// # Scheduling
    ///
    /// Always switches.
    ///
    /// # Cancellation
    ///
    /// Nothing is lost: a sleep that ends early leaves no event behind.
    ///
    /// # Errors
    ///
    /// The reasons of [`WaitError`]: `Deadlock` if nobody is left to pump.
    #[track_caller]
    pub fn sleep(&self, duration: Duration) -> Result<(), WaitError> {
        let over = Rc::new(Event::new());
        let theirs = over.clone();
        let wake = move || theirs.set();
        let event = if duration.is_zero() {
            self.events.call_soon(wake)
        } else {
            self.events.call_later(duration, wake)
        };
        let _cancel = CancelOnDrop(event);
        over.wait_by(Park::new(&reason::PUMPED_SLEEP, Location::caller()))
    }
}
