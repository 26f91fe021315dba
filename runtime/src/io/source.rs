//! A non-blocking descriptor whose operations park their tasklet.
//!
//! ```text
//!   run: many successes in a row? -> let others run
//!        closed? -> error
//!        known not to be ready? -> park
//!        try the operation
//!           done        -> count it, return
//!           WouldBlock  -> forget the readiness, park
//!           Interrupted -> again
//! ```

use super::{Interest, Readiness, Ready};
use crate::error::WaitError;
use crate::reactor::Registration;
use crate::scheduler::{Park, schedule};
use crate::time;
use crate::wait::{WaitReason, reason};
use std::cell::Cell;
use std::io;
use std::os::fd::{AsFd, AsRawFd, RawFd};
use std::panic::Location;
use std::task::Poll;
use std::time::{Duration, Instant};

/// Operations that may succeed in a row before the tasklet gives way: a peer
/// that floods one socket must not starve the others.
const SPREE_MAX: u8 = 32;

/// A descriptor in non-blocking mode and its place in the reactor.
pub(crate) struct Source<S> {
    // Declared before `inner`, so that the watch ends before the descriptor.
    registration: Registration,
    inner: S,
    /// Operations that succeeded since the last wait.
    spree: Cell<u8>,
}

impl<S: AsFd> Source<S> {
    /// Watches `inner`, which is in non-blocking mode.
    pub(crate) fn new(inner: S) -> io::Result<Source<S>> {
        let registration = Registration::new(inner.as_fd().as_raw_fd())?;
        Ok(Source {
            registration,
            inner,
            spree: Cell::new(0),
        })
    }

    pub(crate) fn inner(&self) -> &S {
        &self.inner
    }

    /// Its place in the reactor.
    pub(crate) fn registration(&self) -> &Registration {
        &self.registration
    }

    /// The readiness of some directions to `select!`.
    pub(crate) fn readiness(&self, interest: Interest) -> Readiness<'_> {
        Readiness::new(self.inner.as_fd(), &self.registration, interest)
    }

    /// Stops watching.
    pub(crate) fn into_inner(self) -> S {
        drop(self.registration);
        self.inner
    }

    /// The descriptor that is watched: that of `inner`, unless it has changed.
    pub(crate) fn watched_fd(&self) -> RawFd {
        self.registration.fd()
    }

    /// Wakes all waiters for nothing: their waits end, operations go on.
    pub(crate) fn wake(&self) {
        self.registration.wake();
    }

    /// Wakes all waiters; every operation fails from now on.
    pub(crate) fn close(&self) {
        self.registration.close();
    }

    /// Runs an operation that reads, parking until it does not block.
    #[inline]
    pub(crate) fn read_op<R>(
        &self,
        wait: Waiting,
        mut operation: impl FnMut(&S) -> io::Result<R>,
    ) -> io::Result<R> {
        self.until_done(Interest::READ, wait, || {
            self.attempt(
                Registration::may_read,
                Registration::drained,
                &mut operation,
            )
        })
    }

    /// Runs an operation that writes, parking until it does not block.
    #[inline]
    pub(crate) fn write_op<R>(
        &self,
        wait: Waiting,
        mut operation: impl FnMut(&S) -> io::Result<R>,
    ) -> io::Result<R> {
        self.until_done(Interest::WRITE, wait, || {
            self.attempt(
                Registration::may_write,
                Registration::filled,
                &mut operation,
            )
        })
    }

    #[inline]
    fn until_done<R>(
        &self,
        interest: Interest,
        mut wait: Waiting,
        mut attempt: impl FnMut() -> Poll<io::Result<R>>,
    ) -> io::Result<R> {
        self.give_way_when_due();
        loop {
            if let Poll::Ready(result) = attempt() {
                return result;
            }
            self.park(interest, &mut wait)?;
        }
    }

    /// Tries an operation that reads; `WouldBlock` without a system call when
    /// the descriptor is known to be drained. Never switches.
    #[inline]
    pub(crate) fn try_read_op<R>(
        &self,
        operation: impl FnMut(&S) -> io::Result<R>,
    ) -> io::Result<R> {
        or_would_block(self.attempt(Registration::may_read, Registration::drained, operation))
    }

    /// Tries an operation that writes; `WouldBlock` without a system call when
    /// the descriptor is known to be full. Never switches.
    #[inline]
    pub(crate) fn try_write_op<R>(
        &self,
        operation: impl FnMut(&S) -> io::Result<R>,
    ) -> io::Result<R> {
        or_would_block(self.attempt(Registration::may_write, Registration::filled, operation))
    }

    /// Tries an operation whatever is known of the readiness, of which its
    /// result says nothing either. Never switches.
    pub(crate) fn try_anyway<R>(
        &self,
        operation: impl FnMut(&S) -> io::Result<R>,
    ) -> io::Result<R> {
        or_would_block(self.attempt(|_| true, |_| {}, operation))
    }

    /// Pending where it would block.
    #[inline]
    fn attempt<R>(
        &self,
        may_succeed: impl FnOnce(&Registration) -> bool,
        note_blocked: impl FnOnce(&Registration),
        mut operation: impl FnMut(&S) -> io::Result<R>,
    ) -> Poll<io::Result<R>> {
        if self.registration.is_closed() {
            return Poll::Ready(Err(closed()));
        }
        if !may_succeed(&self.registration) {
            return Poll::Pending;
        }
        match uninterrupted(|| operation(&self.inner)) {
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => {
                note_blocked(&self.registration);
                Poll::Pending
            }
            result => {
                self.spree.set(self.spree.get().saturating_add(1));
                Poll::Ready(result)
            }
        }
    }

    /// Parks until a direction may be ready or `deadline` has passed. One that
    /// is ready at once counts as a success, since operations that never switch
    /// follow.
    pub(crate) fn wait(
        &self,
        interest: Interest,
        deadline: Option<Instant>,
        location: &'static Location<'static>,
    ) -> io::Result<Ready> {
        self.give_way_when_due();
        self.check_open()?;
        let ready = self.registration.ready(interest);
        if ready.any() {
            self.spree.set(self.spree.get().saturating_add(1));
            return Ok(ready);
        }
        self.spree.set(0);
        let reason = reason_of(interest);
        let park = Park::new(reason, location).until(deadline);
        let ready = self.registration.wait(interest, park)?;
        self.check_open()?;
        Ok(ready)
    }

    /// Parks until one of two may be readable; they may be the same.
    pub(crate) fn wait_to_read_either<O: AsFd>(
        first: &Source<S>,
        second: &Source<O>,
        park: Park,
    ) -> io::Result<()> {
        first.check_open()?;
        second.check_open()?;
        first.spree.set(0);
        second.spree.set(0);
        Registration::wait_to_read_either(&first.registration, &second.registration, park)?;
        first.check_open()?;
        second.check_open()
    }

    #[inline]
    fn park(&self, interest: Interest, wait: &mut Waiting) -> io::Result<()> {
        self.spree.set(0);
        let deadline = wait.deadline();
        let park = Park::new(wait.reason, wait.location).until(deadline);
        match self.registration.wait(interest, park) {
            Ok(_) => Ok(()),
            Err(WaitError::TimedOut) if wait.is_own(deadline) => {
                // As std does for a socket's own time limit.
                Err(io::ErrorKind::WouldBlock.into())
            }
            Err(error) => Err(error.into()),
        }
    }

    /// Before an operation, never after it: a kill that arrives while others
    /// run would take along what was read, and an edge would be forgotten that
    /// comes between a short read and its being noted.
    #[inline]
    pub(crate) fn give_way_when_due(&self) {
        if self.spree.get() >= SPREE_MAX {
            self.spree.set(0);
            schedule();
        }
    }

    #[inline]
    fn check_open(&self) -> io::Result<()> {
        if self.registration.is_closed() {
            return Err(closed());
        }
        Ok(())
    }
}

