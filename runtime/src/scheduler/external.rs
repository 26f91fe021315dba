//! Waits that another OS thread ends, and the inbox through which it does.
//!
//! Other threads never touch the ring. They put a message into the inbox and
//! poke the driver; the scheduler drains the inbox when it polls.
//!
//! ```text
//!   other thread:   push message; if !poked.swap(true) { wake the driver }
//!   scheduler:      if poked.swap(false) { drain all messages }
//! ```
//!
//! The order matters: a message pushed after the drain has looked finds
//! `poked` false and wakes the next poll, so none is left lying.
//!
//! A tasklet that waits for another thread has a *ticket*, a number that is
//! never reused. Waking a ticket whose tasklet has gone on (killed, timed out)
//! does nothing.

use super::{Park, Scheduler};
use crate::error::WaitError;
use crate::tasklet::raw::{State, TcbRef};
use crossbeam_channel::{Receiver, Sender, unbounded};
use std::cell::{Cell, OnceCell, RefCell};
use std::collections::HashMap;
use std::io;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

/// What another thread can ask of a scheduler.
pub(crate) enum Message {
    /// Runs once on the scheduler's thread, at a safe point; must not switch.
    Run(Box<dyn FnOnce() + Send>),
    /// Wakes the tasklet that holds the ticket.
    Unpark(u64),
    /// Nothing but the poke itself.
    Wake,
}

/// The receiving end's address: shared by everyone who may wake a scheduler.
pub(crate) struct Inbox {
    messages: Sender<Message>,
    poked: AtomicBool,
    poke: Arc<dyn Fn() + Send + Sync>,
    /// Handles through which other threads may send work at any time.
    remotes: AtomicUsize,
}

impl Inbox {
    /// Delivers a message; false if the scheduler has ended.
    pub(crate) fn send(&self, message: Message) -> bool {
        if self.messages.send(message).is_err() {
            return false;
        }
        if !self.poked.swap(true, Ordering::AcqRel) {
            (self.poke)();
        }
        true
    }

    /// Counts a `Remote` handle.
    pub(crate) fn add_remote(&self) {
        self.remotes.fetch_add(1, Ordering::Relaxed);
    }

    /// Counts one less, and lets the scheduler see whether it was the last.
    pub(crate) fn drop_remote(&self) {
        if self.remotes.fetch_sub(1, Ordering::AcqRel) == 1 {
            self.send(Message::Wake);
        }
    }
}

/// Wakes one wait of one tasklet, from any thread. Harmless when late.
#[derive(Clone)]
pub(crate) struct ExternalWaker {
    inbox: Arc<Inbox>,
    ticket: u64,
}

impl ExternalWaker {
    /// Ends the wait, if it is still going on.
    pub(crate) fn wake(&self) {
        self.inbox.send(Message::Unpark(self.ticket));
    }
}

/// The scheduler's side.
pub(crate) struct External {
    inbox: OnceCell<(Arc<Inbox>, Receiver<Message>)>,
    /// Who holds which ticket.
    waiting: RefCell<HashMap<u64, TcbRef>>,
    tickets: Cell<u64>,
}

impl External {
    pub(super) fn new() -> External {
        External {
            inbox: OnceCell::new(),
            waiting: RefCell::default(),
            tickets: Cell::new(0),
        }
    }

    /// True once anybody outside knows of this scheduler.
    pub(super) fn is_open(&self) -> bool {
        self.inbox.get().is_some()
    }

    /// True if another thread might still wake a tasklet or bring one.
    pub(super) fn could_wake(&self) -> bool {
        let Some((inbox, messages)) = self.inbox.get() else {
            return false;
        };
        !self.waiting.borrow().is_empty()
            || inbox.remotes.load(Ordering::Acquire) > 0
            || !messages.is_empty()
    }
}

/// Takes the ticket back however the wait ends, a kill included.
struct Ticket<'a> {
    external: &'a External,
    number: u64,
}

impl Drop for Ticket<'_> {
    fn drop(&mut self) {
        self.external.waiting.borrow_mut().remove(&self.number);
    }
}

impl Scheduler {
    /// The inbox, made on first use together with the driver.
    pub(crate) fn inbox(&self) -> io::Result<Arc<Inbox>> {
        if let Some((inbox, _)) = self.external.inbox.get() {
            return Ok(inbox.clone());
        }
        let poke = self.driver()?.waker();
        let (messages, receiver) = unbounded();
        let inbox = Arc::new(Inbox {
            messages,
            poked: AtomicBool::new(false),
            poke,
            remotes: AtomicUsize::new(0),
        });
        let _ = self.external.inbox.set((inbox.clone(), receiver));
        Ok(inbox)
    }

    /// Parks the current tasklet until the waker that `register` was given is
    /// used. `register` puts it where the other thread finds it, and returns
    /// false if there is nothing to wait for any more.
    pub(crate) fn wait_external(
        &self,
        park: Park,
        register: impl FnOnce(ExternalWaker) -> bool,
    ) -> Result<(), WaitError> {
        self.check_may_park()?;
        self.announce_park(park.reason);
        let inbox = self.inbox().map_err(|error| {
            log::error!("greenling: no poller, so other threads can't wake this one: {error}");
            WaitError::Deadlock
        })?;
        let number = self.external.tickets.get();
        self.external.tickets.set(number + 1);
        let ticket = Ticket {
            external: &self.external,
            number,
        };
        let waker = ExternalWaker {
            inbox,
            ticket: number,
        };
        self.external
            .waiting
            .borrow_mut()
            .insert(number, self.current());
        if !register(waker) {
            return Ok(());
        }
        let result = self.park(park);
        drop(ticket);
        result
    }

    /// Handles every message that has arrived, and counts them.
    pub(super) fn drain_inbox(&self) -> usize {
        let Some((inbox, messages)) = self.external.inbox.get() else {
            return 0;
        };
        // The swap reads the last poke, so every message pushed before it is
        // seen below.
        if !inbox.poked.load(Ordering::Relaxed) || !inbox.poked.swap(false, Ordering::AcqRel) {
            return 0;
        }
        let mut count = 0;
        while let Ok(message) = messages.try_recv() {
            count += 1;
            match message {
                Message::Run(job) => self.run_job(job),
                Message::Unpark(ticket) => self.unpark(ticket),
                Message::Wake => {}
            }
        }
        count
    }

    /// Between tasklets, perhaps with none to come back to: what a job drops
    /// may neither switch nor unwind from here.
    fn run_job(&self, job: Box<dyn FnOnce() + Send>) {
        self.change_traps(true);
        let result = catch_unwind(AssertUnwindSafe(job));
        self.change_traps(false);
        if result.is_err() {
            log::error!("greenling: a request of another thread panicked");
        }
    }

    fn unpark(&self, ticket: u64) {
        let task = self.external.waiting.borrow_mut().remove(&ticket);
        if let Some(task) = task
            && task.state.get() == State::Blocked
        {
            self.make_runnable(task);
        }
    }
}
