//! Our client against `openssl s_server`.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::process::{Child, Command, Stdio};
use std::sync::mpsc;
use std::time::Duration;

use super::Certificates;
use greenling_tls::{ContextBuilder, Error, Session, TlsStream, Version};
use tests::tools;

const VERSIONS: [Version; 2] = [Version::Tls12, Version::Tls13];

/// How long s_server may take to say where it listens.
const START_LIMIT: Duration = Duration::from_secs(60);

/// A running s_server that answers each request with a page about the session.
struct Server {
    child: Child,
    port: u16,
}

impl Server {
    fn start(test: &str, certificates: &Certificates, options: &[&str]) -> Option<Server> {
        let mut command = Command::new(tools::find(test, "openssl")?);
        command
            .args(["s_server", "-accept", "127.0.0.1:0", "-www", "-cert"])
            .arg(certificates.file("cert.pem"))
            .arg("-key")
            .arg(certificates.file("key.pem"))
            .arg("-CAfile")
            .arg(certificates.file("ca.pem"))
            .args(options)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::null());
        let mut child = command.spawn().expect("openssl starts");
        let stdout = child.stdout.take().expect("standard output is piped");
        let mut server = Server { child, port: 0 };
        let (sender, receiver) = mpsc::channel();
        std::thread::spawn(move || {
            for line in BufReader::new(stdout).lines().map_while(Result::ok) {
                if let Some(port) = line.strip_prefix("ACCEPT 127.0.0.1:") {
                    // Only the first is waited for.
                    let _ = sender.send(port.trim().parse());
                }
            }
        });
        let port = receiver
            .recv_timeout(START_LIMIT)
            .expect("s_server says where it listens");
        server.port = port.expect("a port");
        Some(server)
    }

    fn connect(&self) -> TcpStream {
        TcpStream::connect(("127.0.0.1", self.port)).expect("s_server accepts")
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // Both fail only if it has ended by itself.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Asks for the page and reads it to its orderly end.
fn fetch(stream: &mut TlsStream<TcpStream>) -> Result<String, Error> {
    stream.write_all(b"GET / HTTP/1.0\r\n\r\n")?;
    let mut page = Vec::new();
    stream.read_to_end(&mut page)?;
    stream.close()?;
    Ok(String::from_utf8_lossy(&page).into_owned())
}

fn client(certificates: &Certificates) -> ContextBuilder {
    let pem = certificates.ca.root_pem().expect("PEM");
    ContextBuilder::client().trust_pem(pem)
}

#[test]
fn both_versions_verify_fetch_and_resume() {
    let certificates = Certificates::new();
    let Some(server) = Server::start("s_server versions", &certificates, &[]) else {
        return;
    };
    for version in VERSIONS {
        let context = client(&certificates)
            .versions(version..=version)
            .build()
            .expect("a context");
        let mut session: Option<Session> = None;
        for visit in 0..3 {
            let mut stream = TlsStream::start_connect(&context, "localhost", server.connect());
            if let Some(session) = &session {
                stream
                    .set_session(session)
                    .expect("of this context and name");
            }
            let page = fetch(&mut stream).expect("a page");
            assert!(page.starts_with("HTTP/1.0 200 ok"), "{page}");
            assert!(page.contains(&version.to_string()), "{page}");
            assert_eq!(stream.version(), Some(version));
            assert_eq!(
                stream.session_reused(),
                visit > 0,
                "{version}, visit {visit}"
            );
            session = stream.session();
        }
    }
}

#[test]
fn a_name_that_the_certificate_lacks_is_refused() {
    let certificates = Certificates::new();
    let Some(server) = Server::start("s_server names", &certificates, &[]) else {
        return;
    };
    let context = client(&certificates).build().expect("a context");
    for (name, served) in [
        ("localhost", true),
        ("127.0.0.1", true),
        ("example.com", false),
        ("127.0.0.2", false),
    ] {
        let result = TlsStream::connect(&context, name, server.connect());
        match result.map_err(Error::from) {
            Ok(_) => assert!(served, "{name} was accepted"),
            Err(Error::Certificate(_)) => assert!(!served, "{name} was refused"),
            Err(other) => panic!("{name}: {other}"),
        }
    }
}

#[test]
fn alpn_is_agreed_on() {
    let certificates = Certificates::new();
    let options = ["-alpn", "h2,http/1.1"];
    let Some(server) = Server::start("s_server ALPN", &certificates, &options) else {
        return;
    };
    let context = client(&certificates)
        .alpn(["http/1.1"])
        .build()
        .expect("a context");
    let stream = TlsStream::connect(&context, "localhost", server.connect()).expect("served");
    assert_eq!(stream.alpn_protocol().as_deref(), Some(&b"http/1.1"[..]));
}

#[test]
fn a_client_certificate_is_presented_when_asked_for() {
    let certificates = Certificates::new();
    let options = ["-Verify", "1", "-verify_return_error"];
    let Some(server) = Server::start("s_server mTLS", &certificates, &options) else {
        return;
    };
    for version in VERSIONS {
        let builder = || client(&certificates).versions(version..=version);
        let alice = certificates
            .ca
            .issue_client("alice")
            .expect("a certificate");
        let context = builder().identity(alice).build().expect("a context");
        let mut stream = TlsStream::start_connect(&context, "localhost", server.connect());
        let page = fetch(&mut stream).expect("a page");
        assert!(page.contains("Client certificate"), "{page}");

        let context = builder().build().expect("a context");
        let mut nobody = TlsStream::start_connect(&context, "localhost", server.connect());
        let refused = fetch(&mut nobody).expect_err("no certificate");
        assert!(matches!(refused, Error::Peer(_)), "{version}: {refused:?}");
    }
}

#[test]
fn a_server_of_old_versions_only_is_refused() {
    let certificates = Certificates::new();
    let options = ["-tls1_1", "-cipher", "DEFAULT:@SECLEVEL=0"];
    let Some(server) = Server::start("s_server TLS 1.1", &certificates, &options) else {
        return;
    };
    let context = client(&certificates)
        .security_level(0)
        .build()
        .expect("a context");
    let refused = TlsStream::connect(&context, "localhost", server.connect()).map_err(Error::from);
    assert!(
        matches!(refused, Err(Error::Peer(_) | Error::Ssl(_))),
        "{refused:?}"
    );
}
