//! Channels between tasklets of one thread: Stackless' rendezvous.
//!
//! A channel holds no values, only waiting tasklets: senders or receivers,
//! never both. An operation that finds a partner hands over at once, and the
//! channel's *preference* says who runs next:
//!
//! | acting | preference | what happens | order afterwards |
//! |---|---|---|---|
//! | send | receiver | the receiver runs now | receiver, others, sender |
//! | send | sender, neither | the sender goes on | sender, others, receiver |
//! | receive | receiver, neither | the receiver goes on | receiver, others, sender |
//! | receive | sender | the sender runs now | sender, others, receiver |
//! | either | any, `schedule_all` | both are queued | others, partner, actor |
//!
//! Where an operation would switch but must not (a switch trap, an unwind), it
//! is refused and nothing has changed; one after which the actor goes on takes
//! place there too, so that a destructor can still tell somebody.
//!
//! The payload travels from stack to stack: a waiting receiver has an empty
//! place for it in its frame, a waiting sender the value.

mod error;
mod iter;
mod now;
mod select;
mod settings;
mod waiters;

pub use error::{
    ReceiveError, SendError, SendErrorKind, SequenceError, TryReceiveError, TrySendError,
};
pub use iter::{Iter, StopIteration};
pub use select::{Receiving, Sending};
pub use settings::Preference;

use crate::error::{Thrown, WaitError};
use crate::scheduler::{Park, Scheduler, local};
use crate::tasklet::raw::{TcbRef, flag};
use crate::wait::{WaitList, reason};
use std::cell::Cell;
use std::error::Error;
use std::fmt;
use std::panic::Location;
use std::rc::Rc;

/// What a sender passes on: a value, or an error to raise at the receiver.
type Parcel<T> = Result<T, Thrown>;

/// A channel between tasklets of one OS thread. Clones are the same channel.
///
/// `send` waits for a receiver and `receive` for a sender; partners are served
/// in the order in which they came. Between OS threads, use
/// [`thread::channel`](crate::thread::channel).
///
/// # Scheduling
///
/// Never switches, except where a method says so.
///
/// # Examples
///
/// ```
/// use greenling::Channel;
/// let channel = Channel::new();
/// let sender = channel.clone();
/// greenling::spawn(move || {
///     for n in 1..=3 {
///         sender.send(n).unwrap();
///     }
/// });
/// assert_eq!(channel.receive().unwrap(), 1);
/// assert_eq!(channel.receive().unwrap(), 2);
/// assert_eq!(channel.receive().unwrap(), 3);
/// ```
pub struct Channel<T> {
    shared: Rc<Shared<T>>,
}

struct Shared<T> {
    waiters: WaitList<Option<Parcel<T>>>,
    /// What the waiters, if any, wait to do.
    senders_wait: Cell<bool>,
    preference: Cell<Preference>,
    schedule_all: Cell<bool>,
    closing: Cell<bool>,
}

impl<T> Shared<T> {
    #[inline(always)]
    fn has_receivers(&self) -> bool {
        !self.waiters.is_empty() && !self.senders_wait.get()
    }

    #[inline(always)]
    fn has_senders(&self) -> bool {
        !self.waiters.is_empty() && self.senders_wait.get()
    }

    /// Puts the partner of a hand-over, already off the channel, where the
    /// preference wants it, and switches if need be.
    #[inline(always)]
    fn after_hand_over(
        &self,
        scheduler: &Scheduler,
        partner: TcbRef,
        partner_first: bool,
    ) -> Result<(), WaitError> {
        if self.schedule_all.get() {
            scheduler.make_runnable(partner);
            scheduler.yield_after_hand_over()
        } else if partner_first {
            scheduler.hand_over_to(partner)
        } else {
            scheduler.make_runnable(partner);
            Ok(())
        }
    }

    /// Whether the current tasklet may be queued here.
    #[inline(always)]
    fn check_may_wait(&self, current: TcbRef) -> Result<(), Refusal> {
        if current.has(flag::BLOCK_TRAP) {
            return Err(Refusal::Wait(WaitError::BlockTrap));
        }
        if self.closing.get() {
            return Err(Refusal::Closed);
        }
        Ok(())
    }
}

/// Why an operation did not take place.
enum Refusal {
    Closed,
    Wait(WaitError),
}

impl<T> Channel<T> {
    /// A channel that prefers receivers.
    pub fn new() -> Channel<T> {
        Channel {
            shared: Rc::new(Shared {
                waiters: WaitList::new(),
                senders_wait: Cell::new(false),
                preference: Cell::new(Preference::Receiver),
                schedule_all: Cell::new(false),
                closing: Cell::new(false),
            }),
        }
    }

