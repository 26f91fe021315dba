//! The sessions that a client keeps, by what its servers see: whether they resumed, and
//! what was offered in a ClientHello.

use std::io::{Read, Write};

use greenling::net::TcpStream;
use greenling_tls::{
    Context, Engine, EngineError, Identity, RingSizes, TlsListener, TlsStream, Version, Want,
};

use crate::support::{NAME, carry, client_builder, join, run, server_builder, shake_hands};

const BOTH: [Version; 2] = [Version::Tls12, Version::Tls13];

fn contexts(version: Version, servers: usize) -> (Context, Context) {
    let server = server_builder().versions(version..=version).build();
    let client = client_builder()
        .versions(version..=version)
        // Names differ here, certificates do not: what matters is what is offered.
        .dangerous()
        .skip_hostname()
        .session_cache(servers)
        .build();
    (server.expect("server"), client.expect("client"))
}

fn client_engine(client: &Context, name: &str) -> Engine {
    Engine::new(client, Some(name), RingSizes::default()).expect("client engine")
}

/// A handshake, after which the client reads what the server has sent if `reads`; whether
/// the server resumed.
fn visit(server: &Context, client: &Context, name: &str, reads: bool) -> bool {
    let mut server = Engine::new(server, None, RingSizes::default()).expect("server engine");
    let mut client = client_engine(client, name);
    shake_hands(&mut server, &mut client);
    if reads {
        let nothing = client.read(&mut [0; 1]);
        assert!(matches!(nothing, Err(EngineError::Want(Want::Read))));
    }
    // Sessions of connections that end otherwise are not to be resumed.
    client.shutdown().expect("goodbye");
    server.is_session_reused()
}

/// The ticket that a new connection to `name` offers.
fn offer(client: &Context, name: &str) -> Option<Vec<u8>> {
    let mut engine = client_engine(client, name);
    assert!(matches!(
        engine.handshake(),
        Err(EngineError::Want(Want::Read))
    ));
    let hello = engine.out_data().to_vec();
    ticket_in(&hello)
}

/// The ticket in a ClientHello (RFC 8446, section 4.1.2; RFC 5077, section 3.2).
fn ticket_in(hello: &[u8]) -> Option<Vec<u8>> {
    // Headers of the record and the message, version, random.
    let mut rest = &hello[5 + 4 + 2 + 32..];
    let mut take = |n: usize| {
        let (piece, after) = rest.split_at(n);
        rest = after;
        piece
    };
    let number = |bytes: &[u8]| bytes.iter().fold(0, |n, &b| n << 8 | usize::from(b));
    // Session id, suites, compression methods.
    for size in [1, 2, 1] {
        let length = number(take(size));
        take(length);
    }
    let mut left = number(take(2));
    while left > 0 {
        let kind = number(take(2));
        let length = number(take(2));
        let data = take(length);
        left -= 4 + length;
        match kind {
            // session_ticket: what there is; empty only asks for one.
            35 if length > 0 => return Some(data.to_vec()),
            // pre_shared_key: the identity that comes first.
            41 => return Some(data[4..4 + number(&data[2..4])].to_vec()),
            _ => {}
        }
    }
    None
}

#[test]
fn the_second_connection_is_resumed() {
    for version in BOTH {
        let (server, client) = contexts(version, 8);
        assert!(
            !visit(&server, &client, NAME, true),
            "{version}: nothing kept yet"
        );
        for _ in 0..3 {
            assert!(visit(&server, &client, NAME, true), "{version}");
        }
        client.clear_sessions();
        assert!(!visit(&server, &client, NAME, true), "{version}: forgotten");
        // Other spellings of a name are the same name.
        assert!(visit(&server, &client, "LocalHost.", true), "{version}");

        // Nothing is kept by default.
        let (_, client) = contexts(version, 0);
        assert!(!visit(&server, &client, NAME, true));
        assert!(!visit(&server, &client, NAME, true));
    }
}

#[test]
fn sessions_of_two_names_never_mix() {
    for version in BOTH {
        let (server, client) = contexts(version, 8);
        visit(&server, &client, "one.test", true);
        let one = offer(&client, "one.test");
        assert!(one.is_some(), "{version}");
        for other in ["two.test", "127.0.0.1", "test", "sub.one.test"] {
            assert_eq!(offer(&client, other), None, "{version}: {other}");
        }
        visit(&server, &client, "two.test", true);
        let two = offer(&client, "two.test");
        assert!(two.is_some() && two != one, "{version}");
        // Nor do those of two contexts.
        let (_, another) = contexts(version, 8);
        assert_eq!(offer(&another, "two.test"), None, "{version}");
    }
}

#[test]
fn a_ticket_of_tls_1_3_is_used_once() {
    let (server, client) = contexts(Version::Tls13, 8);
    visit(&server, &client, NAME, true);
    // The server sends two; nobody reads those that come after them.
    let first = offer(&client, NAME).expect("a ticket");
    let second = offer(&client, NAME).expect("a ticket");
    assert_ne!(first, second);
    assert_eq!(offer(&client, NAME), None);

    visit(&server, &client, NAME, true);
    for resumed in [true, true, false] {
        assert_eq!(visit(&server, &client, NAME, false), resumed);
    }
}

