//! Signals.

use std::io::Read;
use std::net::TcpStream;
use std::time::Instant;

use crate::client::WATCHDOG;
use crate::server::Server;

#[test]
fn a_server_without_connections_ends_at_once() {
    for signal in ["TERM", "INT"] {
        let server = Server::start(&["--drain", "1000"]);
        server.signal(signal);
        let (status, log) = server.wait();
        assert_eq!(status.code(), Some(0), "{signal}: {log}");
    }
}

/// A request that has begun is finished, a connection that waits is closed, a new one is refused.
#[test]
fn draining() {
    let server = Server::start(&["--drain", "1000"]);
    let mut busy = server.connect();
    busy.send(
        "POST /echo HTTP/1.1\r\nHost: x\r\nContent-Length: 10\r\nExpect: 100-continue\r\n\r\n",
    );
    assert_eq!(busy.reply_head().status, 100);
    let mut idle = server.connect();
    assert_eq!(idle.get("/hello").status, 200);
    let mut unused = server.connect();
    server.signal("TERM");
    idle.assert_ended();
    unused.assert_ended();
    // Each worker closes its listeners by itself; the last one need not be the one that hung up.
    let start = Instant::now();
    while TcpStream::connect(server.plain).is_ok() || TcpStream::connect(server.https).is_ok() {
        assert!(start.elapsed() < WATCHDOG, "still listening");
    }
    busy.send("0123456789");
    let reply = busy.reply();
    assert_eq!((reply.status, reply.text()), (200, "0123456789"));
    assert!(reply.closes());
    busy.assert_ended();
    let (status, log) = server.wait();
    assert_eq!(status.code(), Some(0), "{log}");
}

/// Who has asked for nothing yet is not waited for: without TLS, in a handshake, or before a word
/// of the proxy.
#[test]
fn whoever_has_not_asked_is_hung_up_on() {
    for options in [
        &["--drain", "1000"][..],
        &["--drain", "1000", "--proxy", "127.0.0.1"],
    ] {
        let server = Server::start(options);
        let silent =
            [server.plain, server.https].map(|address| TcpStream::connect(address).unwrap());
        server.signal("TERM");
        for mut stream in silent {
            stream.set_read_timeout(Some(WATCHDOG)).unwrap();
            assert_eq!(stream.read(&mut [0]).unwrap(), 0);
        }
        let (status, log) = server.wait();
        assert_eq!((status.code(), log.as_str()), (Some(0), ""));
    }
}

/// What is not finished within the time is cut, and the server still ends well.
#[test]
fn the_drain_time_has_an_end() {
    let server = Server::start(&["--drain", "0.2"]);
    let mut endless = server.connect();
    endless.send("POST /echo HTTP/1.1\r\nHost: x\r\nContent-Length: 10\r\n\r\n01234");
    let mut stuck = server.connect();
    stuck.send("GET /bytes/1073741824 HTTP/1.1\r\nHost: x\r\n\r\n");
    assert_eq!(stuck.reply_head().status, 200);
    // The first has been taken up for certain once a later one was answered.
    assert_eq!(server.connect().get("/hello").status, 200);
    server.signal("TERM");
    let (status, log) = server.wait();
    assert_eq!(status.code(), Some(0), "{log}");
    // A reset is fine too: the server has left without reading everything.
    let mut rest = Vec::new();
    let _ = endless.stream.read_to_end(&mut rest);
    assert!(rest.is_empty());
}

/// Who does not want to wait sends the signal again.
#[test]
fn a_second_signal_ends_the_draining() {
    let server = Server::start(&["--drain", "1000"]);
    let mut busy = server.connect();
    busy.send(
        "POST /echo HTTP/1.1\r\nHost: x\r\nContent-Length: 10\r\nExpect: 100-continue\r\n\r\n",
    );
    assert_eq!(busy.reply_head().status, 100);
    let mut idle = server.connect();
    assert_eq!(idle.get("/hello").status, 200);
    server.signal("TERM");
    idle.assert_ended();
    server.signal("TERM");
    let (status, _) = server.wait();
    assert_eq!(
        status.code(),
        Some(128 + 15),
        "as of a process that it ended"
    );
}

#[test]
fn sigusr1_dumps_the_tasklets() {
    // A connection that rests is no tasklet.
    let mut server = Server::start(&["--rest-after", "1000"]);
    let mut client = server.connect();
    assert_eq!(client.get("/hello").status, 200);
    server.signal("USR1");
    let log = server.wait_for_log("\"connection from 127.0.0.1:");
    assert!(log.contains("\"accept\""), "{log}");
    assert_eq!(client.get("/hello").status, 200);
}
