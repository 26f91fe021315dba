//! One registered descriptor, and those who wait for it: tasklets in two lists,
//! and wakers of futures.

use super::wakers::{Seat, Wakers};
use super::{Interest, Reactor, Ready};
use crate::error::{WaitError, contain};
use crate::scheduler::{Park, Scheduler, local};
use crate::wait::{Step, WaitList, park_on_either};
use mio::event::Event;
use std::cell::Cell;
use std::io;
use std::os::fd::RawFd;
use std::rc::Rc;
use std::task::{Context, Poll, Waker};

/// What the kernel last said of a descriptor, and who wants to know more.
pub(super) struct Readiness {
    /// Reading might succeed: no `WouldBlock` since the last edge.
    readable: Cell<bool>,
    writable: Cell<bool>,
    /// The peer has closed its side, the descriptor was in error, or urgent
    /// data has come: a short read does not mean that nothing is left, as an
    /// end, an error or bytes behind the urgent one may follow without another
    /// edge.
    more_than_bytes: Cell<bool>,
    readers: WaitList<()>,
    writers: WaitList<()>,
    wakers: Wakers,
}

impl Readiness {
    pub(super) fn new() -> Readiness {
        Readiness {
            readable: Cell::new(true),
            writable: Cell::new(true),
            more_than_bytes: Cell::new(false),
            readers: WaitList::new(),
            writers: WaitList::new(),
            wakers: Wakers::default(),
        }
    }

    /// An edge has come: wakes the tasklets, and says in which directions.
    pub(super) fn note(&self, scheduler: &Scheduler, event: &Event) -> Interest {
        let failed = event.is_error();
        let mut directions = Interest::NONE;
        if event.is_read_closed() || event.is_priority() || failed {
            self.more_than_bytes.set(true);
        }
        if event.is_readable() || event.is_read_closed() || failed {
            self.readable.set(true);
            self.readers.wake_all(scheduler);
            directions = directions.and(Interest::READ);
        }
        if event.is_writable() || event.is_write_closed() || failed {
            self.writable.set(true);
            self.writers.wake_all(scheduler);
            directions = directions.and(Interest::WRITE);
        }
        directions
    }

    /// Begins to fetch this of the tasklet that an edge will probably wake.
    #[inline]
    pub(super) fn fetch_ahead(&self, step: Step) {
        let both = [&self.readers, &self.writers];
        if let Some(waiters) = both.into_iter().find(|waiters| !waiters.is_empty()) {
            waiters.fetch_ahead(step);
        }
    }

    pub(super) fn has_wakers(&self) -> bool {
        self.wakers.len() > 0
    }

    /// Moves the wakers for these directions to `wakers`, since this is no
    /// moment for foreign code, and counts them.
    pub(super) fn take_wakers(&self, directions: Interest, wakers: &mut Vec<Waker>) -> usize {
        self.wakers.take(directions, wakers)
    }
}

/// A descriptor's place in its thread's reactor; ends with the object.
pub(crate) struct Registration {
    reactor: Rc<Reactor>,
    readiness: Rc<Readiness>,
    fd: RawFd,
    token: usize,
    /// `close` was called: every wait fails.
    closed: Cell<bool>,
}

impl Registration {
    /// Watches a descriptor, which the caller keeps open until the
    /// registration is dropped.
    pub(crate) fn new(fd: RawFd) -> io::Result<Registration> {
        let scheduler = local::get_or_make()
            .ok_or_else(|| io::Error::other("the thread is ending: it watches no descriptors"))?;
        let reactor = Reactor::of(scheduler)?;
        let (token, readiness) = reactor.register(fd)?;
        Ok(Registration {
            reactor,
            readiness,
            fd,
            token,
            closed: Cell::new(false),
        })
    }

    /// The descriptor that is watched.
    pub(crate) fn fd(&self) -> RawFd {
        self.fd
    }

    /// Whether a read might succeed, as far as is known.
    #[inline]
    pub(crate) fn may_read(&self) -> bool {
        self.readiness.readable.get()
    }

    /// Whether a write might succeed, as far as is known.
    #[inline]
    pub(crate) fn may_write(&self) -> bool {
        self.readiness.writable.get()
    }

    /// The kernel has said `WouldBlock` to a read. An edge follows whatever
    /// changes that, also after a hang-up or an entry in the error queue.
    #[inline]
    pub(crate) fn drained(&self) {
        self.readiness.readable.set(false);
    }

    /// The kernel has said `WouldBlock` to a write.
    #[inline]
    pub(crate) fn filled(&self) {
        self.readiness.writable.set(false);
    }

    /// A read gave less than was asked for: the queue is empty, unless more
    /// stood behind it than bytes.
    #[inline]
    pub(crate) fn read_short(&self) {
        if !self.readiness.more_than_bytes.get() {
            self.readiness.readable.set(false);
        }
    }

    /// True once `close` was called.
    pub(crate) fn is_closed(&self) -> bool {
        self.closed.get()
    }

    /// Wakes everybody; all their operations, and later ones, fail.
    pub(crate) fn close(&self) {
        self.closed.set(true);
        self.readiness.more_than_bytes.set(true);
        self.readiness.readable.set(true);
        self.readiness.writable.set(true);
        self.wake();
    }

