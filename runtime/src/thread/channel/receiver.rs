//! The receiving end.

use super::{Shared, remove};
use crate::scheduler::{Park, local};
use crate::thread::error::{ReceiveError, TryReceiveError};
use crate::thread::waiter::{Waiter, deadline_after, wait};
use crate::wait::reason;
use std::collections::VecDeque;
use std::fmt;
use std::panic::Location;
use std::sync::Arc;
use std::time::{Duration, Instant};

/// The receiving end of a [`channel`](fn@crate::thread::channel).
///
/// # Scheduling
///
/// Never switches, except where a method says so.
pub struct Receiver<T> {
    pub(super) shared: Arc<Shared<T>>,
}

impl<T> Receiver<T> {
    pub(super) fn new(shared: Arc<Shared<T>>) -> Receiver<T> {
        Receiver { shared }
    }

    /// How many values could be received without waiting: those in the queue, and
    /// those of senders that wait.
    pub fn len(&self) -> usize {
        self.shared.lock().len()
    }

    /// True if a receive would wait.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// How many values the queue holds.
    pub fn capacity(&self) -> usize {
        self.shared.lock().capacity
    }

    /// True if no sender is left. Values may be left.
    pub fn is_closed(&self) -> bool {
        self.shared.lock().senders == 0
    }
}

impl<T: Send> Receiver<T> {
    /// Takes the oldest value, waiting for one.
    ///
    /// # Scheduling
    ///
    /// Switches if the channel is empty, and before it begins after 32 operations
    /// in a row that did not have to.
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
        self.receive_until(None, Location::caller())
    }

    /// As [`receive`](Receiver::receive), waiting no longer than until `deadline`:
    /// also on OS threads without tasklets, which have no timeout scopes.
    ///
    /// # Scheduling
    ///
    /// As [`receive`](Receiver::receive).
    ///
    /// # Cancellation
    ///
    /// As [`receive`](Receiver::receive).
    ///
    /// # Errors
    ///
    /// As [`receive`](Receiver::receive); after the deadline `Wait(TimedOut)`.
    #[track_caller]
    pub fn receive_deadline(&self, deadline: Instant) -> Result<T, ReceiveError> {
        self.receive_until(Some(deadline), Location::caller())
    }

    /// As [`receive_deadline`](Receiver::receive_deadline), for as long as
    /// `timeout`.
    ///
    /// # Scheduling
    ///
    /// As [`receive`](Receiver::receive).
    ///
    /// # Cancellation
    ///
    /// As [`receive`](Receiver::receive).
    ///
    /// # Errors
    ///
    /// As [`receive_deadline`](Receiver::receive_deadline).
    #[track_caller]
    pub fn receive_timeout(&self, timeout: Duration) -> Result<T, ReceiveError> {
        self.receive_until(deadline_after(timeout), Location::caller())
    }

    fn receive_until(
        &self,
        deadline: Option<Instant>,
        location: &'static Location<'static>,
    ) -> Result<T, ReceiveError> {
        if let Some(scheduler) = local::get() {
            scheduler.give_way_when_due().map_err(ReceiveError::Wait)?;
        }
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
            let park = Park::new(&reason::THREAD_RECEIVE, location).until(deadline);
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

    /// Receives until the channel is empty and no sender is left, or a wait fails.
    ///
    /// # Scheduling
    ///
    /// Making it never switches; its `next` does as [`receive`](Receiver::receive)
    /// does.
    ///
    /// # Cancellation
    ///
    /// Nothing is lost.
    pub fn iter(&self) -> impl Iterator<Item = T> + '_ {
        std::iter::from_fn(|| self.receive().ok())
    }
}

/// Leaves the queue of receivers however the wait ends; a wake-up that came
/// too late for this one goes to the next.
pub(super) struct LeaveReceiving<'a, T> {
    pub(super) shared: &'a Shared<T>,
    pub(super) id: Option<u64>,
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
        // Nobody will take them: senders that wait find theirs still there and
        // fail.
        let queue = std::mem::take(&mut state.queue);
        let (waiting, sent) = state.sending.drain(..).partition(|(w, _)| w.is_some());
        state.sending = waiting;
        let mut wake = std::mem::take(&mut state.closing);
        wake.extend(std::mem::take(&mut state.watching));
        wake.extend(state.sending.iter().filter_map(|(w, _)| w.clone()));
        drop(state);
        wake.iter().for_each(Waiter::wake);
        drop::<(VecDeque<T>, VecDeque<_>)>((queue, sent));
    }
}

impl<T> fmt::Debug for Receiver<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("thread::Receiver")
    }
}
