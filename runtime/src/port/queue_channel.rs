//! A buffer in front of a channel.
//!
//! ```text
//!                  promised     free to take
//!   senders --> [ p p | v v v v v ]  --> receivers
//!    wait if there is no room        wait if nothing is free to take
//! ```
//!
//! A value for a waiting receiver is put into the buffer and *promised* to it;
//! the receiver takes it when it runs. So a receiver that is killed, or thrown
//! at, in between leaves the value where it was, and the promise goes to the
//! next. Promised values are the oldest: their receivers have been waiting,
//! and whoever comes meanwhile takes what is behind them.
//!
//! Receivers wait only if nothing is free to take, and senders only if there is
//! no room and no receiver waits; so never both.

use super::queue_iter::QueueIter;
use crate::channel::{ReceiveError, SendError, SendErrorKind, TryReceiveError, TrySendError};
use crate::error::{Thrown, WaitError};
use crate::scheduler::{Park, local};
use crate::sync::may_wait;
use crate::tasklet::Tasklet;
use crate::wait::{WaitList, reason};
use std::cell::{Cell, RefCell};
use std::collections::VecDeque;
use std::error::Error;
use std::fmt;
use std::panic::Location;
use std::rc::Rc;

/// A value, or an error to raise at the receiver.
type Parcel<T> = Result<T, Thrown>;

/// A [`Channel`](crate::Channel) with a buffer: a send waits only while the
/// buffer is full. Clones are the same channel.
///
/// Values and errors are received in the order in which they were sent.
///
/// # Scheduling
///
/// Never switches, except where a method says so.
///
/// # Examples
///
/// ```
/// use greenling::port::QueueChannel;
/// let queue = QueueChannel::unbounded();
/// queue.send("first").unwrap();
/// queue.send("second").unwrap();
/// assert_eq!(queue.balance(), 2);
/// assert_eq!(queue.receive().unwrap(), "first");
/// queue.close();
/// assert_eq!(queue.iter().collect::<Result<Vec<_>, _>>().unwrap(), ["second"]);
/// ```
pub struct QueueChannel<T> {
    shared: Rc<Shared<T>>,
}

struct Shared<T> {
    buffer: RefCell<VecDeque<Parcel<T>>>,
    capacity: usize,
    /// How many values at the front are for receivers that have been woken.
    promised: Cell<usize>,
    receivers: WaitList<Promise>,
    senders: WaitList<Option<Parcel<T>>>,
    closing: Cell<bool>,
}

/// Whether the oldest promised value is for this receiver.
#[derive(Debug, Default)]
struct Promise(bool);

impl<T> QueueChannel<T> {
    /// A channel whose sends never wait.
    pub fn unbounded() -> QueueChannel<T> {
        QueueChannel::bounded(usize::MAX)
    }

    /// A channel whose sends wait while it holds `capacity` values. With a
    /// capacity of zero every send waits for its receiver, as on a channel.
    pub fn bounded(capacity: usize) -> QueueChannel<T> {
        QueueChannel {
            shared: Rc::new(Shared {
                buffer: RefCell::default(),
                capacity,
                promised: Cell::new(0),
                receivers: WaitList::new(),
                senders: WaitList::new(),
                closing: Cell::new(false),
            }),
        }
    }

    /// Appends a value, waiting while the buffer is full.
    ///
    /// # Scheduling
    ///
    /// Switches if the buffer is full; otherwise never: a receiver that waits
    /// is queued.
    ///
    /// # Cancellation
    ///
    /// A value that is not in the buffer yet comes back in the error; a kill
    /// drops it.
    ///
    /// # Errors
    ///
    /// `Closed` if the channel is closing and no receiver waits; if the buffer
    /// is full, also the reasons of [`WaitError`], among them `BlockTrap`.
    #[track_caller]
    pub fn send(&self, value: T) -> Result<(), SendError<T>> {
        self.send_parcel(Ok(value), Location::caller())
    }