    /// Hands `value` to the receiver that has waited longest, or waits for one.
    ///
    /// # Scheduling
    ///
    /// May switch. With a receiver waiting: switches to it if the channel
    /// prefers receivers or schedules all, otherwise not. Without one: always.
    ///
    /// # Cancellation
    ///
    /// Until a receiver has taken it, the value comes back in the error; a
    /// kill drops it.
    ///
    /// # Errors
    ///
    /// `Closed` if the channel is closing and no receiver waits; otherwise the
    /// reasons of [`WaitError`]. An error thrown at the sender after the value
    /// was taken comes without the value.
    #[track_caller]
    #[inline]
    pub fn send(&self, value: T) -> Result<(), SendError<T>> {
        self.send_as(value, Ok, Location::caller())
    }

    /// Takes a value from the sender that has waited longest, or waits for one.
    ///
    /// # Scheduling
    ///
    /// May switch. With a sender waiting: switches to it if the channel
    /// prefers senders or schedules all, otherwise not. Without one: always.
    ///
    /// # Cancellation
    ///
    /// A kill after the hand-over, before the receiver has run, drops the
    /// value; so does an error thrown then.
    ///
    /// # Errors
    ///
    /// `Closed` if the channel is closing and no sender waits; an error that
    /// was sent arrives as `Wait(WaitError::Thrown)`; otherwise the reasons of
    /// [`WaitError`].
    #[track_caller]
    #[inline]
    pub fn receive(&self) -> Result<T, ReceiveError> {
        let scheduler = match local::get_or_make() {
            Some(scheduler) => scheduler,
            None => return Err(ReceiveError::Wait(WaitError::Unwinding)),
        };
        let shared = &*self.shared;
        if scheduler.is_guarded() {
            scheduler
                .before_channel_operation(self.id(), false, !shared.has_senders())
                .map_err(ReceiveError::Wait)?;
        }
        let first = shared.preference.get() == Preference::Sender;
        let serves = shared.has_senders();
        if !serves {
            shared.check_may_wait(scheduler.current())?;
        }
        if !serves || first || shared.schedule_all.get() {
            scheduler.check_may_park().map_err(ReceiveError::Wait)?;
        }
        if serves && let Some((partner, mut parcel)) = shared.waiters.pop_with(Option::take) {
            let after = shared.after_hand_over(scheduler, partner, first);
            return open_parcel(after, &mut parcel);
        }
        shared.senders_wait.set(false);
        let park = Park::new(&reason::CHANNEL_RECEIVE, Location::caller());
        shared.waiters.wait(scheduler, None, park, open_parcel)
    }

    /// Sends an error instead of a value: it is raised at the receiver, as
    /// `ReceiveError::Wait(WaitError::Thrown)`.
    ///
    /// # Scheduling
    ///
    /// As [`send`](Channel::send).
    ///
    /// # Cancellation
    ///
    /// As [`send`](Channel::send).
    ///
    /// # Errors
    ///
    /// As [`send`](Channel::send); the error does not come back.
    #[doc(alias = "send_exception")]
    #[doc(alias = "send_throw")]
    #[track_caller]
    pub fn send_error(
        &self,
        error: impl Into<Box<dyn Error + Send + Sync>>,
    ) -> Result<(), SendError<T>> {
        self.send_as(error.into(), Err, Location::caller())
    }

    /// Sends every item, as [`send`](Channel::send) does, and returns how many
    /// there were.
    ///
    /// # Scheduling
    ///
    /// As [`send`](Channel::send), for each item.
    ///
    /// # Cancellation
    ///
    /// Items that were sent stay sent. Lend the iterator (`&mut iterator`) to
    /// keep those that it has not given yet.
    ///
    /// # Errors
    ///
    /// [`SequenceError`] at the first item that could not be sent.
    ///
    /// # Examples
    ///
    /// ```
    /// use greenling::Channel;
    /// let channel = Channel::new();
    /// let numbers = channel.clone();
    /// let sender = greenling::spawn(move || numbers.send_sequence(1..=3).unwrap());
    /// let sum: u32 = (0..3).map(|_| channel.receive().unwrap()).sum();
    /// assert_eq!((sum, sender.join().unwrap()), (6, 3));
    /// ```
    #[track_caller]
    pub fn send_sequence(
        &self,
        items: impl IntoIterator<Item = T>,
    ) -> Result<usize, SequenceError<T>> {
        let mut sent = 0;
        for item in items {
            match self.send(item) {
                Ok(()) => sent += 1,
                Err(error) => return Err(SequenceError { sent, error }),
            }
        }
        Ok(sent)
    }

