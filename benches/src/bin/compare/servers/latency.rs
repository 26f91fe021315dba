//! `latency`: whether 16 active connections notice 8,000 idle ones: the 99th
//! percentile of their answers' times, and the median, plain and over TLS.
//!
//! Each contender has two servers, one of which holds the idle connections. They
//! take turns; the ratio is taken within a turn.

use std::net::TcpStream;

use benches::server::{Client, PLAIN, Server, TLS, connect_plain, connector, crowd, wrk};
use benches::who::Who;

use super::{Bench, Failure};

/// Connections that are active.
const ACTIVE: u32 = 16;

/// Idle connections, and with --quick.
const IDLE: (usize, usize) = (8000, 200);

/// Who is measured unless others are asked for: to set up so many takes long.
const USUAL_PLAIN: [Who; 4] = [Who::Greenling, Who::Hyper, Who::Nginx, Who::Go];
const USUAL_TLS: [Who; 4] = [Who::Greenling, Who::HyperRustls, Who::Nginx, Who::Go];

/// A run is this long, whatever the others are: there are two of them in a turn.
const SECONDS: u32 = 1;

pub(super) fn run(bench: &mut Bench) {
    let plain = bench.options.chosen_or(&USUAL_PLAIN, &PLAIN);
    let tls = bench.options.chosen_or(&USUAL_TLS, &TLS);
    for (tls, chosen) in [(false, plain), (true, tls)] {
        let case = if tls { "latency-https" } else { "latency-http" };
        for who in chosen {
            let servers = Server::start(who, tls, &bench.ground)
                .and_then(|alone| Ok((alone, Server::start(who, tls, &bench.ground)?)));
            match servers {
                Ok((alone, among)) => {
                    if let Err(error) = measure(bench, case, tls, who, &alone, &among) {
                        bench.record.fail(case, who, error);
                    }
                }
                Err(reason) => bench.record.leave_out(case, who, reason),
            }
        }
    }
}

fn measure(
    bench: &mut Bench,
    case: &str,
    tls: bool,
    who: Who,
    alone: &Server,
    among: &Server,
) -> Result<(), Failure> {
    let count = if bench.options.quick { IDLE.1 } else { IDLE.0 };
    let mut idle = Idle::connect(bench, tls, among, count)?;
    let load = |bench: &Bench, server: &Server| {
        wrk::run(&bench.ground, &server.url("/hello"), ACTIVE, SECONDS)
    };
    load(bench, alone)?;
    load(bench, among)?;
    for run in 0..bench.options.runs() {
        let (without, with) = if run % 2 == 0 {
            let without = load(bench, alone)?;
            (without, load(bench, among)?)
        } else {
            let with = load(bench, among)?;
            (load(bench, alone)?, with)
        };
        let mut add = |which: &str, without: f64, with: f64| {
            let record = &mut bench.record;
            record.add(&format!("{case}-{which}alone"), who, "us", without);
            record.add(&format!("{case}-{which}among"), who, "us", with);
            if without > 0.0 {
                record.add(&format!("{case}-{which}ratio"), who, "x", with / without);
            }
        };
        add("", without.p99_us, with.p99_us);
        add("p50-", without.p50_us, with.p50_us);
    }
    idle.expect_alive()
}

/// The idle connections, each of which has had an answer.
enum Idle {
    Plain(Vec<TcpStream>),
    Tls(Vec<Client>),
}

impl Idle {
    fn connect(bench: &Bench, tls: bool, server: &Server, count: usize) -> Result<Idle, Failure> {
        if tls {
            let connector = connector(&bench.ground)?;
            return Ok(Idle::Tls(crowd(&connector, server.address(), count)?));
        }
        let mut all = Vec::with_capacity(count);
        for _ in 0..count {
            let mut socket = connect_plain(server.address())?;
            super::hello(&mut socket)?;
            all.push(socket);
        }
        Ok(Idle::Plain(all))
    }

    /// Another request on each: a server that dropped some is found out.
    fn expect_alive(&mut self) -> Result<(), Failure> {
        match self {
            Idle::Plain(all) => {
                for socket in all {
                    super::hello(socket)?;
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
