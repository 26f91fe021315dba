//! Seeing inside: what every tasklet does, and what it waits for.
//!
//! | question | answer |
//! |---|---|
//! | which tasklets are there? | [`tasklets`], [`dump`], [`dump_all`] |
//! | where does this one stand? | [`backtrace`] |
//! | what is the stuck process doing? | [`dump_on`], which dumps at a signal |
//! | how much of everything? | [`metrics`], [`metrics_all`] |
//! | who takes the time? | [`set_accounting`] |
//! | who holds the thread? | [`watchdog`] |
//!
//! `docs/debugging.md` in the repository shows how these look, and what gdb,
//! perf and the sanitizers see.
//!
//! Nothing in here runs foreign code while something of the scheduler is
//! borrowed or half linked: what is to be told is copied first, and written,
//! logged or handed to callbacks afterwards. So all of it may be called from
//! anywhere, destructors of a tasklet that unwinds included.

mod accounting;
mod ask;
mod backtrace;
mod dump;
mod everywhere;
mod info;
mod metrics;
#[allow(unsafe_code, reason = "reads the loader's list of modules")]
mod modules;
mod remote;
mod replay;
mod resting;
#[allow(unsafe_code, reason = "handles a signal")]
mod sample;
mod symbols;
#[allow(unsafe_code, reason = "takes backtraces of suspended contexts")]
mod unwind;
mod watchdog;

pub use accounting::set_accounting;
pub use backtrace::{Backtrace, backtrace};
pub(crate) use dump::listing;
pub use dump::{DumpOptions, dump, dump_with};
pub use everywhere::{dump_all, dump_on};
pub use info::{TaskletInfo, tasklets};
pub use metrics::{AllMetrics, Metrics, metrics, metrics_all};
pub(crate) use resting::{Rest, RestingPlace, announce_place};
pub use watchdog::{Hold, Watchdog, watchdog};

pub use crate::offload::OffloadMetrics;
use crate::scheduler::{Scheduler, local};

/// How often this thread has asked the kernel what is ready: an idle thread's
/// count stands still.
///
/// # Scheduling
///
/// Never switches.
pub fn polls() -> u64 {
    local::get().map_or(0, Scheduler::polls)
}
