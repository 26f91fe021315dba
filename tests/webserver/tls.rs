//! The HTTPS listener, seen by a client that uses OpenSSL directly.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;

use greenling_tls::{Identity, crypto};
use openssl::pkey::PKey;
use openssl::ssl::{ShutdownResult, SslConnector, SslMethod, SslStream, SslVerifyMode, StatusType};
use openssl::x509::X509;
use tempfile::TempDir;

use crate::client::{Client, tcp};
use crate::server::Server;

/// Connects without asking for trust, which nobody can have in a certificate made a moment ago.
pub(crate) fn connect(address: SocketAddr) -> Client<SslStream<TcpStream>> {
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

/// Files with a certificate and its key.
struct Files {
    directory: TempDir,
}

impl Files {
    fn new(name: &str) -> Files {
        let files = Files {
            directory: tempfile::tempdir().unwrap(),
        };
        files.renew(name);
        files
    }

    /// Puts another certificate in place.
    fn renew(&self, name: &str) {
        let identity = Identity::self_signed(&[name]).unwrap();
        std::fs::write(self.path("cert.pem"), identity.chain_pem().unwrap()).unwrap();
        let key = identity.export_private_key_pem().unwrap();
        std::fs::write(self.path("key.pem"), &*key).unwrap();
    }

    fn path(&self, name: &str) -> String {
        self.directory
            .path()
            .join(name)
            .to_str()
            .unwrap()
            .to_owned()
    }
}

/// The DNS name in the server's certificate.
fn name_of<S>(stream: &SslStream<S>) -> String {
    let names = stream.ssl().peer_certificate().unwrap().subject_alt_names();
    names.unwrap()[0].dnsname().unwrap().to_owned()
}

#[test]
fn the_certificate_of_the_options_is_used() {
    let files = Files::new("web.test");
    let (cert, key) = (files.path("cert.pem"), files.path("key.pem"));
    let server = Server::start(&["--cert", &cert, "--key", &key]);
    assert_eq!(name_of(&connect(server.https).stream), "web.test");
}

/// Visitors come all the time, and nobody notices anything but the new certificate.
#[test]
fn sighup_reads_certificates_again() {
    let files = Files::new("zero.test");
    let (cert, key) = (files.path("cert.pem"), files.path("key.pem"));
    let mut server = Server::start_talkative(&["--cert", &cert, "--key", &key]);
    let mut first = connect(server.https);
    let address = server.https;
    let ended = Arc::new(AtomicBool::new(false));
    let visitors = [(); 2].map(|()| {
        let ended = ended.clone();
        thread::spawn(move || {
            let mut visits = 0;
            while !ended.load(Ordering::Relaxed) {
                assert_eq!(connect(address).get("/hello").status, 200);
                visits += 1;
            }
            visits
        })
    });
    for name in ["one.test", "two.test", "three.test"] {
        files.renew(name);
        server.signal("HUP");
        server.wait_for_log("certificates reloaded");
        assert_eq!(name_of(&connect(address).stream), name);
    }
    // A bad file changes nothing, and neither does a key of another certificate.
    std::fs::write(&cert, "no certificate").unwrap();
    server.signal("HUP");
    let log = server.wait_for_log("certificates stay as they were");
    assert!(log.contains("cert.pem"), "{log}");
    assert_eq!(name_of(&connect(address).stream), "three.test");
    let other = Files::new("other.test");
    std::fs::copy(other.path("cert.pem"), &cert).unwrap();
    server.signal("HUP");
    server.wait_for_log("certificates stay as they were");
    assert_eq!(name_of(&connect(address).stream), "three.test");

    ended.store(true, Ordering::Relaxed);
    for visitor in visitors {
        assert!(visitor.join().expect("every visit succeeds") > 0);
    }
    assert_eq!(first.get("/hello").status, 200, "it lives on");
    assert_eq!(name_of(&first.stream), "zero.test");
}

/// What the server sends along is what is in the file now; whether it is true is the client's to
/// find out.
#[test]
fn a_response_of_the_authority_goes_along_with_the_certificate() {
    let files = Files::new("web.test");
    let (cert, key) = (files.path("cert.pem"), files.path("key.pem"));
    let ocsp = files.path("ocsp.der");
    // The shortest there are: "try later", and "unauthorized".
    let (first, second) = (*b"\x30\x03\x0a\x01\x03", *b"\x30\x03\x0a\x01\x06");
    std::fs::write(&ocsp, first).unwrap();
    let options = ["--cert", &cert, "--key", &key, "--ocsp", &ocsp];
    let mut server = Server::start_talkative(&options);
    let stapled = |address| {
        let mut builder = SslConnector::builder(SslMethod::tls_client()).unwrap();
        builder.set_verify(SslVerifyMode::NONE);
        let mut configuration = builder.build().configure().unwrap().verify_hostname(false);
        configuration.set_status_type(StatusType::OCSP).unwrap();
        let stream = configuration.connect("web.test", tcp(address)).unwrap();
        stream.ssl().ocsp_status().map(<[u8]>::to_vec)
    };
    assert_eq!(stapled(server.https).as_deref(), Some(&first[..]));
    std::fs::write(&ocsp, second).unwrap();
    server.signal("HUP");
    server.wait_for_log("certificates reloaded");
    assert_eq!(stapled(server.https).as_deref(), Some(&second[..]));
}

#[test]
fn each_name_has_its_certificate() {
    let (a, b) = (Files::new("a.test"), Files::new("b.test"));
    let (a, b) = (
        [a.path("cert.pem"), a.path("key.pem")],
        [b.path("cert.pem"), b.path("key.pem")],
    );
    let server = Server::start(&[
        "--vhost", "a.test", &a[0], &a[1], "--vhost", "B.test", &b[0], &b[1],
    ]);
    for (asked, shown) in [
        ("a.test", "a.test"),
        ("b.TEST", "b.test"),
        ("c.test", "localhost"),
    ] {
        let mut builder = SslConnector::builder(SslMethod::tls_client()).unwrap();
        builder.set_verify(SslVerifyMode::NONE);
        let configuration = builder.build().configure().unwrap().verify_hostname(false);
        let stream = configuration.connect(asked, tcp(server.https)).unwrap();
        assert_eq!(name_of(&stream), shown);
        assert_eq!(Client::new(stream).get("/hello").status, 200);
    }
}

#[test]
fn clients_show_certificates_where_an_authority_is_named() {
    let ca = crypto::TestCa::new("clients").unwrap();
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("ca.pem");
    std::fs::write(&path, ca.root_pem().unwrap()).unwrap();
    let server = Server::start(&["--client-ca", path.to_str().unwrap()]);
    let connect_as = |identity: Option<Identity>| {
        let mut builder = SslConnector::builder(SslMethod::tls_client()).unwrap();
        builder.set_verify(SslVerifyMode::NONE);
        if let Some(identity) = identity {
            let chain = X509::stack_from_pem(&identity.chain_pem().unwrap()).unwrap();
            let key = identity.export_private_key_pem().unwrap();
            builder.set_certificate(&chain[0]).unwrap();
            let key = PKey::private_key_from_pem(&key).unwrap();
            builder.set_private_key(&key).unwrap();
        }
        let configuration = builder.build().configure().unwrap().verify_hostname(false);
        configuration.connect("localhost", tcp(server.https))
    };
    let mut alice = Client::new(connect_as(Some(ca.issue_client("alice").unwrap())).unwrap());
    let told = alice.get("/peer");
    assert!(told.text().ends_with("\nname alice\n"), "{}", told.text());

    let stranger = crypto::TestCa::new("strangers").unwrap();
    for identity in [None, Some(stranger.issue_client("alice").unwrap())] {
        // The server's verdict comes after the client's side of the handshake.
        let refused = connect_as(identity).map_or(true, |mut stream| {
            let _ = stream.write_all(b"GET /peer HTTP/1.1\r\nHost: x\r\n\r\n");
            stream.read(&mut [0; 1]).is_err()
        });
        assert!(refused);
    }
}

#[test]
fn proxies_tell_whom_a_connection_is_for() {
    const HEADER: &[u8] = b"PROXY TCP4 192.0.2.7 198.51.100.1 40000 443\r\n";
    let server = Server::start(&["--proxy", "127.0.0.0/8"]);
    let mut plain = server.connect();
    plain.send(HEADER);
    assert_eq!(plain.get("/peer").text(), "address 192.0.2.7:40000\n");
    let mut socket = tcp(server.https);
    socket.write_all(HEADER).unwrap();
    let mut builder = SslConnector::builder(SslMethod::tls_client()).unwrap();
    builder.set_verify(SslVerifyMode::NONE);
    let configuration = builder.build().configure().unwrap().verify_hostname(false);
    let mut secure = Client::new(configuration.connect("localhost", socket).unwrap());
    assert_eq!(secure.get("/peer").text(), "address 192.0.2.7:40000\n");
    // Who must send one and does not is not served.
    let mut silent = server.connect();
    silent.send("GET /peer HTTP/1.1\r\nHost: x\r\n\r\n");
    silent.assert_ended();

    // Nobody is believed by default, nor who is elsewhere.
    let server = Server::start(&["--proxy", "192.0.2.0/24"]);
    let mut direct = server.connect();
    let told = direct.get("/peer");
    assert!(
        told.text().starts_with("address 127.0.0.1:"),
        "{}",
        told.text()
    );
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
