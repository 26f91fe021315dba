//! `crowd`: many connections of which few are active, against few that all are: what a
//! request costs the server then.
//!
//! ```text
//!   few       100 connections, a request on each in every round
//!   same      10,000 connections, a request on the same 100 in every round
//!   rotating  10,000 connections, a request on another 100 in every round
//! ```
//!
//! A round is 100 requests that are sent one after the other, and then their
//! answers. The number of active connections is the same in all three, so what
//! differs is what the others cost: nothing in `same`, unless the server looks
//! at them; in `rotating` also that the memory of a connection is no longer in
//! the caches when its turn comes, the kernel's share of it included.
//!
//! The three take turns, in an order that rotates; their ratios are taken
//! within a turn, so that a slow phase of the machine meets both parts.

use std::io;

use benches::machine;
use benches::record::Record;
use benches::server::{PLAIN, Server};
use benches::who::Who;

use super::{Bench, Connection, Failure};
use crate::options::rotated;

/// Connections that are active in a round.
const ACTIVE: usize = 100;

/// Who is measured unless others are asked for: it takes long.
const USUAL: [Who; 2] = [Who::Greenling, Who::Nginx];

/// Connections of the crowd, and rounds of a part.
const FULL: (usize, usize) = (10_000, 1500);
const QUICK: (usize, usize) = (1000, 50);

pub(super) fn run(bench: &mut Bench) {
    for who in bench.options.chosen_or(&USUAL, &PLAIN) {
        let servers = Server::start(who, false, &bench.ground)
            .and_then(|few| Ok((few, Server::start(who, false, &bench.ground)?)));
        match servers {
            Ok((few, many)) => {
                if let Err(error) = measure(bench, who, &few, &many) {
                    bench.record.fail("crowd", who, error);
                }
            }
            Err(reason) => bench.record.leave_out("crowd", who, reason),
        }
    }
}

/// One of the three: a server, its connections, and which are active when.
struct Part<'a> {
    name: &'static str,
    server: &'a Server,
    /// Positions in `connections`, in the order of their turns.
    order: Vec<usize>,
}

fn measure(bench: &mut Bench, who: Who, few: &Server, many: &Server) -> Result<(), Failure> {
    let (count, rounds) = if bench.options.quick { QUICK } else { FULL };
    let mut of_few = connect(few, ACTIVE)?;
    let mut of_many = connect(many, count)?;
    // Memory that lies in the order of the turns would be fetched ahead.
    let mut shuffled: Vec<usize> = (0..count).collect();
    fastrand::Rng::with_seed(1).shuffle(&mut shuffled);
    let parts = [
        Part {
            name: "few",
            server: few,
            order: (0..ACTIVE).collect(),
        },
        Part {
            name: "same",
            server: many,
            order: shuffled[..ACTIVE].to_vec(),
        },
        Part {
            name: "rotating",
            server: many,
            order: shuffled,
        },
    ];
    for run in 0..bench.options.runs() {
        let mut costs = [0.0; 3];
        for index in rotated(parts.len(), run) {
            let part = &parts[index];
            let connections = if index == 0 {
                &mut of_few
            } else {
                &mut of_many
            };
            // The caches as this part leaves them, and everybody served once.
            play(part, connections, count.div_ceil(ACTIVE).min(rounds))?;
            let before = part.server.cpu_time()?;
            let woken = machine::voluntary_switches(&part.server.pid())?;
            play(part, connections, rounds)?;
            let spent = part.server.cpu_time()?.saturating_sub(before);
            let woken = machine::voluntary_switches(&part.server.pid())? - woken;
            let requests = (rounds * ACTIVE) as f64;
            costs[index] = spent.as_secs_f64() * 1e6 / requests;
            let sleeps = woken as f64 / rounds as f64;
            part.add(bench.record, who, costs[index], sleeps);
        }
        if costs[0] > 0.0 {
            let mut ratio = |case, cost: f64| bench.record.add(case, who, "x", cost / costs[0]);
            ratio("crowd-same-ratio", costs[1]);
            ratio("crowd-rotating-ratio", costs[2]);
        }
    }
    Ok(())
}

impl Part<'_> {
    fn add(&self, record: &mut Record, who: Who, cost_us: f64, sleeps: f64) {
        record.add(&format!("crowd-{}", self.name), who, "us", cost_us);
        record.add(
            &format!("crowd-{}-sleeps", self.name),
            who,
            "/round",
            sleeps,
        );
    }
}

/// Opens connections that have had an answer each.
fn connect(server: &Server, count: usize) -> io::Result<Vec<Connection>> {
    (0..count).map(|_| Connection::open(server, None)).collect()
}

fn play(part: &Part, connections: &mut [Connection], rounds: usize) -> io::Result<()> {
    let mut turns = part.order.iter().copied().cycle();
    for _ in 0..rounds {
        let others = turns.clone();
        for index in turns.by_ref().take(ACTIVE) {
            connections[index].send()?;
        }
        for index in others.take(ACTIVE) {
            connections[index].expect_hello()?;
        }
    }
    Ok(())
}
