//! The scheduler of one OS thread.
//!
//! ```text
//!            go(next)
//!     current ----> next ----> ... ----> last --+
//!        ^                                      |      the ring of runnables;
//!        +--------------------------------------+      current is in it
//!
//!     wait lists, timers     blocked tasklets are linked there, not here
//!     nowhere                paused ones, and callers inside `run`
//! ```
//!
//! Queue order is the ring from `current` onward. Five operations move
//! tasklets, and everything else is made of them: *append* (just before
//! current: runs last), *insert after* (just behind current: runs next), *go*
//! (make another member current: a rotation), *leave* (unlink current, its
//! successor becomes current) and *next when empty* (the ring has drained).
//!
//! | file | has |
//! |---|---|
//! | `local` | the thread-local scheduler, its making and its end |
//! | `ring` | the links |
//! | `switch` | `schedule`, `park`: the hot paths that switch |
//! | `idle` | what happens when nothing is runnable; polling |
//! | `deliver` | kills, throws, expired deadlines, failures of others |
//! | `control` | insert, remove, run, switch and kill of a given tasklet |
//! | `run` | `run` and the stack of its callers |
//! | `budget` | what ends `run_with` early |
//! | `anchor` | where debuggers begin |
//! | `account` | switches and running times |
//! | `pulse` | signs of life, for a watcher on another thread |
//! | `hooks` | callbacks for switches and channel operations |
//! | `end` | the last steps of a tasklet, and whom to tell of its failure |
//! | `enter` | `enter`, which leaves no tasklet behind |
//! | `inbox` | how other OS threads reach this one |
//! | `fairness` | operations that never wait, and give way all the same |
//! | `external` | waits that another OS thread ends |
//!
//! # Invariants
//!
//! * Nothing but `switch` and `end` leaves a stack; nothing but `park`,
//!   `schedule_remove`, `switch` and `run` takes the current tasklet out of
//!   the ring.
//! * A tasklet is in the ring exactly when its state is `Runnable`.
//! * User code (destructors, hooks, loggers) never runs while the ring or a
//!   list is half linked, nor while a `RefCell` in here is borrowed.
//! * Between two tasklets `current` is not the one whose stack this is. What
//!   user code runs there (a logger, a callback, a request of another thread)
//!   can't switch, and must not unwind: see `idle::Between` and `hooks`. It may
//!   bind, insert or drop the tasklet that is left, even a dead one: look at
//!   its state again afterwards.
//! * The ring is touched only on the scheduler's own thread; other threads
//!   have the inbox.

mod account;
#[allow(unsafe_code, reason = "a symbol by which debuggers find schedulers")]
mod anchor;
mod budget;
mod control;
mod deliver;
mod driver;
mod end;
mod enter;
mod external;
mod fairness;
mod hooks;
mod idle;
mod inbox;
#[allow(unsafe_code, reason = "the thread-local pointer to the scheduler")]
pub(crate) mod local;
mod park_hook;
mod pulse;
mod ring;
mod run;
#[allow(unsafe_code, reason = "leaves one stack for another")]
mod switch;

pub(crate) use account::Counts;
pub use budget::RunOptions;
pub use control::{QueueOrder, set_queue_order};
pub(crate) use deliver::Doom;
pub(crate) use driver::Driver;
pub use end::{error_handler, set_error_handler};
pub use enter::enter;
pub use hooks::{
    ChannelCallback, ChannelEvent, ScheduleCallback, channel_callback, schedule_callback,
    set_channel_callback, set_schedule_callback,
};
pub(crate) use inbox::{ExternalWaker, Inbox, Message};
pub use park_hook::{ParkAction, ParkHook, set_park_hook};
pub(crate) use pulse::Pulse;
pub use run::{RunReport, run, run_blocking, run_with, turn};
pub(crate) use switch::Park;
pub use switch::{schedule, schedule_remove};

use crate::error::{Uncaught, contain};
use crate::stack::StackPool;
use crate::tasklet::Tasklet;
use crate::tasklet::raw::{Table, TcbRef};
use crate::timer::Timers;
use anchor::Anchored;
use external::External;
use std::cell::{Cell, OnceCell, RefCell};
use std::io;
use std::rc::Rc;
use std::sync::Arc;
use std::time::Instant;

