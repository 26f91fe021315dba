//! Counts the instructions of single operations with Valgrind's callgrind, and
//! holds them against the counts that the repository records.
//!
//! ```text
//!   this program ---> valgrind --tool=callgrind ---> this program, --child
//!        ^                      |                            |
//!        |    a file for each   |                            | what they are,
//!        +--- dump: costs  <----+                            v in order
//!        +-------------------------------------------- standard output
//! ```
//!
//! The child runs every operation in loops of two lengths, several times, and
//! calls `meter::boundary` where a loop begins and ends, at which callgrind
//! dumps what was spent since. The difference of two lengths is free of what
//! happens once for each loop, and the least of several runs is free of what
//! happens now and then: a look at the clock, an allocator's tidying. So the
//! counts are the same whatever else the machine does.

mod dump;
mod meter;
mod record;
mod tasklets;
mod timers;
mod tls;
mod valgrind;

use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Parser, Subcommand};

use record::Record;

/// Instructions of single operations, held against the recorded ones.
#[derive(Debug, Parser)]
struct Options {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Fails when an operation takes 5 % more instructions than recorded.
    Check {
        /// The record [default: that of this target and build in benches/instructions].
        #[arg(long, value_name = "FILE")]
        record: Option<PathBuf>,
    },
    /// Counts, and writes the record.
    Record {
        /// The record [default: that of this target and build in benches/instructions].
        #[arg(long, value_name = "FILE")]
        record: Option<PathBuf>,
    },
}

fn main() -> ExitCode {
    if std::env::args().nth(1).as_deref() == Some(meter::CHILD) {
        return meter::child();
    }
    let result = match Options::parse().command {
        Command::Check { record } => check(&record.unwrap_or_else(record::path)),
        Command::Record { record } => write(&record.unwrap_or_else(record::path)),
    };
    match result {
        Ok(code) => code,
        Err(reason) => {
            eprintln!("instructions: {reason}");
            ExitCode::from(2)
        }
    }
}

fn count() -> Result<Record, String> {
    if cfg!(debug_assertions) {
        return Err("a debug build says nothing; use --release".into());
    }
    valgrind::count()
}

fn write(path: &PathBuf) -> Result<ExitCode, String> {
    let record = count()?;
    let text = record.to_string();
    std::fs::write(path, &text).map_err(|error| format!("{}: {error}", path.display()))?;
    print!("{text}");
    Ok(ExitCode::SUCCESS)
}

fn check(path: &PathBuf) -> Result<ExitCode, String> {
    let text = std::fs::read_to_string(path)
        .map_err(|error| format!("{}: {error}; `record` makes it", path.display()))?;
    let recorded = Record::parse(&text).map_err(|error| format!("{}: {error}", path.display()))?;
    let verdict = record::compare(&recorded, &count()?);
    print!("{verdict}");
    Ok(if verdict.grown == 0 {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    })
}
