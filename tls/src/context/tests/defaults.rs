//! The security defaults, as a peer sees them.

use std::time::Duration;

use openssl::pkey::PKey;
use openssl::rsa::Rsa;
use openssl::ssl::SslVersion;

use super::hello::ClientHello;
use super::*;
use crate::config_error::ConfigErrorKind;
use crate::context::{ClientAuth, Version};
use crate::error::Alert;
use crate::identity::Identity;

fn config_error<T: std::fmt::Debug>(result: Result<T, Error>) -> (ConfigErrorKind, String) {
    match result {
        Err(Error::Config(error)) => (error.kind(), error.to_string()),
        other => panic!("not a configuration error: {other:?}"),
    }
}

/// A client of plain OpenSSL against a server with defaults.
fn against_plain(client: SslContextBuilder, server: &Context) -> Pair {
    Pair {
        client: plain_engine(&client.build(), Role::Client),
        server: server_engine(server),
    }
}

#[test]
fn versions_are_tls_1_2_and_1_3_even_where_the_security_level_would_allow_more() {
    let (_ca, client, server) = certified();
    let server = server.security_level(0).build().unwrap();
    for version in [SslVersion::TLS1, SslVersion::TLS1_1] {
        let mut old = plain_client();
        old.set_max_proto_version(Some(version)).unwrap();
        let (seen, _) = against_plain(old, &server).handshake();
        assert!(
            matches!(seen, Err(Error::Peer(Alert::PROTOCOL_VERSION))),
            "{seen:?}"
        );
    }
    let mut old = plain_client();
    old.set_max_proto_version(Some(SslVersion::TLS1_2)).unwrap();
    let pair = against_plain(old, &server).connect();
    assert_eq!(pair.server.ssl().version2(), Some(SslVersion::TLS1_2));

    let pair = Pair::new(&client.build().unwrap(), "localhost", &server).connect();
    assert_eq!(pair.server.ssl().version2(), Some(SslVersion::TLS1_3));
}

#[test]
fn a_narrower_range_of_versions_is_kept() {
    let (_ca, client, server) = certified();
    let server = server
        .versions(Version::Tls13..=Version::Tls13)
        .build()
        .unwrap();
    let client = client
        .versions(Version::Tls12..=Version::Tls12)
        .build()
        .unwrap();
    let (seen, _) = Pair::new(&client, "localhost", &server).handshake();
    assert!(
        matches!(seen, Err(Error::Peer(Alert::PROTOCOL_VERSION))),
        "{seen:?}"
    );
}

#[test]
fn a_client_offers_exactly_the_default_suites_and_no_compression() {
    let (_ca, client, _server) = certified();
    let hello = ClientHello::of(&client.build().unwrap());
    let expected = [
        0x1301, 0x1302, 0x1303, // TLS 1.3
        0xc02b, 0xc02f, 0xc02c, 0xc030, 0xcca9, 0xcca8, // ECDHE with AEAD
    ];
    assert_eq!(hello.suites, expected);
    assert_eq!(hello.compression, [0]);
}

#[test]
fn the_post_quantum_hybrid_comes_first_where_openssl_knows_it() {
    const X25519MLKEM768: u16 = 0x11ec;
    const X25519: u16 = 0x001d;
    const P_256: u16 = 0x0017;
    const P_384: u16 = 0x0018;
    let (_ca, client, server) = certified();
    let client = client.build().unwrap();
    let hello = ClientHello::of(&client);
    // OpenSSL 3.5 brought it.
    if openssl::version::number() >= 0x3050_0000 || cfg!(feature = "aws-lc") {
        assert_eq!(hello.groups(), [X25519MLKEM768, X25519, P_256, P_384]);
        assert_eq!(hello.shares(), [X25519MLKEM768, X25519]);
    } else {
        assert_eq!(hello.groups(), [X25519, P_256, P_384]);
        assert_eq!(hello.shares(), [X25519]);
    }
    Pair::new(&client, "localhost", &server.build().unwrap()).connect();
    let narrow = certified().1.groups("P-384").build().unwrap();
    assert_eq!(ClientHello::of(&narrow).groups(), [P_384]);
}

