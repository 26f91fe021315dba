//! What one connection does otherwise than its context says.

use greenling_tls::{ClientAuth, Context, Engine, Error, RingSizes, Tickets, Version};

use crate::support::{
    NAME, ROOT, Signer, VERSIONS, Verdicts, build, client_builder, client_engine, connected,
    engines, exchange, server_builder, server_engine, shake_hands, try_handshake,
};

fn with_client_auth(version: Version, mode: ClientAuth, client: &Context) -> (Engine, Verdicts) {
    let mut server = server_engine(&build(server_builder(version)));
    let mut client = client_engine(client);
    server.set_client_auth(mode).expect("a server");
    let results = try_handshake(&mut server, &mut client);
    (server, results)
}

#[test]
fn one_client_is_asked_for_a_certificate() {
    for version in VERSIONS {
        let alice = build(client_builder(version).identity(ROOT.issue("alice", |_| {})));
        let nobody = build(client_builder(version));
        let (server, results) = with_client_auth(version, ClientAuth::Required, &alice);
        assert!(matches!(results, (Ok(()), Ok(()))), "{results:?}");
        let peer = server.peer_identity().expect("verified");
        assert_eq!(peer.common_name(), Some("alice"));
        let (_, results) = with_client_auth(version, ClientAuth::Required, &nobody);
        assert!(
            matches!(results, (Err(_), Err(Error::Peer(_)))),
            "{results:?}"
        );
        let (server, results) = with_client_auth(version, ClientAuth::Optional, &nobody);
        assert!(matches!(results, (Ok(()), Ok(()))), "{results:?}");
        assert!(server.peer_identity().is_none());
    }
    let (_, mut client) = connected(Version::Tls13);
    let refused = client.set_client_auth(ClientAuth::None);
    assert!(matches!(refused, Err(Error::Unsupported(_))), "{refused:?}");
}

#[test]
fn a_session_does_not_stand_in_for_the_certificate_that_is_demanded() {
    for version in VERSIONS {
        for tickets in [Tickets::default(), Tickets::Off] {
            let server = server_builder(version).tickets(tickets);
            let server = build(server.session_cache(8));
            let nobody = build(client_builder(version));
            let (mut first, mut client) = (server_engine(&server), client_engine(&nobody));
            shake_hands(&mut first, &mut client);
            first.write(b"after the tickets").expect("write");
            exchange(&mut first, &mut client);
            let session = client.session().expect("established");

            let mut again = client_engine(&nobody);
            again.set_session(&session).expect("of this context");
            let mut demanding = server_engine(&server);
            demanding
                .set_client_auth(ClientAuth::Required)
                .expect("a server");
            let results = try_handshake(&mut demanding, &mut again);
            assert!(
                matches!(results, (Err(_), Err(Error::Peer(_)))),
                "{version}: {results:?}"
            );

            let mut again = client_engine(&nobody);
            again.set_session(&session).expect("of this context");
            let mut usual = server_engine(&server);
            shake_hands(&mut usual, &mut again);
            assert!(usual.is_session_reused(), "where nothing is demanded");
        }
    }
}

#[test]
fn one_connection_shows_another_certificate() {
    for version in VERSIONS {
        let (mut server, mut client) = engines(version);
        let other = ROOT.issue("other", |_| {});
        server.set_identity(&other).expect("before the handshake");
        shake_hands(&mut server, &mut client);
        let peer = client.peer_identity().expect("verified");
        assert_eq!(peer.common_name(), Some("other"));
        let late = server.set_identity(&other);
        assert!(matches!(late, Err(Error::Local(_))), "{late:?}");
    }
}

#[test]
fn a_chain_that_is_too_long_for_one_connection_is_refused() {
    for version in VERSIONS {
        let identity = ROOT.below("between").issue_with_chain("server");
        let server = build(
            greenling_tls::ContextBuilder::server()
                .versions(version..=version)
                .identity(identity),
        );
        let client = build(client_builder(version));
        for (depth, good) in [(1, true), (0, false)] {
            let (mut server, mut client) = (server_engine(&server), client_engine(&client));
            client
                .set_verify_depth(depth)
                .expect("before the handshake");
            let (_, ours) = try_handshake(&mut server, &mut client);
            assert_eq!(ours.is_ok(), good, "{ours:?}");
            if good {
                assert_eq!(client.verified_chain().expect("verified").len(), 3);
                assert_eq!(client.peer_certificate_chain().len(), 2);
            }
        }
    }
}

