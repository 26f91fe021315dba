//! Readiness of descriptors, edge-triggered.
//!
//! A descriptor is registered once, for both directions, for as long as its
//! object lives, and has two wait lists: readers and writers. Full duplex
//! needs no second descriptor.
//!
//! ```text
//!   operation: try the system call
//!      done ------------------------------> return
//!      WouldBlock: forget the readiness, park in `readers` or `writers`
//!                        ^                          |
//!                        +---- event: remember, wake all of that side
//! ```
//!
//! Futures leave their wakers instead; these are called when all events have
//! been noted, since they are foreign code.
//!
//! The edge is remembered in `readable` and `writable`: an operation for which
//! the flag is clear parks without a system call, since the kernel has said
//! `WouldBlock` (or a short read has emptied the socket) and no edge has come
//! since. After a hang-up short reads say nothing any more, so that the end of
//! the stream is never waited for; nor do they after urgent data, nor ever from
//! a Unix socket.
//!
//! The reactor knows nothing of sockets, only of descriptors; `net` and `io`
//! are built on [`Registration`].

mod interest;
mod registration;
mod wakers;

pub use interest::{Interest, Ready};
pub(crate) use registration::{Registration, Waiter};
pub(crate) use wakers::Seat;

use crate::context::prefetch;
use crate::scheduler::{Driver, Scheduler};
use crate::wait::Step;
use mio::event::Event;
use mio::unix::SourceFd;
use mio::{Events, Poll, Registry, Token, Waker};
use registration::Readiness;
use std::any::Any;
use std::cell::{Cell, RefCell};
use std::io;
use std::os::fd::RawFd;
use std::rc::Rc;
use std::sync::Arc;
use std::task;
use std::time::Duration;

/// The token of the waker; slots are counted from zero.
const WAKER: Token = Token(usize::MAX);

/// Both directions, and word of urgent data, before which reads end early.
#[cfg(target_os = "linux")]
const INTEREST: mio::Interest = mio::Interest::READABLE
    .add(mio::Interest::WRITABLE)
    .add(mio::Interest::PRIORITY);
#[cfg(not(target_os = "linux"))]
const INTEREST: mio::Interest = mio::Interest::READABLE.add(mio::Interest::WRITABLE);

/// Descriptors above which what belongs to them no longer stays in the caches: about half a
/// kilobyte each of ours, and several of the kernel's, of the one or two megabytes that a
/// core's second cache has.
const CROWD: usize = 512;

/// Events taken from the kernel at a time.
const EVENTS: usize = 256;

/// One thread's selector and the descriptors it watches.
pub(crate) struct Reactor {
    poll: RefCell<Poll>,
    events: RefCell<Events>,
    registry: Registry,
    waker: Arc<Waker>,
    /// By token. Free places are in `free`.
    slots: RefCell<Vec<Option<Rc<Readiness>>>>,
    free: RefCell<Vec<usize>>,
    /// Tasklets that wait for a descriptor, and wakers of futures that do.
    waiting: Cell<usize>,
    /// Wakers to call; empty between polls, and kept for its memory.
    woken: RefCell<Vec<task::Waker>>,
}

impl Reactor {
    fn new() -> io::Result<Reactor> {
        let poll = Poll::new()?;
        let registry = poll.registry().try_clone()?;
        let waker = Arc::new(Waker::new(&registry, WAKER)?);
        Ok(Reactor {
            poll: RefCell::new(poll),
            events: RefCell::new(Events::with_capacity(EVENTS)),
            registry,
            waker,
            slots: RefCell::default(),
            free: RefCell::default(),
            waiting: Cell::new(0),
            woken: RefCell::default(),
        })
    }

    /// The calling scheduler's reactor, made on first use.
    pub(crate) fn of(scheduler: &Scheduler) -> io::Result<Rc<Reactor>> {
        let driver = scheduler.driver()?.clone();
        let reactor = driver.as_any().downcast::<Reactor>();
        Ok(reactor.expect("the driver is a reactor"))
    }

