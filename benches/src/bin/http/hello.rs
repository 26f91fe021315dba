//! CPU time of the server for each request of a 13-byte answer.
//!
//! All servers are up at once and take turns, in an order that rotates, so
//! that a slow phase of the machine meets everybody. The CPU time is the
//! server process's own, user and system, so an idle client costs it nothing;
//! it includes the set-up of the connections, 64 handshakes over TLS.

use std::error::Error;

use benches::machine::{self, Core};

use crate::ground::Ground;
use crate::servers::{Server, Who};
use crate::{Report, wrk};

/// `http hello`
#[derive(Debug, clap::Args)]
pub(crate) struct Options {
    /// How often each contender runs [default: 5, with --quick 1].
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..))]
    runs: Option<u32>,
    /// How long a run is [default: 5, with --quick 1].
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..))]
    seconds: Option<u32>,
    /// Connections of the client.
    #[arg(long, value_name = "N", default_value_t = 64)]
    connections: u32,
}

pub(crate) fn run(
    options: &Options,
    shared: &crate::Options,
    report: &mut Report,
) -> Result<(), Box<dyn Error>> {
    if !machine::pin(Core::Last) {
        eprintln!("not pinned to cores: no affinity on this platform");
    }
    let ground = Ground::new()?;
    let cases = [
        ("http-hello", false, &Who::PLAIN[..]),
        ("https-hello", true, &Who::TLS[..]),
    ];
    for (case, tls, all) in cases {
        let mut servers = Vec::new();
        for who in shared.chosen(all) {
            match Server::start(who, tls, &ground) {
                Ok(server) => servers.push((who, server)),
                Err(reason) => eprintln!("{} is left out of {case}: {reason}", who.name()),
            }
        }
        measure(case, options, shared.quick, &servers, report);
    }
    Ok(())
}

fn measure(
    case: &str,
    options: &Options,
    quick: bool,
    servers: &[(Who, Server)],
    report: &mut Report,
) {
    let default = if quick { 1 } else { 5 };
    let (runs, seconds) = (
        options.runs.unwrap_or(default),
        options.seconds.unwrap_or(default),
    );
    for (who, server) in servers {
        // Warm-up: memory pools, branch predictors, the certificate.
        if let Err(error) = wrk::run(&server.url("/hello"), options.connections, 1) {
            report.fail(*who, error);
        }
    }
    for run in 0..runs as usize {
        for turn in 0..servers.len() {
            let (who, server) = &servers[(turn + run) % servers.len()];
            match one(server, options.connections, seconds) {
                Ok((cpu_us, load)) => {
                    eprintln!(
                        "{case} {}: {} requests in {seconds} s, {cpu_us:.2} us each, {} errors",
                        who.name(),
                        load.requests,
                        load.errors
                    );
                    report.record(case, *who, "us", cpu_us);
                    if load.errors > 0 {
                        report.fail(*who, format!("{} errors in {case}", load.errors));
                    }
                }
                Err(error) => report.fail(*who, error),
            }
        }
    }
}

/// Microseconds of CPU for each request of one run.
fn one(
    server: &Server,
    connections: u32,
    seconds: u32,
) -> Result<(f64, wrk::Load), Box<dyn Error>> {
    let before = machine::cpu_time(&server.pid())?;
    let load = wrk::run(&server.url("/hello"), connections, seconds)?;
    let spent = machine::cpu_time(&server.pid())?.saturating_sub(before);
    if load.requests == 0 {
        return Err("not one request was answered".into());
    }
    Ok((spent.as_secs_f64() * 1e6 / load.requests as f64, load))
}
