//! Two engines in memory: every ring size, every chunking, a poisoned queue.

use greenling_tls::Identity;
use greenling_tls::{
    ClientAuth, ContextBuilder, Engine, EngineError, Error, RingSizes, Version, Want,
};
use openssl::error::ErrorStack;
use openssl::x509::X509;

use crate::support::{
    NAME, Random, VERSIONS, ca, carry, client_builder, contexts, engines, pattern, rings,
    server_builder, shake_hands,
};

/// Reads what is there into `got`; whether the peer has said goodbye.
fn read_all(engine: &mut Engine, got: &mut Vec<u8>, piece: usize) -> bool {
    let mut buf = vec![0; piece];
    loop {
        match engine.read(&mut buf) {
            Ok(n) => got.extend_from_slice(&buf[..n]),
            Err(EngineError::Want(Want::Read)) => return false,
            Err(EngineError::Closed) => return true,
            Err(other) => panic!("read: {other}"),
        }
    }
}

/// Sends `data` both ways at once, with `before` in front of every engine call.
fn exchange(
    server: &mut Engine,
    client: &mut Engine,
    data: &[u8],
    random: &mut Random,
    before: impl Fn(),
) {
    let mut sides = [(server, 0, Vec::new()), (client, 0, Vec::new())];
    let mut ended = [false; 2];
    while ended != [true; 2] {
        for (side, ended) in sides.iter_mut().zip(&mut ended) {
            let (engine, sent, got) = side;
            before();
            *ended = read_all(engine, got, 1 + random.below(20_000));
            before();
            if *sent < data.len() {
                let end = (*sent + 1 + random.below(20_000)).min(data.len());
                match engine.write(&data[*sent..end]) {
                    Ok(n) => *sent += n,
                    Err(EngineError::Want(Want::Read)) => {}
                    Err(other) => panic!("write: {other}"),
                }
            } else {
                engine.shutdown().expect("goodbye");
            }
            before();
        }
        let [(server, ..), (client, ..)] = &mut sides;
        for _ in 0..8 {
            carry(server, client, 1 + random.below(5000));
            carry(client, server, 1 + random.below(5000));
        }
    }
    for (_, sent, got) in &sides {
        assert_eq!(*sent, data.len());
        assert!(got == data, "data arrived damaged");
    }
}

#[test]
fn carries_data_both_ways_at_once_through_rings_of_any_size() {
    let data = pattern(100_000);
    for version in VERSIONS {
        for size in [1, 17, 64, 300, 4096, 17 * 1024] {
            let (mut server, mut client) = engines(version, rings(size));
            let mut random = Random::new(size as u64);
            exchange(&mut server, &mut client, &data, &mut random, || {});
        }
    }
}

#[test]
fn different_ring_sizes_on_each_side_and_direction() {
    let data = pattern(50_000);
    for version in VERSIONS {
        let mut random = Random::new(5);
        for _ in 0..6 {
            let (server, client) = contexts(version);
            let mut size = || 1 + random.below(3000);
            let a = RingSizes {
                incoming: size(),
                outgoing: size(),
            };
            let b = RingSizes {
                incoming: size(),
                outgoing: size(),
            };
            let mut server = Engine::new(&server, None, a).expect("engine");
            let mut client = Engine::new(&client, Some(NAME), b).expect("engine");
            exchange(&mut server, &mut client, &data, &mut random, || {});
        }
    }
}

/// Leaves an error in OpenSSL's queue, as careless code on the same thread would.
fn poison() {
    let stack: ErrorStack = X509::from_pem(b"no certificate").expect_err("not PEM");
    stack.put();
}

#[test]
fn errors_of_others_in_the_queue_do_not_matter() {
    for version in VERSIONS {
        let (mut server, mut client) = engines(version, rings(500));
        let mut random = Random::new(9);
        exchange(
            &mut server,
            &mut client,
            &pattern(20_000),
            &mut random,
            poison,
        );
        // The last call before this was `poison`.
        assert!(!ErrorStack::get().errors().is_empty());
        let _ = server.read(&mut [0; 1]);
    }
}

#[test]
fn leaves_the_queue_empty_after_a_failure() {
    let (mut server, _) = engines(Version::Tls13, RingSizes::default());
    server.feed(b"\x16\x03\x01\x00\x05hello, this is no handshake");
    assert!(matches!(
        server.handshake(),
        Err(EngineError::Failed(Error::Ssl(_)))
    ));
    assert!(ErrorStack::get().errors().is_empty());
    // The failure is permanent and stays the same.
    assert!(matches!(
        server.write(b"x"),
        Err(EngineError::Failed(Error::Ssl(_)))
    ));
}

