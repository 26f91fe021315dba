//! A bounded channel between OS threads: for tasklets, plain threads and, with
//! feature `may`, coroutines of the `may` crate.
//!
//! ```text
//!   senders ----> [ queue: up to `capacity` values ] ----> receivers
//!   waiting senders hold their values beside the queue
//! ```
//!
//! A receiver that takes a value moves the oldest waiting sender's value into
//! the queue, so values keep the order in which the sends began. Senders that
//! select keep theirs, are told in their turn that there is room, and send when
//! they run. With capacity zero every send waits until its value is taken.
//!
//! Nobody is handed a value: a receiver is woken, and takes the oldest when it
//! runs. One that ends before it runs passes its wake-up on, so neither values
//! nor wake-ups are lost by kills, time limits and cancelled coroutines.

mod receiver;
mod select;
mod sender;

pub use receiver::Receiver;
pub use select::{Receiving, Sending};
pub use sender::Sender;

use super::waiter::Waiter;
use crate::primitives::{Mutex, MutexGuard};
use receiver::LeaveReceiving;
use std::collections::VecDeque;
use std::sync::{Arc, PoisonError};

/// Makes a channel that holds up to `capacity` values, for values that may
/// move between threads. Both ends may be cloned and used by tasklets of any
/// thread, by OS threads without tasklets and, with feature `may`, by coroutines
/// of the `may` crate, all at the same time.
///
/// # Scheduling
///
/// Never switches.
///
/// # Examples
///
/// ```
/// let (sender, receiver) = greenling::thread::channel(4);
/// let thread = std::thread::spawn(move || {
///     for n in 0..3 {
///         sender.send(n).unwrap();
///     }
/// });
/// assert_eq!(receiver.iter().collect::<Vec<_>>(), [0, 1, 2]);
/// thread.join().unwrap();
/// ```
pub fn channel<T: Send>(capacity: usize) -> (Sender<T>, Receiver<T>) {
    let shared = Arc::new(Shared {
        state: Mutex::new(State {
            queue: VecDeque::new(),
            capacity,
            senders: 1,
            receivers: 1,
            sending: VecDeque::new(),
            watching: VecDeque::new(),
            receiving: VecDeque::new(),
            closing: Vec::new(),
        }),
    });
    (Sender::new(shared.clone()), Receiver::new(shared))
}

struct Shared<T> {
    state: Mutex<State<T>>,
}

struct State<T> {
    queue: VecDeque<T>,
    capacity: usize,
    senders: usize,
    receivers: usize,
    /// What was sent and does not fit in, with those senders that wait for room;
    /// a `try_send` to a receiver that waits does not.
    sending: VecDeque<(Option<Waiter>, T)>,
    receiving: VecDeque<Waiter>,
    /// Senders that select: they wait for room only.
    watching: VecDeque<Waiter>,
    /// Those who wait for the last receiver to go.
    closing: Vec<Waiter>,
}

impl<T> Shared<T> {
    /// No user code runs under the lock, so poison means nothing.
    fn lock(&self) -> MutexGuard<'_, State<T>> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl<T> State<T> {
    /// The oldest value; the sender that is let in by that, if any.
    fn take(&mut self) -> Option<(T, Option<Waiter>)> {
        let value = match self.queue.pop_front() {
            Some(value) => value,
            None => {
                let (waiter, value) = self.sending.pop_front()?;
                return Some((value, waiter));
            }
        };
        Some((value, self.admit()))
    }

    /// Lets the first in line use the room there is; who is to be woken.
    fn admit(&mut self) -> Option<Waiter> {
        if !self.has_room() {
            return None;
        }
        let id_of = |(waiter, _): &(Option<Waiter>, T)| waiter.as_ref().map_or(0, Waiter::id);
        let sender = self.sending.front().map(id_of);
        let watcher = self.watching.front().map(Waiter::id);
        // Who came first has the lower id.
        if sender.is_some_and(|sender| watcher.is_none_or(|watcher| sender < watcher)) {
            let (waiter, value) = self.sending.pop_front()?;
            self.queue.push_back(value);
            return waiter;
        }
        self.watching.pop_front()
    }

    /// Queues a receiver; a sender to be woken, since it waits for one.
    fn add_receiver(&mut self, waiter: Waiter) -> Option<Waiter> {
        self.receiving.push_back(waiter);
        match self.capacity {
            0 => self.watching.pop_front(),
            _ => None,
        }
    }

    fn has_values(&self) -> bool {
        !self.queue.is_empty() || !self.sending.is_empty()
    }

    /// Values that a receive would find.
    fn len(&self) -> usize {
        self.queue.len() + self.sending.len()
    }

    fn has_room(&self) -> bool {
        self.queue.len() < self.capacity
    }

    /// Whether a sender that comes now is the next to be let in: room that was
    /// promised to one that selects is not for those behind it.
    fn is_next(&self) -> bool {
        self.has_room() && self.sending.is_empty()
    }

    /// Whether a value need not wait: there is room or, without capacity, a
    /// receiver that waits.
    fn takes_at_once(&self) -> bool {
        self.has_room() || (self.capacity == 0 && !self.receiving.is_empty())
    }
}

/// Takes a waiter out of the line; false if it was woken already.
fn remove(line: &mut VecDeque<Waiter>, id: u64) -> bool {
    let position = line.iter().position(|waiter| waiter.id() == id);
    position
        .and_then(|position| line.remove(position))
        .is_some()
}
