//! Versions and methods.

use greenling_tls::{Alert, ContextBuilder, Error, Method, Version};

use super::support::*;

#[test]
fn methods_choose_what_the_peer_gets() {
    for (method, version) in [
        (Method::SslV23, Version::Tls13),
        (Method::Tls, Version::Tls13),
        (Method::TlsV1_2, Version::Tls12),
    ] {
        let pair = Pair::connected(client(), server().method(method));
        assert_eq!(pair.client.version(), Some(version), "{method:?}");
        let pair = Pair::connected(client().method(method), server());
        assert_eq!(pair.server.version(), Some(version), "{method:?}");
    }
}

#[test]
fn what_openssl_or_this_crate_no_longer_does_is_refused_with_a_reason() {
    let builder = ContextBuilder::client;
    let mut refused = vec![
        (builder().method(Method::SslV2), "SSL 2"),
        (builder().method(Method::SslV3), "SSL 3"),
        (builder().method(Method::Dtls), "DTLS"),
        (builder().early_data(1024), "replayed"),
        (builder().srtp("SRTP_AES128_CM_SHA1_80"), "SRTP"),
        (builder().dtls_cookies(), "DTLS"),
    ];
    if cfg!(not(feature = "legacy")) {
        refused.push((builder().method(Method::TlsV1), "legacy"));
        refused.push((builder().method(Method::TlsV1_1), "legacy"));
    }
    for (builder, word) in refused {
        match builder.build() {
            Err(Error::Unsupported(text)) => assert!(text.contains(word), "{text}"),
            other => panic!("{word}: {other:?}"),
        }
    }
}

#[test]
fn a_range_of_versions_is_kept() {
    let old = || client().versions(Version::Tls12..=Version::Tls12);
    let pair = Pair::connected(old(), server());
    assert_eq!(pair.server.version(), Some(Version::Tls12));
    let new = server().versions(Version::Tls13..=Version::Tls13);
    let (told, _) = Pair::results(old(), new);
    assert_eq!(alert(told), Alert::PROTOCOL_VERSION);
}

#[cfg(feature = "legacy")]
mod legacy {
    use greenling_tls::{ConfigErrorKind, Engine, EngineError, RingSizes};

    use super::*;

    #[test]
    fn old_versions_are_spoken_only_by_those_who_asked_for_them() {
        for (method, version) in [
            (Method::TlsV1, Version::Tls10),
            (Method::TlsV1_1, Version::Tls11),
        ] {
            let old = || client().method(method).security_level(0);
            let range = version..=Version::Tls13;
            let willing = server().versions(range).security_level(0);
            let pair = Pair::connected(old(), willing);
            assert_eq!(pair.server.version(), Some(version));
            let (told, _) = Pair::results(old(), server());
            assert_eq!(alert(told), Alert::PROTOCOL_VERSION);
        }
    }

    #[test]
    fn old_versions_need_the_lowest_security_level() {
        let refused = server().method(Method::TlsV1).build();
        match refused {
            Err(Error::Config(error)) => {
                assert_eq!(error.kind(), ConfigErrorKind::BadValue);
                assert!(error.to_string().contains("security_level(0)"), "{error}");
            }
            other => panic!("{other:?}"),
        }
    }

    /// Connects to a server that seems to know nothing of secure renegotiation:
    /// the client's sign for it is replaced by one without a meaning. Tells the
    /// type of the record by which the client answers the server's first flight.
    fn answer_to_an_old_server(client: ContextBuilder) -> u8 {
        let client = client.versions(Version::Tls12..=Version::Tls12).build();
        let server = server().build().unwrap();
        let mut client = Engine::new(&client.unwrap(), Some(NAME), RingSizes::default()).unwrap();
        let mut server = Engine::new(&server, None, RingSizes::default()).unwrap();
        assert!(matches!(client.handshake(), Err(EngineError::Want(_))));
        let mut hello = client.out_data().to_vec();
        client.consume_out(hello.len());
        // The suite of RFC 5746, or in newer releases the extension.
        let suite = hello.windows(2).position(|pair| pair == [0x00, 0xff]);
        let extension = hello.windows(5).position(|w| w == [0xff, 0x01, 0, 1, 0]);
        let sign = extension.or(suite).expect("a sign of RFC 5746");
        hello[sign..sign + 2].copy_from_slice(&[0x0a, 0x0a]);
        server.feed(&hello);
        let _ = server.handshake();
        let flight = server.out_data().to_vec();
        client.feed(&flight);
        let _ = client.handshake();
        client.out_data()[0]
    }

    #[test]
    fn servers_without_secure_renegotiation_are_left_unless_they_are_allowed() {
        const ALERT: u8 = 21;
        assert_eq!(answer_to_an_old_server(client()), ALERT);
        let willing = client().allow_legacy_servers();
        assert_eq!(answer_to_an_old_server(willing), HANDSHAKE);
    }
}
