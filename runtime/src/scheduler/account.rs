//! What is counted: switches of the thread, and on demand the switches and the
//! running time of each tasklet.
//!
//! The thread's switches cost nothing: they are what the countdown to the next
//! look at the clock has lost since it was loaded, plus what it had lost
//! before. A clock read at every switch would double its price, so each
//! tasklet's account is kept only while `guard::ACCOUNTING` is set, in a table
//! beside the control blocks, by slot.

use super::{Scheduler, guard};
use crate::tasklet::raw::TcbRef;
use std::cell::{Cell, RefCell};
use std::time::{Duration, Instant};

/// One tasklet's account.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Account {
    /// Whose it is: slots are reused.
    id: u64,
    /// How often it was resumed.
    pub(crate) switches: u64,
    pub(crate) running: Duration,
}

/// How much there is of everything.
#[derive(Debug)]
pub(crate) struct Counts {
    pub(crate) alive: usize,
    pub(crate) runnable: usize,
    pub(crate) paused: usize,
    /// Tasklets that were given a function, main excluded.
    pub(crate) births: u64,
    pub(crate) switches: u64,
    pub(crate) timers: usize,
    pub(crate) descriptors: usize,
    /// Messages of other threads that were not looked at.
    pub(crate) messages: usize,
}

/// What a scheduler counts.
#[derive(Debug, Default)]
pub(super) struct Accounts {
    by_slot: RefCell<Vec<Account>>,
    /// Since when the running tasklet has not been charged; `None` while the
    /// thread idles.
    since: Cell<Option<Instant>>,
    /// Switches before the countdown was loaded, and with what it was.
    switches: Cell<u64>,
    loaded: Cell<u32>,
    /// Tasklets that were made without a function.
    unbound: Cell<u64>,
    /// Functions given to tasklets that had none.
    bindings: Cell<u64>,
}

impl Accounts {
    pub(super) fn new(countdown: u32) -> Accounts {
        let accounts = Accounts::default();
        accounts.loaded.set(countdown);
        accounts
    }

    fn with<R>(&self, task: TcbRef, f: impl FnOnce(&mut Account) -> R) -> R {
        let mut accounts = self.by_slot.borrow_mut();
        let slot = task.slot.get() as usize;
        if slot >= accounts.len() {
            accounts.resize(slot + 1, Account::default());
        }
        let account = &mut accounts[slot];
        if account.id != task.id.get() {
            *account = Account {
                id: task.id.get(),
                ..Account::default()
            };
        }
        f(account)
    }

    /// The time since the last call; none while the thread idles.
    fn lap(&self) -> Duration {
        let Some(since) = self.since.get() else {
            return Duration::ZERO;
        };
        let now = Instant::now();
        self.since.set(Some(now));
        now.saturating_duration_since(since)
    }
}

impl Scheduler {
    /// Starts or stops keeping accounts; true if they were kept.
    pub(crate) fn set_accounting(&self, on: bool) -> bool {
        let before = self.guard_bits() & guard::ACCOUNTING != 0;
        if before && !on {
            self.charge_running();
        }
        self.accounts.since.set(on.then(Instant::now));
        if on {
            self.set_guard(guard::ACCOUNTING);
        } else {
            self.clear_guard(guard::ACCOUNTING);
        }
        before
    }

    /// What `task` has taken so far.
    pub(crate) fn account(&self, task: TcbRef) -> Account {
        self.charge_running();
        let accounts = self.accounts.by_slot.borrow();
        let account = accounts.get(task.slot.get() as usize);
        let its_own = account.filter(|account| account.id == task.id.get());
        its_own.copied().unwrap_or_default()
    }

    /// Charges the tasklet that runs, if accounts are kept.
    fn charge_running(&self) {
        if self.guard_bits() & guard::ACCOUNTING != 0 {
            self.charge_time(self.running());
        }
    }

    fn charge_time(&self, task: TcbRef) {
        let lap = self.accounts.lap();
        self.accounts.with(task, |account| account.running += lap);
    }

    /// Notes a switch while accounts are kept.
    pub(super) fn account_switch(&self, from: TcbRef, to: TcbRef) {
        self.charge_time(from);
        if from != to {
            self.accounts.with(to, |account| account.switches += 1);
        }
    }

    /// The thread begins to wait, `leaving` being the last that ran, or has
    /// waited, which is nobody's running time.
    #[inline]
    pub(super) fn account_idle(&self, leaving: TcbRef, begins: bool) {
        if self.guard_bits() & guard::ACCOUNTING != 0 {
            self.account_idle_now(leaving, begins);
        }
    }

    #[cold]
    #[inline(never)]
    fn account_idle_now(&self, leaving: TcbRef, begins: bool) {
        if begins {
            self.charge_time(leaving);
        }
        self.accounts.since.set((!begins).then(Instant::now));
    }

    /// Has the next look at the clock come after so many switches.
    pub(super) fn load_countdown(&self, switches: u32) {
        self.accounts.switches.set(self.switches());
        self.accounts.loaded.set(switches);
        self.countdown.set(switches);
    }

    /// Counts a switch for which the countdown does not run.
    pub(super) fn count_idle_switch(&self) {
        let switches = &self.accounts.switches;
        switches.set(switches.get() + 1);
    }

    pub(crate) fn counts(&self) -> Counts {
        Counts {
            alive: self.alive.get(),
            runnable: self.run_count.get(),
            paused: self.paused.get(),
            births: self.births(),
            switches: self.switches(),
            timers: self.timers.borrow().len(),
            descriptors: self.driver.get().map_or(0, |driver| driver.watched()),
            messages: self.external.waiting_messages(),
        }
    }

    /// How often this thread has switched tasklets.
    #[inline]
    pub(super) fn switches(&self) -> u64 {
        // Seen from a signal handler, the two need not belong together.
        let since_loaded = self
            .accounts
            .loaded
            .get()
            .wrapping_sub(self.countdown.get());
        let before = self.accounts.switches.get();
        before.wrapping_add(u64::from(since_loaded))
    }

    /// Counts a tasklet that is made without a function.
    pub(crate) fn count_unbound(&self) {
        self.accounts.unbound.set(self.accounts.unbound.get() + 1);
    }

    /// Counts a tasklet that has been given a function, having had none.
    pub(crate) fn count_binding(&self) {
        self.accounts.bindings.set(self.accounts.bindings.get() + 1);
        self.count_birth();
    }

    fn births(&self) -> u64 {
        let ids = self.next_id.get() - self.main.id.get() - 1;
        let made = ids - self.accounts.unbound.get();
        made + self.accounts.bindings.get()
    }
}
