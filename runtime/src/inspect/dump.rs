//! All tasklets of a thread, as text.

use super::info::{self, TaskletInfo};
use super::symbols::Symbols;
use super::unwind;
use crate::scheduler::{Scheduler, local};
use std::fmt::Write as _;
use std::io;
use std::time::Duration;

/// How long other threads get to answer.
const PATIENCE: Duration = Duration::from_secs(1);

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
}

impl Default for DumpOptions {
    fn default() -> DumpOptions {
        DumpOptions::new()
    }
}

impl DumpOptions {
    /// Lines only, and a second for each other thread.
    pub fn new() -> DumpOptions {
        DumpOptions {
            backtraces: false,
            patience: PATIENCE,
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
}

/// A tasklet at the moment of the dump.
#[derive(Debug)]
pub(super) struct Entry {
    info: TaskletInfo,
    addresses: Option<Box<[usize]>>,
}

/// Every live tasklet of the calling thread.
pub(super) fn entries(backtraces: bool) -> Vec<Entry> {
    local::get().map_or_else(Vec::new, |scheduler| entries_of(scheduler, backtraces))
}

fn entries_of(scheduler: &Scheduler, backtraces: bool) -> Vec<Entry> {
    let tasks = info::live(scheduler).into_iter();
    tasks
        .map(|task| Entry {
            info: info::info(scheduler, task),
            addresses: backtraces
                .then(|| unwind::addresses(scheduler, task))
                .flatten(),
        })
        .collect()
}

/// Appends each entry's line and backtrace to `text`.
pub(super) fn print(text: &mut String, entries: &[Entry], indent: &str, symbols: &mut Symbols) {
    for entry in entries {
        // Writing to a string does not fail.
        let _ = writeln!(text, "{indent}{}", entry.info);
        if let Some(addresses) = &entry.addresses {
            let _ = symbols.write(text, addresses, false);
        }
    }
}

/// Writes a line for each live tasklet of this thread, in the order of their
/// ids.
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
    let entries = entries(options.backtraces);
    print(&mut text, &entries, "", &mut Symbols::default());
    out.write_all(text.as_bytes())
}

/// The dump as text, for reports of the scheduler itself. With backtraces if
/// the environment asks for them.
pub(crate) fn listing(scheduler: &Scheduler) -> String {
    let wanted = |name| std::env::var_os(name).map(|value| value != "0");
    let wanted = wanted("GREENLING_BACKTRACE").or_else(|| wanted("RUST_BACKTRACE"));
    let entries = entries_of(scheduler, wanted.unwrap_or(false));
    let mut text = String::new();
    print(&mut text, &entries, "  ", &mut Symbols::default());
    text
}
