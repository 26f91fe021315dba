//! A bounded channel between OS threads, tasklets and plain threads alike.
//!
//! ```text
//!   senders ----> [ queue: up to `capacity` values ] ----> receivers
//!   waiting senders hold their values beside the queue
//! ```
//!
//! A receiver that takes a value moves the oldest waiting sender's value into
//! the queue, so values keep the order in which the sends began. With capacity
//! zero every send waits until its value is taken. Senders that select keep
//! their values, as another operation may be the chosen one: in their turn they
//! are told that there is room.

mod select;

pub use select::{Receiving, Sending};

use super::error::{ReceiveError, SendError, TryReceiveError, TrySendError};
use super::waiter::{Waiter, wait};
use crate::primitives::{Mutex, MutexGuard};
use crate::scheduler::Park;
use crate::wait::reason;
use std::collections::VecDeque;
use std::fmt;
use std::panic::Location;
use std::sync::{Arc, PoisonError};

/// Makes a channel that holds up to `capacity` values, for values that may
/// move between threads. Both ends may be cloned and used by tasklets of any
/// thread and by OS threads without tasklets.
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
        }),
    });
    let sender = Sender {
        shared: shared.clone(),
    };
    (sender, Receiver { shared })
}

struct Shared<T> {
    state: Mutex<State<T>>,
}

struct State<T> {
    queue: VecDeque<T>,
    capacity: usize,
    senders: usize,
    receivers: usize,
    /// Senders that wait for room, with their values.
    sending: VecDeque<(Waiter, T)>,
    /// Senders that select: they wait for room only.
    watching: VecDeque<Waiter>,
    receiving: VecDeque<Waiter>,
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
                return Some((value, Some(waiter)));
            }
        };
        Some((value, self.admit()))
    }

    /// Lets the first in line use the room there is; who is to be woken.
    fn admit(&mut self) -> Option<Waiter> {
        if !self.has_place() {
            return None;
        }
        let sender = self.sending.front().map(|(waiter, _)| waiter.id());
        let watcher = self.watching.front().map(Waiter::id);
        // Who came first has the lower id.
        if sender.is_some_and(|sender| watcher.is_none_or(|watcher| sender < watcher)) {
            let (waiter, value) = self.sending.pop_front()?;
            self.queue.push_back(value);
            return Some(waiter);
        }
        self.watching.pop_front()
    }

    /// Whether the queue takes one more.
    fn has_place(&self) -> bool {
        self.queue.len() < self.capacity
    }

    /// Whether a value can be sent without a wait: into the queue, or to a
    /// receiver that waits for one.
    fn has_room(&self) -> bool {
        self.has_place() || (self.capacity == 0 && !self.receiving.is_empty())
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
}

/// The sending end of a [`channel`].
pub struct Sender<T> {
    shared: Arc<Shared<T>>,
}

impl<T: Send> Sender<T> {
    /// Sends a value, waiting while the channel is full.
    ///
    /// # Scheduling
    ///
    /// Switches if the channel is full.
    ///
    /// # Cancellation
    ///
    /// A value that no receiver has taken comes back in the error; a kill
    /// drops it. An error thrown at the caller after the value was taken is
    /// dropped: the send has succeeded.
    ///
    /// # Errors
    ///
    /// `Closed` when no receiver is left; the reasons of [`WaitError`](crate::WaitError).
    #[track_caller]
    pub fn send(&self, value: T) -> Result<(), SendError<T>> {
        let location = Location::caller();
        let value = match self.offer(value, State::has_place) {
            Ok(()) => return Ok(()),
            Err(TrySendError::Closed(value)) => return Err(SendError::Closed(value)),
            Err(TrySendError::Full(value)) => value,
        };
        let mut leaving = LeaveSending {
            shared: &self.shared,
            id: None,
        };
        let mut value = Some(value);
        let park = Park::new(&reason::THREAD_SEND, location);
        let result = wait(park, |waiter| {
            let mut state = self.shared.lock();
            if state.receivers == 0 {
                return false;
            }
            leaving.id = Some(waiter.id());
            if let Some(value) = value.take() {
                if state.has_place() {
                    // Room was made since `try_send`.
                    state.queue.push_back(value);
                    leaving.id = None;
                } else {
                    state.sending.push_back((waiter, value));
                }
            }
            let receiver = state.receiving.pop_front();
            drop(state);
            if let Some(receiver) = receiver {
                receiver.wake();
            }
            leaving.id.is_some()
        });
        match (result, leaving.leave().or(value)) {
            (_, None) => Ok(()),
            (Ok(()), Some(value)) => Err(SendError::Closed(value)),
            (Err(error), Some(value)) => Err(SendError::Wait(error, value)),
        }
    }

    /// Sends a value if there is room. Without capacity there is if a receiver
    /// waits; should that be killed before it runs, the next one gets the value.
    ///
    /// # Scheduling
    ///
    /// Never switches.
    ///
    /// # Errors
    ///
    /// `Full`, or `Closed` when no receiver is left.
    pub fn try_send(&self, value: T) -> Result<(), TrySendError<T>> {
        self.offer(value, State::has_room)
    }

    /// Sends a value if there is room by `has_room`.
    fn offer(
        &self,
        value: T,
        has_room: impl FnOnce(&State<T>) -> bool,
    ) -> Result<(), TrySendError<T>> {
        let mut state = self.shared.lock();
        if state.receivers == 0 {
            return Err(TrySendError::Closed(value));
        }
        if !has_room(&state) {
            return Err(TrySendError::Full(value));
        }
        state.queue.push_back(value);
        let receiver = state.receiving.pop_front();
        drop(state);
        if let Some(receiver) = receiver {
            receiver.wake();
        }
        Ok(())
    }
}

