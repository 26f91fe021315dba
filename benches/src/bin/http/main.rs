//! Measures HTTP servers from the outside: what a request costs the server,
//! what an idle connection holds, and what is left after connections were cut.
//!
//! The server runs on the first core and the clients on the last one. Nothing
//! but loopback is used. JSON lines go to standard output, a table and remarks
//! to standard error; `README.md` says what the figures mean.

mod client;
mod crowd;
mod ground;
mod hello;
mod idle;
mod servers;
mod soak;
mod wrk;

use std::process::ExitCode;

use benches::figure::{self, Series};
use benches::machine;
use clap::{Parser, Subcommand};

use servers::Who;

/// HTTP and HTTPS servers, beside each other.
#[derive(Debug, Parser)]
struct Options {
    #[command(subcommand)]
    command: Command,
    /// Only these contenders.
    #[arg(long, value_name = "NAME", global = true)]
    who: Vec<Who>,
    /// A short smoke test; its figures mean little.
    #[arg(long, global = true)]
    quick: bool,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// CPU time of the server for each GET /hello over kept connections.
    Hello(hello::Options),
    /// CPU time of a request among 10,000 connections, and among few.
    Crowd(crowd::Options),
    /// Memory of idle HTTPS connections, and what they cost the active ones.
    Idle(idle::Options),
    /// Many HTTPS requests over connections that are cut at random.
    Soak(soak::Options),
}

/// What a subcommand found: figures, and everything that went wrong.
#[derive(Debug, Default)]
struct Report {
    all: Vec<Series>,
    failures: Vec<String>,
}

impl Report {
    fn record(&mut self, case: &str, who: Who, unit: &'static str, value: f64) {
        figure::record(&mut self.all, case, who.name(), unit, value);
    }

    fn fail(&mut self, who: Who, reason: impl std::fmt::Display) {
        self.failures.push(format!("{}: {reason}", who.name()));
    }
}

fn main() -> ExitCode {
    let options = Options::parse();
    machine::raise_descriptor_limit();
    let mut report = Report::default();
    let outcome = match &options.command {
        Command::Hello(hello) => hello::run(hello, &options, &mut report),
        Command::Crowd(crowd) => crowd::run(crowd, &options, &mut report),
        Command::Idle(idle) => idle::run(idle, &options, &mut report),
        Command::Soak(soak) => soak::run(soak, &options, &mut report),
    };
    if let Err(error) = outcome {
        report.failures.push(error.to_string());
    }
    figure::print(&report.all, Who::Greenling.name());
    for failure in &report.failures {
        eprintln!("FAILED: {failure}");
    }
    if report.failures.is_empty() {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    }
}

impl Options {
    /// The contenders of `all` that were asked for.
    fn chosen(&self, all: &[Who]) -> Vec<Who> {
        let wanted = |who: &Who| self.who.is_empty() || self.who.contains(who);
        all.iter().copied().filter(wanted).collect()
    }
}
