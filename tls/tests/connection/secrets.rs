//! Values that both sides derive from the handshake.

use greenling_tls::crypto::Encoding;
use greenling_tls::{ChannelBinding, Error, Tickets, Version};
use openssl::hash::{MessageDigest, hash};
use openssl::pkey::PKey;

use crate::support::{
    ROOT, VERSIONS, build, client_builder, client_engine, connected, engines, exchange,
    server_builder, server_engine, shake_hands,
};

#[test]
fn finished_messages_and_random_numbers_are_the_other_sides() {
    for version in VERSIONS {
        let (mut server, mut client) = engines(version);
        assert_eq!((client.finished(), client.client_random()), (None, None));
        shake_hands(&mut server, &mut client);
        assert_eq!(client.finished(), server.peer_finished());
        assert_eq!(server.finished(), client.peer_finished());
        assert_ne!(client.finished(), server.finished());
        assert!(client.finished().is_some() && server.finished().is_some());
        assert_eq!(client.client_random(), server.client_random());
        assert_eq!(client.server_random(), server.server_random());
        assert!(client.client_random().is_some() && client.server_random().is_some());
        assert_ne!(client.client_random(), client.server_random());
    }
}

#[test]
fn both_sides_export_the_same_material() {
    for version in VERSIONS {
        let (mut server, mut client) = engines(version);
        let early = client.export_keying_material("EXPORTER-test", None, 20);
        assert!(matches!(early, Err(Error::Local(_))), "{early:?}");
        shake_hands(&mut server, &mut client);
        let both = |label, context, len| {
            let [ours, theirs] = [&server, &client].map(|engine| {
                engine
                    .export_keying_material(label, context, len)
                    .expect("keys")
            });
            assert_eq!(ours, theirs);
            assert_eq!(ours.len(), len);
            ours
        };
        let bare = both("EXPORTER-test", None, 40);
        let empty = both("EXPORTER-test", Some(b""), 40);
        // RFC 8446, section 7.5: no context is an empty one.
        assert_eq!(bare == empty, version == Version::Tls13);
        assert_ne!(bare, both("EXPORTER-test", Some(b"x"), 40));
        assert_ne!(bare, both("EXPORTER-other", None, 40));
        for len in [0, 65536] {
            let refused = client.export_keying_material("EXPORTER-test", None, len);
            assert!(matches!(refused, Err(Error::Local(_))), "{refused:?}");
        }
        assert_eq!(format!("{bare:?}"), "Secret(40 bytes)");
    }
    let (server, client) = connected(Version::Tls12);
    assert_eq!(server.export_master_key(), client.export_master_key());
    let key = client.export_master_key().expect("a master secret");
    assert_eq!(key.len(), 48);
    // RFC 5705, section 4: labels of TLS itself would give its keys away.
    let refused = client.export_keying_material("master secret", None, 48);
    assert!(matches!(refused, Err(Error::Ssl(_))), "{refused:?}");
}

#[test]
fn both_sides_find_the_same_channel_binding() {
    for version in VERSIONS {
        let server = build(server_builder(version));
        let client = build(client_builder(version));
        let mut session = None;
        let mut seen = Vec::new();
        // A full handshake, and one that resumes: the first Finished is another's.
        for resumed in [false, true] {
            let (mut server, mut client) = (server_engine(&server), client_engine(&client));
            if let Some(session) = &session {
                client.set_session(session).expect("of this context");
            }
            shake_hands(&mut server, &mut client);
            assert_eq!(server.is_session_reused(), resumed);
            let mut both = |kind| {
                let ours = client.channel_binding(kind);
                let theirs = server.channel_binding(kind);
                match (ours, theirs) {
                    (Ok(ours), Ok(theirs)) => {
                        assert_eq!(ours, theirs, "{}", kind.name());
                        Some(ours)
                    }
                    (Err(Error::Unsupported(_)), Err(Error::Unsupported(_))) => None,
                    other => panic!("{}: {other:?}", kind.name()),
                }
            };
            let unique = both(ChannelBinding::TlsUnique);
            assert_eq!(unique.is_some(), version == Version::Tls12);
            let exporter = both(ChannelBinding::TlsExporter).expect("defined");
            assert_eq!(exporter.len(), 32);
            let end_point = both(ChannelBinding::TlsServerEndPoint).expect("defined");
            let der = server
                .own_certificate()
                .expect("shown")
                .encode(Encoding::Der)
                .expect("DER");
            let digest = hash(MessageDigest::sha256(), &der).expect("digest");
            assert_eq!(end_point, &*digest);
            if let Some(unique) = unique {
                assert_eq!(unique.len(), 12);
                let first = if resumed {
                    server.finished()
                } else {
                    client.finished()
                };
                assert_eq!(Some(&unique), first.as_ref());
                seen.push(unique);
            }
            seen.push(exporter);
            session = client.session();
            // A cut would make the session unfit.
            client.shutdown().expect("goodbye");
        }
        // They name one connection each.
        let all = seen.len();
        seen.sort();
        seen.dedup();
        assert_eq!(seen.len(), all);
    }
}

#[test]
fn a_binding_that_would_not_bind_is_refused() {
    // Ed25519 signs without a digest of its own.
    let signer = crate::support::Signer::ed25519_root();
    let key = PKey::ec_gen("P-256").expect("key");
    let server = build(
        greenling_tls::ContextBuilder::server()
            .identity(signer.issue_for(&key, "server", |_| {}))
            .tickets(Tickets::Off),
    );
    let client = build(greenling_tls::ContextBuilder::client().trust_pem(signer.pem()));
    let (mut server, mut client) = (server_engine(&server), client_engine(&client));
    let early = client.channel_binding(ChannelBinding::TlsExporter);
    assert!(matches!(early, Err(Error::Local(_))), "{early:?}");
    shake_hands(&mut server, &mut client);
    for engine in [&mut server, &mut client] {
        let refused = engine.channel_binding(ChannelBinding::TlsServerEndPoint);
        assert!(matches!(refused, Err(Error::Unsupported(_))), "{refused:?}");
    }

    // A server with two identities does not know which one a session began with.
    let version = Version::Tls12;
    let rsa = PKey::from_rsa(openssl::rsa::Rsa::generate(2048).expect("key")).expect("key");
    let server = build(server_builder(version).identity(ROOT.issue_for(&rsa, "rsa", |_| {})));
    let client = build(client_builder(version));
    let mut session = None;
    for resumed in [false, true] {
        let (mut server, mut client) = (server_engine(&server), client_engine(&client));
        if let Some(session) = &session {
            client.set_session(session).expect("of this context");
        }
        shake_hands(&mut server, &mut client);
        assert_eq!(server.is_session_reused(), resumed);
        let ours = server.channel_binding(ChannelBinding::TlsServerEndPoint);
        let theirs = client
            .channel_binding(ChannelBinding::TlsServerEndPoint)
            .expect("known");
        match ours {
            Ok(ours) => assert!(!resumed && ours == theirs),
            Err(Error::Unsupported(_)) => assert!(resumed),
            Err(other) => panic!("{other}"),
        }
        server.write(b"unharmed").expect("write");
        let (_, got) = exchange(&mut server, &mut client);
        assert_eq!(got, b"unharmed");
        session = client.session();
        client.shutdown().expect("goodbye");
    }
}
