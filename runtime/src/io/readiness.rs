//! Readiness of a descriptor for `select!`.
//!
//! What the reactor remembers is a hint: that nobody has seen the descriptor
//! block since the last edge. An operation that tries and parks does well with
//! that, but a program that selects wants to know, since it does something else
//! if nothing is there. So a hint is confirmed by `poll(2)` here.

use super::source::closed;
use super::{Interest, Ready};
use crate::error::WaitError;
use crate::reactor::{Registration, Waiter};
use crate::select::Operation;
use crate::select::steps::{Here, Links, Steps};
use crate::wait::Place;
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use std::fmt;
use std::io;
use std::os::fd::BorrowedFd;

/// Completes when a direction of a descriptor is ready; what `readiness` of
/// sockets and [`Fd`](super::Fd) returns.
///
/// The output is what has become ready: an operation in that direction does
/// not wait, unless another tasklet is faster. The error is `ConnectionAborted`
/// when the object is closed.
#[must_use = "it does nothing until it is selected"]
pub struct Readiness<'s> {
    fd: BorrowedFd<'s>,
    registration: &'s Registration,
    interest: Interest,
    waiting: Option<Waiting<'s>>,
    output: Option<io::Result<Ready>>,
}

/// The places of the tasklet while it waits.
struct Waiting<'s> {
    reader: Place<()>,
    writer: Place<()>,
    _counted: Waiter<'s>,
}

impl<'s> Readiness<'s> {
    pub(super) fn new(
        fd: BorrowedFd<'s>,
        registration: &'s Registration,
        interest: Interest,
    ) -> Readiness<'s> {
        Readiness {
            fd,
            registration,
            interest,
            waiting: None,
            output: None,
        }
    }

    /// Asks the kernel about the directions in `hint`, and has the reactor
    /// forget those that are not ready.
    fn confirm(&self, hint: Ready) -> io::Result<Ready> {
        let mut flags = PollFlags::empty();
        if hint.readable {
            flags |= PollFlags::IN | PollFlags::PRI;
        }
        if hint.writable {
            flags |= PollFlags::OUT;
        }
        let mut polled = [PollFd::from_borrowed_fd(self.fd, flags)];
        let at_once = Timespec {
            tv_sec: 0,
            tv_nsec: 0,
        };
        match poll(&mut polled, Some(&at_once)) {
            // A signal: the hint will do.
            Err(rustix::io::Errno::INTR) => return Ok(hint),
            result => result?,
        };
        let found = polled[0].revents();
        let failed = PollFlags::HUP | PollFlags::ERR | PollFlags::NVAL;
        let readable = found.intersects(PollFlags::IN | PollFlags::PRI | failed);
        let writable = found.intersects(PollFlags::OUT | failed);
        if hint.readable && !readable {
            self.registration.drained();
        }
        if hint.writable && !writable {
            self.registration.filled();
        }
        Ok(self.registration.ready(self.interest))
    }
}

impl Steps for Readiness<'_> {
    fn attempt(&mut self, _here: Here<'_>) -> bool {
        if self.registration.is_closed() {
            self.output = Some(Err(closed()));
            return true;
        }
        let hint = self.registration.ready(self.interest);
        if hint.any() {
            self.output = Some(self.confirm(hint))
                .filter(|confirmed| confirmed.as_ref().map_or(true, |ready| ready.any()));
        }
        self.output.is_some()
    }

    fn prepare(&mut self, here: Here<'_>) -> Result<bool, WaitError> {
        self.waiting = Some(Waiting {
            reader: Place::new(here.0, ()),
            writer: Place::new(here.0, ()),
            _counted: self.registration.count_waiter(),
        });
        Ok(false)
    }

    fn link<'a>(&'a self, links: &mut Links<'a>) {
        if let Some(waiting) = &self.waiting {
            let (readers, writers) = self.registration.lists();
            if self.interest.is_read() {
                links.0.add(readers.spot(&waiting.reader));
            }
            if self.interest.is_write() {
                links.0.add(writers.spot(&waiting.writer));
            }
        }
    }

    fn settle(&mut self, _woken: bool) -> bool {
        self.waiting = None;
        false
    }
}

impl Operation for Readiness<'_> {
    type Output = io::Result<Ready>;

    fn take(&mut self) -> Option<io::Result<Ready>> {
        self.output.take()
    }
}

impl fmt::Debug for Readiness<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Readiness")
            .field("fd", &self.fd)
            .field("interest", &self.interest)
            .finish()
    }
}
