//! More and more connections, a request on each at all times: CPU time of the
//! server for one.
//!
//! The client reads the answer of one connection, sends the next request there,
//! and goes on to the next connection, in a fixed order that is not that of their
//! making: memory in the order of the turns would be fetched ahead.
//!
//! Each run has servers of its own, whose connections grow from size to size. What
//! it costs to make them is not counted.

use std::io;
use std::time::{Duration, Instant};

use benches::server::{Server, connector};
use benches::who::Who;
use openssl::ssl::SslConnector;

use super::{Bench, Failure};
use crate::servers::Connection;

const PLAIN: [Who; 5] = [Who::Greenling, Who::Hyper, Who::Nginx, Who::Go, Who::Epoll];
const TLS: [Who; 3] = [Who::Greenling, Who::HyperRustls, Who::Nginx];

/// The last one over HTTP only: 8000 handshakes take the client too long.
const SIZES: [u64; 6] = [16, 64, 256, 1000, 4000, 8000];

/// How long a point takes.
const WINDOW: Duration = Duration::from_millis(600);
const QUICK: Duration = Duration::from_millis(100);

pub(super) fn run(bench: &mut Bench) {
    one_kind(bench, "growth-connections-http", &PLAIN, &SIZES, None);
    match connector(&bench.ground) {
        Ok(tls) => {
            let (case, sizes) = ("growth-connections-https", &SIZES[..5]);
            one_kind(bench, case, &TLS, sizes, Some(&tls));
        }
        Err(error) => bench
            .record
            .fail("growth-connections-https", Who::Greenling, error),
    }
}

fn one_kind(bench: &mut Bench, case: &str, all: &[Who], sizes: &[u64], tls: Option<&SslConnector>) {
    let sizes = super::sizes(sizes, bench.options);
    let window = if bench.options.quick { QUICK } else { WINDOW };
    bench.with_fresh_servers(case, tls.is_some(), all, |_, record, who, server| {
        curve(server, tls, sizes, window, |size, cost_us| {
            record.add_at(case, size, who, "us", cost_us);
        })
    });
}

/// One run of one server: microseconds of CPU for a request, size by size.
fn curve(
    server: &Server,
    tls: Option<&SslConnector>,
    sizes: &[u64],
    window: Duration,
    mut point: impl FnMut(u64, f64),
) -> Result<(), Failure> {
    let mut connections = Vec::new();
    for &size in sizes {
        while connections.len() < size as usize {
            connections.push(Connection::open(server, tls)?);
        }
        let mut order: Vec<usize> = (0..connections.len()).collect();
        fastrand::Rng::with_seed(1).shuffle(&mut order);
        play(&mut connections, &order, window / 10)?;
        let before = server.cpu_time()?;
        let requests = play(&mut connections, &order, window)?;
        let spent = server.cpu_time()?.saturating_sub(before);
        point(size, spent.as_secs_f64() * 1e6 / requests as f64);
    }
    Ok(())
}

/// Keeps all `connections` busy for at least `window`; how many requests that took.
fn play(connections: &mut [Connection], order: &[usize], window: Duration) -> io::Result<u64> {
    for &index in order {
        connections[index].send()?;
    }
    let mut requests = order.len() as u64;
    let begin = Instant::now();
    while begin.elapsed() < window {
        for &index in order {
            connections[index].expect_hello()?;
            connections[index].send()?;
        }
        requests += order.len() as u64;
    }
    for &index in order {
        connections[index].expect_hello()?;
    }
    Ok(requests)
}