/// Takes a sender's value back however its wait ends.
struct LeaveSending<'a, T> {
    shared: &'a Shared<T>,
    id: Option<u64>,
}

impl<T> LeaveSending<'_, T> {
    fn leave(&mut self) -> Option<T> {
        let id = self.id.take()?;
        let mut state = self.shared.lock();
        let position = state.sending.iter().position(|(w, _)| w.id() == id)?;
        state.sending.remove(position).map(|(_, value)| value)
    }
}

impl<T> Drop for LeaveSending<'_, T> {
    fn drop(&mut self) {
        drop(self.leave());
    }
}

/// The receiving end of a [`channel`].
pub struct Receiver<T> {
    shared: Arc<Shared<T>>,
}

impl<T: Send> Receiver<T> {
    /// Takes the oldest value, waiting for one.
    ///
    /// # Scheduling
    ///
    /// Switches if the channel is empty.
    ///
    /// # Cancellation
    ///
    /// Nothing is lost: a value is taken only when this returns it.
    ///
    /// # Errors
    ///
    /// `Closed` when the channel is empty and no sender is left; the reasons
    /// of [`WaitError`](crate::WaitError).
    #[track_caller]
    pub fn receive(&self) -> Result<T, ReceiveError> {
        let location = Location::caller();
        loop {
            match self.try_receive() {
                Ok(value) => return Ok(value),
                Err(TryReceiveError::Closed) => return Err(ReceiveError::Closed),
                Err(TryReceiveError::Empty) => {}
            }
            let mut leaving = LeaveReceiving {
                shared: &self.shared,
                id: None,
            };
            let park = Park::new(&reason::THREAD_RECEIVE, location);
            wait(park, |waiter| {
                let mut state = self.shared.lock();
                if state.has_values() || state.senders == 0 {
                    return false;
                }
                leaving.id = Some(waiter.id());
                let sender = state.add_receiver(waiter);
                drop(state);
                if let Some(sender) = sender {
                    sender.wake();
                }
                true
            })
            .map_err(ReceiveError::Wait)?;
            leaving.id = None;
        }
    }

    /// Takes the oldest value if there is one.
    ///
    /// # Scheduling
    ///
    /// Never switches.
    ///
    /// # Errors
    ///
    /// `Empty`, or `Closed` when no sender is left either.
    pub fn try_receive(&self) -> Result<T, TryReceiveError> {
        let mut state = self.shared.lock();
        let Some((value, admitted)) = state.take() else {
            return Err(if state.senders == 0 {
                TryReceiveError::Closed
            } else {
                TryReceiveError::Empty
            });
        };
        drop(state);
        if let Some(sender) = admitted {
            sender.wake();
        }
        Ok(value)
    }

    /// Receives until the channel is empty and no sender is left.
    pub fn iter(&self) -> impl Iterator<Item = T> + '_ {
        std::iter::from_fn(|| self.receive().ok())
    }
}

/// Leaves the queue of receivers however the wait ends; a wake-up that came
/// too late for this one goes to the next.
struct LeaveReceiving<'a, T> {
    shared: &'a Shared<T>,
    id: Option<u64>,
}

impl<T> Drop for LeaveReceiving<'_, T> {
    fn drop(&mut self) {
        let Some(id) = self.id else {
            return;
        };
        let mut state = self.shared.lock();
        let next = match remove(&mut state.receiving, id) {
            false if state.has_values() => state.receiving.pop_front(),
            _ => None,
        };
        drop(state);
        if let Some(next) = next {
            next.wake();
        }
    }
}

/// Takes a waiter out of the line; false if it was woken already.
fn remove(line: &mut VecDeque<Waiter>, id: u64) -> bool {
    let position = line.iter().position(|waiter| waiter.id() == id);
    position
        .and_then(|position| line.remove(position))
        .is_some()
}

impl<T> Clone for Sender<T> {
    fn clone(&self) -> Sender<T> {
        self.shared.lock().senders += 1;
        Sender {
            shared: self.shared.clone(),
        }
    }
}

impl<T> Drop for Sender<T> {
    fn drop(&mut self) {
        let mut state = self.shared.lock();
        state.senders -= 1;
        let waiting = if state.senders == 0 {
            std::mem::take(&mut state.receiving)
        } else {
            VecDeque::new()
        };
        drop(state);
        waiting.iter().for_each(Waiter::wake);
    }
}

impl<T> Clone for Receiver<T> {
    fn clone(&self) -> Receiver<T> {
        self.shared.lock().receivers += 1;
        Receiver {
            shared: self.shared.clone(),
        }
    }
}

impl<T> Drop for Receiver<T> {
    fn drop(&mut self) {
        let mut state = self.shared.lock();
        state.receivers -= 1;
        if state.receivers > 0 {
            return;
        }
        // Nobody will take them: senders find theirs still there and fail.
        let queue = std::mem::take(&mut state.queue);
        let mut waiting: Vec<Waiter> = state.sending.iter().map(|(w, _)| w.clone()).collect();
        waiting.extend(std::mem::take(&mut state.watching));
        drop(state);
        waiting.iter().for_each(Waiter::wake);
        drop(queue);
    }
}

impl<T> fmt::Debug for Sender<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("thread::Sender")
    }
}

impl<T> fmt::Debug for Receiver<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("thread::Receiver")
    }
}
