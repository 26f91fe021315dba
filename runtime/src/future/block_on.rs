//! Driving a future on a tasklet.
//!
//! ```text
//!   fire timers -> poll -> ready ----------------------------------> Ok
//!        ^           |
//!        |           +-> woken meanwhile: give way to others -+
//!        |           +-> park until a wake or a timer --------+--> error
//!        +----------------------------------------------------+
//! ```
//!
//! Whether a wake may still come decides what a park that nobody ends means. As
//! long as a waker exists anywhere, on whatever thread, somebody may use it, and
//! the tasklet waits by a ticket, as for any other thread. A future that is
//! pending without having left a waker waits for its timers or for nothing,
//! which is a deadlock if nobody else can run. It can't be told from here who
//! holds a waker: two tasklets of one thread that wait for each other's futures
//! wait for ever, and a dump of the tasklets shows them.

use super::signal::{Address, Signal};
use super::timers::Frame;
use crate::error::WaitError;
use crate::scheduler::{Park, Scheduler, local};
use crate::time;
use crate::wait::reason;
use std::future::IntoFuture;
use std::panic::Location;
use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::{Ordering, fence};
use std::task::{Context, Poll, Waker};
use std::time::Instant;

/// Drives `future` on the current tasklet until it is ready.
///
/// The future need not be `Send`, and may use what the thread's tasklets share.
/// Its wakers may be used on any thread, at any time: before the tasklet parks,
/// more than once, and after it has ended. Calls may be nested, one inside a
/// future that another polls.
///
/// A future may call operations that park a tasklet. They park this one inside
/// of `poll`, and nothing else that this `block_on` drives makes progress
/// meanwhile; let a tasklet of its own do that, by
/// [`future::spawn`](super::spawn). A future that polls deeply needs a stack to
/// match: see [`Builder::stack_size`](crate::Builder::stack_size).
///
/// # Scheduling
///
/// Switches while the future is pending. A future that has been woken by the
/// time its poll returns lets all other tasklets run before the next poll.
///
/// # Cancellation
///
/// A kill, a [`timeout`](crate::time::timeout) scope or an error thrown at the
/// tasklet ends the wait between two polls. The future is dropped, and what it
/// had done so far goes with it; to go on later pass a `&mut` or a
/// `Pin<&mut _>` of one that lives elsewhere. A kill drops it while unwinding,
/// when no destructor may wait.
///
/// # Errors
///
/// `TimedOut` after the deadline of a scope; `Deadlock` when the future has
/// left no waker anywhere and nothing else could run, or when the thread has no
/// poller; the other reasons of [`WaitError`].
///
/// # Examples
///
/// ```
/// use std::future::poll_fn;
/// use std::task::Poll;
/// let mut polls = 0;
/// let third = greenling::block_on(poll_fn(|context| {
///     polls += 1;
///     context.waker().wake_by_ref();
///     if polls < 3 { Poll::Pending } else { Poll::Ready(polls) }
/// }));
/// assert_eq!(third.unwrap(), 3);
/// ```
#[track_caller]
pub fn block_on<F: IntoFuture>(future: F) -> Result<F::Output, WaitError> {
    let location = Location::caller();
    let scheduler = local::get_or_make().ok_or(WaitError::Unwinding)?;
    let address = address_of(scheduler)?;
    let frame = Frame::enter();
    let mut future = pin!(future.into_future());
    let mut signal = Signal::new(address.clone());
    loop {
        frame.timers.fire();
        signal.begin_poll();
        let waker = Waker::from(signal.clone());
        let polled = future.as_mut().poll(&mut Context::from_waker(&waker));
        drop(waker);
        if let Poll::Ready(value) = polled {
            return Ok(value);
        }
        scheduler.check_may_park()?;
        let due = frame.timers.next_due();
        let park = Park::new(&reason::BLOCK_ON, location).until(due);
        signal = match wait(scheduler, signal, &address, park)? {
            Some(signal) => signal,
            None => Signal::new(address.clone()),
        };
    }
}

fn address_of(scheduler: &Scheduler) -> Result<Address, WaitError> {
    let inbox = scheduler.inbox().map_err(|error| {
        log::error!("greenling: no poller, so nobody could wake a future: {error}");
        WaitError::Deadlock
    })?;
    Ok(Address {
        inbox,
        scheduler: scheduler.number(),
        ticket: scheduler.new_ticket(),
    })
}

/// Waits until the future should be polled again. Gives the signal back unless
/// all of its wakers are gone.
fn wait(
    scheduler: &Scheduler,
    signal: Arc<Signal>,
    address: &Address,
    park: Park,
) -> Result<Option<Arc<Signal>>, WaitError> {
    if signal.begin_poll() {
        give_way(scheduler)?;
        return Ok(Some(signal));
    }
    scheduler.announce_park(park.reason);
    // Alone, without any waker, it stays so. Whoever used the last one did so
    // before dropping it, and `begin_wait` must see that.
    let is_alone = Arc::strong_count(&signal) == 1;
    fence(Ordering::Acquire);
    if !signal.begin_wait() {
        return Ok(Some(signal));
    }
    if is_alone {
        unless_due(scheduler.park(park), park.deadline)?;
        return Ok(Some(signal));
    }
    let ticket = scheduler.hold_ticket(address.ticket);
    let wakers = Arc::downgrade(&signal);
    drop(signal);
    if wakers.strong_count() > 0 {
        let result = scheduler.park(park);
        drop(ticket);
        unless_due(result, park.deadline)?;
    }
    Ok(wakers.upgrade())
}

/// Lets others run after a wake that came with a poll: a future that always
/// wakes itself must not keep the thread.
fn give_way(scheduler: &Scheduler) -> Result<(), WaitError> {
    scheduler.yield_after_hand_over()?;
    match time::deadline() {
        Some(end) if end <= Instant::now() => {
            Err(time::scope::note_expiry(scheduler.current(), None))
        }
        _ => Ok(()),
    }
}

/// A wait that has ended because a timer of the future's is due ended well.
fn unless_due(result: Result<(), WaitError>, due: Option<Instant>) -> Result<(), WaitError> {
    match (result, due) {
        (Err(WaitError::TimedOut), Some(due))
            if time::deadline().is_none_or(|scope| due < scope) =>
        {
            Ok(())
        }
        (result, _) => result,
    }
}
