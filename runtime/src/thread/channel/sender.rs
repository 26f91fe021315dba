//! The sending end.

use super::{Shared, State};
use crate::error::WaitError;
use crate::primitives::MutexGuard;
use crate::scheduler::{Park, local};
use crate::thread::error::{SendError, TrySendError};
use crate::thread::waiter::{Waiter, deadline_after, wait};
use crate::wait::reason;
use std::fmt;
use std::panic::Location;
use std::sync::Arc;
use std::time::{Duration, Instant};

/// The sending end of a [`channel`](fn@crate::thread::channel).
///
/// # Scheduling
///
/// Never switches, except where a method says so.
pub struct Sender<T> {
    pub(super) shared: Arc<Shared<T>>,
}

impl<T> Sender<T> {
    pub(super) fn new(shared: Arc<Shared<T>>) -> Sender<T> {
        Sender { shared }
    }

    /// How many values a receive would find: those in the queue, and those of
    /// senders that wait.
    pub fn len(&self) -> usize {
        self.shared.lock().len()
    }

    /// True if a receive would find nothing.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// True if a send would wait.
    pub fn is_full(&self) -> bool {
        !self.shared.lock().has_room()
    }

    /// How many values the queue holds.
    pub fn capacity(&self) -> usize {
        self.shared.lock().capacity
    }

    /// True if no receiver is left.
    pub fn is_closed(&self) -> bool {
        self.shared.lock().receivers == 0
    }
}

impl<T: Send> Sender<T> {
    /// Sends a value, waiting while the channel is full.
    ///
    /// # Scheduling
    ///
    /// Switches if the channel is full, and before it begins after 32 operations
    /// in a row that did not have to.
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
        self.send_until(value, None, Location::caller())
    }

    /// As [`send`](Sender::send), waiting no longer than until `deadline`: also on
    /// OS threads without tasklets, which have no timeout scopes.
    ///
    /// # Scheduling
    ///
    /// As [`send`](Sender::send).
    ///
    /// # Cancellation
    ///
    /// As [`send`](Sender::send).
    ///
    /// # Errors
    ///
    /// As [`send`](Sender::send); after the deadline `Wait(TimedOut, value)`.
    #[track_caller]
    pub fn send_deadline(&self, value: T, deadline: Instant) -> Result<(), SendError<T>> {
        self.send_until(value, Some(deadline), Location::caller())
    }

    /// As [`send_deadline`](Sender::send_deadline), for as long as `timeout`.
    ///
    /// # Scheduling
    ///
    /// As [`send`](Sender::send).
    ///
    /// # Cancellation
    ///
    /// As [`send`](Sender::send).
    ///
    /// # Errors
    ///
    /// As [`send_deadline`](Sender::send_deadline).
    #[track_caller]
    pub fn send_timeout(&self, value: T, timeout: Duration) -> Result<(), SendError<T>> {
        self.send_until(value, deadline_after(timeout), Location::caller())
    }

    fn send_until(
        &self,
        value: T,
        deadline: Option<Instant>,
        location: &'static Location<'static>,
    ) -> Result<(), SendError<T>> {
        if let Some(scheduler) = local::get()
            && let Err(error) = scheduler.give_way_when_due()
        {
            return Err(SendError::Wait(error, value));
        }
        let state = self.shared.lock();
        if state.receivers == 0 {
            return Err(SendError::Closed(value));
        }
        if state.is_next() {
            put(state, |state| state.queue.push_back(value));
            return Ok(());
        }
        drop(state);
        let mut leaving = LeaveSending {
            shared: &self.shared,
            id: None,
        };
        let mut value = Some(value);
        let park = Park::new(&reason::THREAD_SEND, location).until(deadline);
        let result = wait(park, |waiter| {
            let state = self.shared.lock();
            if state.receivers == 0 {
                return false;
            }
            let Some(value) = value.take() else {
                return false;
            };
            // Room may have been made meanwhile.
            let waits = !state.is_next();
            if waits {
                leaving.id = Some(waiter.id());
            }
            put(state, |state| {
                if waits {
                    state.sending.push_back((Some(waiter), value));
                } else {
                    state.queue.push_back(value);
                }
            });
            waits
        });
        match (result, leaving.leave().or(value)) {
            (_, None) => Ok(()),
            (Ok(()), Some(value)) => Err(SendError::Closed(value)),
            (Err(error), Some(value)) => Err(SendError::Wait(error, value)),
        }
    }

    /// Sends a value if it need not wait: there is room or, with capacity zero, a
    /// receiver that waits. If that one ends before it runs, the value is for the
    /// next that receives.
    ///
    /// # Scheduling
    ///
    /// Never switches.
    ///
    /// # Errors
    ///
    /// `Full`, or `Closed` when no receiver is left.
    pub fn try_send(&self, value: T) -> Result<(), TrySendError<T>> {
        let state = self.shared.lock();
        if state.receivers == 0 {
            return Err(TrySendError::Closed(value));
        }
        if state.has_room() {
            put(state, |state| state.queue.push_back(value));
        } else if state.takes_at_once() {
            put(state, |state| state.sending.push_back((None, value)));
        } else {
            return Err(TrySendError::Full(value));
        }
        Ok(())
    }

    /// Waits until no receiver is left: for those whose work is of no use then.
    ///
    /// # Scheduling
    ///
    /// Switches unless it is so.
    ///
    /// # Cancellation
    ///
    /// Nothing is lost.
    ///
    /// # Errors
    ///
    /// The reasons of [`WaitError`].
    ///
    /// # Examples
    ///
    /// ```
    /// let (sender, receiver) = greenling::thread::channel::<u32>(1);
    /// let thread = std::thread::spawn(move || drop(receiver));
    /// sender.closed().unwrap();
    /// thread.join().unwrap();
    /// ```
    #[track_caller]
    pub fn closed(&self) -> Result<(), WaitError> {
        let mut leaving = LeaveClosing {
            shared: &self.shared,
            id: None,
        };
        let park = Park::new(&reason::THREAD_CLOSED, Location::caller());
        wait(park, |waiter| {
            let mut state = self.shared.lock();
            if state.receivers == 0 {
                return false;
            }
            leaving.id = Some(waiter.id());
            state.closing.push(waiter);
            true
        })
    }
}

/// Adds a value, and wakes the receiver that is to take it.
fn put<T>(mut state: MutexGuard<'_, State<T>>, add: impl FnOnce(&mut State<T>)) {
    add(&mut state);
    let receiver = state.receiving.pop_front();
    drop(state);
    if let Some(receiver) = receiver {
        receiver.wake();
    }
}

/// Takes whoever waits for the end of the receivers off the list.
struct LeaveClosing<'a, T> {
    shared: &'a Shared<T>,
    id: Option<u64>,
}

impl<T> Drop for LeaveClosing<'_, T> {
    fn drop(&mut self) {
        if let Some(id) = self.id {
            self.shared.lock().closing.retain(|w| w.id() != id);
        }
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
        let is_ours = |waiter: &Option<Waiter>| waiter.as_ref().is_some_and(|w| w.id() == id);
        let position = state.sending.iter().position(|(w, _)| is_ours(w))?;
        state.sending.remove(position).map(|(_, value)| value)
    }
}

impl<T> Drop for LeaveSending<'_, T> {
    fn drop(&mut self) {
        drop(self.leave());
    }
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
            return;
        };
        drop(state);
        waiting.iter().for_each(Waiter::wake);
    }
}

impl<T> fmt::Debug for Sender<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("thread::Sender")
    }
}