    /// Appends an error, which is raised at its receiver as
    /// `ReceiveError::Wait(WaitError::Thrown)`.
    ///
    /// # Scheduling
    ///
    /// As [`send`](QueueChannel::send).
    ///
    /// # Cancellation
    ///
    /// As [`send`](QueueChannel::send).
    ///
    /// # Errors
    ///
    /// As [`send`](QueueChannel::send); the error does not come back.
    #[doc(alias = "send_exception")]
    #[doc(alias = "send_throw")]
    #[track_caller]
    pub fn send_error(
        &self,
        error: impl Into<Box<dyn Error + Send + Sync>>,
    ) -> Result<(), SendError<T>> {
        self.send_parcel(Err(error.into()), Location::caller())
    }

    fn send_parcel(
        &self,
        parcel: Parcel<T>,
        location: &'static Location<'static>,
    ) -> Result<(), SendError<T>> {
        let shared = &*self.shared;
        if !shared.receivers.is_empty() {
            shared.buffer.borrow_mut().push_back(parcel);
            shared.promise_what_is_free();
            return Ok(());
        }
        if shared.closing.get() {
            return Err(SendError::from_parts(SendErrorKind::Closed, parcel.ok()));
        }
        if shared.has_room() {
            shared.buffer.borrow_mut().push_back(parcel);
            return Ok(());
        }
        let refuse = |error, parcel: Option<Parcel<T>>| {
            let value = parcel.and_then(Result::ok);
            SendError::from_parts(SendErrorKind::Wait(error), value)
        };
        let scheduler = match may_wait() {
            Ok(scheduler) => scheduler,
            Err(error) => return Err(refuse(error, Some(parcel))),
        };
        let park = Park::new(&reason::QUEUE_CHANNEL_SEND, location);
        let senders = &shared.senders;
        senders.wait(scheduler, Some(parcel), park, |result, left| match result {
            Ok(()) => Ok(()),
            Err(error) => Err(refuse(error, left.take())),
        })
    }

    /// Takes the oldest value, waiting for one.
    ///
    /// # Scheduling
    ///
    /// Switches if there is no value; otherwise never: a sender that waits is
    /// queued.
    ///
    /// # Cancellation
    ///
    /// Nothing is lost: a value is taken only when this returns it.
    ///
    /// # Errors
    ///
    /// `Closed` if the channel is closing and holds nothing; an error that was
    /// sent arrives as `Wait(WaitError::Thrown)`; otherwise the reasons of
    /// [`WaitError`].
    #[track_caller]
    pub fn receive(&self) -> Result<T, ReceiveError> {
        let shared = &*self.shared;
        if let Some(parcel) = shared.take_free() {
            return open(parcel);
        }
        // First: it needs no wait, so it can be told where none is possible.
        if shared.closing.get() {
            return Err(ReceiveError::Closed);
        }
        let scheduler = may_wait().map_err(ReceiveError::Wait)?;
        let park = Park::new(&reason::QUEUE_CHANNEL_RECEIVE, Location::caller());
        let parcel = shared.receivers.wait_or_undo(
            scheduler,
            Promise::default(),
            park,
            |promise| shared.break_promise(promise),
            |_| shared.keep_promise(),
        );
        open(parcel.map_err(ReceiveError::Wait)?)
    }

    /// As [`send`](QueueChannel::send), but never waits.
    ///
    /// # Scheduling
    ///
    /// Never switches.
    ///
    /// # Errors
    ///
    /// `WouldBlock` if the buffer is full; otherwise as `send`.
    pub fn try_send(&self, value: T) -> Result<(), TrySendError<T>> {
        let shared = &*self.shared;
        if shared.receivers.is_empty() && !shared.closing.get() && !shared.has_room() {
            return Err(TrySendError::WouldBlock(value));
        }
        self.send(value).map_err(TrySendError::Failed)
    }

    /// As [`receive`](QueueChannel::receive), but never waits.
    ///
    /// # Scheduling
    ///
    /// Never switches.
    ///
    /// # Errors
    ///
    /// `WouldBlock` if there is no value; otherwise as `receive`.
    pub fn try_receive(&self) -> Result<T, TryReceiveError> {
        match self.shared.take_free() {
            Some(parcel) => open(parcel).map_err(TryReceiveError::Failed),
            None if self.is_closing() => Err(TryReceiveError::Failed(ReceiveError::Closed)),
            None => Err(TryReceiveError::WouldBlock),
        }
    }

    /// Values in the buffer and waiting senders (positive), or waiting
    /// receivers (negative). A value for a receiver that is on its way to run
    /// does not count, as on a channel.
    pub fn balance(&self) -> isize {
        let shared = &*self.shared;
        let sent = shared.free() + shared.senders.len();
        sent as isize - shared.receivers.len() as isize
    }