/// Bits of `Scheduler::guarded`: why the fast paths must not be taken.
pub(crate) mod guard {
    /// Code runs on the system stack on behalf of a tasklet, or of the
    /// scheduler.
    pub(crate) const SYSTEM_STACK: u32 = 1;
    /// A switch trap is set.
    pub(crate) const TRAP: u32 = 2;
    /// Each tasklet's switches and running time are counted. In the lowest
    /// byte, as all of `WATCHED`: the test of one byte is shorter.
    pub(crate) const ACCOUNTING: u32 = 4;
    /// A test watches the park points.
    pub(crate) const PARK_HOOK: u32 = 8;
    /// A budget of `run_with` is in force.
    pub(crate) const BUDGET: u32 = 16;
    /// A callback wants to see every switch.
    pub(crate) const SCHEDULE_HOOK: u32 = 32;
    /// A callback wants to see every channel operation.
    pub(crate) const CHANNEL_HOOK: u32 = 64;
    /// A callback of either kind runs.
    pub(crate) const IN_HOOK: u32 = 128;
    /// The scheduler itself runs, between two tasklets.
    pub(crate) const BETWEEN: u32 = 256;

    /// The thread is ending.
    pub(crate) const ENDED: u32 = 512;

    /// Those that forbid switching.
    pub(crate) const REFUSE: u32 = SYSTEM_STACK | TRAP | ENDED | IN_HOOK | BETWEEN;
    /// Those under which the current tasklet is not the one that runs.
    pub(crate) const APART: u32 = IN_HOOK | BETWEEN;
    /// Those that want to know of every switch.
    pub(crate) const WATCHED: u32 = BUDGET | SCHEDULE_HOOK | ACCOUNTING;
}

/// Called with the error that leaves a tasklet; see [`set_error_handler`].
pub type ErrorHandler = Rc<dyn Fn(&Tasklet, &Uncaught)>;

/// One OS thread's scheduler.
pub(crate) struct Scheduler {
    /// The tasklet that runs. In the ring unless the ring is empty.
    current: Cell<TcbRef>,
    /// Under `guard::APART`: the tasklet whose stack this is.
    apart: Cell<TcbRef>,
    /// Bits of `guard`; zero on the fast path.
    guarded: Cell<u32>,
    /// Switches until the next look at the clock.
    countdown: Cell<u32>,
    /// It waits for the world: nobody was runnable.
    parked: Cell<bool>,
    /// Members of the ring.
    run_count: Cell<usize>,
    /// Tasklets that are alive, main included, and how many are paused.
    alive: Cell<usize>,
    /// How many may be, main aside.
    pub(crate) max_tasklets: Cell<usize>,
    paused: Cell<usize>,
    main: TcbRef,
    /// Callers inside `run`, innermost last.
    runners: RefCell<Vec<TcbRef>>,
    /// To be killed at the next safe point: paused tasklets whose last handle
    /// is gone, and those a test has picked.
    doomed: RefCell<Vec<(u64, TcbRef, Doom)>>,
    table: Table,
    stacks: RefCell<StackPool>,
    timers: RefCell<Timers>,
    /// Polls descriptors; made when the first is registered.
    driver: OnceCell<Rc<dyn Driver>>,
    external: External,
    pace: Pace,
    /// What `run` of a queued tasklet does with those before it.
    order: Cell<QueueOrder>,
    budget: RefCell<Option<budget::Budget>>,
    error_handler: RefCell<Option<ErrorHandler>>,
    hooks: RefCell<hooks::Hooks>,
    park_hook: RefCell<Option<ParkHook>>,
    /// Nested switch traps; below zero when some that are lifted have gone.
    traps: Cell<i32>,
    /// This scheduler's number, in the upper bits of every id it gives.
    number: u64,
    next_id: Cell<u64>,
    /// An `enter` is on the stack.
    entered: Cell<bool>,
    polls: Cell<u64>,
    /// Operations that did not wait, since how many switches.
    spree: Cell<(u64, u32)>,
    accounts: account::Accounts,
    anchor: OnceCell<Anchored>,
    /// Who watches this thread, if anybody does.
    pulse: OnceCell<Arc<Pulse>>,
}

/// How often the clock is read: every `interval` switches, adapted so that a
/// look comes about every 100 microseconds.
#[derive(Debug)]
struct Pace {
    interval: Cell<u32>,
    last: Cell<Instant>,
    /// Stacks in use when memory was last given back, and when that was.
    trimmed: Cell<Instant>,
}

