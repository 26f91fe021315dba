//! Connections that are silent for long enough to be served by no tasklet.

use std::io::{ErrorKind, Read, Write};
use std::time::Duration;

use crate::client::Client;
use crate::server::Server;
use crate::tls;

/// Starts a server that has one worker, and connections that rest at once.
fn server(options: &[&str]) -> Server {
    let mut all = vec!["--workers", "1", "--rest-after", "0.01"];
    all.extend(options);
    Server::start(&all)
}

/// Waits until the only connection that is somebody's tasklet is the one that asks.
fn wait_until_all_rest(server: &Server) {
    let mut asking = server.connect();
    while asking
        .get("/tasklets")
        .text()
        .matches("\"connection")
        .count()
        > 1
    {}
}

fn rests_and_goes_on<S: Read + Write>(server: &Server, mut client: Client<S>) {
    for _ in 0..3 {
        assert_eq!(client.get("/hello").text(), "Hello, world!");
        wait_until_all_rest(server);
    }
    // In two pieces, as nothing says that a request comes at once.
    client.send("GET /hello HTTP/1.1\r\n");
    wait_until_answered(server);
    client.send("Host: x\r\n\r\n");
    assert_eq!(client.reply().status, 200);
}

/// Another client's request, behind all that was sent before.
fn wait_until_answered(server: &Server) {
    assert_eq!(server.connect().get("/hello").status, 200);
}

#[test]
fn the_next_request_is_answered_as_ever() {
    let server = server(&[]);
    rests_and_goes_on(&server, server.connect());
    rests_and_goes_on(&server, tls::connect(server.https));
}

#[test]
fn one_that_never_spoke_rests_too() {
    let server = server(&[]);
    let mut silent = server.connect();
    wait_until_answered(&server);
    wait_until_all_rest(&server);
    assert_eq!(silent.get("/hello").status, 200);
}

#[test]
fn the_idle_timeout_goes_on() {
    let server = server(&["--idle-timeout", "0.2"]);
    let mut plain = server.connect();
    let mut secure = tls::connect(server.https);
    assert_eq!(plain.get("/hello").status, 200);
    assert_eq!(secure.get("/hello").status, 200);
    plain.assert_ended();
    secure.assert_ended();
}

/// Whoever sends a record in tiny parts has said nothing yet, and is idle.
#[test]
fn parts_of_a_record_do_not_put_the_idle_timeout_off() {
    let server = server(&["--idle-timeout", "0.2"]);
    let mut secure = tls::connect(server.https);
    assert_eq!(secure.get("/hello").status, 200);
    let mut socket = secure.stream.get_ref();
    socket.write_all(&[23, 3, 3, 64, 0]).unwrap();
    let pause = Some(Duration::from_millis(50));
    socket.set_read_timeout(pause).unwrap();
    loop {
        match socket.read(&mut [0; 256]) {
            Err(error) if error.kind() == ErrorKind::WouldBlock => {}
            Ok(0) | Err(_) => break,
            // The goodbye.
            Ok(_) => {}
        }
        // It may be gone by now.
        let _ = socket.write(&[0]);
    }
}

#[test]
fn resting_at_once_is_possible() {
    let server = Server::start(&["--rest-after", "0"]);
    let mut plain = server.connect();
    for _ in 0..2 {
        assert_eq!(plain.get("/hello").status, 200);
    }
}

#[test]
fn the_end_of_the_server_reaches_them() {
    let server = server(&["--drain", "1000"]);
    let mut plain = server.connect();
    let mut secure = tls::connect(server.https);
    assert_eq!(plain.get("/hello").status, 200);
    assert_eq!(secure.get("/hello").status, 200);
    wait_until_all_rest(&server);
    server.signal("TERM");
    plain.assert_ended();
    secure.assert_ended();
    let (status, log) = server.wait();
    assert_eq!(status.code(), Some(0), "{log}");
}
