//! `http`, `https`: a 13-byte answer over 64 kept connections: CPU time of the
//! server for each request, and what the clients see.
//!
//! The CPU time includes the set-up of the connections, 64 handshakes over TLS.

use benches::server::{PLAIN, Server, TLS, wrk};
use benches::who::Who;

use super::{Bench, Failure, Figures};

/// Connections of the client.
const CONNECTIONS: u32 = 64;

pub(super) fn plain(bench: &mut Bench) {
    run(bench, "http-hello", false, &PLAIN);
}

pub(super) fn tls(bench: &mut Bench) {
    run(bench, "https-hello", true, &TLS);
}

fn run(bench: &mut Bench, case: &str, tls: bool, all: &[Who]) {
    let servers = bench.start(case, tls, all);
    bench.take_turns(case, servers, |bench, _, server, seconds| {
        one(bench, case, server, seconds)
    });
}

fn one(bench: &Bench, case: &str, server: &Server, seconds: u32) -> Result<Figures, Failure> {
    let before = server.cpu_time()?;
    let load = wrk::run(&bench.ground, &server.url("/hello"), CONNECTIONS, seconds)?;
    let spent = server.cpu_time()?.saturating_sub(before);
    let requests = load.requests as f64;
    Ok(vec![
        (case.into(), "us", spent.as_secs_f64() * 1e6 / requests),
        (format!("{case}-rate"), "/s", requests / load.seconds),
        (format!("{case}-p50"), "us", load.p50_us),
        (format!("{case}-p99"), "us", load.p99_us),
    ])
}