    fn register(&self, fd: RawFd) -> io::Result<(usize, Rc<Readiness>)> {
        let token = self.free.borrow_mut().pop().unwrap_or_else(|| {
            let mut slots = self.slots.borrow_mut();
            slots.push(None);
            slots.len() - 1
        });
        let registered = self
            .registry
            .register(&mut SourceFd(&fd), Token(token), INTEREST);
        if let Err(error) = registered {
            self.free.borrow_mut().push(token);
            return Err(error);
        }
        let readiness = Rc::new(Readiness::new());
        self.slots.borrow_mut()[token] = Some(readiness.clone());
        Ok((token, readiness))
    }

    fn deregister(&self, fd: RawFd, token: usize) {
        // Fails only if the descriptor is gone, and then so is its watch.
        let _ = self.registry.deregister(&mut SourceFd(&fd));
        self.slots.borrow_mut()[token] = None;
        self.free.borrow_mut().push(token);
    }

    fn count_waiter(&self, up: bool) {
        let count = self.waiting.get();
        self.waiting.set(if up { count + 1 } else { count - 1 });
    }

    fn uncount_waiters(&self, count: usize) {
        self.waiting.set(self.waiting.get() - count);
    }

    /// Remembers what the kernel has said, and gathers whose wakers to call.
    #[inline]
    fn note(&self, scheduler: &Scheduler, events: &Events) {
        let slots = self.slots.borrow();
        if slots.len() > CROWD {
            fetch_ahead(&slots, events);
        }
        for event in events {
            if let Some(Some(readiness)) = slots.get(event.token().0) {
                let directions = readiness.note(scheduler, event);
                if readiness.has_wakers() {
                    self.gather_wakers(readiness, directions);
                }
            }
        }
    }

    /// Apart, so that descriptors without futures pay one test for them.
    #[cold]
    #[inline(never)]
    fn gather_wakers(&self, readiness: &Readiness, directions: Interest) {
        let count = readiness.take_wakers(directions, &mut self.woken.borrow_mut());
        self.uncount_waiters(count);
    }

    #[cold]
    #[inline(never)]
    fn call_wakers(&self, scheduler: &Scheduler) {
        // They are foreign code, during which nothing is borrowed.
        let mut woken = self.woken.take();
        for waker in woken.drain(..) {
            if scheduler.contain(|| waker.wake()) {
                log::error!("greenling: a waker has panicked");
            }
        }
        self.woken.replace(woken);
    }
}

/// Begins to fetch what the events will touch: a step for all of them, then the next.
#[cold]
#[inline(never)]
fn fetch_ahead(slots: &[Option<Rc<Readiness>>], events: &Events) {
    let noted = || {
        let slot = |event: &Event| slots.get(event.token().0)?.as_ref();
        events.iter().filter_map(slot)
    };
    for readiness in noted() {
        let at = Rc::as_ptr(readiness).cast::<u8>();
        prefetch(at);
        prefetch(at.wrapping_add(64));
    }
    for step in [Step::Node, Step::Block, Step::Stack] {
        noted().for_each(|readiness| readiness.fetch_ahead(step));
    }
}

impl Driver for Reactor {
    fn poll(&self, scheduler: &Scheduler, timeout: Option<Duration>) -> io::Result<()> {
        let mut events = self.events.borrow_mut();
        match self.poll.borrow_mut().poll(&mut events, timeout) {
            // A signal: the caller looks at its clocks and comes again.
            Err(error) if error.kind() == io::ErrorKind::Interrupted => return Ok(()),
            result => result?,
        }
        self.note(scheduler, &events);
        drop(events);
        if !self.woken.borrow().is_empty() {
            self.call_wakers(scheduler);
        }
        Ok(())
    }

    fn has_waiters(&self) -> bool {
        self.waiting.get() > 0
    }

    fn watched(&self) -> usize {
        self.slots.borrow().len() - self.free.borrow().len()
    }

    fn waker(&self) -> Arc<dyn Fn() + Send + Sync> {
        let waker = self.waker.clone();
        Arc::new(move || {
            if let Err(error) = waker.wake() {
                log::error!("greenling: waking another thread's scheduler failed: {error}");
            }
        })
    }

    fn as_any(self: Rc<Self>) -> Rc<dyn Any> {
        self
    }
}

impl Scheduler {
    /// What polls for this scheduler, made on first use.
    pub(crate) fn driver(&self) -> io::Result<&Rc<dyn Driver>> {
        self.driver_or(|| Ok(Rc::new(Reactor::new()?)))
    }
}
