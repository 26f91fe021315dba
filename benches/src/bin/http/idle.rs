//! Idle HTTPS connections: what each one holds of the server's memory, and
//! whether the active ones notice them.
//!
//! Each idle connection has made one request and stays open without another.
//! Afterwards each makes one more, so a server that dropped some is found out.

use std::error::Error;
use std::time::Duration;

use benches::machine::{self, Core, Footprint};

use crate::client::{Answer, Client, connector};
use crate::ground::Ground;
use crate::servers::{Server, Who};
use crate::{Report, wrk};

/// `http idle`
#[derive(Debug, clap::Args)]
pub(crate) struct Options {
    /// Idle connections [default: 5000, with --quick 200].
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..))]
    connections: Option<u32>,
    /// Connections that are busy at the same time.
    #[arg(long, value_name = "N", default_value_t = 64)]
    active: u32,
    /// How often each contender runs.
    #[arg(long, value_name = "N", default_value_t = 1)]
    runs: u32,
}

pub(crate) fn run(
    options: &Options,
    shared: &crate::Options,
    report: &mut Report,
) -> Result<(), Box<dyn Error>> {
    machine::pin(Core::Last);
    let ground = Ground::new()?;
    for _ in 0..options.runs {
        for who in shared.chosen(&Who::TLS) {
            match Server::start(who, true, &ground) {
                Ok(server) => {
                    if let Err(error) = one(options, shared.quick, who, &server, &ground, report) {
                        report.fail(who, error);
                    }
                }
                Err(reason) => eprintln!("{} is left out: {reason}", who.name()),
            }
        }
    }
    Ok(())
}

fn one(
    options: &Options,
    quick: bool,
    who: Who,
    server: &Server,
    ground: &Ground,
    report: &mut Report,
) -> Result<(), Box<dyn Error>> {
    let (count, seconds) = if quick { (200, 1) } else { (5000, 4) };
    let count = options.connections.unwrap_or(count);
    let url = server.url("/hello");
    let alone = wrk::run(&url, options.active, seconds)?;
    // The server notices that the connections of wrk are gone.
    machine::pause(Duration::from_secs(1));
    let before = Footprint::of(&server.pid())?.resident;
    let connector = connector(ground)?;
    let mut idle = Vec::new();
    for _ in 0..count {
        let mut client = Client::connect(&connector, server.address())?;
        expect_hello(client.get("/hello")?)?;
        idle.push(client);
    }
    machine::pause(Duration::from_secs(1));
    let held = Footprint::of(&server.pid())?
        .resident
        .saturating_sub(before);
    let among = wrk::run(&url, options.active, seconds)?;
    let dropped = idle
        .iter_mut()
        .filter_map(|client| client.get("/hello").and_then(expect_hello).err())
        .count();
    report.record(
        "idle-https-bytes",
        who,
        "bytes",
        held as f64 / f64::from(count),
    );
    report.record("idle-https-p99-alone", who, "us", alone.p99_us);
    report.record("idle-https-p99-among", who, "us", among.p99_us);
    let errors = alone.errors + among.errors + dropped as u64;
    report.record("idle-https-errors", who, "errors", errors as f64);
    if errors > 0 {
        report.fail(
            who,
            format!(
                "{} errors of active connections, {dropped} of {count} idle ones dropped",
                alone.errors + among.errors
            ),
        );
    }
    Ok(())
}

fn expect_hello(answer: Answer) -> std::io::Result<()> {
    if answer.status == 200 && answer.body == b"Hello, world!" {
        Ok(())
    } else {
        Err(std::io::Error::other(format!(
            "unexpected answer {answer:?}"
        )))
    }
}
