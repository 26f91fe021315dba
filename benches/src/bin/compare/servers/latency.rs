//! `latency`: whether requests on 16 connections notice that 8,000 others are there,
//! idle: the 99th percentile of their answers' times, and the median, plain and over
//! TLS.
//!
//! Each contender has two servers, one of which holds the idle connections. They take
//! turns of a tenth of a second, and the ratio is taken within a turn. What stalls a
//! server for milliseconds on this machine, whichever it is, then spoils some turns
//! of many, and not the median of them. So that nothing hides there which the idle
//! connections bring about, the share of spoilt turns is recorded too: it must be the
//! same with them and without.
//!
//! Requests come at random times, so many a second that the server is busy for a
//! seventh of the time or more: a percentile at saturation would be one of the queue.

use std::io;
use std::time::Duration;

use benches::machine;
use benches::server::{Client, PLAIN, Server, TLS, connector, crowd};
use benches::who::Who;

use super::pace::Pace;
use super::{Bench, Connection, Failure};

/// Connections that are active.
const ACTIVE: usize = 16;

/// Idle connections, and with --quick.
const IDLE: (usize, usize) = (8000, 200);

/// Requests a second.
const RATE: f64 = 30_000.0;

/// How long a turn is.
const TURN: Duration = Duration::from_millis(100);

/// Turns of each server in a run, as others count runs.
const TURNS: usize = 8;

/// A percentile that is so many times the median of all turns is a stall's.
const FAR: f64 = 5.0;

/// Who is measured unless others are asked for: to set up so many takes long.
const USUAL_PLAIN: [Who; 5] = [Who::Greenling, Who::Hyper, Who::Nginx, Who::Go, Who::Epoll];
const USUAL_TLS: [Who; 4] = [Who::Greenling, Who::HyperRustls, Who::Nginx, Who::Go];

pub(super) fn run(bench: &mut Bench) {
    let plain = bench.options.chosen_or(&USUAL_PLAIN, &PLAIN);
    let tls = bench.options.chosen_or(&USUAL_TLS, &TLS);
    for (tls, chosen) in [(false, plain), (true, tls)] {
        let case = if tls { "latency-https" } else { "latency-http" };
        for who in chosen {
            let servers = Server::start(who, tls, &bench.ground)
                .and_then(|alone| Ok([alone, Server::start(who, tls, &bench.ground)?]));
            match servers {
                Ok(servers) => {
                    if let Err(error) = measure(bench, case, tls, who, &servers) {
                        bench.record.fail(case, who, error);
                    }
                }
                Err(reason) => bench.record.leave_out(case, who, reason),
            }
        }
    }
}

/// Measures two servers, of which the second gets the idle connections.
fn measure(
    bench: &mut Bench,
    case: &str,
    tls: bool,
    who: Who,
    servers: &[Server; 2],
) -> Result<(), Failure> {
    let count = if bench.options.quick { IDLE.1 } else { IDLE.0 };
    let mut idle = Idle::connect(bench, tls, &servers[1], count)?;
    let mut paces = [
        pace(bench, tls, &servers[0])?,
        pace(bench, tls, &servers[1])?,
    ];
    // Until what a server does about silent connections is done.
    machine::pause(Duration::from_secs(1));
    for pace in &mut paces {
        pace.play(RATE, TURN)?;
    }
    let mut tails = [Vec::new(), Vec::new()];
    for turn in 0..TURNS * bench.options.runs() {
        let mut times = [Vec::new(), Vec::new()];
        for place in [turn % 2, 1 - turn % 2] {
            times[place] = paces[place].play(RATE, TURN)?;
        }
        for (which, part) in [("", 0.99), ("p50-", 0.5)] {
            let mut add = |name: &str, unit, value| {
                let case = format!("{case}-{which}{name}");
                bench.record.add(&case, who, unit, value);
            };
            let [alone, among] = times.each_ref().map(|times| quantile_us(times, part));
            add("alone", "us", alone);
            add("among", "us", among);
            add("ratio", "x", among / alone);
        }
        for (tails, times) in tails.iter_mut().zip(&times) {
            tails.push(quantile_us(times, 0.99));
        }
    }
    for (name, share) in ["alone", "among"].into_iter().zip(spoilt(&tails)) {
        let case = format!("{case}-{name}-spoilt");
        bench.record.add(&case, who, "%", share);
    }
    idle.expect_alive()
}

fn pace(bench: &Bench, tls: bool, server: &Server) -> Result<Pace, Failure> {
    let connector = bench.connector(tls)?;
    let all = (0..ACTIVE).map(|_| Connection::open(server, connector.as_ref()));
    Ok(Pace::new(all.collect::<io::Result<_>>()?)?)
}

/// Within how many microseconds that part of the answers came.
fn quantile_us(times: &[Duration], part: f64) -> f64 {
    let place = (times.len() as f64 * part) as usize;
    let time = times.get(place).or(times.last());
    time.map_or(f64::NAN, |time| time.as_secs_f64() * 1e6)
}

/// How many in a hundred turns of each server had a percentile far from the usual one
/// of both.
fn spoilt(tails: &[Vec<f64>; 2]) -> [f64; 2] {
    let mut all = tails.concat();
    all.sort_by(f64::total_cmp);
    let usual = all.get(all.len() / 2).copied().unwrap_or_default();
    tails.each_ref().map(|tails| {
        let far = tails.iter().filter(|&&tail| tail > FAR * usual).count();
        100.0 * far as f64 / tails.len() as f64
    })
}

/// The idle connections, each of which has had an answer.
enum Idle {
    Plain(Vec<Connection>),
    Tls(Vec<Client>),
}

impl Idle {
    fn connect(bench: &Bench, tls: bool, server: &Server, count: usize) -> Result<Idle, Failure> {
        if tls {
            let connector = connector(&bench.ground)?;
            return Ok(Idle::Tls(crowd(&connector, server.address(), count)?));
        }
        let all = (0..count).map(|_| Connection::open(server, None));
        Ok(Idle::Plain(all.collect::<io::Result<_>>()?))
    }

    /// Another request on each: a server that dropped some is found out.
    fn expect_alive(&mut self) -> Result<(), Failure> {
        match self {
            Idle::Plain(all) => {
                for connection in all {
                    connection.hello()?;
                }
            }
            Idle::Tls(all) => {
                for client in all {
                    client.get("/hello")?.expect_hello()?;
                }
            }
        }
        Ok(())
    }
}
