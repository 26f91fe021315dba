//! Runs the same small programs on Greenling, `may` and Go, and prints what
//! one switch, round trip, spawn or parked tasklet costs in each.
//!
//! JSON lines go to standard output, a table and remarks to standard error.
//!
//! Every measurement runs in a process of its own (this binary again, with
//! `--child`, or the compiled Go program), so that no contender warms or
//! fragments the memory of another. All are pinned to the same core, one
//! after the other, and the order rotates from run to run, so that a slow
//! phase of the machine meets everybody.

mod baseline;
mod cases;
mod child;
mod crowds;
mod greenling;
mod may;

use std::process::ExitCode;

use benches::figure::{self, Series};
use benches::go::Go;
use benches::machine::{self, Core};
use clap::Parser;

use cases::{Group, Program, Who};

/// The same small programs on Greenling, `may` and Go.
#[derive(Debug, Parser)]
struct Options {
    /// What to measure.
    #[arg(value_name = "CASE", required = true)]
    groups: Vec<Group>,
    /// A short smoke test; its figures mean little.
    #[arg(long)]
    quick: bool,
    /// How often each contender runs [default: 5, with --quick 1].
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..))]
    runs: Option<u32>,
}

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    if arguments.first().is_some_and(|first| first == child::FLAG) {
        return child::main(&arguments[1..]);
    }
    let report = measure(&Options::parse());
    figure::print(&report.all, Who::Greenling.name());
    report.remark();
    for failure in &report.failures {
        eprintln!("FAILED: {failure}");
    }
    if report.failures.is_empty() {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    }
}

/// What all runs gave.
#[derive(Default)]
struct Report {
    all: Vec<Series>,
    /// What one page fault and one guard call cost; see `baseline`.
    yardstick: Vec<Series>,
    failures: Vec<String>,
}

/// Runs everything that was asked for.
fn measure(options: &Options) -> Report {
    let mut report = Report::default();
    let go = match Go::build("compare", include_str!("../../../rivals/go/compare.go")) {
        Ok(go) => Some(go),
        Err(reason) => {
            eprintln!("go is left out: {reason}");
            None
        }
    };
    if !machine::pin(Core::Last) {
        eprintln!("not pinned to a core: no affinity on this platform");
    }
    let runs = options.runs.unwrap_or(if options.quick { 1 } else { 5 }) as usize;
    for program in Program::ALL {
        if !options.groups.contains(&program.group()) {
            continue;
        }
        let mut runners = Vec::new();
        for who in Who::ALL
            .into_iter()
            .filter(|&who| who != Who::Go || go.is_some())
            .filter(|&who| program.is_for(who))
        {
            match program.count(who, options.quick) {
                Ok(count) => runners.push((who, count)),
                Err(reason) => {
                    eprintln!("{} is left out of {}: {reason}", who.name(), program.name());
                }
            }
        }
        for run in 0..runs {
            for turn in 0..runners.len() {
                let (who, count) = runners[(turn + run) % runners.len()];
                match child::run(go.as_ref(), who, program, count) {
                    Ok(figures) => report.record(program, who, count, &figures),
                    Err(reason) => {
                        report.failures.push(format!(
                            "{} {}: {reason}",
                            who.name(),
                            program.name()
                        ));
                    }
                }
            }
        }
    }
    report
}

impl Report {
    fn record(&mut self, program: Program, who: Who, count: u64, figures: &[(String, f64)]) {
        for (name, value) in figures {
            let (case, unit) = program.figure(name, count);
            let all = if name == child::YARDSTICK {
                &mut self.yardstick
            } else {
                &mut self.all
            };
            figure::record(all, &case, who.name(), unit, *value);
        }
    }

    /// Holds the start of a parked tasklet against what the kernel alone takes.
    fn remark(&self) {
        let is_start = |series: &&Series| {
            series.case().ends_with("-start") && series.is(series.case(), Who::Greenling.name())
        };
        let yardstick = self.yardstick.first().and_then(Series::median);
        for start in self.all.iter().filter(is_start) {
            match (start.median(), yardstick) {
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
}
