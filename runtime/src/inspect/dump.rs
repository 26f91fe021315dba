//! All tasklets of a thread, as text, and what waits there without one.

use super::info::{self, TaskletInfo};
use super::resting::{self, Resters};
use super::symbols::Symbols;
use super::unwind;
use crate::scheduler::{Scheduler, local};
use std::fmt::Write as _;
use std::io;
use std::time::Duration;

/// How long other threads get to answer.
const PATIENCE: Duration = Duration::from_secs(1);

/// How many connections at rest are named.
const RESTING_MAX: usize = 100;

/// What a dump shows.
///
/// # Scheduling
///
/// Never switches, except where a method says so.
///
/// # Examples
///
/// ```
/// use greenling::inspect::{DumpOptions, dump_with};
/// let options = DumpOptions::new().backtraces(true);
/// dump_with(&mut std::io::stderr(), &options).unwrap();
/// ```
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct DumpOptions {
    /// Each tasklet's backtrace is shown below its line.
    pub backtraces: bool,
    /// How long another thread gets to answer; one second by default.
    pub patience: Duration,
    /// Of how many connections [at rest](crate::server::Resting) the descriptor and
    /// the peer are told, those that have rested longest; 100 by default.
    pub resting_max: usize,
}

impl Default for DumpOptions {
    fn default() -> DumpOptions {
        DumpOptions::new()
    }
}

impl DumpOptions {
    /// Lines only, of 100 connections at rest at most, and a second for each other
    /// thread.
    pub fn new() -> DumpOptions {
        DumpOptions {
            backtraces: false,
            patience: PATIENCE,
            resting_max: RESTING_MAX,
        }
    }

    /// Whether backtraces are shown.
    #[must_use]
    pub fn backtraces(mut self, yes: bool) -> DumpOptions {
        self.backtraces = yes;
        self
    }

    /// Sets how long another thread gets to answer.
    #[must_use]
    pub fn patience(mut self, time: Duration) -> DumpOptions {
        self.patience = time;
        self
    }

    /// Sets how many connections at rest are named, and not only counted.
    #[must_use]
    pub fn resting_max(mut self, count: usize) -> DumpOptions {
        self.resting_max = count;
        self
    }
}

/// All that waits on a thread at the moment of the dump.
#[derive(Debug)]
pub(super) struct Snapshot {
    pub(super) entries: Vec<Entry>,
    resters: Resters,
}

/// A tasklet at the moment of the dump.
#[derive(Debug)]
pub(super) struct Entry {
    info: TaskletInfo,
    addresses: Option<Box<[usize]>>,
}

/// Every live tasklet of the calling thread, and what rests there.
pub(super) fn snapshot(options: &DumpOptions) -> Snapshot {
    local::get().map_or_else(
        || Snapshot {
            entries: Vec::new(),
            resters: Resters::default(),
        },
        |scheduler| snapshot_of(scheduler, options),
    )
}

fn snapshot_of(scheduler: &Scheduler, options: &DumpOptions) -> Snapshot {
    let tasks = info::live(scheduler).into_iter();
    let entry = |task| Entry {
        info: info::info(scheduler, task),
        addresses: options
            .backtraces
            .then(|| unwind::addresses(scheduler, task))
            .flatten(),
    };
    Snapshot {
        entries: tasks.map(entry).collect(),
        resters: resting::resters(options.resting_max),
    }
}

/// Appends each tasklet's line and backtrace to `text`, then what rests.
pub(super) fn print(text: &mut String, snapshot: &Snapshot, indent: &str, symbols: &mut Symbols) {
    for entry in &snapshot.entries {
        // Writing to a string does not fail.
        let _ = writeln!(text, "{indent}{}", entry.info);
        if let Some(addresses) = &entry.addresses {
            let _ = symbols.write(text, addresses, false);
        }
    }
    resting::print(text, &snapshot.resters, indent);
}

/// Writes a line for each live tasklet of this thread, in the order of their
/// ids, and then one for each connection [at rest](crate::server::Resting), in the
/// order in which they came.
///
/// # Scheduling
///
/// Switches only if `out` does.
///
/// # Cancellation
///
/// Only if `out` switches: what it has not taken by then is lost.
///
/// # Errors
///
/// Those of `out`.
pub fn dump(out: &mut impl io::Write) -> io::Result<()> {
    dump_with(out, &DumpOptions::new())
}

/// As [`dump`], with backtraces if they are asked for.
///
/// # Scheduling
///
/// As `dump`.
///
/// # Cancellation
///
/// As `dump`.
///
/// # Errors
///
/// As `dump`.
pub fn dump_with(out: &mut impl io::Write, options: &DumpOptions) -> io::Result<()> {
    let mut text = String::new();
    print(&mut text, &snapshot(options), "", &mut Symbols::default());
    out.write_all(text.as_bytes())
}

/// The dump as text, for reports of the scheduler itself. With backtraces if
/// the environment asks for them.
pub(crate) fn listing(scheduler: &Scheduler) -> String {
    let wanted = |name| std::env::var_os(name).map(|value| value != "0");
    let wanted = wanted("GREENLING_BACKTRACE").or_else(|| wanted("RUST_BACKTRACE"));
    let options = DumpOptions::new().backtraces(wanted.unwrap_or(false));
    let snapshot = snapshot_of(scheduler, &options);
    let mut text = String::new();
    print(&mut text, &snapshot, "  ", &mut Symbols::default());
    text
}
