//! Many connections of which few are active, against few that all are: what a
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

use std::error::Error;
use std::io::{self, Read, Write};
use std::net::TcpStream;

use benches::machine::{self, Core};

use crate::Report;
use crate::client::connect_plain;
use crate::ground::Ground;
use crate::servers::{Server, Who};

/// `http crowd`
#[derive(Debug, clap::Args)]
pub(crate) struct Options {
    /// Connections of the crowd [default: 10000, with --quick 1000].
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..))]
    connections: Option<u32>,
    /// Connections that are active in a round.
    #[arg(long, value_name = "N", default_value_t = 100,
          value_parser = clap::value_parser!(u32).range(1..))]
    active: u32,
    /// Rounds of a run [default: 3000, with --quick 50].
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..))]
    rounds: Option<u32>,
    /// How often each contender runs [default: 7, with --quick 1].
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..))]
    runs: Option<u32>,
}

const REQUEST: &[u8] = b"GET /hello HTTP/1.1\r\nHost: localhost\r\n\r\n";
const BODY: &[u8] = b"Hello, world!";

pub(crate) fn run(
    options: &Options,
    shared: &crate::Options,
    report: &mut Report,
) -> Result<(), Box<dyn Error>> {
    machine::pin(Core::Last);
    let ground = Ground::new()?;
    for who in shared.chosen(&Who::PLAIN) {
        let servers = Server::start(who, false, &ground)
            .and_then(|few| Ok((few, Server::start(who, false, &ground)?)));
        match servers {
            Ok((few, many)) => {
                if let Err(error) = measure(options, shared.quick, who, &few, &many, report) {
                    report.fail(who, error);
                }
            }
            Err(reason) => eprintln!("{} is left out: {reason}", who.name()),
        }
    }
    Ok(())
}

/// One of the three: a server, its connections, and which are active when.
struct Part<'a> {
    name: &'static str,
    server: &'a Server,
    /// Positions in `connections`, in the order of their turns.
    order: Vec<usize>,
}

fn measure(
    options: &Options,
    quick: bool,
    who: Who,
    few: &Server,
    many: &Server,
    report: &mut Report,
) -> Result<(), Box<dyn Error>> {
    let (connections, rounds, runs) = if quick {
        (1000, 50, 1)
    } else {
        (10_000, 3000, 7)
    };
    let connections = options.connections.unwrap_or(connections) as usize;
    let rounds = options.rounds.unwrap_or(rounds) as usize;
    let active = options.active as usize;
    if active > connections {
        return Err("more active connections than connections".into());
    }
    let mut of_few = connect(few, active)?;
    let mut of_many = connect(many, connections)?;
    // Memory that lies in the order of the turns would be fetched ahead.
    let mut shuffled: Vec<usize> = (0..connections).collect();
    fastrand::Rng::with_seed(1).shuffle(&mut shuffled);
    let parts = [
        Part {
            name: "few",
            server: few,
            order: (0..active).collect(),
        },
        Part {
            name: "same",
            server: many,
            order: shuffled[..active].to_vec(),
        },
        Part {
            name: "rotating",
            server: many,
            order: shuffled,
        },
    ];
    for run in 0..options.runs.unwrap_or(runs) as usize {
        let mut costs = [0.0; 3];
        for turn in 0..parts.len() {
            let index = (turn + run) % parts.len();
            let part = &parts[index];
            let sockets = if index == 0 {
                &mut of_few
            } else {
                &mut of_many
            };
            // The caches as this part leaves them, and everybody served once.
            play(
                part,
                sockets,
                active,
                connections.div_ceil(active).min(rounds),
            )?;
            let before = machine::cpu_time(&part.server.pid())?;
            let woken = machine::voluntary_switches(&part.server.pid())?;
            play(part, sockets, active, rounds)?;
            let spent = machine::cpu_time(&part.server.pid())?.saturating_sub(before);
            let woken = machine::voluntary_switches(&part.server.pid())? - woken;
            let requests = (rounds * active) as f64;
            costs[index] = spent.as_secs_f64() * 1e6 / requests;
            report.record(&format!("crowd-{}", part.name), who, "us", costs[index]);
            let sleeps = woken as f64 / rounds as f64;
            report.record(
                &format!("crowd-{}-sleeps", part.name),
                who,
                "/round",
                sleeps,
            );
        }
        if costs[0] > 0.0 {
            report.record("crowd-same-ratio", who, "x", costs[1] / costs[0]);
            report.record("crowd-rotating-ratio", who, "x", costs[2] / costs[0]);
        }
    }
    Ok(())
}

/// Opens connections that have had an answer each.
fn connect(server: &Server, count: usize) -> io::Result<Vec<TcpStream>> {
    let mut sockets = Vec::new();
    for _ in 0..count {
        let mut socket = connect_plain(server.address())?;
        socket.write_all(REQUEST)?;
        expect_hello(&mut socket)?;
        sockets.push(socket);
    }
    Ok(sockets)
}

fn play(part: &Part, sockets: &mut [TcpStream], active: usize, rounds: usize) -> io::Result<()> {
    let mut turns = part.order.iter().copied().cycle();
    for _ in 0..rounds {
        let others = turns.clone();
        for index in turns.by_ref().take(active) {
            sockets[index].write_all(REQUEST)?;
        }
        for index in others.take(active) {
            expect_hello(&mut sockets[index])?;
        }
    }
    Ok(())
}

/// Reads one answer, after which nothing follows.
fn expect_hello(socket: &mut TcpStream) -> io::Result<()> {
    let mut buffer = [0; 1024];
    let mut length = 0;
    while !buffer[..length].ends_with(BODY) {
        match socket.read(&mut buffer[length..])? {
            0 => return Err(io::ErrorKind::UnexpectedEof.into()),
            got => length += got,
        }
    }
    if buffer.starts_with(b"HTTP/1.1 200") {
        Ok(())
    } else {
        Err(io::Error::other("an answer other than 200"))
    }
}
