//! A queue of values, and of the tasklets that wait to put or to get some.
//!
//! ```text
//!   putters wait           items                        getters wait
//!   for room          front        back                 for items
//!   [P2] [P1] -->   | a | b | c |   |   |  -->          [G1] [G2]
//!                   '-------'       '---'
//!                    claimed:        claimed:
//!                    by getters      by putters
//!                    woken, not      woken, not
//!                    yet run         yet run
//! ```
//!
//! A value is in the frame of its putter, in the buffer, or in the frame of its
//! getter: a wake-up carries a claim and not the value. So a value is never on
//! the stack of a tasklet that may die before it looks at it, and nothing has
//! to be put back in order: a claim that is given up goes to the next.
//!
//! # Invariants
//!
//! * Getters wait only while every item is claimed; putters only while all room
//!   is taken or claimed.
//! * Nothing is put once the queue is closed, not even by a putter that was
//!   woken before; so who is told `Closed` has missed nothing. While claimed
//!   items are left, later getters wait: a claim may yet be given up.
//! * No value is dropped in here, nor while the buffer is borrowed.

mod error;
mod iter;
mod side;

pub use error::{GetError, PutError, TryGetError, TryPutError};
pub use iter::Iter;

use super::grant::deadline_after;
use crate::scheduler::Park;
use crate::tasklet::Tasklet;
use crate::wait::reason;
use side::Side;
use std::cell::{Cell, RefCell};
use std::collections::VecDeque;
use std::fmt;
use std::panic::Location;
use std::time::{Duration, Instant};

/// A first in, first out queue between tasklets of one thread, bounded or not.
///
/// Between OS threads, use [`thread::channel`](crate::thread::channel); without
/// a buffer, [`Channel`](crate::Channel).
///
/// # Scheduling
///
/// Never switches, except where a method says so.
///
/// # Examples
///
/// ```
/// use greenling::sync::Queue;
/// use std::rc::Rc;
/// let jobs = Rc::new(Queue::bounded(2));
/// let inside = jobs.clone();
/// let worker = greenling::spawn(move || {
///     let done: Result<Vec<i32>, _> = inside.iter().collect();
///     done.unwrap()
/// });
/// for job in 1..=5 {
///     jobs.put(job).unwrap();
/// }
/// jobs.close();
/// assert_eq!(worker.join().unwrap(), [1, 2, 3, 4, 5]);
/// ```
#[doc(alias = "QueueChannel")]
pub struct Queue<T> {
    items: RefCell<VecDeque<T>>,
    capacity: usize,
    closed: Cell<bool>,
    /// Their claims are items.
    getters: Side,
    /// Their claims are places.
    putters: Side,
}

impl<T> Queue<T> {
    /// An unbounded queue: `put` never waits.
    pub const fn new() -> Queue<T> {
        Queue::with_capacity(usize::MAX)
    }

    /// A queue that holds up to `capacity` values.
    ///
    /// # Panics
    ///
    /// If `capacity` is 0: for a rendezvous use [`Channel`](crate::Channel).
    pub const fn bounded(capacity: usize) -> Queue<T> {
        assert!(capacity > 0, "a queue needs room for one value");
        Queue::with_capacity(capacity)
    }

    const fn with_capacity(capacity: usize) -> Queue<T> {
        Queue {
            items: RefCell::new(VecDeque::new()),
            capacity,
            closed: Cell::new(false),
            getters: Side::new(),
            putters: Side::new(),
        }
    }

    /// Appends a value, waiting for room if need be.
    ///
    /// # Scheduling
    ///
    /// Switches if there is no room, or if others wait for it.
    ///
    /// # Cancellation
    ///
    /// The value was not put: it comes back in the error, and a kill drops it.
    ///
    /// # Errors
    ///
    /// `Closed` if the queue is closed, now or while the caller waits; `Wait`
    /// if the wait ended otherwise.
    #[track_caller]
    pub fn put(&self, value: T) -> Result<(), PutError<T>> {
        self.put_by(value, None)
    }