#[test]
fn a_client_may_change_its_mind_about_the_server() {
    let (ip, wrong_ip) = ("127.0.0.1", "127.0.0.2");
    for version in VERSIONS {
        let identity = ROOT.issue("server", |names| {
            names.ip(ip);
        });
        let server = build(
            greenling_tls::ContextBuilder::server()
                .versions(version..=version)
                .identity(identity),
        );
        let client = build(client_builder(version));
        for (first, then, sent, good) in [
            ("example.com", NAME, Some(NAME), true),
            (NAME, "example.com", Some("example.com"), false),
            ("example.com", ip, None, true),
            (NAME, wrong_ip, None, false),
            (wrong_ip, NAME, Some(NAME), true),
            (ip, "example.com", Some("example.com"), false),
        ] {
            let mut server = server_engine(&server);
            let mut client =
                Engine::new(&client, Some(first), RingSizes::default()).expect("engine");
            client.set_hostname(then).expect("before the handshake");
            let (_, ours) = try_handshake(&mut server, &mut client);
            assert_eq!(ours.is_ok(), good, "{first} {then}: {ours:?}");
            assert_eq!(server.server_name(), sent, "{first} {then}");
        }
    }
    let (mut server, mut client) = connected(Version::Tls13);
    assert!(client.set_hostname(NAME).is_err() && server.set_hostname(NAME).is_err());
    let (_, mut client) = engines(Version::Tls13);
    let refused = client.set_hostname("not a name");
    assert!(matches!(refused, Err(Error::Config(_))), "{refused:?}");
}

#[test]
fn a_session_does_not_follow_to_another_name() {
    // Addresses are not sent, so the server cannot tell which one is meant.
    let (first, second) = ("127.0.0.1", "127.0.0.2");
    let both = ROOT.issue("server", |names| {
        names.ip(first).ip(second);
    });
    let server = build(greenling_tls::ContextBuilder::server().identity(both));
    let context = build(client_builder(Version::Tls13).session_cache(8));
    for (resumed, then) in [
        (false, first),
        (true, first),
        (false, second),
        (true, second),
    ] {
        let mut server = server_engine(&server);
        let mut client = Engine::new(&context, Some(first), RingSizes::default()).expect("engine");
        if then != first {
            client.set_hostname(then).expect("before the handshake");
        }
        shake_hands(&mut server, &mut client);
        assert_eq!(server.is_session_reused(), resumed, "{then}");
        client.shutdown().expect("goodbye");
    }
}

#[test]
fn options_and_protocols_of_one_connection() {
    // SSL_OP_NO_TLSv1_3
    const NO_TLS13: u64 = 1 << 29;
    let server = build(
        greenling_tls::ContextBuilder::server()
            .identity(ROOT.issue("server", |_| {}))
            .alpn(["a", "b"]),
    );
    let client = build(
        greenling_tls::ContextBuilder::client()
            .trust_pem(ROOT.pem())
            .alpn(["a"]),
    );
    let (mut server, mut client) = (server_engine(&server), client_engine(&client));
    client.set_options(NO_TLS13);
    client.set_alpn(["b"]).expect("before the handshake");
    assert!(server.set_alpn(["b"]).is_err(), "the context decides");
    assert!(client.set_alpn([""]).is_err());
    shake_hands(&mut server, &mut client);
    assert_eq!(server.version(), Some(Version::Tls12));
    assert_eq!(server.alpn_protocol(), Some(&b"b"[..]));
    assert!(client.set_alpn(["a"]).is_err(), "too late");
}

#[test]
fn an_exchanged_context_shows_its_certificate_and_keeps_the_old_terms() {
    for version in VERSIONS {
        let first = build(server_builder(version));
        let second = build(
            greenling_tls::ContextBuilder::server()
                .identity(ROOT.issue("second", |_| {}))
                .trust_pem(ROOT.pem())
                .client_auth(ClientAuth::Required),
        );
        let mut server = server_engine(&first);
        let mut client = client_engine(&build(client_builder(version)));
        server.set_context(&second).expect("before the handshake");
        let other_role = build(client_builder(version));
        assert!(server.set_context(&other_role).is_err());
        // What the documentation warns of: nobody asks for the client's certificate.
        shake_hands(&mut server, &mut client);
        assert_eq!(
            client.peer_identity().expect("verified").common_name(),
            Some("second")
        );
        assert!(server.peer_identity().is_none());
        assert!(server.set_context(&first).is_err(), "too late");
    }
}

#[test]
fn a_stranger_is_no_anchor_of_one_connection() {
    // The trust anchors stay the context's.
    let mallory = Signer::root("nobody's").issue("mallory", |_| {});
    for version in VERSIONS {
        let client = build(client_builder(version).identity(mallory.clone()));
        let (_, results) = with_client_auth(version, ClientAuth::Optional, &client);
        assert!(
            matches!(results.0, Err(Error::Certificate(_))),
            "{results:?}"
        );
    }
}
