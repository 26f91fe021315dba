//! What was negotiated, as both sides tell it.

use greenling_tls::crypto::Name;
use greenling_tls::{ClientAuth, EngineError, ShutdownState, Version};

use crate::support::{
    ROOT, VERSIONS, build, carry, client_builder, client_engine, connected, engines, exchange,
    server_builder, server_engine, shake_hands, try_handshake,
};

#[test]
fn both_sides_tell_the_same() {
    for version in VERSIONS {
        let server = build(server_builder(version).alpn(["one", "two"]).groups("P-384"));
        let client = build(client_builder(version).alpn(["two"]));
        let (mut server, mut client) = (server_engine(&server), client_engine(&client));
        assert_eq!((client.group(), client.cipher()), (None, None));
        shake_hands(&mut server, &mut client);
        for engine in [&server, &client] {
            assert_eq!(engine.version(), Some(version));
            assert_eq!(engine.alpn_protocol(), Some(&b"two"[..]));
            assert_eq!(engine.server_name(), Some("localhost"));
            assert_eq!(engine.group().as_deref(), Some("secp384r1"));
            assert_eq!(engine.compression(), None);
            assert!(engine.has_extended_master_secret());
            let secure = engine.secure_renegotiation_support();
            assert_eq!(secure, version == Version::Tls12);
            assert_eq!(
                engine.state_string(),
                "SSL negotiation finished successfully"
            );
            assert_eq!(engine.state_code(), "SSLOK");
        }
        assert_eq!(server.cipher(), client.cipher());
        let cipher = server.cipher().expect("a suite");
        assert_eq!(cipher.version(), version.to_string());
        assert!(cipher.bits() >= 128);
    }
}

#[test]
fn a_server_sees_the_suites_that_its_client_has() {
    for version in VERSIONS {
        let server = build(
            server_builder(version)
                .ciphers12("ECDHE-ECDSA-AES256-GCM-SHA384:ECDHE-ECDSA-AES128-GCM-SHA256")
                .ciphers13("TLS_AES_256_GCM_SHA384:TLS_AES_128_GCM_SHA256"),
        );
        let client = build(
            client_builder(version)
                .ciphers12("ECDHE-ECDSA-CHACHA20-POLY1305:ECDHE-ECDSA-AES128-GCM-SHA256")
                .ciphers13("TLS_CHACHA20_POLY1305_SHA256:TLS_AES_128_GCM_SHA256"),
        );
        let (mut server, mut client) = (server_engine(&server), client_engine(&client));
        assert!(server.client_ciphers().is_empty());
        shake_hands(&mut server, &mut client);
        assert_eq!(server.client_ciphers(), client.supported_ciphers());
        let shared = server.shared_ciphers();
        assert_eq!(shared, [client.cipher().expect("a suite")]);
        // The list has those of the other version, too; what is sent has not.
        assert_eq!(client.ciphers().len(), 4);
        assert_eq!(client.supported_ciphers().len(), 2);
        assert!(client.client_ciphers().is_empty());
    }
}

#[test]
fn certificates_and_signatures_are_the_other_sides() {
    for version in VERSIONS {
        let visitor = ROOT.below("between").issue_with_chain("visitor");
        let server = build(server_builder(version).client_auth(ClientAuth::Required));
        let client = build(client_builder(version).identity(visitor));
        let (mut server, mut client) = (server_engine(&server), client_engine(&client));
        shake_hands(&mut server, &mut client);
        assert!(client.own_certificate().is_some() && server.own_certificate().is_some());
        assert_eq!(client.own_certificate(), server.peer_certificate());
        assert_eq!(server.own_certificate(), client.peer_certificate());
        for (one, other, len) in [(&server, &client, 2), (&client, &server, 1)] {
            assert_eq!(one.own_signature(), other.peer_signature());
            let signature = one.own_signature().expect("signed");
            assert_eq!(signature.kind(), "id-ecPublicKey");
            assert_eq!(signature.digest(), Some("SHA256"));
            let sent = one.peer_certificate_chain();
            assert_eq!(sent.len(), len);
            assert_eq!(sent.first(), other.own_certificate().as_ref());
            let verified = one.verified_chain().expect("verified");
            assert_eq!(verified.len(), len + 1);
            assert_eq!(verified.last(), Some(&ROOT.certificate.clone().into()));
            assert!(one.verify_result().is_ok());
        }
        // The server told whose certificates it takes.
        let names = client.peer_ca_names();
        assert_eq!(names, [Name::from(ROOT.certificate.subject_name())]);
        assert!(server.peer_ca_names().is_empty());
    }
}

#[test]
fn what_was_not_verified_is_not_called_verified() {
    for version in VERSIONS {
        let client = build(client_builder(version).dangerous().no_verify());
        let server = build(server_builder(version));
        let (mut server, mut client) = (server_engine(&server), client_engine(&client));
        shake_hands(&mut server, &mut client);
        assert!(client.peer_certificate().is_some());
        assert!(client.verified_chain().is_none() && client.peer_identity().is_none());
        // And a server that asks nobody knows nobody.
        assert!(server.verify_result().is_ok());
        assert!(server.peer_identity().is_none() && server.peer_signature().is_none());
    }
}

