//! A server's connections that rest: served again, counted, limited and ended like others.

use crate::support::{Running, answered_clients, ask, echo, rest, start, until};
use greenling::net::TcpStream;
use greenling::server::{Balance, Connection, Roused};
use greenling::sync::Event;
use std::io::{self, ErrorKind, Read, Write};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

const BALANCES: [Balance; 2] = [Balance::ReusePort, Balance::Acceptor];

type Counter = Arc<AtomicUsize>;

/// What connections were roused by.
type Log = Arc<Mutex<Vec<Roused>>>;

/// Answers what is there, and has the connection rest until more is.
fn answer_and_rest(mut stream: TcpStream, connection: &Connection, log: &Log) -> io::Result<()> {
    let mut buffer = [0; 64];
    loop {
        match stream.try_read(&mut buffer) {
            Ok(0) => return Ok(()),
            Ok(count) => stream.write_all(&buffer[..count])?,
            Err(error) if error.kind() == ErrorKind::WouldBlock => break,
            Err(error) => return Err(error),
        }
    }
    if connection.is_draining() {
        return Ok(());
    }
    let (source, log) = (stream.try_clone()?, log.clone());
    connection.rest(&source, move |roused, connection| {
        log.lock().unwrap().push(roused);
        let name = greenling::current().name().unwrap_or_default();
        assert!(name.starts_with("connection from 127.0.0.1:"), "{name}");
        match roused {
            Roused::TimedOut => Ok(()),
            _ => answer_and_rest(stream, connection, &log),
        }
    })
}

/// A server whose connections rest whenever they have nothing to do.
fn start_resting(
    configure: impl FnOnce(greenling::server::Server) -> greenling::server::Server,
) -> (Running, Log) {
    let log = Log::default();
    let logged = log.clone();
    let server = start(configure, move |stream, _, connection: &Connection| {
        answer_and_rest(stream, connection, &logged)
    });
    (server, log)
}

#[test]
fn they_are_served_whenever_they_say_something_and_counted_once() {
    for balance in BALANCES {
        let (server, log) = start_resting(|server| server.workers(2).balance(balance));
        let mut clients = answered_clients(&server, 20);
        for _ in 0..5 {
            for client in &mut clients {
                assert_eq!(ask(client, b"again").unwrap(), b"again");
            }
        }
        let report = server.handle.report().total;
        assert_eq!((report.accepted, report.active), (20, 20));
        drop(clients);
        until(|| server.handle.report().total.finished == 20);
        let report = server.stop();
        assert_eq!((report.total.finished, report.total.active), (20, 0));
        let log = log.lock().unwrap();
        assert!(log.len() >= 5 * 20 && log.iter().all(|&why| why == Roused::Readable));
    }
}

#[test]
fn a_connection_that_rests_keeps_its_place() {
    let (server, _) = start_resting(|server| server.max_connections(2));
    let mut clients = answered_clients(&server, 2);
    let mut waiting = server.connect();
    waiting.write_all(b"third").unwrap();
    // The two are served, the third is not even accepted.
    for client in &mut clients {
        assert_eq!(ask(client, b"again").unwrap(), b"again");
    }
    assert_eq!(server.handle.report().total.accepted, 2);
    clients.pop();
    let mut answer = [0; 5];
    waiting.read_exact(&mut answer).unwrap();
    assert_eq!(&answer, b"third");
    drop((clients, waiting));
    assert_eq!(server.stop().total.finished, 3);
}

#[test]
fn the_end_of_the_server_has_them_go_on_and_end() {
    for balance in BALANCES {
        let (server, log) = start_resting(|server| server.workers(2).balance(balance));
        let mut clients = answered_clients(&server, 20);
        let report = server.stop();
        assert_eq!((report.total.finished, report.total.killed), (20, 0));
        for client in &mut clients {
            assert_eq!(rest(client), "");
        }
        let log = log.lock().unwrap();
        let called = log.iter().filter(|&&why| why == Roused::Called).count();
        assert!(called > 0, "{log:?}");
    }
}

#[test]
fn nobody_rests_for_longer_than_allowed() {
    let (server, log) = start_resting(|server| server.rest_limit(Duration::from_millis(5)));
    let mut client = server.connect();
    assert_eq!(rest(&mut client), "");
    assert_eq!(server.stop().total.finished, 1);
    assert_eq!(log.lock().unwrap().last(), Some(&Roused::TimedOut));
}

