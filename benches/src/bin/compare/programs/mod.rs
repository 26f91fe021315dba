//! Small programs, the same for each contender, without sockets to others.
//!
//! Every measurement runs in a process of its own (this binary again, with
//! `--child`, or the compiled Go program), so that no contender warms or
//! fragments the memory of another. All are pinned to the same core, one
//! after the other, and the order rotates from run to run, so that a slow
//! phase of the machine meets everybody.

mod baseline;
pub(crate) mod child;
mod crowds;
mod greenling;
mod may;
pub(crate) mod program;
pub(crate) mod timers;
mod tls;

use std::process::ExitCode;

use benches::figure::Series;
use benches::go::Go;
use benches::record::Record;
use benches::who::Who;

use crate::options::{Options, rotated};
use program::Program;

/// Why a program could not run to its end.
type Failure = Box<dyn std::error::Error>;

/// Runs this process as one measurement if its arguments say so.
pub(crate) fn answer() -> Option<ExitCode> {
    child::answer(child::FLAG, one_in_this_process)
}

fn one_in_this_process(who: &str, name: &str, count: u64) -> Result<child::Figures, Failure> {
    let program = Program::by_name(name).ok_or("no such program")?;
    if program.suite().is_some() {
        return tls::run(who, program, count).map_err(|error| -> Failure { error });
    }
    if who == Who::May.name() {
        return may::run(program, count);
    }
    // Before the program: afterwards its stacks hold the memory, and what is
    // left may be pages that a virtual machine's host has yet to provide.
    let yardstick = match program {
        Program::Parked => baseline::fault_and_guard(),
        _ => None,
    };
    let mut figures = greenling::run(program, count)?;
    figures.extend(yardstick.map(|ns| (child::YARDSTICK.to_string(), ns)));
    Ok(figures)
}

/// Runs all programs that were asked for.
pub(crate) fn measure(options: &Options, record: &mut Record) {
    let wanted: Vec<Program> = Program::ALL
        .into_iter()
        .filter(|program| options.wants(program.group()))
        .collect();
    let for_go = |program: &Program| options.chosen(program.contenders()).contains(&Who::Go);
    let mut go = None;
    if wanted.iter().any(for_go) {
        match Go::build("compare", include_str!("../../../../rivals/go/compare.go")) {
            Ok(built) => go = Some(built),
            Err(reason) => eprintln!("go is left out: {reason}"),
        }
    }
    for program in wanted {
        one(program, go.as_ref(), options, record);
    }
    remark(record);
}

fn one(program: Program, go: Option<&Go>, options: &Options, record: &mut Record) {
    let mut runners = Vec::new();
    for who in options.chosen(program.contenders()) {
        if who == Who::Go && go.is_none() {
            continue;
        }
        match program.count(who, options.quick) {
            Ok(count) => runners.push((who, count)),
            Err(reason) => record.leave_out(program.name(), who, reason),
        }
    }
    for run in 0..options.runs() {
        for place in rotated(runners.len(), run) {
            let (who, count) = runners[place];
            match child::run(go, who, child::FLAG, program.name(), count) {
                Ok(figures) => {
                    for (name, value) in figures {
                        let (case, unit) = program.figure(&name, count);
                        record.add(&case, who, unit, value);
                    }
                }
                Err(reason) => record.fail(program.name(), who, reason),
            }
        }
    }
}

/// Holds the start of a parked tasklet against what the kernel alone takes.
fn remark(record: &Record) {
    let ours = |series: &&Series| series.is(series.case(), Who::Greenling.name());
    for start in record.all().iter().filter(ours) {
        let Some(prefix) = start.case().strip_suffix("-start") else {
            continue;
        };
        let case = format!("{prefix}-{}", child::YARDSTICK);
        let mut all = record.all().iter().filter(ours);
        let yardstick = all.find(|series| series.case() == case);
        match (start.median(), yardstick.and_then(Series::median)) {
            (Some(start_ns), Some(fault_ns)) => eprintln!(
                "note {}: {start_ns:.0} ns to start, of which one page fault and one \
                 MADV_GUARD_INSTALL call, measured in the same runs, take {fault_ns:.0} ns; \
                 the rest is {:.0} ns",
                start.case(),
                start_ns - fault_ns
            ),
            _ => eprintln!(
                "note {}: no yardstick, this kernel has no MADV_GUARD_INSTALL (Linux 6.13)",
                start.case()
            ),
        }
    }
}
