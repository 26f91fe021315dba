//! Several cores: a server on several threads, and both ways of dealing its
//! connections out.
//!
//! ```sh
//! cargo run --release --example workers -- 4 1000
//! ```
//!
//! Shows how evenly `Balance::ReusePort` (the kernel deals) and `Balance::Acceptor`
//! (one thread deals) spread 1000 connections that stay, over 4 workers; and how
//! many of 100 visitors, one each millisecond, wait when one worker is held up by a
//! handler that computes for long. The visitors are tasklets of the main thread, and
//! tell what they have seen over a `thread::channel`.

use std::io::{self, Read, Write};
use std::net::SocketAddr;
use std::time::{Duration, Instant};

use greenling::net::TcpStream;
use greenling::server::{Balance, Connection, Server, ServerHandle};
use greenling::thread::channel;
use greenling::time::sleep;
use greenling::{enter, spawn};

/// How long the worker is held up.
const STALL: Duration = Duration::from_millis(300);

fn main() -> io::Result<()> {
    let mut numbers = std::env::args().skip(1).map(|text| text.parse());
    let mut number = |default| numbers.next().unwrap_or(Ok(default));
    let workers = number(2).map_err(io::Error::other)?;
    let connections = number(200).map_err(io::Error::other)?;
    for balance in [Balance::ReusePort, Balance::Acceptor] {
        let mut spread = spread(balance, workers, connections)?;
        spread.sort_unstable();
        let late = late(balance, workers, 100)?;
        println!("{balance:?}: connections of each worker {spread:?}");
        println!("{balance:?}: {late} of 100 visitors wait for a worker that is held up");
    }
    Ok(())
}

/// How many of `count` connections, all there at once, each worker has.
fn spread(balance: Balance, workers: usize, count: usize) -> io::Result<Vec<usize>> {
    with_server(balance, workers, |server| {
        let address = server.addresses()[0];
        let visits = (0..count).map(|_| spawn(move || Visit::begin(address)));
        let visits: Vec<_> = visits.collect();
        let visits = visits.into_iter().map(|visit| visit.join()?);
        // Kept, so that all are there when the workers are asked.
        let _visits: Vec<Visit> = visits.collect::<io::Result<_>>()?;
        let report = server.report();
        Ok(report.workers.iter().map(|worker| worker.active).collect())
    })
}

/// How many of `count` visitors get their answer only when the worker that is held
/// up goes on.
fn late(balance: Balance, workers: usize, count: usize) -> io::Result<usize> {
    with_server(balance, workers, |server| {
        let address = server.addresses()[0];
        Visit::begin(address)?.0.write_all(b"!")?;
        let (tell, times) = channel(count);
        for _ in 0..count {
            sleep(Duration::from_millis(1));
            let tell = tell.clone();
            spawn(move || {
                let begun = Instant::now();
                let visit = Visit::begin(address).map(|_| begun.elapsed());
                // The other end is there until all have told.
                let _ = tell.send(visit);
            });
        }
        drop(tell);
        let times: Vec<Duration> = times.iter().collect::<io::Result<_>>()?;
        Ok(times.iter().filter(|&&time| time > STALL / 2).count())
    })
}

/// Runs `visit` on this thread while a server runs on others.
fn with_server<T>(
    balance: Balance,
    workers: usize,
    visit: impl FnOnce(&ServerHandle) -> io::Result<T>,
) -> io::Result<T> {
    let server = Server::new()
        .workers(workers)
        .balance(balance)
        .bind("127.0.0.1:0")?;
    let handle = server.handle();
    let serving = std::thread::spawn(move || server.run(serve));
    let result = enter(|| visit(&handle));
    handle.stop();
    serving.join().expect("a server does not panic")?;
    result
}

/// Welcomes a visitor and waits for what it says, or for the end of the server.
fn serve(mut stream: TcpStream, _: SocketAddr, connection: &Connection) -> io::Result<()> {
    stream.write_all(b"welcome")?;
    let mut word = [0];
    while let Some(1) = connection.idle(|| stream.read(&mut word))? {
        hold_up();
    }
    Ok(())
}

#[allow(
    clippy::disallowed_methods,
    reason = "stands for a handler that computes: the thread and all its tasklets wait"
)]
fn hold_up() {
    std::thread::sleep(STALL);
}

/// A connection that was welcomed.
struct Visit(TcpStream);

impl Visit {
    fn begin(address: SocketAddr) -> io::Result<Visit> {
        let mut stream = TcpStream::connect(address)?;
        let mut welcome = [0; 7];
        stream.read_exact(&mut welcome)?;
        Ok(Visit(stream))
    }
}

#[cfg(test)]
#[test]
fn every_visitor_is_served_by_one_of_the_workers() {
    for balance in [Balance::ReusePort, Balance::Acceptor] {
        let spread = spread(balance, 3, 60).expect("sockets");
        assert_eq!(spread.len(), 3);
        assert_eq!(spread.iter().sum::<usize>(), 60);
        late(balance, 2, 20).expect("sockets");
    }
}

#[cfg(test)]
#[test]
fn an_acceptor_deals_out_evenly() {
    let spread = spread(Balance::Acceptor, 3, 60).expect("sockets");
    assert_eq!(spread, [20, 20, 20]);
}
