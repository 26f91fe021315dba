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
use crate::error::Uncaught;
use std::cell::RefCell;
use std::collections::{BTreeMap, VecDeque};
use std::fmt;
use std::panic::resume_unwind;
use std::rc::{Rc, Weak};
use std::time::Duration;

/// Told of the panic of an event; see [`EventQueue::set_error_hook`].
pub type EventErrorHook = Rc<dyn Fn(&Uncaught)>;

/// Functions to be called at their time, by whoever pumps. Clones are the same
/// queue.
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

#[derive(Default)]
struct Books {
    /// By id. One that is not in `order` is in `batch` or being called.
    events: BTreeMap<u64, Event>,
    order: BTreeMap<Key, u64>,
    batch: VecDeque<u64>,
    pumping: bool,
    /// Of ids and sequence numbers.
    last_number: u64,
}

/// When, and the sequence number that breaks ties.
type Key = (Due, u64);

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Due {
    /// At the next pump.
    Soon,
    /// When the clock has come there.
    At(Duration),
}

struct Event {
    key: Key,
    /// None while it is being called.
    action: Option<Action>,
}

enum Action {
    Once(Box<dyn FnOnce()>),
    Repeat(Duration, Box<dyn FnMut()>),
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
        let mut books = self.inner.books.borrow_mut();
        let id = books.next_number();
        let key = (due, id);
        books.order.insert(key, id);
        let action = Some(action);
        books.events.insert(id, Event { key, action });
        EventHandle {
            queue: Rc::downgrade(&self.inner),
            id,
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
            match action {
                Action::Once(f) => {
                    let event = self.inner.books.borrow_mut().events.remove(&id);
                    drop(event);
                    tell_failure(caught::contain(f), tell);
                }
                Action::Repeat(period, mut f) => {
                    let outcome = caught::call(&mut f);
                    self.inner.repeat(id, period, f);
                    match outcome {
                        Ok(outcome) => tell_failure(outcome, tell),
                        Err(payload) => resume_unwind(payload),
                    }
                }
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
        let books = self.inner.books.borrow();
        if !books.batch.is_empty() {
            return Some(self.inner.clock.now());
        }
        let (&(due, _), _) = books.order.first_key_value()?;
        Some(match due {
            Due::Soon => self.inner.clock.now(),
            Due::At(time) => time,
        })
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
        self.inner.books.borrow().events.len()
    }

    /// True if no event is waiting.
    pub fn is_empty(&self) -> bool {
        self.inner.books.borrow().events.is_empty()
    }
}

fn tell_failure(outcome: Result<(), Uncaught>, tell: &dyn Fn(Uncaught)) {
    if let Err(error) = outcome {
        tell(error);
    }
}

impl Inner {
    /// Gives a repeated event that was called its next time, unless it was
    /// cancelled meanwhile.
    fn repeat(&self, id: u64, period: Duration, f: Box<dyn FnMut()>) {
        let now = self.clock.now();
        let mut books = self.books.borrow_mut();
        let sequence = books.next_number();
        let Some(event) = books.events.get_mut(&id) else {
            drop(books);
            return drop(f);
        };
        let last = match event.key.0 {
            Due::At(time) => time,
            Due::Soon => now,
        };
        event.key = (Due::At(next_beat(last, period, now)), sequence);
        event.action = Some(Action::Repeat(period, f));
        let key = event.key;
        books.order.insert(key, id);
    }
}

/// The first of `last + period`, `last + 2 period`, .. that is after `now`.
fn next_beat(last: Duration, period: Duration, now: Duration) -> Duration {
    let next = last.saturating_add(period);
    if next > now || period.is_zero() {
        return next;
    }
    let late = now.saturating_sub(last).as_nanos() % period.as_nanos();
    // Less than a period, which is a Duration.
    let late = Duration::new((late / 1_000_000_000) as u64, (late % 1_000_000_000) as u32);
    now.saturating_sub(late).saturating_add(period)
}

impl Books {
    fn next_number(&mut self) -> u64 {
        self.last_number += 1;
        self.last_number
    }

    fn shift(&mut self, moved: impl Fn(Duration) -> Duration) {
        for event in self.events.values_mut() {
            if let (Due::At(time), sequence) = event.key {
                event.key = (Due::At(moved(time)), sequence);
            }
        }
        let ids: Vec<u64> = std::mem::take(&mut self.order).into_values().collect();
        self.order = ids
            .into_iter()
            .map(|id| (self.events[&id].key, id))
            .collect();
    }

    fn remove(&mut self, id: u64) -> Option<Event> {
        let event = self.events.remove(&id)?;
        self.order.remove(&event.key);
        Some(event)
    }
}

/// A pump under way.
struct Pumping<'a> {
    inner: &'a Inner,
}

impl<'a> Pumping<'a> {
    fn begin(inner: &'a Inner) -> Option<Pumping<'a>> {
        let now = inner.clock.now();
        let mut books = inner.books.borrow_mut();
        if books.pumping {
            return None;
        }
        books.pumping = true;
        let later = books.order.split_off(&(Due::At(now), u64::MAX));
        let due = std::mem::replace(&mut books.order, later);
        books.batch = due.into_values().collect();
        Some(Pumping { inner })
    }

    /// The next event of the batch that was not cancelled.
    fn next(&self) -> Option<(u64, Action)> {
        let mut books = self.inner.books.borrow_mut();
        loop {
            let id = books.batch.pop_front()?;
            let event = books.events.get_mut(&id);
            if let Some(action) = event.and_then(|event| event.action.take()) {
                return Some((id, action));
            }
        }
    }
}

impl Drop for Pumping<'_> {
    fn drop(&mut self) {
        let mut books = self.inner.books.borrow_mut();
        books.pumping = false;
        for id in std::mem::take(&mut books.batch) {
            if let Some(key) = books.events.get(&id).map(|event| event.key) {
                books.order.insert(key, id);
            }
        }
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
        let removed = queue.books.borrow_mut().remove(self.id);
        removed.is_some()
    }

    /// True until the event is called (for good) or cancelled.
    pub fn is_pending(&self) -> bool {
        let queue = self.queue.upgrade();
        queue.is_some_and(|queue| queue.books.borrow().events.contains_key(&self.id))
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
