//! Runs the same work on Greenling and its rivals, in turns, and prints what one
//! operation costs in each.
//!
//! JSON lines go to standard output, a table and remarks to standard error.
//! `README.md` says what each case measures.
//!
//! * `programs/`: cases within one process, a new one for each measurement.
//! * `servers/`: cases with a server on one core and its clients on the other.
//! * `growth/`: what one operation costs as the work around it grows.

mod growth;
mod options;
mod programs;
mod servers;

use std::process::ExitCode;

use benches::machine::{self, Core};
use benches::record::Record;
use clap::Parser;

use options::Options;

fn main() -> ExitCode {
    if let Some(status) = programs::answer().or_else(growth::answer) {
        return status;
    }
    let options = Options::parse();
    let mut record = Record::default();
    if let Some(path) = &options.record
        && let Err(error) = record.keep_in(path)
    {
        eprintln!("{}: {error}", path.display());
        return ExitCode::FAILURE;
    }
    machine::raise_descriptor_limit();
    if !machine::pin(Core::Last) {
        eprintln!("not pinned to a core: no affinity on this platform");
    }
    programs::measure(&options, &mut record);
    servers::measure(&options, &mut record);
    growth::measure(&options, &mut record);
    record.finish()
}
