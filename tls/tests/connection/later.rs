//! Post-handshake authentication over streams (RFC 8446, section 4.6.2).

use std::io::{Read, Write};
use std::os::unix::net::UnixStream;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use greenling_tls::{
    Alert, ClientAuth, Context, Error, PeerChain, PostHandshakeAuth, Rejection, TlsStream, Version,
};

use crate::support::{NAME, ROOT, Signer, build, client_builder, over_sockets, server_builder};

type Stream = TlsStream<UnixStream>;

/// A server that asks nobody during the handshake.
fn server() -> Context {
    build(server_builder(Version::Tls13))
}

/// Asks for the client's certificate after a first byte of data, and reads what is in
/// front of the answer. What the certificate names the client.
fn ask(mut stream: Stream, mode: ClientAuth) -> Result<(Option<String>, Vec<u8>), Error> {
    let mut early = vec![0];
    stream.read_exact(&mut early)?;
    stream.set_client_auth(mode)?;
    assert!(stream.peer_identity().is_none(), "not asked yet");
    while stream.verify_client_post_handshake()? == PostHandshakeAuth::DataFirst {
        assert!(stream.is_post_handshake_auth_pending());
        assert!(stream.peer_identity().is_none(), "not answered yet");
        let mut buf = [0; 3];
        let n = stream.read(&mut buf)?;
        early.extend_from_slice(&buf[..n]);
    }
    assert!(!stream.is_post_handshake_auth_pending());
    let name = stream
        .peer_identity()
        .and_then(|peer| peer.common_name().map(str::to_owned));
    stream.write_all(b"welcome")?;
    stream.shutdown_write()?;
    Ok((name, early))
}

/// A client that sends `data`, then reads all that the server says.
fn visit(mut stream: Stream, data: &[u8]) -> Result<Vec<u8>, Error> {
    stream.offer_post_handshake_auth()?;
    stream.handshake()?;
    stream.write_all(data)?;
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer)?;
    Ok(answer)
}

#[test]
fn a_client_is_asked_and_answers() {
    let client = build(client_builder(Version::Tls13).identity(ROOT.issue("alice", |_| {})));
    for mode in [ClientAuth::Optional, ClientAuth::Required] {
        let (known, answer) = over_sockets(
            &server(),
            move |stream| ask(stream, mode),
            |socket| {
                visit(
                    TlsStream::start_connect(&client, NAME, socket),
                    b"x and more",
                )
            },
        );
        let (name, early) = known.expect("answered");
        assert_eq!(name.as_deref(), Some("alice"));
        // Everything was sent before the question arrived.
        assert_eq!(early, b"x and more");
        assert_eq!(answer.expect("served"), b"welcome");
    }
}

#[test]
fn a_client_without_certificate_is_unknown_or_refused() {
    let client = build(client_builder(Version::Tls13));
    let (known, answer) = over_sockets(
        &server(),
        |stream| ask(stream, ClientAuth::Optional),
        |socket| visit(TlsStream::start_connect(&client, NAME, socket), b"x"),
    );
    assert_eq!(known.expect("answered").0, None);
    assert_eq!(answer.expect("served"), b"welcome");

    let (known, answer) = over_sockets(
        &server(),
        |stream| ask(stream, ClientAuth::Required),
        |socket| visit(TlsStream::start_connect(&client, NAME, socket), b"x"),
    );
    assert!(matches!(known, Err(Error::Ssl(_))), "{known:?}");
    let told = matches!(answer, Err(Error::Peer(Alert::CERTIFICATE_REQUIRED)));
    assert!(told, "{answer:?}");
}

#[test]
fn a_client_that_is_known_later_needs_approval_later() {
    for (trusted, welcome) in [("alice", true), ("bob", false)] {
        let asked = Arc::new(AtomicUsize::new(0));
        let count = Arc::clone(&asked);
        let server = server_builder(Version::Tls13).approve_peer(move |peer: &PeerChain| {
            count.fetch_add(1, Ordering::Relaxed);
            let data = peer.app_data::<&str>();
            assert_eq!(data.as_deref(), Some(&"of this connection"));
            let subject = peer.certificate().expect("shown").subject();
            if subject.common_name().as_deref() == Some(trusted) {
                Ok(())
            } else {
                Err(Rejection::new(Alert::ACCESS_DENIED))
            }
        });
        let client = build(client_builder(Version::Tls13).identity(ROOT.issue("alice", |_| {})));
        let (known, answer) = over_sockets(
            &build(server),
            |stream| {
                stream.set_app_data("of this connection").expect("attached");
                assert!(stream.app_data::<String>().is_none());
                assert!(stream.app_data::<&str>().is_some());
                ask(stream, ClientAuth::Required)
            },
            |socket| visit(TlsStream::start_connect(&client, NAME, socket), b"x"),
        );
        assert_eq!(asked.load(Ordering::Relaxed), 1);
        if welcome {
            assert_eq!(known.expect("approved").0.as_deref(), Some("alice"));
            assert_eq!(answer.expect("served"), b"welcome");
        } else {
            assert!(matches!(known, Err(Error::Rejected(_))), "{known:?}");
            assert!(answer.is_err(), "{answer:?}");
        }
    }
}

