//! Waits that another OS thread ends.
//!
//! A tasklet that waits for another thread has a *ticket*, a number that is
//! never reused. Waking a ticket whose tasklet has gone on (killed, timed out)
//! does nothing.

use super::anchor::Anchored;
use super::inbox::{ExternalWaker, Inbox, Message, Outlet};
use super::{Driver, Park, Scheduler};
use crate::error::WaitError;
use crate::tasklet::entry::drop_quietly;
use crate::tasklet::raw::{State, TcbRef};
use crate::wait::unlink_all;
use std::cell::{Cell, OnceCell, RefCell};
use std::collections::HashMap;
use std::io;
use std::sync::Arc;
use std::time::Duration;

/// The scheduler's side.
pub(crate) struct External {
    outlet: OnceCell<Outlet>,
    /// Who holds which ticket.
    waiting: RefCell<HashMap<u64, TcbRef>>,
    tickets: Cell<u64>,
}

impl External {
    pub(super) fn new() -> External {
        External {
            outlet: OnceCell::new(),
            waiting: RefCell::default(),
            tickets: Cell::new(0),
        }
    }

    /// Ends it with the thread; what is left in it is dropped one by one.
    pub(super) fn close(&mut self, main: TcbRef) {
        if let Some(outlet) = self.outlet.take() {
            for message in outlet.take_batch() {
                drop_quietly(main, message);
            }
            // Others may still send, so the rest goes as one.
            drop_quietly(main, outlet);
        }
    }

    /// Messages of other threads that nobody has looked at.
    pub(super) fn waiting_messages(&self) -> usize {
        self.outlet.get().map_or(0, Outlet::len)
    }

    /// Waits for other threads, where there is no driver to do so; false if none
    /// knows of this scheduler.
    pub(super) fn nap(&self, timeout: Option<Duration>) -> bool {
        let outlet = self.outlet.get();
        outlet.inspect(|outlet| outlet.nap(timeout)).is_some()
    }

    /// Whether somebody has left a message since the last look.
    pub(super) fn is_poked(&self) -> bool {
        self.outlet.get().is_some_and(Outlet::is_poked)
    }

    /// Has dumps and metrics of all threads leave this one out, or not.
    pub(super) fn set_away(&self, away: bool) {
        if let Some(outlet) = self.outlet.get() {
            outlet.set_away(away);
        }
    }

    /// True if another thread might still wake a tasklet or bring one.
    pub(super) fn could_wake(&self) -> bool {
        let Some(outlet) = self.outlet.get() else {
            return false;
        };
        !self.waiting.borrow().is_empty() || outlet.could_bring()
    }
}

/// Takes the ticket back however the wait ends, a kill included.
pub(crate) struct Ticket<'a> {
    external: &'a External,
    number: u64,
}

impl Drop for Ticket<'_> {
    fn drop(&mut self) {
        self.external.waiting.borrow_mut().remove(&self.number);
    }
}

impl Scheduler {
    /// The inbox, for those who wait for other threads: by the driver, which is made
    /// with the first of them.
    pub(crate) fn inbox(&self) -> io::Result<Arc<Inbox>> {
        self.driver()?;
        Ok(self.outlet().inbox().clone())
    }

    /// The inbox's end, made on first use.
    fn outlet(&self) -> &Outlet {
        self.external.outlet.get_or_init(|| {
            let number = self.anchor.get().map_or(0, Anchored::thread);
            let (_, outlet) = Inbox::new(number);
            if let Some(driver) = self.driver.get() {
                outlet.connect(driver.waker());
            }
            outlet
        })
    }

    /// Lets other threads ask this one what its tasklets do.
    pub(super) fn open_inbox(&self) {
        self.outlet();
    }

    /// There is a driver now, in which the scheduler waits from now on.
    pub(super) fn driver_was_made(&self, driver: &dyn Driver) {
        if let Some(outlet) = self.external.outlet.get() {
            outlet.connect(driver.waker());
        }
    }

    /// The thread is asked again, having gone away or not.
    pub(crate) fn comes_back(&self) {
        self.external.set_away(false);
    }

    /// The thread goes about something else, if it has no tasklets. It comes back as
    /// it begins to wait, or has switched for a while.
    pub(crate) fn goes_away(&self) {
        if self.alive.get() == 1 {
            self.external.set_away(true);
        }
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
        let (ticket, waker) = self.ticket()?;
        if !register(waker) {
            return Ok(());
        }
        let result = self.park(park);
        drop(ticket);
        result
    }

    /// What other threads need to end the wait that the current tasklet is
    /// about to begin, valid until the ticket is dropped.
    pub(crate) fn ticket(&self) -> Result<(Ticket<'_>, ExternalWaker), WaitError> {
        let inbox = self.inbox().map_err(|error| {
            log::error!("greenling: no poller, so other threads can't wake this one: {error}");
            WaitError::Deadlock
        })?;
        let number = self.new_ticket();
        let waker = ExternalWaker::new(inbox, number);
        Ok((self.hold_ticket(number), waker))
    }

    /// The number of a ticket, for one wait after another of the same tasklet.
    pub(crate) fn new_ticket(&self) -> u64 {
        let number = self.external.tickets.get();
        self.external.tickets.set(number + 1);
        number
    }

    /// From now on whoever uses the ticket wakes the current tasklet, which is
    /// about to park.
    pub(crate) fn hold_ticket(&self, number: u64) -> Ticket<'_> {
        let mut waiting = self.external.waiting.borrow_mut();
        waiting.insert(number, self.current());
        Ticket {
            external: &self.external,
            number,
        }
    }

    /// Handles every message that has arrived, and counts them.
    pub(super) fn drain_inbox(&self) -> usize {
        let Some(outlet) = self.external.outlet.get() else {
            return 0;
        };
        if !outlet.take_poke() {
            return 0;
        }
        let mut count = 0;
        for message in outlet.take_batch() {
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
        if self.contain(job) {
            log::error!("greenling: a request of another thread panicked");
        }
    }

    /// Wakes the tasklet that holds the ticket and waits, if there is one.
    pub(crate) fn unpark(&self, ticket: u64) {
        let task = self.external.waiting.borrow_mut().remove(&ticket);
        if let Some(task) = task
            && task.state.get() == State::Blocked
        {
            // It may wait in lists of this thread as well.
            unlink_all(task);
            self.make_runnable(task);
        }
    }
}
