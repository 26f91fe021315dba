//! `bulk`: bodies of 1 MiB over 16 connections: CPU time of the server for each
//! MiB, and how many of them there are in a second; over TLS and plain.

use benches::server::{PLAIN, Server, TLS, wrk};
use benches::who::Who;

use super::{Bench, Failure, Figures};

/// Connections of the client.
const CONNECTIONS: u32 = 16;

/// A server that sends a body of this size.
const PATH: &str = "/bytes/1048576";

pub(super) fn run(bench: &mut Bench) {
    one_kind(bench, "bulk", true, &TLS);
    one_kind(bench, "bulk-http", false, &PLAIN);
}

fn one_kind(bench: &mut Bench, case: &str, tls: bool, all: &[Who]) {
    let servers = bench.start(case, tls, all);
    bench.take_turns(case, servers, |bench, _, server, seconds| {
        one(bench, case, server, seconds)
    });
}

fn one(bench: &Bench, case: &str, server: &Server, seconds: u32) -> Result<Figures, Failure> {
    let before = server.cpu_time()?;
    let load = wrk::run(&bench.ground, &server.url(PATH), CONNECTIONS, seconds)?;
    let spent = server.cpu_time()?.saturating_sub(before);
    let mib = load.bytes as f64 / f64::from(1 << 20);
    Ok(vec![
        (case.into(), "us/MiB", spent.as_secs_f64() * 1e6 / mib),
        (format!("{case}-rate"), "MiB/s", mib / load.seconds),
    ])
}
