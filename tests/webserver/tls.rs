//! The HTTPS listener, seen by a client that uses OpenSSL directly.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};

use openssl::ssl::{ShutdownResult, SslConnector, SslMethod, SslStream, SslVerifyMode};

use crate::client::{Client, tcp};
use crate::server::Server;

/// Connects without asking for trust, which nobody can have in a certificate made a moment ago.
fn connect(address: SocketAddr) -> Client<SslStream<TcpStream>> {
    let mut builder = SslConnector::builder(SslMethod::tls_client()).unwrap();
    builder.set_verify(SslVerifyMode::NONE);
    builder.set_alpn_protos(b"\x02h2\x08http/1.1").unwrap();
    let configuration = builder.build().configure().unwrap().verify_hostname(false);
    Client::new(configuration.connect("localhost", tcp(address)).unwrap())
}

#[test]
fn hello() {
    let server = Server::start(&[]);
    let mut client = connect(server.https);
    for _ in 0..3 {
        assert_eq!(client.get("/hello").text(), "Hello, world!");
    }
    assert_eq!(
        client.stream.ssl().selected_alpn_protocol(),
        Some(&b"http/1.1"[..])
    );
    client.send("GET /hello HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n");
    assert!(client.reply().closes());
    // The end is said within TLS; the client would report a truncation otherwise.
    client.assert_ended();
    assert_eq!(client.stream.shutdown().unwrap(), ShutdownResult::Received);
}

#[test]
fn the_certificate_is_for_localhost() {
    let server = Server::start(&[]);
    let client = connect(server.https);
    let certificate = client.stream.ssl().peer_certificate().unwrap();
    let names = certificate.subject_alt_names().unwrap();
    assert!(names.iter().any(|name| name.dnsname() == Some("localhost")));
    assert!(
        names
            .iter()
            .any(|name| name.ipaddress() == Some(&[127, 0, 0, 1]))
    );
    // Whoever trusts this certificate can check it.
    let mut builder = SslConnector::builder(SslMethod::tls_client()).unwrap();
    builder.cert_store_mut().add_cert(certificate).unwrap();
    assert!(
        builder
            .build()
            .connect("localhost", tcp(server.https))
            .is_ok()
    );
}

#[test]
fn the_certificate_of_the_options_is_used() {
    let identity = greenling_tls::crypto::self_signed(&["web.test"]).unwrap();
    let directory = tempfile::tempdir().unwrap();
    let (cert, key) = (
        directory.path().join("cert.pem"),
        directory.path().join("key.pem"),
    );
    std::fs::write(&cert, identity.chain_pem().unwrap()).unwrap();
    std::fs::write(&key, &*identity.export_private_key_pem().unwrap()).unwrap();
    let (cert, key) = (cert.to_str().unwrap(), key.to_str().unwrap());
    let server = Server::start(&["--cert", cert, "--key", key]);
    let client = connect(server.https);
    let names = client
        .stream
        .ssl()
        .peer_certificate()
        .unwrap()
        .subject_alt_names()
        .unwrap();
    assert_eq!(names[0].dnsname(), Some("web.test"));
}

#[test]
fn large_bodies() {
    let server = Server::start(&[]);
    let mut client = connect(server.https);
    assert_eq!(client.get("/bytes/20000000").body.len(), 20_000_000);
    let body: Vec<u8> = (0..5_000_000_u32).map(|n| (n % 251) as u8).collect();
    client.send(format!(
        "POST /echo HTTP/1.1\r\nHost: x\r\nContent-Length: {}\r\n\r\n",
        body.len()
    ));
    client.send(&body);
    assert!(client.reply().body == body);
}

#[test]
fn pipelining() {
    let server = Server::start(&[]);
    let mut client = connect(server.https);
    client.send("GET /hello HTTP/1.1\r\nHost: x\r\n\r\n".repeat(100));
    for _ in 0..100 {
        assert_eq!(client.reply().text(), "Hello, world!");
    }
}

#[test]
fn bad_requests() {
    let server = Server::start(&["--header-timeout", "0.3"]);
    connect(server.https).assert_refused("nonsense\r\n\r\n", 400);
    connect(server.https).assert_refused("GET / HTTP/2.0\r\nHost: x\r\n\r\n", 505);
    connect(server.https).assert_refused("GET / HTTP/1.1\r\nHost: x", 408);
    assert_eq!(connect(server.https).get("/hello").status, 200);
}

#[test]
fn plain_http_is_told_so() {
    let server = Server::start(&[]);
    let mut client = Client::connect(server.https);
    client.send("GET /hello HTTP/1.1\r\nHost: x\r\n\r\n");
    let reply = client.reply();
    assert_eq!(reply.status, 400);
    assert!(reply.closes());
    assert!(reply.text().contains("HTTPS"), "{}", reply.text());
    client.assert_ended();
}

/// Who connects and never says hello, or talks nonsense, is let go, and costs the others nothing.
#[test]
fn handshakes_that_go_nowhere() {
    let server = Server::start(&["--header-timeout", "0.3"]);
    let mut silent = tcp(server.https);
    let mut noise = tcp(server.https);
    noise
        .write_all(&[0x16, 3, 1, 0xff, 0xff, 0, 1, 2, 3])
        .unwrap();
    drop(tcp(server.https));
    assert_eq!(connect(server.https).get("/hello").status, 200);
    let mut scrap = Vec::new();
    assert_eq!(silent.read_to_end(&mut scrap).unwrap(), 0);
    // Whether with an alert or without, it ends.
    let _ = noise.read_to_end(&mut scrap);
}

/// At the end of the server an idle connection hears `close_notify`.
#[test]
fn draining() {
    let server = Server::start(&["--drain", "1000"]);
    let mut idle = connect(server.https);
    assert_eq!(idle.get("/hello").status, 200);
    server.signal("TERM");
    idle.assert_ended();
    let (status, log) = server.wait();
    assert_eq!(status.code(), Some(0), "{log}");
}
