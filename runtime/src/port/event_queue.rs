//! Events in the order of their times, called by whoever pumps.
//!
//! ```text
//!   call_soon, call_later, call_at, call_repeatedly
//!        |
//!        v                pump                     one by one
//!   +-----------+   all that is due now   +-------+   called
//!   |   order   | ----------------------> | batch | --------->
//!   +-----------+                         +-------+
//!        ^  what is added while a batch is called, and the next
//!        +- time of a repeated event: for the next pump
//! ```
//!
//! The order is by time, and by sequence number at equal times; what came by
//! `call_soon` is before everything that has a time. Nothing is ever called
//! while the books are open, so events may use the queue as they like.

use super::caught;
use super::clock::Clock;
use super::event_books::{Action, Books, Due};
use crate::error::Uncaught;
use std::cell::RefCell;
use std::fmt;
use std::rc::{Rc, Weak};
use std::time::Duration;

/// Told of the panic of an event; see [`EventQueue::set_error_hook`].
pub type EventErrorHook = Rc<dyn Fn(&Uncaught)>;

/// Functions to be called at their time, by whoever pumps. Clones are the same
/// queue.
///
/// # Scheduling
///
/// Never switches, except where a method says so.
///
/// # Examples
///
/// ```
/// use greenling::port::{Clock, EventQueue};
/// use std::time::Duration;
/// let clock = Clock::virtual_from_zero();
/// let events = EventQueue::new(&clock);
/// events.call_later(Duration::from_secs(2), || println!("two seconds"));
/// events.call_soon(|| println!("now"));
/// assert_eq!(events.pump(), 1);
/// assert_eq!(events.next_due(), Some(Duration::from_secs(2)));
/// clock.advance(Duration::from_secs(2));
/// assert_eq!(events.pump(), 1);
/// ```
#[derive(Clone)]
pub struct EventQueue {
    inner: Rc<Inner>,
}

struct Inner {
    clock: Clock,
    books: RefCell<Books>,
    error_hook: RefCell<Option<EventErrorHook>>,
}

impl EventQueue {
    /// An empty queue that goes by `clock`.
    pub fn new(clock: &Clock) -> EventQueue {
        EventQueue {
            inner: Rc::new(Inner {
                clock: clock.clone(),
                books: RefCell::default(),
                error_hook: RefCell::new(None),
            }),
        }
    }

    /// The clock that the queue goes by.
    pub fn clock(&self) -> &Clock {
        &self.inner.clock
    }

    /// Has `f` called by the next pump, ahead of all that has a time.
    ///
    /// # Scheduling
    ///
    /// Never switches.
    pub fn call_soon(&self, f: impl FnOnce() + 'static) -> EventHandle {
        self.add(Due::Soon, Action::Once(Box::new(f)))
    }

    /// Has `f` called by the first pump after `delay`.
    ///
    /// # Scheduling
    ///
    /// Never switches.
    pub fn call_later(&self, delay: Duration, f: impl FnOnce() + 'static) -> EventHandle {
        self.call_at(self.inner.clock.now().saturating_add(delay), f)
    }

    /// Has `f` called by the first pump at or after `time` of the clock.
    ///
    /// # Scheduling
    ///
    /// Never switches.
    pub fn call_at(&self, time: Duration, f: impl FnOnce() + 'static) -> EventHandle {
        self.add(Due::At(time), Action::Once(Box::new(f)))
    }

    /// Has `f` called every `period`, for the first time after one.
    ///
    /// The times are multiples of the period, however late the pumps are; of
    /// several that have passed, one call makes up for all. With a period of
    /// zero it is called by every pump. A call that panics does not end it.
    ///
    /// # Scheduling
    ///
    /// Never switches.
    pub fn call_repeatedly(&self, period: Duration, f: impl FnMut() + 'static) -> EventHandle {
        let first = self.inner.clock.now().saturating_add(period);
        self.add(Due::At(first), Action::Repeat(period, Box::new(f)))
    }

    fn add(&self, due: Due, action: Action) -> EventHandle {
        EventHandle {
            queue: Rc::downgrade(&self.inner),
            id: self.inner.books.borrow_mut().add(due, action),
        }
    }

    /// Calls all events that are due, and counts them.
    ///
    /// The batch is put together first: what is added by the events it calls
    /// waits for the next pump, even if it is due at once. A pump within a
    /// pump (by an event, or by another tasklet while an event waits) calls
    /// nothing and returns 0.
    ///
    /// When an event panics, the error hook is told, or else the log, and the
    /// others are called. A kill of the pumping tasklet, or an error thrown at
    /// it, unwinds from here; the rest of the batch stays in the queue, in its
    /// place.
    ///
    /// # Scheduling
    ///
    /// Switches only as the events do.
    ///
    /// # Cancellation
    ///
    /// Events whose turn had not come stay in the queue.
    ///
    /// # Examples
    ///
    /// ```
    /// use greenling::port::{Clock, EventQueue};
    /// let events = EventQueue::new(&Clock::virtual_from_zero());
    /// let again = events.clone();
    /// events.call_soon(move || {
    ///     again.call_soon(|| ());
    /// });
    /// assert_eq!(events.pump(), 1);
    /// assert_eq!(events.pump(), 1);
    /// assert_eq!(events.pump(), 0);
    /// ```
    pub fn pump(&self) -> usize {
        self.pump_telling(&|error| {
            let hook = self.inner.error_hook.borrow().clone();
            match hook {
                Some(hook) => hook(&error),
                None => log::error!("greenling: an event of a queue failed: {error}"),
            }
        })
    }

