//! Slow clients, silent clients, too many clients, and options that make no sense.

use std::io::{self, Read, Write};
use std::net::{Shutdown, TcpListener};
use std::thread;

use crate::client::Client;
use crate::server::{Server, refused};

#[test]
fn a_slow_head_gets_408() {
    let server = Server::start(&["--header-timeout", "0.2"]);
    let mut client = server.connect();
    client.send("GET /hello HTTP/1.1\r\nHost: x\r\nX-Slow: ");
    let reply = client.reply();
    assert_eq!(reply.status, 408);
    assert!(reply.closes());
    client.assert_ended();
}

/// The limit is on the whole head: it cannot be put off by sending a little of it now and then.
#[test]
fn a_trickling_head_gets_408() {
    let server = Server::start(&["--header-timeout", "0.5"]);
    let mut client = server.connect();
    let mut writer = client.writer();
    client.send("GET /hello HTTP/1.1\r\nHost: x\r\nX-Slow: ");
    // Paced by the server's answers to another client, and for as long as it listens.
    let mut pace = server.connect();
    let trickle = thread::spawn(move || {
        while pace.get("/hello").status == 200 && writer.write_all(b"x").is_ok() {
            thread::yield_now();
        }
    });
    // A fast machine may reach the limit of size first; both end it.
    let status = client.reply().status;
    assert!(status == 408 || status == 431, "{status}");
    drop(client);
    trickle.join().unwrap();
}

#[test]
fn a_slow_body_gets_408() {
    let server = Server::start(&["--idle-timeout", "0.2"]);
    let mut client = server.connect();
    client.send("POST /echo HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\n\r\nhel");
    assert_eq!(client.reply().status, 408);
    client.assert_ended();
}

#[test]
fn an_idle_connection_is_closed_without_a_word() {
    let server = Server::start(&["--idle-timeout", "0.2"]);
    let mut silent = server.connect();
    let mut used = server.connect();
    assert_eq!(used.get("/hello").status, 200);
    used.assert_ended();
    silent.assert_ended();
}

/// A client that asks for much and reads nothing is cut off, for its tasklet would wait for ever.
#[test]
fn a_client_that_does_not_read_is_cut_off() {
    let server = Server::start(&[
        "--idle-timeout",
        "0.2",
        "--workers",
        "1",
        "--max-connections",
        "1",
    ]);
    let mut stuck = server.connect();
    stuck.send("GET /bytes/1073741824 HTTP/1.1\r\nHost: x\r\n\r\n");
    // Served only when the place is free again.
    assert_eq!(server.connect().get("/hello").status, 200);
    // What was not taken is not kept for it.
    let mut pieces = std::iter::repeat_with(|| stuck.stream.read(&mut [0; 65_536]));
    let end = pieces.find(|piece| !matches!(piece, Ok(1..)));
    let end = end.expect("it repeats").map_err(|error| error.kind());
    assert_eq!(end, Err(io::ErrorKind::ConnectionReset));
}

/// However many arrive at once, and in the order in which they arrived.
#[test]
fn no_more_than_max_connections() {
    let server = Server::start(&["--max-connections", "2", "--workers", "1"]);
    let mut clients: Vec<Client> = (0..6).map(|_| server.connect()).collect();
    for client in &mut clients {
        client.send("GET /hello HTTP/1.1\r\nHost: x\r\n\r\n");
    }
    for first in 0..5 {
        let served = clients[first].reply().status;
        assert_eq!((served, clients[first + 1].reply().status), (200, 200));
        // The server has its chances to serve the next one as well.
        for _ in 0..50 {
            assert_eq!(clients[first + 1].get("/hello").status, 200);
        }
        if let Some(waiting) = clients.get_mut(first + 2) {
            waiting.stream.set_nonblocking(true).unwrap();
            let nothing = waiting.stream.read(&mut [0]);
            assert_eq!(nothing.unwrap_err().kind(), io::ErrorKind::WouldBlock);
            waiting.stream.set_nonblocking(false).unwrap();
        }
        clients[first].stream.shutdown(Shutdown::Both).unwrap();
        clients[first + 1].send("GET /hello HTTP/1.1\r\nHost: x\r\n\r\n");
    }
}

/// Each worker must be able to take one, since the kernel gives a connection to one of them for
/// good.
#[test]
fn fewer_connections_than_workers() {
    let server = Server::start(&["--max-connections", "1", "--workers", "2"]);
    for _ in 0..10 {
        assert_eq!(server.connect().get("/hello").status, 200);
    }
}

#[test]
fn nonsense_is_refused_at_the_start() {
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap().to_string();
    assert!(refused(&["--listen", &address]).contains(&address));
    assert!(refused(&["--listen", "127.0.0.1"]).contains("127.0.0.1"));
    assert!(
        refused(&["--listen", "127.0.0.1:0", "--root", "/does/not/exist"]).contains("/does/not")
    );
    let options = [
        "--listen",
        "127.0.0.1:0",
        "--cert",
        "/no/cert",
        "--key",
        "/no/key",
    ];
    assert!(refused(&options).contains("/no/cert"));
}

/// Two servers that shared a port by accident would share its connections.
#[test]
fn a_port_belongs_to_one_server() {
    let server = Server::start(&[]);
    let address = server.plain.to_string();
    let complaint = refused(&["--listen", "127.0.0.1:0", "--plain", &address]);
    assert!(complaint.contains(&address), "{complaint}");
    assert_eq!(Client::connect(server.plain).get("/hello").status, 200);
}
