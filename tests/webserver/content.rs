//! What the routes answer, and large bodies in both directions.

use std::io::Write;
use std::thread;

use crate::server::Server;

fn pattern(length: usize) -> Vec<u8> {
    (0..length).map(|n| (n % 251) as u8).collect()
}

#[test]
fn bytes() {
    let server = Server::start(&[]);
    let mut client = server.connect();
    for count in [0, 1, 16_383, 16_384, 65_537, 20_000_000] {
        let reply = client.get(&format!("/bytes/{count}"));
        assert_eq!((reply.status, reply.body.len()), (200, count));
        let line = b"abcdefghijklmnopqrstuvwxyz ABCDEFGHIJKLMNOPQRSTUVWXYZ 01234567.\n";
        assert!(
            reply.body.chunks(64).all(|piece| line.starts_with(piece)),
            "{count}"
        );
    }
    client.send("HEAD /bytes/1073741824 HTTP/1.1\r\nHost: x\r\n\r\n");
    assert_eq!(
        client.reply_head().field("content-length"),
        Some("1073741824")
    );
    assert_eq!(client.get("/bytes/1073741825").status, 400);
    assert_eq!(client.get("/bytes/99999999999999999999999").status, 400);
    assert_eq!(client.get("/bytes/").status, 404);
    assert_eq!(client.get("/bytes/-1").status, 404);
    assert_eq!(client.get("/bytes/ten").status, 404);
}

/// A client that goes away in the middle of a long body costs the others nothing.
#[test]
fn a_client_that_leaves_early() {
    let server = Server::start(&[]);
    let mut leaver = server.connect();
    leaver.send("GET /bytes/1073741824 HTTP/1.1\r\nHost: x\r\n\r\n");
    assert_eq!(leaver.reply_head().status, 200);
    drop(leaver);
    assert_eq!(server.connect().get("/hello").status, 200);
}

#[test]
fn echo() {
    let server = Server::start(&[]);
    let mut client = server.connect();
    client.send(
        "POST /echo HTTP/1.1\r\nHost: x\r\nContent-Type: text/x-test\r\nContent-Length: 5\r\n\r\nhello",
    );
    let reply = client.reply();
    assert_eq!(
        (reply.text(), reply.field("content-type")),
        ("hello", Some("text/x-test"))
    );
    client.send("POST /echo HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\n\r\n");
    assert_eq!(client.reply().text(), "");
    client.send(
        "POST /echo HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n\
         5\r\nhello\r\n6\r\n world\r\n0\r\nTrailer: value\r\n\r\n",
    );
    assert_eq!(client.reply().text(), "hello world");
    assert_eq!(client.get("/hello").status, 200);
}

/// A client that reads nothing until it has sent everything.
#[test]
fn a_large_echo_to_a_simple_client() {
    let server = Server::start(&[]);
    let body = pattern(12_000_000);
    let mut client = server.connect();
    client.send(format!(
        "POST /echo HTTP/1.1\r\nHost: x\r\nContent-Length: {}\r\n\r\n",
        body.len()
    ));
    client.send(&body);
    assert!(client.reply().body == body);
}

/// More than the server holds in memory, from a client that reads while it writes.
#[test]
fn a_huge_echo_streams() {
    let server = Server::start(&[]);
    let body = pattern(60_000_000);
    for chunked in [false, true] {
        let mut client = server.connect();
        let mut writer = client.writer();
        let sent = body.clone();
        let sender = thread::spawn(move || {
            let head = "POST /echo HTTP/1.1\r\nHost: x\r\n";
            if !chunked {
                write!(writer, "{head}Content-Length: {}\r\n\r\n", sent.len())?;
                return writer.write_all(&sent);
            }
            write!(writer, "{head}Transfer-Encoding: chunked\r\n\r\n")?;
            for piece in sent.chunks(77_777) {
                write!(writer, "{:x}\r\n", piece.len())?;
                writer.write_all(piece)?;
                writer.write_all(b"\r\n")?;
            }
            writer.write_all(b"0\r\n\r\n")
        });
        let reply = client.reply();
        sender.join().unwrap().unwrap();
        assert!(reply.body == body, "chunked: {chunked}");
        assert_eq!(client.get("/hello").status, 200);
    }
}

#[test]
fn continue_before_the_body() {
    let server = Server::start(&[]);
    let mut client = server.connect();
    client.send(
        "POST /echo HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\nExpect: 100-continue\r\n\r\n",
    );
    assert_eq!(client.reply_head().status, 100);
    client.send("hello");
    assert_eq!(client.reply().text(), "hello");
}

#[test]
fn the_dump_names_what_waits() {
    let server = Server::start(&[]);
    let mut client = server.connect();
    let reply = client.get("/tasklets");
    assert_eq!(reply.status, 200);
    for name in ["accept", "connection", "signals"] {
        assert!(reply.text().contains(name), "no {name} in {}", reply.text());
    }
}