    /// As `pump`, with another error hook.
    pub(super) fn pump_telling(&self, tell: &dyn Fn(Uncaught)) -> usize {
        let Some(pumping) = Pumping::begin(&self.inner) else {
            return 0;
        };
        let mut called = 0;
        while let Some((id, action)) = pumping.next() {
            called += 1;
            let outcome = match action {
                Action::Once(f) => {
                    self.inner.remove(id);
                    caught::call(f)
                }
                Action::Repeat(period, mut f) => {
                    let outcome = caught::call(&mut f);
                    self.inner.repeat(id, period, f);
                    outcome
                }
            };
            if let Err(caught) = outcome {
                tell(caught.into_panic());
            }
        }
        called
    }

    /// Chooses who is told of the panics of events; `None`: the log.
    ///
    /// The hook's own panic unwinds from [`pump`](EventQueue::pump).
    pub fn set_error_hook(&self, hook: Option<EventErrorHook>) {
        let previous = self.inner.error_hook.replace(hook);
        drop(previous);
    }

    /// The time of the next event: now, if one waits for the next pump in any
    /// case.
    pub fn next_due(&self) -> Option<Duration> {
        let now = self.inner.clock.now();
        self.inner.books.borrow().next_due(now)
    }

    /// Moves all events that have a time to one that is `by` later: the
    /// program was stopped for so long, and should not have to catch up.
    #[doc(alias = "reschedule")]
    pub fn postpone(&self, by: Duration) {
        let later = |time: Duration| time.saturating_add(by);
        self.inner.books.borrow_mut().shift(later);
    }

    /// Moves all events that have a time to one that is `by` earlier.
    #[doc(alias = "reschedule")]
    pub fn bring_forward(&self, by: Duration) {
        let earlier = |time: Duration| time.saturating_sub(by);
        self.inner.books.borrow_mut().shift(earlier);
    }

    /// How many events are waiting, repeated ones included.
    pub fn len(&self) -> usize {
        self.inner.books.borrow().len()
    }

    /// True if no event is waiting.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

impl Inner {
    /// False if the event has been called already, or was cancelled.
    fn remove(&self, id: u64) -> bool {
        // A statement of its own: the event is dropped while the books are
        // closed.
        let removed = self.books.borrow_mut().remove(id);
        removed.is_some()
    }

    fn repeat(&self, id: u64, period: Duration, f: Box<dyn FnMut()>) {
        let now = self.clock.now();
        let cancelled = self.books.borrow_mut().repeat(id, period, f, now);
        drop(cancelled);
    }
}

/// A pump under way.
struct Pumping<'a> {
    inner: &'a Inner,
}

impl<'a> Pumping<'a> {
    fn begin(inner: &'a Inner) -> Option<Pumping<'a>> {
        let now = inner.clock.now();
        let begun = inner.books.borrow_mut().begin_batch(now);
        begun.then_some(Pumping { inner })
    }

    fn next(&self) -> Option<(u64, Action)> {
        self.inner.books.borrow_mut().next_of_batch()
    }
}

impl Drop for Pumping<'_> {
    fn drop(&mut self) {
        self.inner.books.borrow_mut().end_batch();
    }
}

impl fmt::Debug for EventQueue {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("EventQueue")
            .field("clock", &self.inner.clock)
            .field("len", &self.len())
            .finish()
    }
}

/// An event of an [`EventQueue`]. Dropping the handle leaves the event alone.
///
/// # Scheduling
///
/// Never switches, except where a method says so.
#[derive(Clone)]
pub struct EventHandle {
    queue: Weak<Inner>,
    id: u64,
}

impl EventHandle {
    /// Takes the event out of the queue; false if it has been called already.
    /// A repeated one that is just being called is called no more.
    ///
    /// # Scheduling
    ///
    /// Never switches.
    pub fn cancel(&self) -> bool {
        let Some(queue) = self.queue.upgrade() else {
            return false;
        };
        queue.remove(self.id)
    }

    /// True until the event is called (for good) or cancelled.
    pub fn is_pending(&self) -> bool {
        let queue = self.queue.upgrade();
        queue.is_some_and(|queue| queue.books.borrow().contains(self.id))
    }
}

/// Takes an event out of its queue that is of no use any more.
pub(super) struct CancelOnDrop(pub(super) EventHandle);

impl Drop for CancelOnDrop {
    fn drop(&mut self) {
        self.0.cancel();
    }
}

impl fmt::Debug for EventHandle {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("EventHandle")
            .field("is_pending", &self.is_pending())
            .finish()
    }
}