#[test]
fn a_session_is_forgotten_when_a_handshake_with_it_fails() {
    for version in BOTH {
        let (server, client) = contexts(version, 8);
        visit(&server, &client, NAME, true);
        // One of TLS 1.3 has another left.
        if version == Version::Tls13 {
            assert!(offer(&client, NAME).is_some());
        }
        let mut engine = client_engine(&client, NAME);
        assert!(engine.handshake().is_err());
        assert!(ticket_in(engine.out_data()).is_some(), "{version}");
        // The server answers with an alert: handshake_failure.
        engine.feed(b"\x15\x03\x03\0\x02\x02\x28");
        assert!(matches!(engine.handshake(), Err(EngineError::Failed(_))));
        assert_eq!(offer(&client, NAME), None, "{version}");

        // It just goes away.
        visit(&server, &client, NAME, true);
        let offered = std::iter::from_fn(|| offer(&client, NAME)).count();
        assert!((1..=2).contains(&offered), "{version}: {offered}");
    }
}

#[test]
#[cfg_attr(
    feature = "aws-lc",
    ignore = "AWS-LC does as RFC 8446 says for all versions"
)]
fn a_session_whose_connection_breaks_later_is_not_offered() {
    let (server, client) = contexts(Version::Tls12, 8);
    let mut server = Engine::new(&server, None, RingSizes::default()).expect("server engine");
    let mut engine = client_engine(&client, NAME);
    shake_hands(&mut server, &mut engine);
    // A record that nobody sealed, which is answered by a fatal alert.
    engine.feed(b"\x17\x03\x03\0\x1c0123456789abcdef0123456789ab");
    assert!(matches!(
        engine.read(&mut [0; 1]),
        Err(EngineError::Failed(_))
    ));
    assert_eq!(offer(&client, NAME), None, "RFC 5246, section 7.2.2");
}

#[test]
fn only_so_many_servers_are_remembered() {
    for version in BOTH {
        let (server, client) = contexts(version, 2);
        visit(&server, &client, "one.test", true);
        visit(&server, &client, "two.test", true);
        visit(&server, &client, "one.test", true);
        // The one that was used longest ago makes room.
        visit(&server, &client, "three.test", true);
        assert_eq!(offer(&client, "two.test"), None, "{version}");
        assert!(offer(&client, "one.test").is_some(), "{version}");
        assert!(offer(&client, "three.test").is_some(), "{version}");
    }
}

#[test]
fn threads_share_what_is_kept() {
    let (server, client) = contexts(Version::Tls13, 2);
    let threads = ["a.test", "b.test", "c.test", "a.test"].map(|name| {
        let (server, client) = (server.clone(), client.clone());
        std::thread::spawn(move || {
            (0..10)
                .filter(|_| visit(&server, &client, name, true))
                .count()
        })
    });
    let resumed = threads.map(|thread| thread.join().expect("no panic"));
    // Which of them depends on who pushes out whom, but some have met.
    assert!(resumed.iter().sum::<usize>() > 0, "{resumed:?}");
}

#[test]
fn streams_take_part_by_themselves() {
    greenling::enter(|| {
        let identity = Identity::self_signed(&[NAME]).expect("certificate");
        let pem = identity.chain_pem().expect("PEM");
        let server = greenling_tls::ContextBuilder::server()
            .identity(identity)
            .build();
        let client = greenling_tls::ContextBuilder::client()
            .trust_pem(pem)
            .session_cache(1);
        let client = client.build().expect("client");
        let listener = TlsListener::bind("127.0.0.1:0", &server.expect("server")).expect("bind");
        let address = listener.local_addr().expect("address");
        for resumed in [false, true, true] {
            let client = client.clone();
            let visitor = run(move || {
                let socket = TcpStream::connect(address).expect("connect");
                let mut stream = TlsStream::connect(&client, NAME, socket).expect("handshake");
                let mut text = String::new();
                stream.read_to_string(&mut text).expect("data");
                text
            });
            let (mut stream, _) = listener.accept().expect("accept");
            stream.write_all(b"hello").expect("room");
            assert_eq!(stream.session_reused(), resumed);
            stream.close().expect("goodbye");
            assert_eq!(join(visitor), "hello");
        }
    });
}

/// The helper above is used by tests that want no tickets read; this one shows that a
/// connection that never reads keeps nothing in TLS 1.3, as the documentation says.
#[test]
fn who_never_reads_gets_no_ticket() {
    let (server, client) = contexts(Version::Tls13, 8);
    let mut served = Engine::new(&server, None, RingSizes::default()).expect("server engine");
    let mut engine = client_engine(&client, NAME);
    while engine.handshake().is_err() {
        carry(&mut engine, &mut served);
        let _ = served.handshake();
        carry(&mut served, &mut engine);
    }
    drop(engine);
    assert_eq!(offer(&client, NAME), None);
}
