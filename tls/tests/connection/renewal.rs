//! Other keys on an established connection, as the peer notices them.

use std::io::{Read, Write};

use greenling_tls::{EngineError, Error, TlsStream, Version};

use crate::support::{
    NAME, build, carry, client_builder, client_engine, connected, exchange, over_sockets,
    server_builder, server_engine, shake_hands,
};

/// `SSL_OP_NO_RENEGOTIATION`
const NO_RENEGOTIATION: u64 = 1 << 30;

/// A handshake message in a record of TLS 1.3 with AES-GCM or ChaCha20: header, type
/// of content and tag around the five bytes of a KeyUpdate.
const KEY_UPDATE_RECORD: usize = 5 + 5 + 1 + 16;

#[test]
fn a_server_renegotiates_where_the_connection_allows_it() {
    let server = build(server_builder(Version::Tls12));
    let client = build(client_builder(Version::Tls12));
    let (mut server, mut client) = (server_engine(&server), client_engine(&client));
    for engine in [&mut server, &mut client] {
        engine.clear_options(NO_RENEGOTIATION);
        assert_eq!(engine.options() & NO_RENEGOTIATION, 0);
    }
    assert!(server.renegotiate().is_err(), "nothing to repeat yet");
    shake_hands(&mut server, &mut client);
    let before = client.finished().expect("done");
    server.renegotiate().expect("allowed");
    assert!(server.is_renegotiating());
    server.handshake().expect("sends the request");
    server.write(b"from the server").expect("write");
    client.write(b"from the client").expect("write");
    let (at_server, at_client) = exchange(&mut server, &mut client);
    assert_eq!(
        (&at_server[..], &at_client[..]),
        (&b"from the client"[..], &b"from the server"[..])
    );
    assert!(!server.is_renegotiating());
    assert_eq!(
        (server.total_renegotiations(), client.total_renegotiations()),
        (1, 1)
    );
    assert_ne!(client.finished().expect("done"), before);
    assert_eq!(client.finished(), server.peer_finished());
}

#[test]
fn a_peer_that_does_not_allow_it_is_not_disturbed() {
    let (mut server, mut client) = connected(Version::Tls12);
    for engine in [&mut server, &mut client] {
        let refused = engine.renegotiate();
        let unsupported = matches!(refused, Err(EngineError::Failed(Error::Unsupported(_))));
        assert!(unsupported, "{refused:?}");
    }
    // Asked all the same, the client answers with a warning and goes on.
    server.clear_options(NO_RENEGOTIATION);
    server.renegotiate().expect("allowed on this side");
    server.write(b"x").expect("write");
    let before = client.finished();
    carry(&mut server, &mut client);
    assert_eq!(client.read(&mut [0; 8]).expect("the data"), 1);
    assert_eq!(client.finished(), before);
}

#[test]
fn renegotiation_is_a_key_update_of_both_sides_in_tls_1_3() {
    let (mut server, mut client) = connected(Version::Tls13);
    client.write(b"x").expect("write");
    let usual = client.out_pending();
    exchange(&mut server, &mut client);
    client.renegotiate().expect("a key update");
    client.write(b"y").expect("write");
    assert_eq!(client.out_pending(), usual + KEY_UPDATE_RECORD);
    assert_eq!(exchange(&mut server, &mut client).0, b"y");
    // The server was asked to change its keys, too.
    server.write(b"z").expect("write");
    assert_eq!(server.out_pending(), usual + KEY_UPDATE_RECORD);
    assert_eq!(exchange(&mut server, &mut client).1, b"z");
    server.shutdown().expect("goodbye");
    let late = server.key_update(false);
    assert!(
        matches!(late, Err(EngineError::Failed(Error::Local(_)))),
        "{late:?}"
    );
}

#[test]
fn streams_send_key_updates_and_tickets_at_once() {
    let server = build(server_builder(Version::Tls13).num_tickets(0));
    let client = build(client_builder(Version::Tls13));
    let (updated, session) = over_sockets(
        &server,
        |mut stream| {
            stream.handshake().expect("handshake");
            // Nothing is written before the client has seen the ticket.
            stream.new_session_ticket().expect("a server of TLS 1.3");
            stream.key_update(true).expect("TLS 1.3");
            let mut byte = [0];
            stream
                .read_exact(&mut byte)
                .expect("under the client's new keys");
            stream.write_all(b"b").expect("write");
            byte
        },
        |socket| {
            let mut stream = TlsStream::connect(&client, NAME, socket).expect("handshake");
            stream.set_read_timeout(Some(std::time::Duration::from_secs(60)));
            stream.set_nonblocking(true);
            while !stream.session().is_some_and(|session| session.has_ticket()) {
                let nothing = stream.read(&mut [0; 1]).expect_err("no data is sent");
                assert_eq!(nothing.kind(), std::io::ErrorKind::WouldBlock);
                std::thread::yield_now();
            }
            stream.set_nonblocking(false);
            let refused = stream.new_session_ticket();
            assert!(matches!(refused, Err(Error::Unsupported(_))), "{refused:?}");
            stream.write_all(b"a").expect("write");
            let mut byte = [0];
            stream.read_exact(&mut byte).expect("read");
            assert_eq!(&byte, b"b");
            stream.session().expect("a ticket came")
        },
    );
    assert_eq!(&updated, b"a");
    assert!(session.is_resumable());
}

#[test]
fn streams_of_tls_1_2_have_renegotiation_instead() {
    let server = build(server_builder(Version::Tls12).allow_renegotiation());
    let client = build(client_builder(Version::Tls12).allow_renegotiation());
    let (at_server, at_client) = over_sockets(
        &server,
        |mut stream| {
            let mut byte = [0];
            stream.read_exact(&mut byte).expect("read");
            let refused = stream.key_update(true);
            assert!(matches!(refused, Err(Error::Unsupported(_))), "{refused:?}");
            stream.renegotiate().expect("allowed");
            stream.write_all(b"a").expect("write");
            // The client's part of the handshake comes before its data.
            stream.read_exact(&mut byte).expect("read");
            (stream.total_renegotiations(), stream.peer_finished())
        },
        |socket| {
            let mut stream = TlsStream::connect(&client, NAME, socket).expect("handshake");
            stream.write_all(b"x").expect("write");
            let mut byte = [0];
            stream.read_exact(&mut byte).expect("read");
            stream.write_all(b"y").expect("write");
            (stream.total_renegotiations(), stream.finished())
        },
    );
    assert_eq!(at_server, at_client);
    assert_eq!(at_client.0, 1);
}