#[test]
fn a_certificate_of_nobodys_is_refused() {
    let stranger = Signer::root("nobody's").issue("mallory", |_| {});
    let client = build(client_builder(Version::Tls13).identity(stranger));
    for mode in [ClientAuth::Optional, ClientAuth::Required] {
        let (known, answer) = over_sockets(
            &server(),
            move |stream| ask(stream, mode),
            |socket| visit(TlsStream::start_connect(&client, NAME, socket), b"x"),
        );
        let Err(Error::Certificate(fault)) = known else {
            panic!("{known:?}");
        };
        assert_eq!(
            (fault.depth(), fault.subject()),
            (Some(0), Some("CN=mallory"))
        );
        assert!(
            matches!(answer, Err(Error::Peer(Alert::UNKNOWN_CA))),
            "{answer:?}"
        );
    }
}

#[test]
fn where_it_cannot_be_asked_the_connection_goes_on() {
    let alice = || ROOT.issue("alice", |_| {});
    let serve = |mut stream: Stream| {
        let mut byte = [0];
        stream.read_exact(&mut byte).expect("read");
        stream
            .set_client_auth(ClientAuth::Optional)
            .expect("a server");
        let refused = stream.verify_client_post_handshake();
        stream.write_all(b"unharmed").expect("write");
        stream.shutdown_write().expect("goodbye");
        refused.expect_err("it cannot be asked")
    };
    // A client that did not offer it, TLS 1.2, and a context that verifies nobody.
    for version in [Version::Tls13, Version::Tls12] {
        let client = build(client_builder(version).identity(alice()));
        let (refused, answer) = over_sockets(&build(server_builder(version)), serve, |socket| {
            let mut stream = TlsStream::connect(&client, NAME, socket).expect("handshake");
            stream.write_all(b"x").expect("write");
            let refused = stream.verify_client_post_handshake();
            assert!(matches!(refused, Err(Error::Unsupported(_))), "{refused:?}");
            let mut answer = Vec::new();
            stream.read_to_end(&mut answer).expect("read");
            answer
        });
        let unsupported = matches!(refused, Error::Unsupported(_));
        assert_eq!(unsupported, version == Version::Tls12, "{refused:?}");
        assert_eq!(answer, b"unharmed");
    }
    let client = build(client_builder(Version::Tls13).identity(alice()));
    let (refused, answer) = over_sockets(
        &server(),
        |mut stream| {
            let mut byte = [0];
            stream.read_exact(&mut byte).expect("read");
            let refused = stream.verify_client_post_handshake();
            stream.write_all(b"unharmed").expect("write");
            stream.shutdown_write().expect("goodbye");
            refused
        },
        |socket| visit(TlsStream::start_connect(&client, NAME, socket), b"x"),
    );
    assert!(matches!(refused, Err(Error::Ssl(_))), "{refused:?}");
    assert_eq!(answer.expect("served"), b"unharmed");
}

#[test]
fn a_client_that_closes_instead_does_not_leave_the_server_waiting() {
    let client = build(client_builder(Version::Tls13).identity(ROOT.issue("alice", |_| {})));
    let (known, ()) = over_sockets(
        &server(),
        |stream| ask(stream, ClientAuth::Optional),
        |socket| {
            let mut stream = TlsStream::start_connect(&client, NAME, socket);
            stream.offer_post_handshake_auth().expect("not begun");
            stream.write_all(b"x").expect("write");
            stream.shutdown_write().expect("goodbye");
            stream
                .sock_shutdown(std::net::Shutdown::Write)
                .expect("shut down");
            // Keeps the socket until the server has noticed.
            let _ = stream.read_to_end(&mut Vec::new());
        },
    );
    assert!(
        matches!(known, Err(Error::Peer(Alert::CLOSE_NOTIFY))),
        "{known:?}"
    );
}