#[test]
#[cfg_attr(feature = "aws-lc", ignore = "AWS-LC issues no extra tickets")]
fn tickets_and_key_updates_in_front_of_a_full_record_do_not_disturb() {
    let data = pattern(16 * 1024);
    for size in [17, 4096, 17 * 1024] {
        let (mut server, mut client) = engines(Version::Tls13, rings(size));
        shake_hands(&mut server, &mut client);
        for round in 0..20 {
            if round % 2 == 0 {
                server.key_update(round % 4 == 0).expect("key update");
                assert!(server.new_session_ticket().is_err(), "one at a time");
            } else {
                server.new_session_ticket().expect("ticket");
            }
            client.key_update(true).expect("key update");
            let mut at_client = Vec::new();
            let mut at_server = Vec::new();
            assert_eq!(server.write(&data).expect("write"), data.len());
            assert_eq!(client.write(&data).expect("write"), data.len());
            while at_client.len() < data.len() || at_server.len() < data.len() {
                carry(&mut server, &mut client, usize::MAX);
                carry(&mut client, &mut server, usize::MAX);
                read_all(&mut client, &mut at_client, 5000);
                read_all(&mut server, &mut at_server, 5000);
            }
            assert!(at_client == data && at_server == data);
        }
    }
}

#[test]
#[cfg_attr(feature = "aws-lc", ignore = "AWS-LC issues no extra tickets")]
fn goodbye_with_an_unsent_ticket_works() {
    let (mut server, mut client) = engines(Version::Tls13, RingSizes::default());
    shake_hands(&mut server, &mut client);
    server.new_session_ticket().expect("ticket");
    assert!(!server.shutdown().expect("goodbye"));
    carry(&mut server, &mut client, usize::MAX);
    assert!(read_all(&mut client, &mut Vec::new(), 100));
    client
        .write(b"still open in this direction")
        .expect("write");
    client.shutdown().expect("goodbye");
    carry(&mut client, &mut server, usize::MAX);
    let mut got = Vec::new();
    assert!(read_all(&mut server, &mut got, 100));
    assert_eq!(got, b"still open in this direction");
    assert!(server.shutdown().expect("both ended"));
    assert!(matches!(
        server.write(b"x"),
        Err(EngineError::Failed(Error::Local(_)))
    ));
}

#[test]
#[cfg_attr(
    feature = "aws-lc",
    ignore = "AWS-LC has no post-handshake authentication"
)]
fn asks_for_a_certificate_later_while_both_have_full_rings() {
    let data = pattern(16 * 1024);
    for size in [17, 4096, 17 * 1024] {
        let server = server_builder(Version::Tls13)
            .client_auth(ClientAuth::Optional)
            .trust_pem(ca().root_pem().expect("PEM"))
            .build()
            .expect("context");
        let client = client_builder(Version::Tls13)
            .identity(ca().issue_client("visitor").expect("certificate"))
            .build()
            .expect("context");
        let mut server = Engine::new(&server, None, rings(size)).expect("engine");
        let mut client = Engine::new(&client, Some(NAME), rings(size)).expect("engine");
        client.offer_post_handshake_auth();
        shake_hands(&mut server, &mut client);
        read_all(&mut client, &mut Vec::new(), 10);

        // The client's answer has to queue up behind its own record.
        client.write(&data).expect("write");
        server
            .verify_client_post_handshake()
            .expect("the client offered it");
        server.write(&data).expect("write");
        client.write(&data).expect("write");
        let (mut at_server, mut at_client) = (Vec::new(), Vec::new());
        while at_server.len() < 2 * data.len() || at_client.len() < data.len() {
            let moved = carry(&mut server, &mut client, usize::MAX);
            read_all(&mut client, &mut at_client, 5000);
            let moved = moved + carry(&mut client, &mut server, usize::MAX);
            read_all(&mut server, &mut at_server, 5000);
            assert!(
                moved > 0,
                "stuck with {} and {}",
                at_server.len(),
                at_client.len()
            );
        }
        assert!(at_client == data && at_server == [&data[..], &data].concat());
    }
}

#[test]
fn a_client_that_did_not_offer_it_is_not_asked_for_a_certificate() {
    let (mut server, mut client) = engines(Version::Tls13, RingSizes::default());
    shake_hands(&mut server, &mut client);
    assert!(server.verify_client_post_handshake().is_err());
    server.write(b"unharmed").expect("write");
    carry(&mut server, &mut client, usize::MAX);
    let mut got = Vec::new();
    read_all(&mut client, &mut got, 100);
    assert_eq!(got, b"unharmed");
}

