//! Requests good and bad, one after the other and all at once.

use crate::client::Client;
use crate::server::Server;

#[test]
fn hello() {
    let server = Server::start(&[]);
    let mut client = server.connect();
    for _ in 0..3 {
        let reply = client.get("/hello");
        assert_eq!((reply.status, reply.text()), (200, "Hello, world!"));
        assert_eq!(reply.field("content-type"), Some("text/plain"));
        assert_eq!(reply.field("content-length"), Some("13"));
        assert!(reply.field("date").is_some());
        assert!(!reply.closes());
    }
    client.send("HEAD /hello HTTP/1.1\r\nHost: x\r\n\r\n");
    assert_eq!(client.reply_head().field("content-length"), Some("13"));
    client.send("GET /hello HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n");
    assert!(client.reply().closes());
    client.assert_ended();
}

#[test]
fn an_old_client() {
    let server = Server::start(&[]);
    let mut client = server.connect();
    client.send("GET /hello HTTP/1.0\r\nConnection: keep-alive\r\n\r\n");
    assert_eq!(client.reply().field("connection"), Some("keep-alive"));
    client.send("GET /hello HTTP/1.0\r\n\r\n");
    assert_eq!(client.reply().text(), "Hello, world!");
    client.assert_ended();
}

#[test]
fn unknown_paths_and_methods() {
    let server = Server::start(&[]);
    let mut client = server.connect();
    assert_eq!(client.get("/nowhere").status, 404);
    assert_eq!(client.get("/hello/").status, 404);
    assert_eq!(client.get("/files/anything").status, 404);
    let wrong = client.get("/echo");
    assert_eq!((wrong.status, wrong.field("allow")), (405, Some("POST")));
    client.send("DELETE /hello HTTP/1.1\r\nHost: x\r\n\r\n");
    assert_eq!(client.reply().status, 405);
    assert_eq!(client.get("/hello").status, 200);
}

/// The module's own tests have the full list; here the statuses and the close arrive over a socket.
#[test]
fn bad_requests() {
    let server = Server::start(&[]);
    let post = "POST /echo HTTP/1.1\r\nHost: x\r\n";
    let corpus = [
        (400, "nonsense\r\n\r\n".to_owned()),
        (400, "GET /hello HTTP/1.1\r\n\r\n".to_owned()),
        (400, "GET /hello HTTP/1.1\nHost: x\n\n".to_owned()),
        (400, "GET /hello HTTP/1.1\r\nHost : x\r\n\r\n".to_owned()),
        (
            400,
            format!("{post}Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n"),
        ),
        (
            400,
            format!("{post}Content-Length: 5\r\nContent-Length: 5\r\n\r\nhello"),
        ),
        (400, format!("{post}Transfer-Encoding: gzip\r\n\r\n")),
        (
            400,
            format!("{post}Transfer-Encoding: chunked\r\n\r\nfffffffffffffffff\r\n"),
        ),
        (
            400,
            format!("{post}Transfer-Encoding: chunked\r\n\r\n5\nhello\r\n0\r\n\r\n"),
        ),
        (413, format!("{post}Content-Length: 2000000000\r\n\r\n")),
        (
            413,
            format!("{post}Content-Length: 2000000000\r\nExpect: 100-continue\r\n\r\n"),
        ),
        (
            414,
            format!("GET /{} HTTP/1.1\r\nHost: x\r\n\r\n", "a".repeat(10_000)),
        ),
        (
            431,
            format!(
                "GET / HTTP/1.1\r\nHost: x\r\nX-Long: {}\r\n\r\n",
                "a".repeat(20_000)
            ),
        ),
        (
            431,
            format!(
                "GET / HTTP/1.1\r\nHost: x\r\n{}\r\n",
                "X: y\r\n".repeat(200)
            ),
        ),
        (505, "GET / HTTP/2.0\r\nHost: x\r\n\r\n".to_owned()),
    ];
    for (status, request) in corpus {
        // A request is hidden behind each; it must not be answered.
        let hidden = format!("{request}GET /hello HTTP/1.1\r\nHost: x\r\n\r\n");
        server.connect().assert_refused(hidden, status);
    }
    assert_eq!(server.connect().get("/hello").status, 200);
}

/// The refusal of an endless request can be read although the client has not stopped sending.
#[test]
fn a_refusal_outlives_what_is_still_being_sent() {
    let server = Server::start(&[]);
    let mut client = server.connect();
    client.send("POST /echo HTTP/1.1\r\nHost: x\r\nContent-Length: 99999999999\r\n\r\n");
    client.send(vec![b'x'; 500_000]);
    assert_eq!(client.reply().status, 413);
    client.finish();
    client.assert_ended();
}

#[test]
fn pipelining() {
    let server = Server::start(&[]);
    let mut client = server.connect();
    let mut requests = String::new();
    for n in 0..300 {
        requests += &format!(
            "GET /bytes/{n} HTTP/1.1\r\nHost: x\r\n\r\n\
             POST /echo HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n3\r\n{n:03}\r\n0\r\n\r\n"
        );
    }
    client.send(requests);
    for n in 0..300 {
        assert_eq!(client.reply().body.len(), n);
        assert_eq!(client.reply().text(), format!("{n:03}"));
    }
}

/// A request whose last byte is missing does not hold back the responses to those before it.
#[test]
fn pipelining_with_a_gap() {
    let server = Server::start(&[]);
    let mut client = server.connect();
    client.send(
        "GET /hello HTTP/1.1\r\nHost: x\r\n\r\n".repeat(3) + "GET /hello HTTP/1.1\r\nHost: x\r\n\r",
    );
    for _ in 0..3 {
        assert_eq!(client.reply().status, 200);
    }
    client.send("\n");
    assert_eq!(client.reply().status, 200);
}

#[test]
fn byte_by_byte() {
    let server = Server::start(&[]);
    let mut client = server.connect();
    client.stream.set_nodelay(true).unwrap();
    let request = "POST /echo HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n5;x\r\nhello\r\n0\r\nT: v\r\n\r\n";
    for byte in request.as_bytes() {
        client.send([*byte]);
    }
    assert_eq!(client.reply().text(), "hello");
}

#[test]
fn many_connections_at_once() {
    let server = Server::start(&[]);
    let mut clients: Vec<Client> = (0..200).map(|_| server.connect()).collect();
    for _ in 0..5 {
        for client in &mut clients {
            client.send("GET /bytes/5000 HTTP/1.1\r\nHost: x\r\n\r\n");
        }
        for client in &mut clients {
            assert_eq!(client.reply().body.len(), 5000);
        }
    }
}