#[test]
fn the_time_that_a_connection_may_last_goes_on_while_it_rests() {
    let seen = Arc::new(Mutex::new(None));
    let noted = seen.clone();
    let server = start(
        |server| server.connection_timeout(Duration::from_millis(20)),
        move |stream: TcpStream, _, connection: &Connection| {
            let (source, noted) = (stream.try_clone()?, noted.clone());
            assert!(stream.try_read(&mut [0]).is_err());
            connection.rest(&source, move |roused, _: &Connection| {
                let read = (&stream).read(&mut [0]).map_err(|error| error.kind());
                *noted.lock().unwrap() = Some((roused, read));
            })
        },
    );
    let mut client = server.connect();
    assert_eq!(rest(&mut client), "");
    let seen = seen.lock().unwrap().take();
    assert_eq!(seen, Some((Roused::TimedOut, Err(ErrorKind::TimedOut))));
    assert_eq!(server.stop().total.finished, 1);
}

#[test]
fn whoever_went_on_and_does_not_end_is_killed() {
    for balance in BALANCES {
        let (resting, begun) = (Counter::default(), Counter::default());
        let (rest, begin) = (resting.clone(), begun.clone());
        let server = start(
            |server| server.balance(balance).drain_limit(Duration::ZERO),
            move |stream: TcpStream, _, connection: &Connection| {
                assert!(stream.try_read(&mut [0]).is_err());
                let (source, begin) = (stream.try_clone()?, begin.clone());
                connection.rest(&source, move |_, _: &Connection| {
                    let _stream = stream;
                    begin.fetch_add(1, Ordering::SeqCst);
                    Event::new().wait()
                })?;
                rest.fetch_add(1, Ordering::SeqCst);
                Ok::<(), io::Error>(())
            },
        );
        let mut clients: Vec<_> = (0..5).map(|_| server.connect()).collect();
        until(|| resting.load(Ordering::SeqCst) == 5);
        for client in &mut clients[..3] {
            client.write_all(b"x").unwrap();
        }
        until(|| begun.load(Ordering::SeqCst) == 3);
        // Two are roused by the end itself; they may or may not begin before the kill.
        let report = server.stop();
        assert_eq!((report.total.killed, report.total.active), (5, 0));
        for client in &mut clients {
            assert!(matches!(client.read(&mut [0]), Ok(0) | Err(_)));
        }
    }
}

#[test]
fn a_panic_costs_the_connection_only_and_is_counted() {
    let server = start(
        |server| server,
        |stream: TcpStream, _, connection: &Connection| {
            let source = stream.try_clone()?;
            connection.rest(&source, move |_, connection: &Connection| {
                let mut first = [0];
                (&stream).read_exact(&mut first).unwrap();
                assert_eq!(&first, b"x", "this panics on purpose");
                echo(stream, connection)
            })
        },
    );
    let (mut good, mut bad) = (server.connect(), server.connect());
    server.until_accepted(2);
    bad.write_all(b"y").unwrap();
    assert!(matches!(bad.read(&mut [0]), Ok(0) | Err(_)));
    good.write_all(b"x").unwrap();
    assert_eq!(ask(&mut good, b"fine").unwrap(), b"fine");
    drop(good);
    until(|| server.handle.report().total.finished == 1);
    let report = server.stop().total;
    assert_eq!((report.panicked, report.finished), (1, 1));
}

#[test]
fn one_that_rests_while_the_server_stops_goes_on_at_once() {
    let log = Log::default();
    let logged = log.clone();
    let server = start(
        |server| server,
        move |stream: TcpStream, _, connection: &Connection| {
            connection.stopping().wait()?;
            let (source, log) = (stream.try_clone()?, logged.clone());
            assert!(stream.try_read(&mut [0]).is_err());
            connection.rest(&source, move |roused, _: &Connection| {
                log.lock().unwrap().push(roused);
                drop(stream);
            })
        },
    );
    let mut client = server.connect();
    server.until_accepted(1);
    assert_eq!(server.stop().total.finished, 1);
    assert_eq!(rest(&mut client), "");
    assert_eq!(*log.lock().unwrap(), [Roused::Called]);
}

#[test]
fn their_stacks_are_as_large_as_the_first_ones() {
    let sizes = Arc::new(Mutex::new(Vec::new()));
    let noted = sizes.clone();
    let size = || {
        let this = greenling::current().id();
        let tasklets = greenling::inspect::tasklets();
        let this = tasklets.into_iter().find(|tasklet| tasklet.id == this);
        this.map(|tasklet| tasklet.stack_size)
    };
    let server = start(
        |server| server.stack_size(512 * 1024),
        move |stream: TcpStream, _, connection: &Connection| {
            noted.lock().unwrap().push(size());
            let (source, noted) = (stream.try_clone()?, noted.clone());
            connection.rest(&source, move |_, _: &Connection| {
                noted.lock().unwrap().push(size());
                drop(stream);
            })
        },
    );
    assert_eq!(rest(&mut server.connect()), "");
    server.stop();
    let sizes = sizes.lock().unwrap();
    assert_eq!(sizes.len(), 2);
    assert_eq!(sizes[0], sizes[1]);
}
