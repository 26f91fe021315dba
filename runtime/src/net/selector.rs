//! Waiting for any of several descriptors, from one tasklet.
//!
//! A selector inside of the thread's reactor: the reactor watches it like any
//! other descriptor, and it is ready when one of its members is. It costs two
//! descriptors, so it is made when there is something to wait for, and rarely:
//! by a connection attempt with rivals, and by a datagram for a full queue.

use mio::unix::SourceFd;
use mio::{Events, Interest, Poll, Registry, Token};
use std::cell::RefCell;
use std::io::{self, ErrorKind};
use std::os::fd::{AsFd, AsRawFd, BorrowedFd};
use std::time::Duration;

/// Events taken at a time; which ones they are does not matter.
const EVENTS: usize = 16;

pub(super) struct Selector {
    poll: RefCell<Poll>,
    registry: Registry,
}

impl Selector {
    pub(super) fn new() -> io::Result<Selector> {
        let poll = Poll::new()?;
        let registry = poll.registry().try_clone()?;
        let poll = RefCell::new(poll);
        Ok(Selector { poll, registry })
    }

    /// Is ready when `member` becomes so or fails, from now on, as long as that
    /// is open.
    pub(super) fn add(&self, member: &impl AsFd, interest: Interest) -> io::Result<()> {
        let fd = member.as_fd().as_raw_fd();
        self.registry
            .register(&mut SourceFd(&fd), Token(0), interest)
    }

    /// Changes what is of interest of a member.
    pub(super) fn change(&self, member: &impl AsFd, interest: Interest) -> io::Result<()> {
        let fd = member.as_fd().as_raw_fd();
        self.registry
            .reregister(&mut SourceFd(&fd), Token(0), interest)
    }

    /// Takes the events; `WouldBlock` if there are none. Look at all members
    /// after it, before the next wait.
    pub(super) fn take_events(&self) -> io::Result<()> {
        let mut events = Events::with_capacity(EVENTS);
        let mut poll = self.poll.borrow_mut();
        poll.poll(&mut events, Some(Duration::ZERO))?;
        if events.is_empty() {
            return Err(ErrorKind::WouldBlock.into());
        }
        Ok(())
    }
}

impl AsFd for Selector {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.registry.as_fd()
    }
}
