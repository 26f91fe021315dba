//! A ledger added up in three stages: a pipeline over channels, ported from
//! Stackless Python.
//!
//! ```sh
//! cargo run --release --example pipeline                     # a ledger of its own
//! cargo run --release --example pipeline -- ledger.txt       # "-" is standard input
//! cargo run --release --example pipeline -- --trace --prefer sender
//! ```
//!
//! Shows `send_sequence`, iteration over a channel, and errors that travel along
//! with the values: a bad line is sent as an error, and the last stage decides
//! what to make of it. `--trace` shows the order of execution by a channel
//! callback, which `--prefer` changes. docs/porting.md has the Stackless program
//! that this was.

use std::collections::BTreeMap;
use std::error::Error;
use std::fmt;
use std::fs;
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::rc::Rc;

use clap::{Parser, ValueEnum};
use greenling::{
    Builder, Channel, Preference, ReceiveError, StopIteration, WaitError, enter, offload, run,
    set_channel_callback,
};

/// Adds up a ledger, name by name.
///
/// Each line of it is a name and a whole number; empty lines and those that begin
/// with # are skipped, and what is neither is reported and left out.
#[derive(Debug, Parser)]
#[command(name = "pipeline", version)]
struct Options {
    /// The ledger; "-" is standard input, and without it there is a small one to try
    file: Option<PathBuf>,

    /// Shows which stage sends and receives when, and whether it has to wait
    #[arg(long)]
    trace: bool,

    /// Who goes on after a hand-over
    #[arg(long, value_enum, default_value_t = Prefer::Receiver)]
    prefer: Prefer,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum Prefer {
    /// Stackless' -1, the default
    Receiver,
    /// +1
    Sender,
    /// 0: whoever acts
    Neither,
}

const SAMPLE: &str = "\
# name amount
ada 30
bob 12
eve twelve
ada -5
";

type Line = (usize, String);
type Entry = (String, i64);
type Failure = Box<dyn Error + Send + Sync>;

/// A line that is no entry. It travels as an error.
#[derive(Debug)]
struct BadLine {
    number: usize,
    why: String,
}

impl fmt::Display for BadLine {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "line {}: {}", self.number, self.why)
    }
}

impl Error for BadLine {}

fn main() -> ExitCode {
    let options = Options::parse();
    match enter(|| add_up(&options)) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("pipeline: {error}");
            ExitCode::FAILURE
        }
    }
}

fn add_up(options: &Options) -> Result<(), Box<dyn Error>> {
    let text = match options.file.clone() {
        // Files block; on a thread of the pool they block nobody else.
        Some(file) => offload(move || read(&file))??,
        None => SAMPLE.to_owned(),
    };
    let (lines, entries) = (Channel::new(), Channel::new());
    let preference = match options.prefer {
        Prefer::Receiver => Preference::Receiver,
        Prefer::Sender => Preference::Sender,
        Prefer::Neither => Preference::Neither,
    };
    lines.set_preference(preference);
    entries.set_preference(preference);
    if options.trace {
        trace(lines.id());
    }
    start_stages(text, lines, entries)?;
    let report = run()?;
    if report.blocked > 0 {
        return Err(format!("{} stages never came to their end", report.blocked).into());
    }
    Ok(())
}

fn read(file: &Path) -> io::Result<String> {
    let text = match file.to_str() {
        Some("-") => io::read_to_string(io::stdin()),
        _ => fs::read_to_string(file),
    };
    text.map_err(|error| io::Error::new(error.kind(), format!("{}: {error}", file.display())))
}

fn start_stages(
    text: String,
    lines: Channel<Line>,
    entries: Channel<Entry>,
) -> Result<(), Box<dyn Error>> {
    let (to_parse, to_total) = (lines.clone(), entries.clone());
    stage("source", move || source_stage(&text, &lines))?;
    stage("parse", move || parse_stage(&to_parse, &entries))?;
    stage("total", move || total_stage(&to_total))
}

/// Queues a tasklet whose errors `run` returns.
fn stage(
    name: &str,
    works: impl FnOnce() -> Result<(), Failure> + 'static,
) -> Result<(), Box<dyn Error>> {
    Builder::new().name(name).tasklet(works)?.setup()?;
    Ok(())
}

fn source_stage(text: &str, lines: &Channel<Line>) -> Result<(), Failure> {
    lines.send_sequence((1..).zip(text.lines().map(str::to_owned)))?;
    lines.send_error(StopIteration)?;
    Ok(())
}

fn parse_stage(lines: &Channel<Line>, entries: &Channel<Entry>) -> Result<(), Failure> {
    for line in lines {
        let (number, text) = line?;
        match entry(&text) {
            Ok(Some(entry)) => entries.send(entry)?,
            Ok(None) => {}
            Err(why) => entries.send_error(BadLine { number, why })?,
        }
    }
    entries.send_error(StopIteration)?;
    Ok(())
}

fn total_stage(entries: &Channel<Entry>) -> Result<(), Failure> {
    // Wide enough for as many entries as there can be.
    let mut totals = BTreeMap::<String, i128>::new();
    for entry in entries {
        match entry {
            Ok((name, amount)) => *totals.entry(name).or_default() += i128::from(amount),
            Err(ReceiveError::Wait(WaitError::Thrown(error))) if error.is::<BadLine>() => {
                writeln!(io::stdout(), "left out: {error}")?;
            }
            Err(error) => return Err(error.into()),
        }
    }
    for (name, total) in &totals {
        writeln!(io::stdout(), "{name}: {total}")?;
    }
    Ok(())
}

/// The entry of a line, if it has one.
fn entry(line: &str) -> Result<Option<Entry>, String> {
    let line = line.trim();
    if line.is_empty() || line.starts_with('#') {
        return Ok(None);
    }
    let (name, amount) = line
        .split_once(char::is_whitespace)
        .ok_or_else(|| format!("{line:?} has no amount"))?;
    let amount = amount.trim();
    let amount = amount
        .parse()
        .map_err(|error| format!("{amount:?} is no amount: {error}"))?;
    Ok(Some((name.to_owned(), amount)))
}

/// Writes down every operation on the two channels before it takes effect.
fn trace(lines: usize) {
    set_channel_callback(Some(Rc::new(move |event| {
        let channel = if event.channel == lines {
            "lines"
        } else {
            "entries"
        };
        let verb = if event.sending {
            "sends to"
        } else {
            "receives from"
        };
        let waits = if event.will_block { ", and waits" } else { "" };
        let name = event.tasklet.name().unwrap_or_default();
        // A stage that has something to say will see that nobody listens.
        let _ = writeln!(io::stdout(), "{name:>6} {verb} {channel}{waits}");
    })));
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_is_an_entry_or_nothing_or_wrong() {
        assert_eq!(entry(" ada\t30 "), Ok(Some(("ada".into(), 30))));
        assert_eq!(entry("ada  -5"), Ok(Some(("ada".into(), -5))));
        assert_eq!(entry("   "), Ok(None));
        assert_eq!(entry("# ada 30"), Ok(None));
        for wrong in ["ada", "ada thirty", "ada 9223372036854775808", "ada 1 2"] {
            assert!(entry(wrong).is_err(), "{wrong}");
        }
    }
}