    /// As [`put`](Queue::put), but not longer than until `deadline`.
    ///
    /// # Scheduling
    ///
    /// As [`put`](Queue::put).
    ///
    /// # Cancellation
    ///
    /// As [`put`](Queue::put).
    ///
    /// # Errors
    ///
    /// As `put`; after the deadline `Wait(WaitError::TimedOut, value)`.
    #[track_caller]
    pub fn put_deadline(&self, value: T, deadline: Instant) -> Result<(), PutError<T>> {
        self.put_by(value, Some(deadline))
    }

    /// As [`put`](Queue::put), but not longer than `timeout`.
    ///
    /// # Scheduling
    ///
    /// As [`put`](Queue::put).
    ///
    /// # Cancellation
    ///
    /// As [`put`](Queue::put).
    ///
    /// # Errors
    ///
    /// As `put_deadline`.
    #[track_caller]
    pub fn put_timeout(&self, value: T, timeout: Duration) -> Result<(), PutError<T>> {
        self.put_by(value, deadline_after(timeout))
    }

    /// Appends a value if there is room and nobody waits for it.
    ///
    /// # Scheduling
    ///
    /// Never switches.
    ///
    /// # Errors
    ///
    /// `Full` if there is no room, or others wait for it; `Closed`.
    pub fn try_put(&self, value: T) -> Result<(), TryPutError<T>> {
        if self.closed.get() {
            return Err(TryPutError::Closed(value));
        }
        if !self.has_room(self.putters.claims()) {
            // Nobody waits for room but when there is none.
            return Err(TryPutError::Full(value));
        }
        self.push(value);
        Ok(())
    }

    #[track_caller]
    fn put_by(&self, value: T, deadline: Option<Instant>) -> Result<(), PutError<T>> {
        let value = match self.try_put(value) {
            Ok(()) => return Ok(()),
            Err(TryPutError::Closed(value)) => return Err(PutError::Closed(value)),
            Err(TryPutError::Full(value)) => value,
        };
        let park = Park::new(&reason::QUEUE_PUT, Location::caller()).until(deadline);
        match self.putters.wait(park, || self.serve_putters()) {
            Err(error) => Err(PutError::Wait(error, value)),
            Ok(has_claim) if !has_claim || self.closed.get() => Err(PutError::Closed(value)),
            Ok(_) => {
                self.push(value);
                Ok(())
            }
        }
    }

    /// Takes the oldest value, waiting for one if need be.
    ///
    /// # Scheduling
    ///
    /// Switches if there is no value, or if others wait for one.
    ///
    /// # Cancellation
    ///
    /// Nothing is lost: a value for which the caller was woken stays in its
    /// place, for the next.
    ///
    /// # Errors
    ///
    /// `Closed` if the queue is closed and all values have been taken; `Wait`
    /// if the wait ended otherwise.
    #[track_caller]
    pub fn get(&self) -> Result<T, GetError> {
        self.get_by(None)
    }

    /// As [`get`](Queue::get), but not longer than until `deadline`.
    ///
    /// # Scheduling
    ///
    /// As [`get`](Queue::get).
    ///
    /// # Cancellation
    ///
    /// As [`get`](Queue::get).
    ///
    /// # Errors
    ///
    /// As `get`; after the deadline `Wait(WaitError::TimedOut)`.
    #[track_caller]
    pub fn get_deadline(&self, deadline: Instant) -> Result<T, GetError> {
        self.get_by(Some(deadline))
    }

    /// As [`get`](Queue::get), but not longer than `timeout`.
    ///
    /// # Scheduling
    ///
    /// As [`get`](Queue::get).
    ///
    /// # Cancellation
    ///
    /// As [`get`](Queue::get).
    ///
    /// # Errors
    ///
    /// As `get_deadline`.
    #[track_caller]
    pub fn get_timeout(&self, timeout: Duration) -> Result<T, GetError> {
        self.get_by(deadline_after(timeout))
    }

