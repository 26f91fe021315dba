//! All tasklets of all threads, as text, and at a signal.

use super::ask::{self, Answers, Silent};
use super::dump::{self, DumpOptions, Snapshot};
use super::replay;
use super::sample::{self, Sample};
use super::symbols::Symbols;
use crate::scheduler::ID_BITS;
use crate::signal::Signals;
use crate::thread;
use std::fmt::Write as _;
use std::io::{self, Write as _};
use std::sync::{Mutex, PoisonError};
use std::thread::Thread;

/// What a thread has told of itself.
struct ThreadDump {
    thread: Thread,
    snapshot: Snapshot,
}

/// Writes a line for each tasklet of every thread that has any, and for what is
/// [at rest](crate::server::Resting) there. Threads without tasklets are among them
/// if they have made a [`Remote`](thread::Remote) or have waited for another thread.
///
/// A thread answers when it next looks at its inbox. One that a tasklet holds
/// is named as silent after [`DumpOptions::patience`]. So is one whose tasklets have
/// ended and that waits for something outside of this crate, unless it had them
/// inside of [`enter`](crate::enter), or runs [`workers`](crate::workers()) now.
/// Once [`dump_on`] or [`watchdog`](super::watchdog) was called, the backtraces, if
/// they are asked for, tell where a silent thread is.
///
/// # Scheduling
///
/// Switches while other threads have not answered, and if `out` does. Where
/// switching is refused, as in a destructor that unwinds, only those who
/// answer at once are heard.
///
/// # Cancellation
///
/// Nothing is lost: who has not answered by then is named as silent.
///
/// # Errors
///
/// Those of `out`; those of [`remote`](thread::remote).
pub fn dump_all(out: &mut impl io::Write, options: &DumpOptions) -> io::Result<()> {
    out.write_all(text_of_all(options)?.as_bytes())
}

/// From now on dumps all threads with their backtraces to standard error
/// whenever the process receives this signal, [`SIGUSR1`](crate::signal::SIGUSR1)
/// as a rule.
///
/// The calling thread is made reachable; others are as in [`dump_all`], or
/// after a call of their own. The dump is written by a helper thread, so it
/// appears also while a tasklet holds a thread, which is then named as silent, with
/// the tasklet that holds it and where that is. This is asked by another signal, SIGURG,
/// as by the [`watchdog`](super::watchdog), whose limits hold here, too.
/// Calling this again for the same signal changes nothing else.
///
/// # Scheduling
///
/// Never switches.
///
/// # Errors
///
/// As [`Signals::new`] and [`remote`](thread::remote); when no thread can be
/// made.
///
/// # Examples
///
/// ```
/// # fn main() -> std::io::Result<()> {
/// greenling::inspect::dump_on(greenling::signal::SIGUSR1)?;
/// # Ok(())
/// # }
/// ```
pub fn dump_on(signal: i32) -> io::Result<()> {
    static SIGNALS: Mutex<Vec<i32>> = Mutex::new(Vec::new());
    drop(thread::remote()?);
    let mut known = SIGNALS.lock().unwrap_or_else(PoisonError::into_inner);
    if known.contains(&signal) {
        return Ok(());
    }
    sample::install()?;
    let signals = Signals::new(&[signal])?;
    let helper = std::thread::Builder::new().name("greenling-dump".into());
    helper.spawn(move || dump_at_each(&signals))?;
    known.push(signal);
    Ok(())
}

fn dump_at_each(signals: &Signals) {
    let options = DumpOptions::new().backtraces(true);
    while signals.wait().is_ok() {
        // This thread has no scheduler, so it is not among those asked.
        let text = match text_of_all(&options) {
            Ok(text) => text,
            Err(error) => format!("greenling: the dump failed: {error}\n"),
        };
        // Nobody is left to be told.
        let _ = io::stderr().write_all(text.as_bytes());
    }
}

fn text_of_all(options: &DumpOptions) -> io::Result<String> {
    let asked = options.clone();
    let question = move || ThreadDump {
        thread: std::thread::current(),
        snapshot: dump::snapshot(&asked),
    };
    let Answers { given, silent } = ask::all(question, options.patience)?;
    let mut text = String::new();
    let mut symbols = Symbols::default();
    for ThreadDump { thread, snapshot } in given {
        let tasklets = snapshot.entries.len();
        // Writing to a string does not fail.
        let _ = writeln!(text, "{}, tasklets: {tasklets}", named(&thread));
        dump::print(&mut text, &snapshot, "  ", &mut symbols);
    }
    for silent in silent {
        let (name, patience) = (named(&silent.thread), options.patience);
        let _ = writeln!(text, "{name} has not answered within {patience:?}");
        if options.backtraces
            && let Some(sample) = sample_of(&silent)
        {
            print_sample(&mut text, &sample, &mut symbols);
        }
    }
    Ok(text)
}

/// What a thread is at that does not answer, if it may be asked by a signal.
fn sample_of(silent: &Silent) -> Option<Sample> {
    let number = i32::try_from(silent.number).ok()?;
    sample::is_installed().then(|| sample::take(number))?
}

/// As the line and the backtrace of a tasklet that has answered for itself.
fn print_sample(text: &mut String, sample: &Sample, symbols: &mut Symbols) {
    let (scheduler, number) = (sample.id >> ID_BITS, sample.id & ((1 << ID_BITS) - 1));
    // Writing to a string does not fail.
    let _ = write!(text, "  {scheduler}.{number} running");
    if let Some(name) = &sample.name {
        let _ = write!(text, " {name:?}");
    }
    if sample.on_system_stack {
        text.push_str(", on the system stack");
    }
    let _ = writeln!(text, ", made at {}", sample.spawned_at);
    let _ = symbols.write(text, &replay::addresses(sample), false);
}

fn named(thread: &Thread) -> String {
    let name = thread.name().unwrap_or("unnamed");
    format!("thread {name:?} ({:?})", thread.id())
}