#[test]
fn a_refused_chain_is_told_by_its_fault() {
    for version in VERSIONS {
        let other = crate::support::Signer::root("nobody's");
        let server = build(server_builder(version));
        let client = build(
            greenling_tls::ContextBuilder::client()
                .versions(version..=version)
                .trust_pem(other.pem()),
        );
        let (mut server, mut client) = (server_engine(&server), client_engine(&client));
        let (_, refused) = try_handshake(&mut server, &mut client);
        let Err(greenling_tls::Error::Certificate(fault)) = refused else {
            panic!("{refused:?}");
        };
        // X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT_LOCALLY
        assert_eq!(fault.code(), 20);
        let result = client.verify_result().expect_err("refused");
        assert_eq!(result.code(), 20);
        assert!(client.peer_identity().is_none() && client.verified_chain().is_none());
        // The certificate at fault, as the server has it.
        let chain = client.refused_chain().expect("refused");
        let depth = fault.depth().expect("known");
        let at_fault = chain.get(usize::try_from(depth).expect("small"));
        let own = server.own_certificate().expect("one");
        assert_eq!(at_fault, Some(&own));
        assert!(server.refused_chain().is_none());
    }
}

#[test]
fn what_has_arrived_and_is_not_read_is_counted() {
    for version in VERSIONS {
        let (mut server, mut client) = connected(version);
        client.write(&[7; 1000]).expect("write");
        let sent = client.out_pending();
        carry(&mut client, &mut server);
        assert_eq!((server.pending(), server.buffered()), (0, sent));
        assert!(!server.want_read());
        assert_eq!(server.peek(&mut [0; 300]).expect("data"), 300);
        assert_eq!((server.pending(), server.buffered()), (1000, 1000));
        assert_eq!(server.read(&mut [0; 300]).expect("data"), 300);
        assert_eq!((server.pending(), server.buffered()), (700, 700));
        assert_eq!(server.read(&mut [0; 1000]).expect("data"), 700);
        assert_eq!((server.pending(), server.buffered()), (0, 0));
        assert!(server.want_read());
    }
}

#[test]
fn each_side_sees_the_other_end_its_direction() {
    for version in VERSIONS {
        let (mut server, mut client) = connected(version);
        let nothing = ShutdownState::default();
        assert_eq!(
            (server.shutdown_state(), client.shutdown_state()),
            (nothing, nothing)
        );
        assert!(client.want_read() && !client.want_write());
        client.shutdown().expect("goodbye");
        assert!(client.want_write());
        exchange(&mut server, &mut client);
        let (sent, received) = (true, false);
        assert_eq!(client.shutdown_state(), ShutdownState { sent, received });
        let (sent, received) = (false, true);
        assert_eq!(server.shutdown_state(), ShutdownState { sent, received });
        assert!(!server.want_read() && !client.want_write());
    }
}

#[test]
fn a_shutdown_that_is_only_claimed_sends_nothing() {
    let (mut server, mut client) = connected(Version::Tls13);
    let (sent, received) = (true, false);
    client.set_shutdown_state(ShutdownState { sent, received });
    client.shutdown().expect("counts as done");
    assert_eq!(carry(&mut client, &mut server), 0, "no alert");
    assert!(client.write(b"x").is_err());
    let (sent, received) = (false, true);
    server.set_shutdown_state(ShutdownState { sent, received });
    assert!(matches!(server.read(&mut [0; 1]), Err(EngineError::Closed)));
    // The other direction goes on.
    server.write(b"still here").expect("write");
    let (_, got) = exchange(&mut server, &mut client);
    assert_eq!(got, b"still here");
}

#[test]
fn handshakes_say_what_they_wait_for() {
    let (mut server, mut client) = engines(Version::Tls13);
    assert!(matches!(server.handshake(), Err(EngineError::Want(_))));
    assert!(server.want_read() && !server.want_write());
    assert!(client.handshake().is_err());
    assert!(client.want_read() && client.want_write());
    carry(&mut client, &mut server);
    assert!(!client.want_write() && !server.want_read());
    shake_hands(&mut server, &mut client);
    assert!(client.want_read() && server.want_read());
}

#[test]
fn what_is_not_offered_says_so() {
    use greenling_tls::Error;
    let (mut server, mut client) = connected(Version::Tls13);
    for refused in [
        client.write_early_data(b"x"),
        server.read_early_data(&mut [0]),
    ] {
        let unsupported = matches!(refused, Err(EngineError::Failed(Error::Unsupported(_))));
        assert!(unsupported, "{refused:?}");
    }
    assert!(matches!(client.dtls(), Err(Error::Unsupported(_))));
    assert!(matches!(client.srtp_profile(), Err(Error::Unsupported(_))));
    client.write(b"unharmed").expect("write");
    let (got, _) = exchange(&mut server, &mut client);
    assert_eq!(got, b"unharmed");
}