    /// Takes the oldest value, if there is one that nobody waits for.
    ///
    /// # Scheduling
    ///
    /// Never switches.
    ///
    /// # Errors
    ///
    /// `Empty` if there is none, or others were woken to get it; `Closed` if the
    /// queue is closed and all values have been taken.
    pub fn try_get(&self) -> Result<T, TryGetError> {
        if self.has_items(self.getters.claims()) {
            // Nobody waits for items but when there are none.
            return self.pop().ok_or(TryGetError::Empty);
        }
        if self.closed.get() && self.is_empty() {
            return Err(TryGetError::Closed);
        }
        Err(TryGetError::Empty)
    }

    #[track_caller]
    fn get_by(&self, deadline: Option<Instant>) -> Result<T, GetError> {
        match self.try_get() {
            Ok(value) => return Ok(value),
            Err(TryGetError::Closed) => return Err(GetError::Closed),
            Err(TryGetError::Empty) => {}
        }
        let park = Park::new(&reason::QUEUE_GET, Location::caller()).until(deadline);
        if !self.getters.wait(park, || self.serve_getters())? {
            return Err(GetError::Closed);
        }
        self.pop().ok_or(GetError::Closed)
    }

    fn has_room(&self, claims: usize) -> bool {
        self.len() + claims < self.capacity
    }

    fn has_items(&self, claims: usize) -> bool {
        self.len() > claims
    }

    fn push(&self, value: T) {
        self.items.borrow_mut().push_back(value);
        self.serve_getters();
    }

    fn pop(&self) -> Option<T> {
        let value = self.items.borrow_mut().pop_front();
        if self.closed.get() {
            self.refuse_if_drained();
        } else {
            self.serve_putters();
        }
        value
    }

    fn serve_getters(&self) {
        self.getters.serve(|claims| self.has_items(claims));
    }

    fn serve_putters(&self) {
        self.putters.serve(|claims| self.has_room(claims));
    }

    /// Refuses values from now on. Putters that wait get `Closed`; getters do
    /// when all values have been taken.
    ///
    /// # Scheduling
    ///
    /// Never switches.
    pub fn close(&self) {
        self.closed.set(true);
        self.putters.refuse();
        self.refuse_if_drained();
    }

    /// Tells getters that nothing is left, if so.
    fn refuse_if_drained(&self) {
        if self.is_empty() {
            self.getters.refuse();
        }
    }

    /// Whether the queue is closed. There may be values left in it.
    pub fn is_closed(&self) -> bool {
        self.closed.get()
    }

    /// Values in the queue, those included for which getters have been woken
    /// that have not run yet.
    pub fn len(&self) -> usize {
        self.items.borrow().len()
    }

    /// Whether there is no value in the queue.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// How many values it may hold; `None` if it is unbounded.
    pub fn capacity(&self) -> Option<usize> {
        (self.capacity < usize::MAX).then_some(self.capacity)
    }

    /// Stackless' balance, as of stacklesslib's `QueueChannel`: values in the
    /// queue and putters that wait (positive), or getters that wait (negative).
    pub fn balance(&self) -> isize {
        let free = self.len() - self.getters.claims() + self.putters.len();
        free as isize - self.getters.len() as isize
    }

    /// Who waits for a value, oldest first.
    pub fn getters(&self) -> Vec<Tasklet> {
        self.getters.waiters()
    }

    /// Who waits for room, oldest first.
    pub fn putters(&self) -> Vec<Tasklet> {
        self.putters.waiters()
    }

    /// Gets until the queue is closed and all values have been taken.
    ///
    /// # Scheduling
    ///
    /// Never switches; each step of the iterator does as [`get`](Queue::get) does.
    pub fn iter(&self) -> Iter<'_, T> {
        Iter::new(self)
    }
}

impl<T> Default for Queue<T> {
    fn default() -> Queue<T> {
        Queue::new()
    }
}

impl<T> fmt::Debug for Queue<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Queue")
            .field("len", &self.len())
            .field("capacity", &self.capacity())
            .field("closed", &self.closed.get())
            .field("getters", &self.getters.len())
            .field("putters", &self.putters.len())
            .finish()
    }
}
