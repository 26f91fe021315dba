//! `scaling`: what a request costs with one worker and with two, where each worker has
//! the same to do: a core for itself and its client, and connections of its own.
//!
//! ```text
//!              first core                       last core
//!   1          worker <- client                 nobody
//!   2          worker <- client                 worker <- client     one server
//!   apart      worker <- client                 worker <- client     two servers
//! ```
//!
//! Two workers that share nothing cost as much as one. What is dearer in `2` than in
//! `apart` is what the workers of a server have in common; what is dearer in `apart`
//! than in `1` the machine makes dearer, its kernel included.
//!
//! Which worker has a connection, the kernel decides. So connections are made until
//! each has enough; whose they are is seen by who works when they ask for something.

use std::io;
use std::sync::Barrier;
use std::thread;
use std::time::{Duration, Instant};

use benches::machine::{self, Core, Thread};
use benches::server::Server;
use benches::who::Who;
use openssl::ssl::SslConnector;

use super::{Bench, Connection, Failure};
use crate::options::rotated;

/// Who takes part: those whose connections stay with a worker.
const PLAIN: [Who; 4] = [Who::Greenling, Who::Epoll, Who::Nginx, Who::Hyper];
const TLS: [Who; 3] = [Who::Greenling, Who::Nginx, Who::HyperRustls];

const CORES: [Core; 2] = [Core::First, Core::Last];

/// Connections of each worker.
const CONNECTIONS: usize = 32;

/// How many connections are made at most until all workers have theirs.
const ATTEMPTS: usize = 20 * CONNECTIONS;

/// How long a turn of one arrangement takes: short, so that many of them can be had
/// and the median of their ratios knows nothing of what disturbs some.
const TURN: Duration = Duration::from_millis(100);

/// Turns of each arrangement in a run, as others count runs.
const TURNS: usize = 6;

/// The three, as their cases are called.
const NAMES: [&str; 3] = ["1", "2", "apart"];

pub(super) fn run(bench: &mut Bench) {
    bench.on_all_cores("scaling-http", false, &PLAIN, measure);
    bench.on_all_cores("scaling-https", true, &TLS, measure);
}

fn measure(bench: &mut Bench, case: &str, who: Who, tls: bool) -> Result<(), Failure> {
    let connector = bench.connector(tls)?;
    let start = |core, workers| Server::start_on(core, workers, who, tls, &bench.ground);
    let servers = match start(Core::All, 2) {
        Ok(shared) => [
            shared,
            start(Core::First, 1)?,
            start(Core::First, 1)?,
            start(Core::Last, 1)?,
        ],
        Err(reason) => {
            bench.record.leave_out(case, who, reason);
            return Ok(());
        }
    };
    let lanes = |server: &Server, cores: &[Core]| lanes(server, connector.as_ref(), cores);
    let [shared, alone, first, last] = &servers;
    let mut apart = lanes(first, &[Core::First])?;
    apart.extend(lanes(last, &[Core::Last])?);
    let mut all = [lanes(alone, &[Core::First])?, lanes(shared, &CORES)?, apart];
    for lanes in &mut all {
        play(lanes)?;
    }
    for turn in 0..TURNS * bench.options.runs() {
        let mut costs = [0.0; 3];
        for place in rotated(all.len(), turn) {
            let load = play(&mut all[place])?;
            costs[place] = load.spent.as_secs_f64() * 1e6 / load.requests as f64;
            let sleeps = load.sleeps as f64 * 1000.0 / load.requests as f64;
            let name = NAMES[place];
            let record = &mut bench.record;
            record.add(&format!("{case}-{name}"), who, "us", costs[place]);
            record.add(&format!("{case}-{name}-sleeps"), who, "/1000", sleeps);
        }
        let mut ratio = |name: &str, value| {
            bench.record.add(&format!("{case}-{name}"), who, "x", value);
        };
        ratio("ratio", costs[1] / costs[0]);
        ratio("shared-ratio", costs[1] / costs[2]);
        ratio("machine-ratio", costs[2] / costs[0]);
    }
    Ok(())
}

