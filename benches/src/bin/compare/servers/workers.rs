//! `workers`: CPU time of a request with one worker and with two, under a client that
//! takes all that it can get.
//!
//! Here nobody is pinned: server and client share all cores. On two cores that is a
//! core for the worker and one for the client where there is one worker, and less than
//! that where there are two. Each then finds fewer requests at a time and sleeps more
//! often, whoever it is: `scaling` shows workers with the same to do.

use benches::machine::Core;
use benches::server::{PLAIN, Server, wrk};
use benches::who::Who;

use super::{Bench, Failure};

/// Connections of the client.
const CONNECTIONS: u32 = 64;

/// Who takes part over TLS; the others are as these.
const TLS: [Who; 4] = [Who::Greenling, Who::HyperRustls, Who::Nginx, Who::Go];

/// A run takes a second, whatever the others take: there are two of them in a turn.
const SECONDS: u32 = 1;

pub(super) fn run(bench: &mut Bench) {
    bench.on_all_cores("workers-http", false, &PLAIN, measure);
    bench.on_all_cores("workers-https", true, &TLS, measure);
}

fn measure(bench: &mut Bench, case: &str, who: Who, tls: bool) -> Result<(), Failure> {
    let start = |workers| Server::start_on(Core::All, workers, who, tls, &bench.ground);
    let [one, two] = match start(1) {
        Ok(one) => [one, start(2)?],
        Err(reason) => {
            bench.record.leave_out(case, who, reason);
            return Ok(());
        }
    };
    cost(bench, &one)?;
    cost(bench, &two)?;
    for run in 0..bench.options.runs() {
        let (of_one, of_two) = if run % 2 == 0 {
            let of_one = cost(bench, &one)?;
            (of_one, cost(bench, &two)?)
        } else {
            let of_two = cost(bench, &two)?;
            (cost(bench, &one)?, of_two)
        };
        let mut add = |name, unit, value| {
            bench
                .record
                .add(&format!("{case}-{name}"), who, unit, value);
        };
        add("1", "us", of_one);
        add("2", "us", of_two);
        add("ratio", "x", of_two / of_one);
    }
    Ok(())
}

/// Microseconds of CPU for a request.
fn cost(bench: &Bench, server: &Server) -> Result<f64, Failure> {
    let before = server.cpu_time()?;
    let load = wrk::run(&bench.ground, &server.url("/hello"), CONNECTIONS, SECONDS)?;
    let spent = server.cpu_time()?.saturating_sub(before);
    Ok(spent.as_secs_f64() * 1e6 / load.requests as f64)
}
