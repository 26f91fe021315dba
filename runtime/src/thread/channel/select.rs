//! Operations on channels between threads for `select!`.
//!
//! Other threads only wake the tasklet that selects; it takes or sends itself
//! when it runs. So nothing is handed to an operation that is not the chosen
//! one, whatever other threads do meanwhile.

use super::{LeaveReceiving, Receiver, Sender, Shared, remove};
use crate::error::WaitError;
use crate::select::Operation;
use crate::select::steps::{Alarm, Here, Steps};
use crate::thread::error::{ReceiveError, SendError, TryReceiveError, TrySendError};
use crate::thread::waiter::Waiter;
use std::fmt;

impl<T: Send> Receiver<T> {
    /// A receive to [`select!`](crate::select!); the output is as of
    /// [`receive`](Receiver::receive).
    ///
    /// # Scheduling
    ///
    /// Never switches by itself.
    ///
    /// # Examples
    ///
    /// ```
    /// use greenling::{select, select::after};
    /// use std::time::Duration;
    /// let (sender, receiver) = greenling::thread::channel(1);
    /// let thread = std::thread::spawn(move || sender.send("from afar"));
    /// let got = select! {
    ///     value = receiver.receiving() => value.ok(),
    ///     () = after(Duration::from_secs(60)) => None,
    /// };
    /// assert_eq!(got.unwrap(), Some("from afar"));
    /// thread.join().unwrap().unwrap();
    /// ```
    pub fn receiving(&self) -> Receiving<'_, T> {
        Receiving {
            receiver: self,
            leaving: None,
            output: None,
        }
    }
}

impl<T: Send> Sender<T> {
    /// Has `waiter` told of room, in its turn; `None` if there is some already, or
    /// nobody to receive.
    pub(in crate::thread) fn watch(&self, waiter: Waiter) -> Option<LeaveWatching<'_, T>> {
        let mut state = self.shared.lock();
        if state.receivers == 0 || state.takes_at_once() {
            return None;
        }
        let id = waiter.id();
        state.watching.push_back(waiter);
        drop(state);
        Some(LeaveWatching {
            shared: &self.shared,
            id,
        })
    }

    /// A send to [`select!`](crate::select!); the output is as of
    /// [`send`](Sender::send), but that it does not wait for the value to be
    /// taken where the channel has no capacity.
    ///
    /// # Scheduling
    ///
    /// Never switches by itself.
    pub fn sending(&self, value: T) -> Sending<'_, T> {
        Sending {
            sender: self,
            value: Some(value),
            leaving: None,
            output: None,
        }
    }
}

/// A receive to be selected; see [`Receiver::receiving`].
#[must_use = "it does nothing until it is selected"]
pub struct Receiving<'r, T> {
    receiver: &'r Receiver<T>,
    leaving: Option<LeaveReceiving<'r, T>>,
    output: Option<Result<T, ReceiveError>>,
}

impl<T: Send> Steps for Receiving<'_, T> {
    fn attempt(&mut self, _here: Here<'_>) -> bool {
        if self.output.is_none() {
            self.output = match self.receiver.try_receive() {
                Ok(value) => Some(Ok(value)),
                Err(TryReceiveError::Closed) => Some(Err(ReceiveError::Closed)),
                Err(TryReceiveError::Empty) => None,
            };
        }
        self.output.is_some()
    }

    fn prepare(&mut self, _here: Here<'_>) -> Result<bool, WaitError> {
        Ok(true)
    }

    fn enrol(&mut self, alarm: &Alarm) -> bool {
        let waiter = Waiter::of_tasklet(&alarm.0);
        let mut state = self.receiver.shared.lock();
        if state.has_values() || state.senders == 0 {
            return false;
        }
        self.leaving = Some(LeaveReceiving {
            shared: &self.receiver.shared,
            id: Some(waiter.id()),
        });
        let sender = state.add_receiver(waiter);
        drop(state);
        if let Some(sender) = sender {
            sender.wake();
        }
        true
    }

    fn leave(&mut self) {
        // A wake-up that came for this goes on to the next, who finds nothing
        // if the value is the one that was taken here.
        self.leaving = None;
    }
}

impl<T: Send> Operation for Receiving<'_, T> {
    type Output = Result<T, ReceiveError>;

    fn take(&mut self) -> Option<Result<T, ReceiveError>> {
        self.output.take()
    }
}

/// A send to be selected; see [`Sender::sending`].
#[must_use = "it does nothing until it is selected"]
pub struct Sending<'s, T> {
    sender: &'s Sender<T>,
    value: Option<T>,
    leaving: Option<LeaveWatching<'s, T>>,
    output: Option<Result<(), SendError<T>>>,
}

impl<T> Sending<'_, T> {
    /// The value, unless the operation has taken place.
    ///
    /// # Scheduling
    ///
    /// Never switches.
    pub fn into_inner(self) -> Option<T> {
        self.value
    }
}

impl<T: Send> Steps for Sending<'_, T> {
    fn attempt(&mut self, _here: Here<'_>) -> bool {
        if let Some(value) = self.value.take() {
            match self.sender.try_send(value) {
                Ok(()) => self.output = Some(Ok(())),
                Err(TrySendError::Closed(value)) => {
                    self.output = Some(Err(SendError::Closed(value)));
                }
                Err(TrySendError::Full(value)) => self.value = Some(value),
            }
        }
        self.output.is_some()
    }

    fn prepare(&mut self, _here: Here<'_>) -> Result<bool, WaitError> {
        Ok(true)
    }

    fn enrol(&mut self, alarm: &Alarm) -> bool {
        if self.value.is_none() {
            // It has taken place, and never does again: room is no news.
            return true;
        }
        self.leaving = self.sender.watch(Waiter::of_tasklet(&alarm.0));
        self.leaving.is_some()
    }

    fn leave(&mut self) {
        self.leaving = None;
    }
}

impl<T: Send> Operation for Sending<'_, T> {
    type Output = Result<(), SendError<T>>;

    fn take(&mut self) -> Option<Result<(), SendError<T>>> {
        self.output.take()
    }
}

/// Leaves the line of those who wait for room; room that was not used goes to
/// the next.
pub(in crate::thread) struct LeaveWatching<'a, T> {
    shared: &'a Shared<T>,
    id: u64,
}

impl<T> Drop for LeaveWatching<'_, T> {
    fn drop(&mut self) {
        let mut state = self.shared.lock();
        if remove(&mut state.watching, self.id) {
            return;
        }
        let next = match state.capacity {
            0 if state.takes_at_once() => state.watching.pop_front(),
            _ => state.admit(),
        };
        drop(state);
        if let Some(next) = next {
            next.wake();
        }
    }
}

impl<T> fmt::Debug for Receiving<'_, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("thread::Receiving")
    }
}

impl<T> fmt::Debug for Sending<'_, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("thread::Sending")
    }
}