#[test]
fn renegotiation_and_key_update_say_where_they_do_not_exist() {
    let (mut server, mut client) = engines(Version::Tls12, RingSizes::default());
    shake_hands(&mut server, &mut client);
    let refused = client.key_update(true);
    assert!(matches!(
        refused,
        Err(EngineError::Failed(Error::Unsupported(_)))
    ));
    assert!(
        client.renegotiate().is_err(),
        "the context does not allow it"
    );
    client.write(b"unharmed").expect("write");
}

#[test]
fn tells_apart_the_ways_a_connection_ends_early() {
    let (mut server, _) = engines(Version::Tls13, RingSizes::default());
    server.close_in();
    let failed = server.handshake();
    assert!(
        matches!(failed, Err(EngineError::Failed(Error::ClosedBeforeHello))),
        "{failed:?}"
    );

    for request in [
        "GET / HTTP/1.1\r\n\r\n",
        "CONNECT example.com:443 HTTP/1.1\r\n\r\n",
    ] {
        let (mut server, _) = engines(Version::Tls13, RingSizes::default());
        server.feed(request.as_bytes());
        let failed = server.handshake();
        assert!(
            matches!(failed, Err(EngineError::Failed(Error::PlainHttp))),
            "{failed:?}"
        );
        assert_eq!(
            server.out_pending(),
            0,
            "nothing may be sent before the plain answer"
        );
    }
}

#[test]
fn both_sides_learn_why_a_certificate_was_refused() {
    for version in VERSIONS {
        let stranger = ContextBuilder::server()
            .versions(version..=version)
            .identity(Identity::self_signed(&[NAME]).expect("certificate"))
            .build()
            .expect("context");
        let (_, client) = contexts(version);
        let mut server = Engine::new(&stranger, None, RingSizes::default()).expect("engine");
        let mut client = Engine::new(&client, Some(NAME), RingSizes::default()).expect("engine");
        let mut at_client = None;
        let mut at_server = None;
        for _ in 0..6 {
            if let Err(EngineError::Failed(error)) = client.handshake() {
                at_client = Some(error);
            }
            carry(&mut client, &mut server, usize::MAX);
            if let Err(EngineError::Failed(error)) = server.handshake() {
                at_server = Some(error);
            }
            carry(&mut server, &mut client, usize::MAX);
        }
        assert!(
            matches!(at_client, Some(Error::Certificate(_))),
            "{at_client:?}"
        );
        assert!(matches!(at_server, Some(Error::Peer(_))), "{at_server:?}");
    }
}

#[test]
fn offers_a_session_only_where_it_belongs() {
    let (server_context, client_context) = contexts(Version::Tls13);
    let (_, other_context) = contexts(Version::Tls13);
    let connect = |context, name| Engine::new(context, Some(name), RingSizes::default());
    let mut server = Engine::new(&server_context, None, RingSizes::default()).expect("engine");
    let mut client = connect(&client_context, NAME).expect("engine");
    shake_hands(&mut server, &mut client);
    read_all(&mut client, &mut Vec::new(), 10);
    let session = client.session().expect("tickets were read");

    let mut other = connect(&other_context, NAME).expect("engine");
    assert!(matches!(other.set_session(&session), Err(Error::Local(_))));
    let mut other = connect(&client_context, "other.example").expect("engine");
    assert!(matches!(other.set_session(&session), Err(Error::Local(_))));

    let mut server = Engine::new(&server_context, None, RingSizes::default()).expect("engine");
    let mut client = connect(&client_context, NAME).expect("engine");
    client.set_session(&session).expect("same context and name");
    shake_hands(&mut server, &mut client);
    assert!(client.is_session_reused() && server.is_session_reused());
    assert!(matches!(client.set_session(&session), Err(Error::Local(_))));
}

#[test]
fn moves_to_another_thread_between_two_calls() {
    let (mut server, mut client) = engines(Version::Tls13, RingSizes::default());
    shake_hands(&mut server, &mut client);
    client.write(b"from here").expect("write");
    let (mut server, mut client) = std::thread::spawn(move || {
        carry(&mut client, &mut server, usize::MAX);
        (server, client)
    })
    .join()
    .expect("no panic");
    let mut got = Vec::new();
    read_all(&mut server, &mut got, 100);
    assert_eq!(got, b"from here");
    server.shutdown().expect("goodbye");
    carry(&mut server, &mut client, usize::MAX);
    assert!(read_all(&mut client, &mut Vec::new(), 10));
}