    /// Sends `pack(content)`, which is made where it is to lie: a parcel that
    /// was put together first would be copied in larger pieces than it was
    /// written in, which stalls.
    #[inline(always)]
    fn send_as<V>(
        &self,
        content: V,
        pack: impl FnOnce(V) -> Parcel<T>,
        location: &'static Location<'static>,
    ) -> Result<(), SendError<T>> {
        let Some(scheduler) = local::get_or_make() else {
            let refusal = Refusal::Wait(WaitError::Unwinding);
            return Err(SendError::new(refusal, pack(content)));
        };
        let shared = &*self.shared;
        if scheduler.is_guarded()
            && let Err(error) =
                scheduler.before_channel_operation(self.id(), true, !shared.has_receivers())
        {
            return Err(SendError::new(Refusal::Wait(error), pack(content)));
        }
        let first = shared.preference.get() == Preference::Receiver;
        let serves = shared.has_receivers();
        if !serves && let Err(refusal) = shared.check_may_wait(scheduler.current()) {
            return Err(SendError::new(refusal, pack(content)));
        }
        if (!serves || first || shared.schedule_all.get())
            && let Err(error) = scheduler.check_may_park()
        {
            return Err(SendError::new(Refusal::Wait(error), pack(content)));
        }
        if serves {
            let fill = |place: &mut Option<Parcel<T>>| *place = Some(pack(content));
            let (partner, ()) = shared.waiters.pop_with(fill).expect("one waits");
            return match shared.after_hand_over(scheduler, partner, first) {
                Ok(()) => Ok(()),
                Err(error) => Err(SendError::taken(error)),
            };
        }
        shared.senders_wait.set(true);
        let park = Park::new(&reason::CHANNEL_SEND, location);
        let parcel = Some(pack(content));
        shared
            .waiters
            .wait(scheduler, parcel, park, |result, left| {
                if left.is_none() && result.is_ok() {
                    return Ok(());
                }
                Err(SendError::unsent(result, left.take()))
            })
    }

    /// Receives until the channel is closing and no sender waits, or a
    /// [`StopIteration`] was sent.
    ///
    /// A receiver that waits already when [`close`](Channel::close) is called
    /// goes on waiting, as in Stackless: a sender that closes after its last
    /// value ends the loop only if the receiver has not come back for another.
    /// To end a receiver for certain, send it a value that says so.
    ///
    /// # Scheduling
    ///
    /// Never switches; each step of the iterator does as a receive does.
    pub fn iter(&self) -> Iter<'_, T> {
        Iter::new(self)
    }
}

/// What a receiver got, given how its wait or its turn ended.
#[inline(always)]
fn open_parcel<T>(
    result: Result<(), WaitError>,
    place: &mut Option<Parcel<T>>,
) -> Result<T, ReceiveError> {
    if let Some(Ok(_)) = place
        && result.is_ok()
        && let Some(Ok(value)) = place.take()
    {
        return Ok(value);
    }
    Err(open_failed(result, place.take()))
}

#[cold]
#[inline(never)]
fn open_failed<T>(result: Result<(), WaitError>, parcel: Option<Parcel<T>>) -> ReceiveError {
    match (result, parcel) {
        (Ok(()), Some(Err(error))) => ReceiveError::Wait(WaitError::Thrown(error)),
        (Ok(()), _) => ReceiveError::Wait(WaitError::Deadlock),
        (Err(error), None) => ReceiveError::Wait(error),
        (Err(error), Some(_)) => {
            log::debug!("greenling: a received value was dropped: {error}");
            ReceiveError::Wait(error)
        }
    }
}

impl<T> Clone for Channel<T> {
    fn clone(&self) -> Channel<T> {
        Channel {
            shared: self.shared.clone(),
        }
    }
}

impl<T> Default for Channel<T> {
    fn default() -> Channel<T> {
        Channel::new()
    }
}

impl<T> PartialEq for Channel<T> {
    /// True for two handles of the same channel.
    fn eq(&self, other: &Channel<T>) -> bool {
        Rc::ptr_eq(&self.shared, &other.shared)
    }
}

impl<T> fmt::Debug for Channel<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Channel")
            .field("balance", &self.balance())
            .field("preference", &self.preference())
            .field("closing", &self.is_closing())
            .finish()
    }
}