/// How an operation waits, should it have to.
#[derive(Clone, Copy)]
pub(crate) struct Waiting {
    reason: &'static WaitReason,
    location: &'static Location<'static>,
    /// The socket's own time limit.
    limit: Option<Duration>,
    /// When it ends; known once the first wait begins.
    ends: Option<Instant>,
}

impl Waiting {
    #[inline]
    pub(crate) fn new(
        reason: &'static WaitReason,
        location: &'static Location<'static>,
        limit: Option<Duration>,
    ) -> Waiting {
        Waiting {
            reason,
            location,
            limit,
            ends: None,
        }
    }

    /// With a deadline instead of a limit; its passing is `TimedOut`.
    pub(crate) fn until(mut self, deadline: Option<Instant>) -> Waiting {
        self.ends = deadline;
        self
    }

    /// The clock is read only by operations that do wait.
    fn deadline(&mut self) -> Option<Instant> {
        if self.ends.is_none()
            && let Some(limit) = self.limit
        {
            self.ends = Instant::now().checked_add(limit);
        }
        self.ends
    }

    /// Whether the socket's own limit has ended the wait, not a scope's.
    fn is_own(&self, deadline: Option<Instant>) -> bool {
        self.limit.is_some()
            && match (deadline, time::deadline()) {
                (Some(own), Some(scope)) => own < scope,
                (own, _) => own.is_some(),
            }
    }
}

fn reason_of(interest: Interest) -> &'static WaitReason {
    match (interest.is_read(), interest.is_write()) {
        (true, true) => &reason::IO_EITHER,
        (true, false) => &reason::IO_READ,
        (false, _) => &reason::IO_WRITE,
    }
}

fn or_would_block<R>(attempt: Poll<io::Result<R>>) -> io::Result<R> {
    match attempt {
        Poll::Ready(result) => result,
        // With the number that foreign code may look at, though nobody may have asked the kernel.
        Poll::Pending => Err(rustix::io::Errno::AGAIN.into()),
    }
}

/// Repeats an operation that a signal has interrupted.
#[inline]
fn uninterrupted<R>(mut operation: impl FnMut() -> io::Result<R>) -> io::Result<R> {
    loop {
        match operation() {
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            result => return result,
        }
    }
}

/// The error of every operation after `close`.
pub(crate) fn closed() -> io::Error {
    io::Error::new(
        io::ErrorKind::ConnectionAborted,
        "the object was closed by close()",
    )
}
