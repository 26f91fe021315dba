//! Channel operations for `select!`.
//!
//! A tasklet that selects waits in the channel like any other: partners that
//! come find it in its turn, and hand over to its place there.

use super::{Channel, Parcel, ReceiveError, SendError, open_parcel};
use crate::error::WaitError;
use crate::scheduler::Scheduler;
use crate::select::Operation;
use crate::select::steps::{Here, Links, Steps};
use crate::wait::Place;
use std::fmt;

impl<T> Channel<T> {
    /// A receive to [`select!`](crate::select!); the output is as of
    /// [`receive`](Channel::receive).
    ///
    /// # Scheduling
    ///
    /// Never switches by itself.
    pub fn receiving(&self) -> Receiving<'_, T> {
        Receiving {
            channel: self,
            place: None,
            output: None,
        }
    }

    /// A send to [`select!`](crate::select!); the output is as of
    /// [`send`](Channel::send).
    ///
    /// # Scheduling
    ///
    /// Never switches by itself.
    ///
    /// # Examples
    ///
    /// ```
    /// use greenling::{Channel, select, spawn};
    /// let (results, stop) = (Channel::new(), Channel::<()>::new());
    /// let reader = results.clone();
    /// let sum = spawn(move || reader.receive().unwrap() + reader.receive().unwrap());
    /// for n in [40, 2] {
    ///     let going_on = select! {
    ///         sent = results.sending(n) => sent.is_ok(),
    ///         _ = stop.receiving() => false,
    ///     };
    ///     assert!(going_on.unwrap());
    /// }
    /// assert_eq!(sum.join().unwrap(), 42);
    /// ```
    pub fn sending(&self, value: T) -> Sending<'_, T> {
        Sending {
            channel: self,
            value: Some(value),
            place: None,
            output: None,
        }
    }

    fn check_may_select(&self, scheduler: &Scheduler, sending: bool) -> Result<(), WaitError> {
        if scheduler.is_guarded() {
            scheduler.before_channel_operation(self.id(), sending, true)?;
        }
        // A channel that was closed by that callback is noticed when the
        // operation is attempted again; until then its waiters go on waiting.
        match self.shared.check_may_wait(scheduler.current()) {
            Err(super::Refusal::Wait(error)) => Err(error),
            _ => Ok(()),
        }
    }

    #[track_caller]
    fn refuse_both_ways(&self, other_side_waits: bool) {
        assert!(
            !other_side_waits,
            "greenling: select can't send to and receive from the same channel"
        );
    }
}

/// A receive to be selected; see [`Channel::receiving`].
#[must_use = "it does nothing until it is selected"]
pub struct Receiving<'c, T> {
    channel: &'c Channel<T>,
    place: Option<Place<Option<Parcel<T>>>>,
    output: Option<Result<T, ReceiveError>>,
}

impl<T> Steps for Receiving<'_, T> {
    fn attempt(&mut self, _here: Here<'_>) -> bool {
        if self.output.is_none() {
            self.output = self.channel.receive_now();
        }
        self.output.is_some()
    }

    fn prepare(&mut self, here: Here<'_>) -> Result<bool, WaitError> {
        self.channel.check_may_select(here.0, false)?;
        self.place = Some(Place::new(here.0, None));
        Ok(false)
    }

    fn link<'a>(&'a self, links: &mut Links<'a>) {
        let shared = &self.channel.shared;
        if let Some(place) = &self.place {
            self.channel.refuse_both_ways(shared.has_senders());
            shared.senders_wait.set(false);
            links.0.add(shared.waiters.spot(place));
        }
    }

    fn settle(&mut self, woken: bool) -> bool {
        let Some(mut place) = self.place.take() else {
            return false;
        };
        let parcel = place.payload();
        if parcel.is_none() {
            return false;
        }
        if woken {
            self.output = Some(open_parcel(Ok(()), parcel));
        } else {
            log::debug!("greenling: a received value was dropped: its select has failed");
        }
        woken
    }
}

impl<T> Operation for Receiving<'_, T> {
    type Output = Result<T, ReceiveError>;

    fn take(&mut self) -> Option<Result<T, ReceiveError>> {
        self.output.take()
    }
}

/// A send to be selected; see [`Channel::sending`].
#[must_use = "it does nothing until it is selected"]
pub struct Sending<'c, T> {
    channel: &'c Channel<T>,
    value: Option<T>,
    place: Option<Place<Option<Parcel<T>>>>,
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

impl<T> Steps for Sending<'_, T> {
    fn attempt(&mut self, _here: Here<'_>) -> bool {
        if let Some(value) = self.value.take() {
            match self.channel.send_now(value) {
                Ok(output) => self.output = Some(output),
                Err(value) => self.value = Some(value),
            }
        }
        self.output.is_some()
    }

    fn prepare(&mut self, here: Here<'_>) -> Result<bool, WaitError> {
        self.channel.check_may_select(here.0, true)?;
        if let Some(value) = self.value.take() {
            self.place = Some(Place::new(here.0, Some(Ok(value))));
        }
        Ok(false)
    }

    fn link<'a>(&'a self, links: &mut Links<'a>) {
        let shared = &self.channel.shared;
        if let Some(place) = &self.place {
            self.channel.refuse_both_ways(shared.has_receivers());
            shared.senders_wait.set(true);
            links.0.add(shared.waiters.spot(place));
        }
    }

    fn settle(&mut self, woken: bool) -> bool {
        let Some(mut place) = self.place.take() else {
            return false;
        };
        match place.payload().take() {
            Some(parcel) => {
                self.value = parcel.ok();
                false
            }
            None => {
                self.output = Some(Ok(()));
                woken
            }
        }
    }
}

impl<T> Operation for Sending<'_, T> {
    type Output = Result<(), SendError<T>>;

    fn take(&mut self) -> Option<Result<(), SendError<T>>> {
        self.output.take()
    }
}

impl<T> fmt::Debug for Receiving<'_, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Receiving").field(self.channel).finish()
    }
}

impl<T> fmt::Debug for Sending<'_, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Sending").field(self.channel).finish()
    }
}