    /// Wakes everybody for nothing: their waits end without readiness, futures
    /// are polled.
    pub(crate) fn wake(&self) {
        if let Some(scheduler) = local::get() {
            self.readiness.readers.wake_all(scheduler);
            self.readiness.writers.wake_all(scheduler);
        }
        let mut wakers = Vec::new();
        let count = self.readiness.wakers.take(Interest::BOTH, &mut wakers);
        self.reactor.uncount_waiters(count);
        wake_in_turn(wakers);
    }

    /// Whether one of the directions may be ready, as far as is known. If none
    /// is, the waker of `context` is called when one is, once; it waits in
    /// `seat`, or as whoever polled last for the directions.
    pub(crate) fn poll_ready(
        &self,
        context: &Context<'_>,
        interest: Interest,
        seat: Option<Seat>,
    ) -> Poll<Ready> {
        let ready = self.ready(interest);
        if ready.any() {
            return Poll::Ready(ready);
        }
        match seat {
            Some(seat) => self.leave_waker(seat, interest, context.waker()),
            None => {
                if interest.is_read() {
                    self.leave_waker(Seat::Reader, Interest::READ, context.waker());
                }
                if interest.is_write() {
                    self.leave_waker(Seat::Writer, Interest::WRITE, context.waker());
                }
            }
        }
        Poll::Pending
    }

    fn leave_waker(&self, seat: Seat, interest: Interest, waker: &Waker) {
        if self.readiness.wakers.set(seat, interest, waker) {
            self.reactor.count_waiter(true);
        }
    }

    /// A seat for the waker of one future.
    pub(crate) fn new_seat(&self) -> Seat {
        self.readiness.wakers.new_seat()
    }

    /// Takes back what a future has left in its seat.
    pub(crate) fn leave_seat(&self, seat: Seat) {
        let waker = self.readiness.wakers.remove(seat);
        if waker.is_some() {
            self.reactor.count_waiter(false);
        }
    }

    /// Parks the current tasklet until one of the directions may be ready,
    /// without asking the kernel, and tells which are.
    pub(crate) fn wait(&self, interest: Interest, park: Park) -> Result<Ready, WaitError> {
        let ready = self.ready(interest);
        if ready.any() {
            return Ok(ready);
        }
        let scheduler = local::get().ok_or(WaitError::Unwinding)?;
        scheduler.check_may_park()?;
        let _waiter = Waiter::new(&self.reactor);
        let (readers, writers) = (&self.readiness.readers, &self.readiness.writers);
        match (interest.is_read(), interest.is_write()) {
            (true, true) => park_on_either(scheduler, readers, writers, park)?,
            (true, false) => readers.park(scheduler, park)?,
            (false, _) => writers.park(scheduler, park)?,
        }
        Ok(self.ready(interest))
    }

    /// Parks the current tasklet until one of two descriptors may be readable,
    /// without asking the kernel.
    pub(crate) fn wait_to_read_either(
        first: &Registration,
        second: &Registration,
        park: Park,
    ) -> Result<(), WaitError> {
        if first.may_read() || second.may_read() {
            return Ok(());
        }
        let scheduler = local::get().ok_or(WaitError::Unwinding)?;
        scheduler.check_may_park()?;
        let _waiter = Waiter::new(&first.reactor);
        let (first, second) = (&first.readiness.readers, &second.readiness.readers);
        park_on_either(scheduler, first, second, park)
    }

    /// Readers and writers, for a tasklet that waits elsewhere, too.
    pub(crate) fn lists(&self) -> (&WaitList<()>, &WaitList<()>) {
        (&self.readiness.readers, &self.readiness.writers)
    }

    /// Counts a tasklet that waits in those lists, for as long as it does.
    pub(crate) fn count_waiter(&self) -> Waiter<'_> {
        Waiter::new(&self.reactor)
    }

    /// Which directions may be ready, as far as is known.
    pub(crate) fn ready(&self, interest: Interest) -> Ready {
        Ready {
            readable: interest.is_read() && self.may_read(),
            writable: interest.is_write() && self.may_write(),
        }
    }
}

/// Calls all of them, though one may panic: its panic goes on when the others
/// have been called.
fn wake_in_turn(wakers: Vec<Waker>) {
    struct Rest(std::vec::IntoIter<Waker>);

    impl Drop for Rest {
        fn drop(&mut self) {
            for waker in self.0.by_ref() {
                if contain(|| waker.wake()) {
                    log::error!("greenling: a waker has panicked");
                }
            }
        }
    }

    let mut rest = Rest(wakers.into_iter());
    for waker in rest.0.by_ref() {
        waker.wake();
    }
}

impl Drop for Registration {
    fn drop(&mut self) {
        self.reactor.deregister(self.fd, self.token);
        self.reactor.uncount_waiters(self.readiness.wakers.len());
    }
}

/// Counts a tasklet as waiting for the outside, for as long as it does.
pub(crate) struct Waiter<'a>(&'a Reactor);

impl<'a> Waiter<'a> {
    fn new(reactor: &'a Reactor) -> Waiter<'a> {
        reactor.count_waiter(true);
        Waiter(reactor)
    }
}

impl Drop for Waiter<'_> {
    fn drop(&mut self) {
        self.0.count_waiter(false);
    }
}
