//! `idle`: what an idle HTTPS connection holds of the server's memory.
//!
//! Each has made one request and stays open without another. Afterwards each
//! makes one more, so a server that dropped some is found out. Each run is a new
//! server: memory that an earlier crowd has left behind would hide what is held.
//! Three are enough, as they differ by less than a hundredth.

use std::time::Duration;

use benches::machine::{self, Footprint};
use benches::server::{Server, TLS, connector, crowd};

use super::{Bench, Failure};
use crate::options::rotated;

const CASE: &str = "idle-https-bytes";

/// Idle connections, and with --quick.
const CONNECTIONS: (usize, usize) = (4000, 200);

pub(super) fn run(bench: &mut Bench) {
    let mut chosen = bench.options.chosen(&TLS);
    for run in 0..bench.options.runs_or(3) {
        let mut left_out = Vec::new();
        for place in rotated(chosen.len(), run) {
            let who = chosen[place];
            match Server::start(who, true, &bench.ground) {
                Ok(server) => match one(bench, &server) {
                    Ok(bytes) => bench.record.add(CASE, who, "bytes", bytes),
                    Err(error) => bench.record.fail(CASE, who, error),
                },
                Err(reason) => {
                    bench.record.leave_out(CASE, who, reason);
                    left_out.push(who);
                }
            }
        }
        chosen.retain(|who| !left_out.contains(who));
    }
}

fn one(bench: &Bench, server: &Server) -> Result<f64, Failure> {
    let count = if bench.options.quick {
        CONNECTIONS.1
    } else {
        CONNECTIONS.0
    };
    let connector = connector(&bench.ground)?;
    // What a server allocates once, it has allocated after this.
    drop(crowd(&connector, server.address(), 64)?);
    machine::pause(Duration::from_millis(200));
    let before = Footprint::of(&server.pid())?.resident;
    let mut idle = crowd(&connector, server.address(), count)?;
    machine::pause(Duration::from_secs(1));
    let after = Footprint::of(&server.pid())?.resident;
    for client in &mut idle {
        client.get("/hello")?.expect_hello()?;
    }
    Ok(after.saturating_sub(before) as f64 / count as f64)
}
