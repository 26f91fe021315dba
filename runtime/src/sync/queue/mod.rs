//! A queue of values, and of the tasklets that wait to put or to get some.
//!
//! ```text
//!   putters wait           items                        getters wait
//!   for room          front        back                 for items
//!   [P2] [P1] -->   | a | b | c |   |   |  -->          [G1] [G2]
//!                   '-------'       '---'
//!                   reserved: for   promised: room for
//!                   getters woken,  putters woken, not
//!                   not yet run     yet run
//! ```
//!
//! A value is in the frame of its putter, in the buffer, or in the frame of its
//! getter: a wake-up carries a claim and not the value. So a value is never on
//! the stack of a tasklet that may die before it looks at it, and nothing has
//! to be put back in order: a claim that is given up goes to the next.
//!
//! # Invariants
//!
//! * Getters wait only while every item is reserved; putters only while all
//!   room is taken or promised.
//! * Nothing is put once the queue is closed, not even by a putter that was
//!   woken before; so who is told `Closed` has missed nothing. While reserved
//!   items are left, later getters wait: a claim may yet be given up.
//! * No value is dropped in here, nor while the buffer is borrowed.

mod error;

pub use error::{GetError, PutError, TryGetError, TryPutError};

use super::grant::GrantList;
use crate::scheduler::{Park, local};
use crate::wait::reason;
use std::cell::{Cell, RefCell};
use std::collections::VecDeque;
use std::fmt;
use std::panic::Location;
use std::time::Instant;

/// A first in, first out queue between tasklets of one thread, bounded or not.
///
/// Between OS threads, use [`thread::channel`](crate::thread::channel); without
/// a buffer, [`Channel`](crate::Channel).
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
    /// Items claimed by getters that were woken and have not run.
    reserved: Cell<usize>,
    /// Places claimed by putters that were woken and have not run.
    promised: Cell<usize>,
    closed: Cell<bool>,
    getters: GrantList<Claim>,
    putters: GrantList<Claim>,
}

/// What a wake-up has brought.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Claim {
    /// An item, or room for one.
    Granted,
    /// The queue was closed.
    Refused,
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
            reserved: Cell::new(0),
            promised: Cell::new(0),
            closed: Cell::new(false),
            getters: GrantList::new(),
            putters: GrantList::new(),
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
    /// # Errors
    ///
    /// As `put`; after the deadline `Wait(WaitError::TimedOut, value)`.
    #[track_caller]
    pub fn put_deadline(&self, value: T, deadline: Instant) -> Result<(), PutError<T>> {
        self.put_by(value, Some(deadline))
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
        if !self.has_room() || !self.putters.is_empty() {
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
        let give_up = |claim: &mut Claim, woken| {
            if woken && *claim == Claim::Granted {
                self.promised.set(self.promised.get() - 1);
                self.serve_putters();
            }
        };
        let waited = self
            .putters
            .wait(Claim::Granted, park, give_up, |claim| *claim);
        match waited {
            Err(error) => return Err(PutError::Wait(error, value)),
            Ok(Claim::Refused) => return Err(PutError::Closed(value)),
            Ok(Claim::Granted) => self.promised.set(self.promised.get() - 1),
        }
        if self.closed.get() {
            return Err(PutError::Closed(value));
        }
        self.push(value);
        Ok(())
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
    /// # Errors
    ///
    /// As `get`; after the deadline `Wait(WaitError::TimedOut)`.
    #[track_caller]
    pub fn get_deadline(&self, deadline: Instant) -> Result<T, GetError> {
        self.get_by(Some(deadline))
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
        if self.has_free_item() {
            // The invariant: nobody waits.
            return self.pop().ok_or(TryGetError::Empty);
        }
        Err(match self.closed.get() && self.is_empty() {
            true => TryGetError::Closed,
            false => TryGetError::Empty,
        })
    }

    #[track_caller]
    fn get_by(&self, deadline: Option<Instant>) -> Result<T, GetError> {
        match self.try_get() {
            Ok(value) => return Ok(value),
            Err(TryGetError::Closed) => return Err(GetError::Closed),
            Err(TryGetError::Empty) => {}
        }
        let park = Park::new(&reason::QUEUE_GET, Location::caller()).until(deadline);
        let give_up = |claim: &mut Claim, woken| {
            if woken && *claim == Claim::Granted {
                self.reserved.set(self.reserved.get() - 1);
                self.serve_getters();
            }
        };
        let claim = self
            .getters
            .wait(Claim::Granted, park, give_up, |claim| *claim)?;
        if claim == Claim::Refused {
            return Err(GetError::Closed);
        }
        self.reserved.set(self.reserved.get() - 1);
        self.pop().ok_or(GetError::Closed)
    }

    fn has_room(&self) -> bool {
        self.len() + self.promised.get() < self.capacity
    }

    fn has_free_item(&self) -> bool {
        self.len() > self.reserved.get()
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

    /// Wakes as many getters as there are free items.
    fn serve_getters(&self) {
        let Some(scheduler) = local::get() else {
            return;
        };
        while self.has_free_item() && self.getters.grant_next(scheduler, |_| ()) {
            self.reserved.set(self.reserved.get() + 1);
        }
    }

    /// Wakes as many putters as there is free room.
    fn serve_putters(&self) {
        let Some(scheduler) = local::get() else {
            return;
        };
        while self.has_room() && self.putters.grant_next(scheduler, |_| ()) {
            self.promised.set(self.promised.get() + 1);
        }
    }

    /// Refuses values from now on. Putters that wait get `Closed`; getters do
    /// when all values have been taken.
    ///
    /// # Scheduling
    ///
    /// Never switches.
    pub fn close(&self) {
        self.closed.set(true);
        refuse_all(&self.putters);
        self.refuse_if_drained();
    }

    /// Tells getters that nothing is left, if so.
    fn refuse_if_drained(&self) {
        if self.is_empty() {
            refuse_all(&self.getters);
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
        let free = self.len() - self.reserved.get() + self.putters.len();
        free as isize - self.getters.len() as isize
    }

    /// Gets until the queue is closed and all values have been taken.
    pub fn iter(&self) -> Iter<'_, T> {
        Iter { queue: self }
    }
}

fn refuse_all(waiters: &GrantList<Claim>) {
    let Some(scheduler) = local::get() else {
        return;
    };
    while waiters.grant_next(scheduler, |claim| *claim = Claim::Refused) {}
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

/// Gets from a queue; see [`Queue::iter`].
///
/// Any failure of the wait but `Closed`, which ends it, is an item.
#[derive(Debug)]
pub struct Iter<'a, T> {
    queue: &'a Queue<T>,
}

impl<T> Iterator for Iter<'_, T> {
    type Item = Result<T, GetError>;

    fn next(&mut self) -> Option<Self::Item> {
        match self.queue.get() {
            Err(GetError::Closed) => None,
            result => Some(result),
        }
    }
}

impl<'a, T> IntoIterator for &'a Queue<T> {
    type Item = Result<T, GetError>;
    type IntoIter = Iter<'a, T>;

    fn into_iter(self) -> Iter<'a, T> {
        self.iter()
    }
}
