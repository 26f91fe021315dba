//! Longer and longer bodies: CPU time of the server for a response and for each KiB
//! of it, and what the server holds afterwards.
//!
//! Each run has servers of its own, which send the sizes one after the other.

use benches::machine::Footprint;
use benches::server::{BODY_SIZES, Ground, Server, wrk};
use benches::who::Who;

use super::{Bench, Failure};

const PLAIN: [Who; 3] = [Who::Greenling, Who::Hyper, Who::Nginx];
const TLS: [Who; 4] = [
    Who::Greenling,
    Who::HyperRustls,
    Who::HyperOpenssl,
    Who::Nginx,
];

/// Connections of the client; few, so that the long bodies come to an end.
const CONNECTIONS: u32 = 4;

const KIB: u64 = 1024;

/// How long a point takes.
const SECONDS: u32 = 1;

/// From here on the client counts bytes, not responses: of those there are few,
/// and the last ones are cut short.
const LONG: u64 = 1 << 20;

pub(super) fn run(bench: &mut Bench) {
    one_kind(bench, "growth-bodies-http", &PLAIN, false);
    one_kind(bench, "growth-bodies-https", &TLS, true);
}

fn one_kind(bench: &mut Bench, case: &str, all: &[Who], tls: bool) {
    let sizes = super::sizes(&BODY_SIZES, bench.options);
    bench.with_fresh_servers(case, tls, all, |ground, record, who, server| {
        for &size in sizes {
            let (cost_us, held) =
                point(server, ground, size).map_err(|error| format!("{size}: {error}"))?;
            record.add_at(case, size, who, "us", cost_us);
            if size >= KIB {
                let each = cost_us * 1000.0 / (size / KIB) as f64;
                record.add_at(&format!("{case}-kib"), size, who, "ns/KiB", each);
            }
            record.add_at(&format!("{case}-memory"), size, who, "bytes", held);
        }
        Ok(())
    });
}

/// Microseconds of CPU for each response, and the bytes that the server holds then.
fn point(server: &Server, ground: &Ground, size: u64) -> Result<(f64, f64), Failure> {
    let before = server.cpu_time()?;
    let url = server.url(&format!("/bytes/{size}"));
    let load = wrk::run(ground, &url, CONNECTIONS, SECONDS)?;
    let spent = server.cpu_time()?.saturating_sub(before);
    let responses = if size < LONG {
        load.requests as f64
    } else {
        load.bytes as f64 / size as f64
    };
    let held = Footprint::of(&server.pid())?.resident;
    Ok((spent.as_secs_f64() * 1e6 / responses, held as f64))
}
