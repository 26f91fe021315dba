//! Operations that take place at once or not at all.
//!
//! They don't fall back on those that wait: a channel callback may kill the
//! partner that was there when it was called.

use super::{
    Channel, Preference, ReceiveError, Refusal, SendError, TryReceiveError, TrySendError,
    open_parcel,
};
use crate::error::WaitError;
use crate::scheduler::local;

impl<T> Channel<T> {
    /// As [`send`](Channel::send), but never waits for a receiver.
    ///
    /// # Scheduling
    ///
    /// Switches if a receiver waits and the channel prefers receivers or
    /// schedules all.
    ///
    /// # Cancellation
    ///
    /// A kill after the switch drops nothing: the receiver has the value.
    ///
    /// # Errors
    ///
    /// `WouldBlock` if no receiver waits; otherwise as `send`.
    pub fn try_send(&self, value: T) -> Result<(), TrySendError<T>> {
        match self.send_now(value) {
            Ok(result) => result.map_err(TrySendError::Failed),
            Err(value) => Err(TrySendError::WouldBlock(value)),
        }
    }

    /// As [`receive`](Channel::receive), but never waits for a sender.
    ///
    /// # Scheduling
    ///
    /// Switches if a sender waits and the channel prefers senders or schedules
    /// all.
    ///
    /// # Cancellation
    ///
    /// A kill or a throw after the switch drops the value.
    ///
    /// # Errors
    ///
    /// `WouldBlock` if no sender waits; otherwise as `receive`.
    pub fn try_receive(&self) -> Result<T, TryReceiveError> {
        match self.receive_now() {
            Some(result) => result.map_err(TryReceiveError::Failed),
            None => Err(TryReceiveError::WouldBlock),
        }
    }

    /// Hands `value` to a receiver that waits, or hears why not; gives it back
    /// where `send` would wait.
    pub(super) fn send_now(&self, value: T) -> Result<Result<(), SendError<T>>, T> {
        let shared = &*self.shared;
        if !shared.has_receivers() {
            return self.refuse_send(value);
        }
        let refused = |error, value| Ok(Err(SendError::new(Refusal::Wait(error), Ok(value))));
        let Some(scheduler) = local::get_or_make() else {
            return refused(WaitError::Unwinding, value);
        };
        if scheduler.is_guarded()
            && let Err(error) = scheduler.before_channel_operation(self.id(), true, false)
        {
            return refused(error, value);
        }
        let first = shared.preference.get() == Preference::Receiver;
        if (first || shared.schedule_all.get())
            && let Err(error) = scheduler.check_may_park()
        {
            return refused(error, value);
        }
        // The callback may have killed the receiver.
        if !shared.has_receivers() {
            return self.refuse_send(value);
        }
        let mut value = Some(value);
        let fill = |place: &mut Option<_>| *place = value.take().map(Ok);
        let Some((partner, ())) = shared.waiters.pop_with(fill) else {
            unreachable!("a receiver waits");
        };
        let after = shared.after_hand_over(scheduler, partner, first);
        Ok(after.map_err(SendError::taken))
    }

    fn refuse_send(&self, value: T) -> Result<Result<(), SendError<T>>, T> {
        if self.shared.closing.get() {
            Ok(Err(SendError::new(Refusal::Closed, Ok(value))))
        } else {
            Err(value)
        }
    }

    /// Takes the value of a sender that waits, or hears why not; `None` where
    /// `receive` would wait.
    pub(super) fn receive_now(&self) -> Option<Result<T, ReceiveError>> {
        let shared = &*self.shared;
        let closed = || shared.closing.get().then_some(Err(ReceiveError::Closed));
        if !shared.has_senders() {
            return closed();
        }
        let Some(scheduler) = local::get_or_make() else {
            return Some(Err(ReceiveError::Wait(WaitError::Unwinding)));
        };
        if scheduler.is_guarded()
            && let Err(error) = scheduler.before_channel_operation(self.id(), false, false)
        {
            return Some(Err(ReceiveError::Wait(error)));
        }
        let first = shared.preference.get() == Preference::Sender;
        if (first || shared.schedule_all.get())
            && let Err(error) = scheduler.check_may_park()
        {
            return Some(Err(ReceiveError::Wait(error)));
        }
        // The callback may have killed the sender.
        if !shared.has_senders() {
            return closed();
        }
        let (partner, mut parcel) = shared.waiters.pop_with(Option::take)?;
        let after = shared.after_hand_over(scheduler, partner, first);
        Some(open_parcel(after, &mut parcel))
    }
}