#[test]
#[cfg_attr(
    feature = "aws-lc",
    ignore = "the client of the test cannot offer them"
)]
fn a_server_refuses_suites_without_forward_secrecy_or_aead() {
    let (_ca, _client, server) = certified();
    let server = server.build().unwrap();
    for suite in [
        "AES128-GCM-SHA256",
        "ECDHE-ECDSA-AES128-SHA",
        "DHE-RSA-AES128-GCM-SHA256",
    ] {
        let mut weak = plain_client();
        weak.set_max_proto_version(Some(SslVersion::TLS1_2))
            .unwrap();
        weak.set_cipher_list(suite).unwrap();
        let (seen, _) = against_plain(weak, &server).handshake();
        assert!(
            matches!(seen, Err(Error::Peer(Alert::HANDSHAKE_FAILURE))),
            "{suite}: {seen:?}"
        );
    }
}

#[test]
#[cfg_attr(feature = "aws-lc", ignore = "AWS-LC does not renegotiate")]
fn a_server_refuses_to_renegotiate() {
    let (_ca, _client, server) = certified();
    let mut old = plain_client();
    old.set_max_proto_version(Some(SslVersion::TLS1_2)).unwrap();
    let mut pair = against_plain(old, &server.build().unwrap()).connect();
    pair.client.renegotiate().unwrap();
    let _ = pair.client.handshake();
    pair.shuttle();
    let _ = pair.server.read(&mut [0; 16]);
    pair.shuttle();
    let after = pair.client.read(&mut [0; 16]);
    assert!(matches!(after, Err(EngineError::Failed(_))), "{after:?}");
}

#[test]
#[cfg_attr(feature = "aws-lc", ignore = "AWS-LC does not renegotiate")]
fn a_client_refuses_to_renegotiate() {
    let (_ca, client, server) = certified();
    let identity = &server.identities[0];
    let mut old = SslContextBuilder::new(SslMethod::tls_server()).unwrap();
    old.set_max_proto_version(Some(SslVersion::TLS1_2)).unwrap();
    old.set_certificate(identity.leaf()).unwrap();
    old.set_private_key(identity.key()).unwrap();
    let mut pair = Pair {
        client: client_engine(&client.build().unwrap(), Some("localhost")),
        server: plain_engine(&old.build(), Role::Server),
    }
    .connect();
    // A HelloRequest, which a willing client answers with a ClientHello.
    pair.server.renegotiate().unwrap();
    let _ = pair.server.handshake();
    pair.shuttle();
    let _ = pair.client.read(&mut [0; 16]);
    pair.shuttle();
    let after = pair.server.read(&mut [0; 16]);
    assert!(matches!(after, Err(EngineError::Failed(_))), "{after:?}");
}

#[test]
#[cfg_attr(feature = "aws-lc", ignore = "AWS-LC has no security levels")]
fn weak_keys_are_refused_when_the_context_is_built() {
    let key = PKey::from_rsa(Rsa::generate(1024).unwrap()).unwrap();
    let certificate = verification::hand_made(&key, "localhost", "DNS:localhost");
    let weak = Identity::new(vec![certificate], key).unwrap();
    let (kind, text) = config_error(ContextBuilder::server().identity(weak.clone()).build());
    assert_eq!(kind, ConfigErrorKind::Rejected);
    assert!(text.contains("key too small"), "{text}");
    ContextBuilder::server()
        .identity(weak)
        .security_level(0)
        .build()
        .unwrap();
}

