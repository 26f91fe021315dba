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

/// The value of a sample, which is named with its labels.
fn sample(metrics: &str, name: &str) -> u64 {
    let value = metrics
        .lines()
        .find_map(|line| line.strip_prefix(name)?.strip_prefix(' '));
    let value = value.unwrap_or_else(|| panic!("no {name} in {metrics}"));
    value.parse().unwrap()
}

#[test]
fn metrics_are_for_prometheus() {
    let server = Server::start(&["--workers", "1", "--rest-after", "0.01"]);
    let mut client = server.connect();
    assert_eq!(client.get("/hello").status, 200);
    let mut scraper = server.connect();
    let requests = "webserver_requests_total{worker=\"0\"}";
    let mut scrapes = 0;
    // Until the first connection rests: others may have come in the same moment.
    let text = loop {
        let reply = scraper.get("/metrics");
        scrapes += 1;
        assert_eq!(reply.status, 200);
        let kind = reply.field("content-type");
        assert_eq!(kind, Some("text/plain; version=0.0.4"));
        let text = reply.text().to_owned();
        assert_eq!(sample(&text, requests), 1 + scrapes);
        let resting = text.lines().find(|line| {
            line.starts_with("greenling_connections_resting{") && line.contains("\"worker-0\"")
        });
        if resting.expect("of the worker").ends_with(" 1") {
            break text;
        }
    };
    assert_eq!(sample(&text, "webserver_connections_open{worker=\"0\"}"), 2);
    let accepted = "webserver_connections_accepted_total{worker=\"0\"}";
    assert_eq!(sample(&text, accepted), 2);
    assert_eq!(sample(&text, "greenling_schedulers_silent"), 0);
    let address = client.stream.local_addr().unwrap();
    let dump = scraper.get("/tasklets");
    let rests = format!("peer {address}, for ");
    assert!(dump.text().contains(&rests), "{}", dump.text());

    drop(client);
    let open = |text: &str| sample(text, "webserver_connections_open{worker=\"0\"}");
    while open(scraper.get("/metrics").text()) != 1 {}
    scraper.send("POST /metrics HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\n\r\n");
    let reply = scraper.reply();
    assert_eq!(
        (reply.status, reply.field("allow")),
        (405, Some("GET, HEAD"))
    );
}

#[test]
fn the_dump_names_what_waits() {
    let server = Server::start(&[]);
    let mut client = server.connect();
    let reply = client.get("/tasklets");
    assert_eq!(reply.status, 200);
    for name in ["accept", "connection from"] {
        assert!(reply.text().contains(name), "no {name} in {}", reply.text());
    }
}