    /// How many values the buffer holds.
    pub fn len(&self) -> usize {
        self.shared.free()
    }

    /// True if the buffer holds nothing.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Marks the channel as closing. Wakes nobody: what is in the buffer can
    /// still be received and receivers that wait can still be served, but
    /// nothing is sent or waited for anew.
    ///
    /// # Scheduling
    ///
    /// Never switches.
    pub fn close(&self) {
        self.shared.closing.set(true);
    }

    /// Undoes [`close`](QueueChannel::close).
    ///
    /// # Scheduling
    ///
    /// Never switches.
    pub fn open(&self) {
        self.shared.closing.set(false);
    }

    /// Whether [`close`](QueueChannel::close) was called.
    pub fn is_closing(&self) -> bool {
        self.shared.closing.get()
    }

    /// Whether the channel is closing, holds nothing, and nobody waits in it.
    pub fn is_closed(&self) -> bool {
        self.is_closing() && self.balance() == 0
    }

    /// The waiting tasklets, the oldest first.
    pub fn queue(&self) -> Vec<Tasklet> {
        let mut tasks = self.shared.senders.tasks();
        tasks.extend(self.shared.receivers.tasks());
        tasks.into_iter().map(Tasklet::from_tcb).collect()
    }

    /// Receives until the channel is closing and holds nothing, or a
    /// [`StopIteration`](crate::StopIteration) was sent. Each step is a
    /// [`receive`](QueueChannel::receive), and switches as that does.
    ///
    /// # Scheduling
    ///
    /// Never switches; each step of the iterator does as a receive does.
    pub fn iter(&self) -> QueueIter<'_, T> {
        QueueIter::new(self)
    }
}

fn open<T>(parcel: Parcel<T>) -> Result<T, ReceiveError> {
    parcel.map_err(|error| ReceiveError::Wait(WaitError::Thrown(error)))
}

impl<T> Shared<T> {
    /// Values that nobody was promised.
    fn free(&self) -> usize {
        self.buffer.borrow().len() - self.promised.get()
    }

    fn has_room(&self) -> bool {
        self.free() < self.capacity
    }

    /// The oldest value that nobody was promised, which makes room for one of
    /// those who wait to send.
    fn take_free(&self) -> Option<Parcel<T>> {
        let parcel = self.buffer.borrow_mut().remove(self.promised.get());
        let parcel = parcel.or_else(|| self.admit_sender());
        while self.has_room() {
            let Some(parcel) = self.admit_sender() else {
                break;
            };
            self.buffer.borrow_mut().push_back(parcel);
        }
        parcel
    }

    /// The value of the sender that has waited longest, which goes on.
    fn admit_sender(&self) -> Option<Parcel<T>> {
        let scheduler = local::get()?;
        let (sender, parcel) = self.senders.pop_with(Option::take)?;
        scheduler.make_runnable(sender);
        parcel
    }

    /// Wakes as many receivers as there are values for.
    fn promise_what_is_free(&self) {
        let Some(scheduler) = local::get() else {
            return;
        };
        while self.free() > 0
            && let Some((receiver, ())) = self.receivers.pop_with(|promise| promise.0 = true)
        {
            self.promised.set(self.promised.get() + 1);
            scheduler.make_runnable(receiver);
        }
    }

    /// The value that was promised to the caller.
    fn keep_promise(&self) -> Parcel<T> {
        self.promised.set(self.promised.get() - 1);
        let parcel = self.buffer.borrow_mut().pop_front();
        parcel.expect("promised values stay in the buffer")
    }

    /// A receiver ends its wait otherwise.
    fn break_promise(&self, promise: &Promise) {
        if promise.0 {
            self.promised.set(self.promised.get() - 1);
            self.promise_what_is_free();
        }
    }
}

impl<T> Clone for QueueChannel<T> {
    fn clone(&self) -> QueueChannel<T> {
        QueueChannel {
            shared: self.shared.clone(),
        }
    }
}

impl<T> fmt::Debug for QueueChannel<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("QueueChannel")
            .field("balance", &self.balance())
            .field("closing", &self.is_closing())
            .finish_non_exhaustive()
    }
}