#[test]
fn an_rsa_and_an_ecdsa_identity_serve_side_by_side() {
    let rsa = PKey::from_rsa(Rsa::generate(2048).unwrap()).unwrap();
    let certificate = verification::hand_made(&rsa, "localhost", "DNS:localhost");
    let rsa = Identity::new(vec![certificate], rsa).unwrap();
    let ecdsa = Identity::self_signed(&["localhost"]).unwrap();
    let server = ContextBuilder::server()
        .identity(rsa)
        .identity(ecdsa.clone())
        .build()
        .unwrap();
    for (suite, id) in [
        ("ECDHE-RSA-AES128-GCM-SHA256", openssl::pkey::Id::RSA),
        ("ECDHE-ECDSA-AES128-GCM-SHA256", openssl::pkey::Id::EC),
    ] {
        let mut client = plain_client();
        client
            .set_max_proto_version(Some(SslVersion::TLS1_2))
            .unwrap();
        client.set_cipher_list(suite).unwrap();
        let pair = against_plain(client, &server).connect();
        let presented = pair.client.ssl().peer_certificate().unwrap();
        assert_eq!(presented.public_key().unwrap().id(), id);
    }
    let other = Identity::self_signed(&["localhost"]).unwrap();
    let twice = ContextBuilder::server()
        .identity(ecdsa)
        .identity(other)
        .build();
    assert_eq!(config_error(twice).0, ConfigErrorKind::Rejected);
}

#[test]
fn the_default_timeouts_differ_by_role() {
    let (_ca, client, server) = certified();
    let (client, server) = (client.build().unwrap(), server.build().unwrap());
    assert_eq!(client.handshake_timeout(), Duration::from_secs(30));
    assert_eq!(server.handshake_timeout(), Duration::from_secs(10));
    assert_eq!((client.role(), server.role()), (Role::Client, Role::Server));
}

#[test]
fn what_cannot_work_is_refused_when_the_context_is_built() {
    use ConfigErrorKind::{BadValue, Missing, Rejected, Unreadable};
    let server = || certified().2;
    let client = ContextBuilder::client;
    let reversed = std::ops::RangeInclusive::new(Version::Tls13, Version::Tls12);
    for (builder, kind, subject) in [
        (ContextBuilder::server(), Missing, "server"),
        (
            server().client_auth(ClientAuth::Required),
            Missing,
            "client_auth",
        ),
        (
            server().client_auth(ClientAuth::Optional),
            Missing,
            "client_auth",
        ),
        (server().trust_system(), BadValue, "trust_system"),
        (server().dangerous().no_verify(), BadValue, "dangerous"),
        (
            client().client_auth(ClientAuth::Required),
            BadValue,
            "client_auth",
        ),
        (client().versions(reversed), BadValue, "versions"),
        (
            client().session_lifetime(Duration::ZERO),
            BadValue,
            "session_lifetime",
        ),
        (
            client().session_lifetime(Duration::from_secs(700_000)),
            BadValue,
            "session_lifetime",
        ),
        (
            client().handshake_timeout(Duration::ZERO),
            BadValue,
            "handshake_timeout",
        ),
        (
            server().session_id_context(&[0; 33]),
            BadValue,
            "session_id_context",
        ),
        (client().ciphers12("NO-SUCH"), Rejected, "ciphers12"),
        (client().ciphers12("A\0B"), BadValue, "ciphers12"),
        (client().ciphers13("TLS_NO_SUCH"), Rejected, "ciphers13"),
        (client().groups("P-256:nonsense"), Rejected, "groups"),
        (client().alpn([""]), BadValue, "alpn"),
        (
            client().trust_file("/nonexistent/ca.pem"),
            Unreadable,
            "/nonexistent/ca.pem",
        ),
        (
            client().trust_dir("/nonexistent"),
            Unreadable,
            "/nonexistent",
        ),
        (client().trust_dir("/proc"), Missing, "/proc"),
        (
            client().trust_pem(""),
            ConfigErrorKind::Malformed,
            "trust anchors",
        ),
    ] {
        let (found, text) = config_error(builder.build());
        assert_eq!(found, kind, "{text}");
        assert!(
            text.starts_with(subject),
            "{text:?} does not name {subject:?}"
        );
    }
}

#[test]
fn a_missing_trust_file_keeps_its_io_error_kind() {
    let error = ContextBuilder::client()
        .trust_file("/nonexistent/ca.pem")
        .build()
        .unwrap_err();
    assert_eq!(error.io_kind(), std::io::ErrorKind::NotFound);
}
