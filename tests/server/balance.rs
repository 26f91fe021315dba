//! Uneven load by both balances.

use crate::support::{Running, ask, echo, start, until};
use greenling::server::Balance;
use std::io::{Read, Write};
use std::net::TcpStream;
use std::sync::{Arc, Mutex, mpsc};

fn accepted(server: &Running) -> Vec<usize> {
    let workers = server.handle.report().workers;
    workers.iter().map(|worker| worker.accepted).collect()
}

/// Idle connections, one after the other.
fn connect_all(server: &Running, count: usize) -> Vec<TcpStream> {
    let connect = |_| {
        let mut stream = server.connect();
        assert_eq!(ask(&mut stream, b"here").unwrap(), b"here");
        stream
    };
    (0..count).map(connect).collect()
}

#[test]
fn an_acceptor_deals_out_evenly() {
    let server = start(
        |server| server.workers(3).balance(Balance::Acceptor),
        |stream, _, connection| echo(stream, connection),
    );
    let clients = connect_all(&server, 99);
    assert_eq!(accepted(&server), [33, 33, 33]);
    drop(clients);
    assert_eq!(server.stop().total.finished, 99);
}

#[test]
fn an_acceptor_fills_up_the_worker_whose_connections_have_ended() {
    let server = start(
        |server| server.workers(3).balance(Balance::Acceptor),
        |mut stream, _, connection| {
            let number = [connection.worker() as u8];
            stream.write_all(&number)?;
            echo(stream, connection)
        },
    );
    let mut clients: [Vec<TcpStream>; 3] = Default::default();
    for _ in 0..30 {
        let mut stream = server.connect();
        let mut worker = [0];
        stream.read_exact(&mut worker).unwrap();
        clients[usize::from(worker[0])].push(stream);
    }
    assert!(clients.iter().all(|clients| clients.len() == 10));
    clients[1].clear();
    until(|| server.handle.report().workers[1].active == 0);
    for _ in 0..10 {
        let mut stream = server.connect();
        let mut worker = [0];
        stream.read_exact(&mut worker).unwrap();
        assert_eq!(worker, [1]);
        clients[1].push(stream);
    }
    assert_eq!(accepted(&server), [10, 20, 10]);
    drop(clients);
    server.stop();
}

#[test]
fn the_kernel_deals_out_by_chance_and_leaves_nobody_out() {
    let server = start(
        |server| server.workers(3).balance(Balance::ReusePort),
        |stream, _, connection| echo(stream, connection),
    );
    let clients = connect_all(&server, 150);
    let accepted = accepted(&server);
    assert_eq!(accepted.iter().sum::<usize>(), 150);
    // The chance that a fair deal leaves one out is below 1e-25.
    assert!(accepted.iter().all(|&count| count > 0), "{accepted:?}");
    drop(clients);
    assert_eq!(server.stop().total.finished, 150);
}

#[test]
fn a_worker_that_stalls_gets_no_more_from_an_acceptor() {
    let (tell, told) = mpsc::channel();
    let tell = Mutex::new(tell);
    let (go, gate) = mpsc::channel::<()>();
    let gate = Arc::new(Mutex::new(gate));
    let server = start(
        |server| server.workers(2).balance(Balance::Acceptor),
        move |mut stream: greenling::net::TcpStream, _, connection: &_| {
            let mut request = [0; 4];
            while let Some(4) = connection.idle(|| stream.read(&mut request))? {
                if &request == b"hold" {
                    tell.lock().unwrap().send(connection.worker()).unwrap();
                    // The whole thread, with all its tasklets.
                    gate.lock().unwrap().recv().unwrap();
                }
                stream.write_all(&request)?;
            }
            Ok::<(), std::io::Error>(())
        },
    );
    let mut holding = server.connect();
    holding.write_all(b"hold").unwrap();
    let stalled = told.recv().unwrap();
    // Each is over before the next comes, so the other worker has fewer.
    for count in 1..=50 {
        let mut client = server.connect();
        assert_eq!(ask(&mut client, b"here").unwrap(), b"here");
        drop(client);
        until(|| server.handle.report().workers[1 - stalled].finished == count);
    }
    assert_eq!(server.handle.report().workers[stalled].accepted, 1);
    go.send(()).unwrap();
    holding.read_exact(&mut [0; 4]).unwrap();
    drop(holding);
    server.stop();
}