/// A worker, its connections, and the core of both it and its client.
struct Lane {
    worker: Thread,
    connections: Vec<Connection>,
    core: Core,
}

/// Gives a worker of `server` and as many connections as it is to have to each of
/// `cores`.
fn lanes(
    server: &Server,
    tls: Option<&SslConnector>,
    cores: &[Core],
) -> Result<Vec<Lane>, Failure> {
    let mut lanes: Vec<Lane> = Vec::new();
    for _ in 0..ATTEMPTS {
        let (worker, connection) = connect(server, tls)?;
        match lanes.iter_mut().find(|lane| lane.worker == worker) {
            Some(lane) if lane.connections.len() < CONNECTIONS => lane.connections.push(connection),
            Some(_) => {}
            None => {
                let core = *cores.get(lanes.len()).ok_or("more workers than expected")?;
                lanes.push(Lane {
                    worker,
                    connections: vec![connection],
                    core,
                });
            }
        }
        let full = |lane: &Lane| lane.connections.len() == CONNECTIONS;
        if lanes.len() == cores.len() && lanes.iter().all(full) {
            if !lanes.iter().all(|lane| lane.worker.pin(lane.core)) {
                return Err("a worker cannot be pinned".into());
            }
            return Ok(lanes);
        }
    }
    Err("connections do not come to all workers".into())
}

/// A connection, and the worker that has it.
fn connect(server: &Server, tls: Option<&SslConnector>) -> Result<(Thread, Connection), Failure> {
    let mut connection = Connection::open(server, tls)?;
    let before = server.threads()?;
    for _ in 0..4 {
        connection.hello()?;
    }
    let worked = before.into_iter().map(|(thread, before)| {
        let after = thread.cpu_time()?;
        Ok((after.saturating_sub(before), thread))
    });
    let worked: Vec<_> = worked.collect::<io::Result<_>>()?;
    let most = worked.into_iter().max_by_key(|&(time, _)| time);
    let (_, worker) = most.ok_or("a server without threads")?;
    Ok((worker, connection))
}

/// What was done and what it cost the workers.
#[derive(Default)]
struct Load {
    requests: u64,
    spent: Duration,
    sleeps: u64,
}

/// Loads all workers at the same time, each by a client on its core.
fn play(lanes: &mut [Lane]) -> Result<Load, Failure> {
    let ready = &Barrier::new(lanes.len());
    thread::scope(|scope| {
        let clients: Vec<_> = lanes
            .iter_mut()
            .map(|lane| scope.spawn(move || lane.play(ready)))
            .collect();
        let mut sum = Load::default();
        for client in clients {
            let ended = client.join();
            let load = ended.map_err(|_| io::Error::other("a client thread panicked"))??;
            sum.requests += load.requests;
            sum.spent += load.spent;
            sum.sleeps += load.sleeps;
        }
        Ok(sum)
    })
}

impl Lane {
    fn play(&mut self, ready: &Barrier) -> io::Result<Load> {
        let pinned = machine::pin(self.core);
        // In any case: the others wait for it.
        ready.wait();
        if !pinned {
            return Err(io::Error::other("a client cannot be pinned"));
        }
        let (spent, sleeps) = (self.worker.cpu_time()?, self.worker.sleeps()?);
        let begin = Instant::now();
        let mut requests = 0;
        while begin.elapsed() < TURN {
            for connection in &mut self.connections {
                connection.send()?;
            }
            for connection in &mut self.connections {
                connection.expect_hello()?;
            }
            requests += self.connections.len() as u64;
        }
        Ok(Load {
            requests,
            spent: self.worker.cpu_time()?.saturating_sub(spent),
            sleeps: self.worker.sleeps()? - sleeps,
        })
    }
}
