//! `workers`: CPU time of a request with one worker and with two.
//!
//! Here nobody is pinned: server and clients share all cores, with one worker as
//! with two, since two workers on one core would show nothing and two on the
//! clients' cores would be held against one that has a core for itself.

use benches::machine::{self, Core};
use benches::server::{Server, wrk};
use benches::who::Who;

use super::{Bench, Failure};

/// Connections of the client.
const CONNECTIONS: u32 = 64;

pub(super) fn run(bench: &mut Bench) {
    if bench.options.chosen(&[Who::Greenling]).is_empty() {
        return;
    }
    for (case, tls) in [("workers-http", false), ("workers-https", true)] {
        if machine::cores() < 2 {
            bench
                .record
                .leave_out(case, Who::Greenling, "there is only one core");
        } else if let Err(error) = measure(bench, case, tls) {
            bench.record.fail(case, Who::Greenling, error);
        }
    }
    machine::pin(Core::Last);
}

fn measure(bench: &mut Bench, case: &str, tls: bool) -> Result<(), Failure> {
    let one = Server::start_everywhere(tls, 1, &bench.ground)?;
    let two = Server::start_everywhere(tls, 2, &bench.ground)?;
    cost(bench, &one, 1)?;
    cost(bench, &two, 1)?;
    let seconds = bench.options.seconds();
    for run in 0..bench.options.runs() {
        let (of_one, of_two) = if run % 2 == 0 {
            let of_one = cost(bench, &one, seconds)?;
            (of_one, cost(bench, &two, seconds)?)
        } else {
            let of_two = cost(bench, &two, seconds)?;
            (cost(bench, &one, seconds)?, of_two)
        };
        let mut add = |name, unit, value| {
            bench
                .record
                .add(&format!("{case}-{name}"), Who::Greenling, unit, value);
        };
        add("1", "us", of_one);
        add("2", "us", of_two);
        add("ratio", "x", of_two / of_one);
    }
    Ok(())
}

/// Microseconds of CPU for a request.
fn cost(bench: &Bench, server: &Server, seconds: u32) -> Result<f64, Failure> {
    let before = server.cpu_time()?;
    let load = wrk::run(&bench.ground, &server.url("/hello"), CONNECTIONS, seconds)?;
    let spent = server.cpu_time()?.saturating_sub(before);
    Ok(spent.as_secs_f64() * 1e6 / load.requests as f64)
}