/// Bits of an id that count tasklets; the rest number schedulers.
pub(crate) const ID_BITS: u32 = 40;

impl Scheduler {
    /// The running tasklet.
    #[inline(always)]
    pub(crate) fn current(&self) -> TcbRef {
        self.current.get()
    }

    /// The tasklet whose stack is run on: the current one, but for code that
    /// the scheduler runs between two tasklets.
    pub(crate) fn running(&self) -> TcbRef {
        if self.guard_bits() & guard::APART != 0 {
            self.apart.get()
        } else {
            self.current.get()
        }
    }

    pub(crate) fn main(&self) -> TcbRef {
        self.main
    }

    pub(crate) fn run_count(&self) -> usize {
        self.run_count.get()
    }

    pub(crate) fn stacks(&self) -> &RefCell<StackPool> {
        &self.stacks
    }

    pub(crate) fn table(&self) -> &Table {
        &self.table
    }

    pub(crate) fn error_handler(&self) -> Option<ErrorHandler> {
        self.error_handler.borrow().clone()
    }

    pub(crate) fn set_error_handler(&self, handler: Option<ErrorHandler>) -> Option<ErrorHandler> {
        self.error_handler.replace(handler)
    }

    /// What polls, or what `make` makes.
    pub(crate) fn driver_or(
        &self,
        make: impl FnOnce() -> io::Result<Rc<dyn Driver>>,
    ) -> io::Result<&Rc<dyn Driver>> {
        if self.driver.get().is_none() {
            let driver = make()?;
            self.driver_was_made(&*driver);
            let _ = self.driver.set(driver);
        }
        self.driver
            .get()
            .ok_or_else(|| io::Error::other("no driver"))
    }

    /// Times the kernel was asked what is ready.
    pub(crate) fn polls(&self) -> u64 {
        self.polls.get()
    }

    /// Whether there may be one more tasklet.
    #[inline(always)]
    pub(crate) fn may_be_born(&self) -> bool {
        self.alive.get() <= self.max_tasklets.get()
    }

    /// Counts a tasklet that has been given a function.
    #[inline(always)]
    pub(crate) fn count_birth(&self) {
        self.alive.set(self.alive.get() + 1);
    }

    /// This scheduler's number; no other of the process ever has it.
    pub(crate) fn number(&self) -> u64 {
        self.number
    }

    /// An id that no other tasklet of the process ever has.
    #[inline(always)]
    pub(crate) fn next_id(&self) -> u64 {
        let id = self.next_id.get();
        self.next_id.set(id + 1);
        id
    }

    #[inline(always)]
    pub(crate) fn is_guarded(&self) -> bool {
        self.guarded.get() != 0
    }

    pub(crate) fn guard_bits(&self) -> u32 {
        self.guarded.get()
    }

    pub(crate) fn set_guard(&self, bit: u32) {
        self.guarded.set(self.guarded.get() | bit);
    }

    pub(crate) fn clear_guard(&self, bit: u32) {
        self.guarded.set(self.guarded.get() & !bit);
    }

    /// Runs foreign code in the middle of an operation: it can't switch, and
    /// its panic ends with it. True if it has panicked.
    pub(crate) fn contain(&self, f: impl FnOnce()) -> bool {
        self.change_traps(true);
        let panicked = contain(f);
        self.change_traps(false);
        panicked
    }

    /// Lets tasklets switch in spite of the switch traps that are set, until
    /// `restore_traps` is called with their number.
    pub(crate) fn lift_traps(&self) -> i32 {
        let lifted = self.traps.get();
        self.set_traps(0);
        lifted
    }

    pub(crate) fn restore_traps(&self, lifted: i32) {
        self.set_traps(self.traps.get() + lifted);
    }

    /// Counts one more switch trap, or one less.
    pub(crate) fn change_traps(&self, up: bool) {
        let traps = self.traps.get();
        self.set_traps(if up { traps + 1 } else { traps - 1 });
    }

    fn set_traps(&self, traps: i32) {
        self.traps.set(traps);
        if traps > 0 {
            self.set_guard(guard::TRAP);
        } else {
            self.clear_guard(guard::TRAP);
        }
    }
}
