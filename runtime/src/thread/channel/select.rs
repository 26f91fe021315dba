//! Operations on channels between threads for `select!`.
//!
//! Other threads only wake the tasklet that selects; it takes or sends itself
//! when it runs. So nothing is handed to an operation that is not the chosen
//! one, whatever other threads do meanwhile.

use super::{LeaveReceiving, Receiver};
use crate::error::WaitError;
use crate::select::Operation;
use crate::select::steps::{Alarm, Here, Steps};
use crate::thread::error::{ReceiveError, TryReceiveError};
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

/// A receive to be selected; see [`Receiver::receiving`].
#[must_use = "it does nothing until it is selected"]
pub struct Receiving<'r, T> {
    receiver: &'r Receiver<T>,
    /// Passes a wake-up on: another operation may be the chosen one.
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
        state.receiving.push_back(waiter);
        true
    }

    fn settle(&mut self, _woken: bool) -> bool {
        self.leaving = None;
        false
    }
}

impl<T: Send> Operation for Receiving<'_, T> {
    type Output = Result<T, ReceiveError>;

    fn take(&mut self) -> Option<Result<T, ReceiveError>> {
        self.output.take()
    }
}

impl<T> fmt::Debug for Receiving<'_, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("thread::Receiving")
    }
}
