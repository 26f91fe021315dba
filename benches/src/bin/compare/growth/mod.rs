//! What one operation costs as the work around it grows.
//!
//! Each case is a series over sizes: so many tasklets, timers, waiters,
//! connections, bytes of a body. Nothing may cost more than the logarithm of the
//! size; the program `report` says what does.
//!
//! * `program.rs`, `tasklets.rs`, `timers.rs`, `waiters.rs`, `may.rs`: within one
//!   process, a new one for each size and run.
//! * `connections.rs`, `bodies.rs`: with a server on the other core.

mod bodies;
mod connections;
mod may;
mod program;
mod tasklets;
mod timers;
mod waiters;

use std::process::ExitCode;

use benches::go::Go;
use benches::record::Record;
use benches::server::{Ground, Server};
use benches::who::Who;

use crate::options::{Case, Options, rotated};
use crate::programs::child;
use program::Program;

/// Why a measurement failed.
type Failure = Box<dyn std::error::Error>;

/// How a case with servers is measured.
type Run = fn(&mut Bench);

/// The hidden argument that makes this binary a child.
const FLAG: &str = "--growing";

/// How often each point is measured, unless the command line says.
const RUNS: u32 = 3;

/// Fewer tasklets hold too little beside what is there anyhow.
const HELD_MIN: u64 = 1000;

/// The largest size with `--quick`.
const QUICK_MAX: u64 = 1000;

/// Runs this process as one measurement if its arguments say so.
pub(crate) fn answer() -> Option<ExitCode> {
    child::answer(FLAG, |who, name, size| {
        let program = Program::by_name(name).ok_or("no such program")?;
        program.run(who, size)
    })
}

/// Runs all cases that were asked for.
pub(crate) fn measure(options: &Options, record: &mut Record) {
    let wanted = |case| options.wants(case) || options.wants(Case::Growth);
    let programs = Program::ALL.map(|program| (program, wanted(program.case())));
    if programs.iter().any(|&(_, wanted)| wanted) {
        run_programs(options, record, programs);
    }
    let cases: [(Case, Run); 2] = [
        (Case::GrowthConnections, connections::run),
        (Case::GrowthBodies, bodies::run),
    ];
    for (_, run) in cases.into_iter().filter(|&(case, _)| wanted(case)) {
        match Ground::new() {
            Ok(ground) => run(&mut Bench {
                options,
                ground,
                record,
            }),
            Err(error) => record.fail("growth", Who::Greenling, error),
        }
    }
}

fn run_programs(options: &Options, record: &mut Record, programs: [(Program, bool); 3]) {
    let go = match Go::build("growth", include_str!("../../../../rivals/go/growth.go")) {
        Ok(go) => Some(go),
        Err(reason) => {
            record.leave_out("growth", Who::Go, reason);
            None
        }
    };
    for (program, _) in programs.into_iter().filter(|&(_, wanted)| wanted) {
        let mut all = options.chosen(program.contenders());
        all.retain(|&who| who != Who::Go || go.is_some());
        for &size in sizes(program.sizes(), options) {
            let mut runners = all.clone();
            runners.retain(|&who| match program.fits(who, size) {
                Ok(()) => true,
                Err(reason) => {
                    record.leave_out(program.name(), who, format!("{size}: {reason}"));
                    false
                }
            });
            for run in 0..options.runs_or(RUNS) {
                for place in rotated(runners.len(), run) {
                    let who = runners[place];
                    match child::run(go.as_ref(), who, FLAG, program.name(), size) {
                        Ok(figures) => add(record, program, who, size, &figures),
                        Err(reason) => record.fail(program.name(), who, reason),
                    }
                }
            }
        }
    }
}

fn add(record: &mut Record, program: Program, who: Who, size: u64, figures: &[(String, f64)]) {
    for (figure, value) in figures {
        let case = format!("{}-{figure}", program.name());
        let unit = if figure == "bytes" { "bytes" } else { "ns" };
        record.add_at(&case, size, who, unit, *value);
    }
}

/// What cases with servers need.
struct Bench<'a> {
    options: &'a Options,
    ground: Ground,
    record: &'a mut Record,
}

impl Bench<'_> {
    /// Runs `one` for each of `all` that was asked for and can run, in turns, with a
    /// new server each time.
    fn with_fresh_servers(
        &mut self,
        case: &str,
        tls: bool,
        all: &[Who],
        mut one: impl FnMut(&Ground, &mut Record, Who, &Server) -> Result<(), Failure>,
    ) {
        let contenders = self.options.chosen(all);
        for run in 0..self.options.runs_or(RUNS) {
            for place in rotated(contenders.len(), run) {
                let who = contenders[place];
                match Server::start(who, tls, &self.ground) {
                    Ok(server) => {
                        if let Err(error) = one(&self.ground, self.record, who, &server) {
                            self.record.fail(case, who, error);
                        }
                    }
                    Err(reason) => self.record.leave_out(case, who, reason),
                }
            }
        }
    }
}

/// The sizes that are measured: with `--quick` those that take no time.
fn sizes<'a>(all: &'a [u64], options: &Options) -> &'a [u64] {
    let end = if options.quick {
        all.partition_point(|&size| size <= QUICK_MAX)
    } else {
        all.len()
    };
    &all[..end]
}
