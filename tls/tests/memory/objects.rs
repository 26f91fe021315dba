//! The connection: handshake, data, what it tells, what it refuses.

use std::io;

use greenling_tls::{
    AltName, ClientAuth, ContextBuilder, Engine, Error, MemoryBio, Role, SslErrorKind, SslObject,
    Version, Want,
};

use crate::support::{
    NAME, Pair, Side, VERSIONS, assert_waits, ca, client_builder, contexts, server_builder,
};

/// SimpleBackgroundTests.test_bio_handshake
#[test]
fn a_handshake_tells_nothing_before_it_is_done() {
    for version in VERSIONS {
        let (server, client) = contexts(version);
        let mut pair = Pair::new(&server, &client);
        for side in [&mut pair.client, &mut pair.server] {
            let tls = &side.tls;
            assert!(tls.cipher().is_none() && tls.version().is_none());
            assert!(tls.session().is_none() && !tls.session_reused());
            let error = tls.getpeercert().expect_err("too early");
            assert_eq!(error.kind(), SslErrorKind::Value);
            assert_waits(side.call(SslObject::do_handshake));
        }
        pair.connect();
        for side in [&pair.client, &pair.server] {
            assert_eq!(side.tls.version(), Some(version.to_string().as_str()));
            assert!(side.tls.cipher().expect("a suite").bits() >= 128);
        }
        assert_eq!(pair.client.tls.cipher(), pair.server.tls.cipher());
        assert!(pair.server.tls.server_side() && !pair.client.tls.server_side());
        assert_eq!(pair.client.tls.server_hostname(), Some(NAME));
        assert_eq!(pair.server.tls.server_hostname(), None);
        let names = pair.client.tls.getpeercert().expect("done").expect("shown");
        assert_eq!(names.version, 3);
        assert!(pair.server.tls.getpeercert().expect("done").is_none());
    }
}

/// SimpleBackgroundTests.test_bio_read_write_data; pyOpenSSL TestMemoryBIO
/// test_memory_connect.
#[test]
fn data_goes_both_ways_and_the_connection_ends() {
    for version in VERSIONS {
        let mut pair = Pair::connected(version);
        assert_eq!(
            pair.client.call(|tls| tls.write(b"FOO\n")).expect("room"),
            4
        );
        pair.carry();
        assert_eq!(
            pair.server.call(|tls| tls.read(1024)).expect("data"),
            b"FOO\n"
        );
        pair.server.call(|tls| tls.write(b"foo\n")).expect("room");
        pair.carry();
        let mut buf = [0; 3];
        assert_eq!(
            pair.client
                .call(|tls| tls.read_into(&mut buf))
                .expect("data"),
            3
        );
        assert_eq!((&buf, pair.client.tls.pending()), (b"foo", 1));
        assert_eq!(pair.client.call(|tls| tls.read(1024)).expect("data"), b"\n");
        assert_eq!(pair.client.tls.pending(), 0);
        assert_waits(pair.client.call(SslObject::unwrap));
        pair.carry();
        pair.server.call(SslObject::unwrap).expect("answered");
        pair.carry();
        pair.client.call(SslObject::unwrap).expect("answered");
    }
}

/// pyOpenSSL TestMemoryBIO test_outgoing_overflow: nothing overflows here.
#[test]
fn a_large_write_is_taken_as_a_whole() {
    for version in VERSIONS {
        let mut pair = Pair::connected(version);
        let data: Vec<u8> = (0..200_000u32).map(|i| ((i * 31) >> 3) as u8).collect();
        let n = pair.client.call(|tls| tls.write(&data)).expect("no bound");
        assert_eq!(n, data.len());
        assert!(pair.client.outgoing.pending() > data.len());
        pair.carry();
        let mut got = Vec::new();
        while got.len() < data.len() {
            let piece = pair.server.call(|tls| tls.read(50_000)).expect("there");
            assert!((1..=16 * 1024).contains(&piece.len()), "one record");
            got.extend(piece);
        }
        assert!(got == data, "data arrived damaged");
        assert_waits(pair.server.call(|tls| tls.read(1)));
    }
}

#[test]
fn reads_and_writes_of_nothing() {
    let (server, client) = contexts(Version::Tls13);
    let mut pair = Pair::new(&server, &client);
    // A read of nothing asks for nothing; a write of nothing makes the handshake.
    assert_eq!(pair.client.call(|tls| tls.read(0)).expect("nothing"), b"");
    assert_eq!(pair.client.outgoing.pending(), 0);
    assert_waits(pair.client.call(|tls| tls.write(b"")));
    assert!(pair.client.outgoing.pending() > 0);
    let mut pair = Pair::connected(Version::Tls13);
    assert_eq!(pair.client.call(|tls| tls.write(b"")).expect("done"), 0);
    assert_eq!(pair.client.call(|tls| tls.read(0)).expect("nothing"), b"");
    assert_eq!(pair.client.outgoing.pending(), 0);
    assert_waits(pair.client.call(|tls| tls.read(10)));
}

/// Byte by byte, OpenSSL finds exactly what a buffer of its own would give it.
#[test]
fn takes_what_it_needs_and_no_byte_more() {
    for version in VERSIONS {
        let mut pair = Pair::connected(version);
        assert_waits(pair.client.call(|tls| tls.read(1)));
        pair.server.call(|tls| tls.write(b"one")).expect("room");
        pair.server.call(|tls| tls.write(b"two")).expect("room");
        let sent = pair.server.outgoing.read(None);
        let (last, rest) = sent.split_last().expect("two records");
        for byte in rest {
            pair.client.incoming.write(&[*byte]).expect("open");
            match pair.client.call(|tls| tls.read(10)) {
                Ok(data) => assert_eq!(data, b"one"),
                Err(error) => assert_eq!(error.kind(), SslErrorKind::WantRead),
            }
            assert_eq!(pair.client.incoming.pending(), 0);
        }
        // What comes behind the record that is read stays where it is.
        pair.client.incoming.write(&[*last]).expect("open");
        pair.client.incoming.write(b"behind").expect("open");
        assert_eq!(pair.client.call(|tls| tls.read(10)).expect("whole"), b"two");
        assert_eq!(pair.client.incoming.pending(), 6);
    }
}

/// SSLErrorTests.test_bad_server_hostname
#[test]
fn a_name_that_cannot_be_checked_is_refused() {
    let context = ContextBuilder::client().build().expect("a context");
    for name in ["", ".example.org", "example.org\0evil.com"] {
        let error = context
            .wrap_bio(MemoryBio::new(), MemoryBio::new(), Role::Client, name)
            .expect_err("a bad name");
        assert_eq!(error.kind(), SslErrorKind::Value, "{name:?}");
        assert!(matches!(Error::from(error), Error::Config(_)));
    }
}

#[test]
fn a_context_serves_its_own_role_only() {
    let (server, client) = contexts(Version::Tls13);
    for (context, role) in [(&client, Role::Server), (&server, Role::Client)] {
        let error = context
            .wrap_bio(MemoryBio::new(), MemoryBio::new(), role, None)
            .expect_err("the other role");
        assert_eq!(error.kind(), SslErrorKind::Ssl);
    }
}

#[test]
fn a_refused_certificate_is_told_with_code_and_message_and_the_server_learns_it() {
    for version in VERSIONS {
        let (server, client) = contexts(version);
        let mut pair = Pair::new(&server, &client);
        pair.client = Side::new(&client, Some("other.example"));
        let [client, server] = pair.shake_hands();
        let error = client.expect_err("another name");
        assert_eq!(error.kind(), SslErrorKind::CertVerification);
        assert_eq!(error.kind().class(), "SSLCertVerificationError");
        assert_eq!(error.verify_code(), Some(62));
        assert_eq!(error.reason().as_deref(), Some("CERTIFICATE_VERIFY_FAILED"));
        assert_eq!(error.library(), Some("SSL"));
        assert_eq!(
            error.verify_message().expect("why"),
            "Hostname mismatch, certificate is not valid for 'other.example'."
        );
        assert!(error.to_string().contains("other.example"));
        let server = server.expect_err("an alert");
        assert_eq!(server.kind(), SslErrorKind::Ssl);
        let reason = server.reason().expect("an alert").into_owned();
        assert!(reason.ends_with("ALERT_BAD_CERTIFICATE"), "{reason}");
        assert_eq!(server.errno(), Some(1));
    }
}

#[test]
fn what_is_not_tls_is_refused_and_stays_unread() {
    let (server, _) = contexts(Version::Tls13);
    for (bytes, reason) in [
        (b"GET / HTTP/1.0\r\n\r\n".as_slice(), "HTTP_REQUEST"),
        (b"nothing like a hello!", "WRONG_VERSION_NUMBER"),
    ] {
        let mut side = Side::new(&server, None);
        side.incoming.write(bytes).expect("open");
        let error = side.fails(SslObject::do_handshake);
        assert_eq!(error.kind(), SslErrorKind::Ssl);
        assert_eq!(error.library(), Some("SSL"));
        // OpenSSL 3.4 and later tell the second apart more finely.
        let found = error.reason().expect("a reason").into_owned();
        assert!(found == reason || found.contains("PACKET"), "{found}");
        assert_eq!(side.incoming.pending(), bytes.len() - 5);
        assert_eq!(
            side.fails(SslObject::do_handshake).kind(),
            SslErrorKind::Eof
        );
        assert_eq!(side.fails(|tls| tls.read(1)).kind(), SslErrorKind::Eof);
    }
}

#[test]
fn waits_are_would_block_to_io() {
    let (_, client) = contexts(Version::Tls13);
    let mut side = Side::new(&client, Some(NAME));
    let error = io::Error::from(side.fails(SslObject::do_handshake));
    assert_eq!(error.kind(), io::ErrorKind::WouldBlock);
    let want = error.get_ref().and_then(|inner| inner.downcast_ref());
    assert_eq!(want, Some(&Want::Read));
}

#[test]
fn a_session_is_resumed() {
    for version in VERSIONS {
        let (server, client) = contexts(version);
        let mut first = Pair::new(&server, &client);
        first.connect();
        // A client of TLS 1.3 learns its session with the first read.
        assert_waits(first.client.call(|tls| tls.read(1)));
        let session = first.client.tls.session().expect("a session");
        let mut second = Pair::new(&server, &client);
        let error = second.server.fails(|tls| tls.set_session(&session));
        assert_eq!(error.kind(), SslErrorKind::Value);
        second
            .client
            .call(|tls| tls.set_session(&session))
            .expect("same name");
        second.connect();
        assert!(second.client.tls.session_reused());
        assert!(second.server.tls.session_reused(), "the server decides it");
        let error = second.client.fails(|tls| tls.set_session(&session));
        assert_eq!(error.kind(), SslErrorKind::Value);
        // A session belongs to the context that made it.
        let other = client_builder(version).build().expect("a context");
        let mut stranger = Side::new(&other, Some(NAME));
        let error = stranger.fails(|tls| tls.set_session(&session));
        assert_eq!(error.kind(), SslErrorKind::Value);
    }
}

#[test]
fn a_connection_moves_to_another_thread_with_its_buffers() {
    let Pair {
        mut client,
        mut server,
    } = Pair::connected(Version::Tls13);
    client.call(|tls| tls.write(b"from here")).expect("room");
    server
        .incoming
        .write(&client.outgoing.read(None))
        .expect("open");
    let read = std::thread::spawn(move || server.call(|tls| tls.read(100)));
    assert_eq!(read.join().expect("no panic").expect("data"), b"from here");
}

/// test_tls_unique_channel_binding and test_unknown_channel_binding of ThreadedTests.
#[test]
fn both_sides_find_the_same_binding_and_another_connection_another() {
    for version in VERSIONS {
        let mut pairs = [Pair::connected(version), Pair::connected(version)];
        let mut found = Vec::new();
        for pair in &mut pairs {
            let error = pair
                .client
                .fails(|tls| tls.get_channel_binding("tls-other"));
            assert_eq!(error.kind(), SslErrorKind::Value);
            for name in ["tls-unique", "tls-exporter", "tls-server-end-point"] {
                let ours = pair.client.call(|tls| tls.get_channel_binding(name));
                let theirs = pair.server.call(|tls| tls.get_channel_binding(name));
                if name == "tls-unique" && version == Version::Tls13 {
                    let error = ours.expect_err("not defined");
                    assert_eq!(error.kind(), SslErrorKind::Ssl);
                    continue;
                }
                let ours = ours.expect("defined").expect("established");
                assert_eq!(Some(&ours), theirs.expect("defined").as_ref());
                found.push((name, ours));
            }
        }
        let (first, second) = found.split_at(found.len() / 2);
        for (one, other) in first.iter().zip(second) {
            // Both servers have a certificate of their own.
            assert_ne!(one, other);
        }
    }
    let (_, client) = contexts(Version::Tls12);
    let mut early = Side::new(&client, Some(NAME));
    let nothing = early.call(|tls| tls.get_channel_binding("tls-unique"));
    assert_eq!(nothing.expect("too early is no error"), None);
}

/// ThreadedTests.test_shared_ciphers
#[test]
fn only_the_server_knows_the_shared_suites() {
    let suite = "ECDHE-ECDSA-CHACHA20-POLY1305";
    let (server, _) = contexts(Version::Tls12);
    let client = client_builder(Version::Tls12).ciphers12(suite);
    let mut pair = Pair::new(&server, &client.build().expect("a context"));
    assert!(pair.server.tls.shared_ciphers().is_none());
    pair.connect();
    let shared = pair.server.tls.shared_ciphers().expect("a server");
    assert_eq!(shared.len(), 1);
    assert_eq!(shared[0].name(), suite);
    assert!(pair.client.tls.shared_ciphers().is_none());
    assert_eq!(pair.client.tls.compression(), None);
}

#[test]
fn a_context_set_before_the_handshake_shows_its_certificate() {
    for version in VERSIONS {
        let (first, client) = contexts(version);
        let (second, _) = contexts(version);
        let shown = |server: &greenling_tls::Context, swap: bool| {
            let mut pair = Pair::new(server, &client);
            if swap {
                pair.server
                    .call(|tls| tls.set_context(&second))
                    .expect("a server's");
                let error = pair.server.fails(|tls| tls.set_context(&client));
                assert_eq!(error.kind(), SslErrorKind::Value);
            }
            pair.connect();
            let error = pair.server.fails(|tls| tls.set_context(&second));
            assert_eq!(error.kind(), SslErrorKind::Value);
            assert_eq!(pair.server.tls.context().role(), Role::Server);
            pair.client
                .tls
                .getpeercert_binary()
                .expect("done")
                .expect("shown")
        };
        assert_eq!(shown(&first, true), shown(&second, false));
        assert_ne!(shown(&first, false), shown(&second, false));
    }
}

/// TestPostHandshakeAuth, test_pha_required and the refusals.
#[test]
fn a_certificate_is_asked_for_after_the_handshake() {
    let server = |version| {
        let builder = server_builder(version).trust_pem(ca().root_pem().expect("PEM"));
        builder.build().expect("a context")
    };
    let client = |version| {
        let identity = ca().issue_client("alice").expect("a certificate");
        client_builder(version)
            .identity(identity)
            .build()
            .expect("a context")
    };
    for (version, offers, reason) in [
        (Version::Tls12, false, Some("WRONG_SSL_VERSION")),
        (Version::Tls13, false, Some("EXTENSION_NOT_RECEIVED")),
        (Version::Tls13, true, None),
    ] {
        let mut pair = Pair::new(&server(version), &client(version));
        if offers {
            pair.client
                .tls
                .with_engine(|engine| engine.offer_post_handshake_auth());
        }
        pair.connect();
        assert!(pair.server.tls.getpeercert().expect("done").is_none());
        let demand = |engine: &mut Engine| engine.set_client_auth(ClientAuth::Required);
        pair.server.tls.with_engine(demand).expect("a server");
        let asked = pair.server.call(SslObject::verify_client_post_handshake);
        if let Some(reason) = reason {
            assert_eq!(
                asked.expect_err("refused").reason().as_deref(),
                Some(reason)
            );
            continue;
        }
        asked.expect("offered");
        let error = pair.client.fails(SslObject::verify_client_post_handshake);
        assert_eq!(error.reason().as_deref(), Some("NOT_SERVER"));
        // The request goes out with data; the answer comes with the client's.
        pair.server
            .call(|tls| tls.write(b"who is it?"))
            .expect("room");
        pair.carry();
        assert_eq!(
            pair.client.call(|tls| tls.read(20)).expect("data"),
            b"who is it?"
        );
        pair.client.call(|tls| tls.write(b"me")).expect("room");
        pair.carry();
        assert_eq!(pair.server.call(|tls| tls.read(20)).expect("data"), b"me");
        let told = pair.server.tls.getpeercert().expect("done").expect("shown");
        assert_eq!(told.subject_alt_name, [AltName::Dns("alice".to_owned())]);
    }
}

#[test]
fn what_the_engine_has_to_send_is_sent() {
    let mut pair = Pair::connected(Version::Tls13);
    assert_waits(pair.client.call(|tls| tls.read(1)));
    let written = pair.client.tls.with_engine(|engine| {
        engine.key_update(true).expect("TLS 1.3");
        engine.write(b"new keys").expect("room")
    });
    assert_eq!(written, 8);
    pair.carry();
    assert_eq!(
        pair.server.call(|tls| tls.read(10)).expect("data"),
        b"new keys"
    );
    let derive = |engine: &mut Engine| engine.export_keying_material("EXPORTER-test", None, 16);
    let ours = pair.client.tls.with_engine(derive).expect("a secret");
    let theirs = pair.server.tls.with_engine(derive).expect("a secret");
    assert_eq!(ours.to_vec(), theirs.to_vec());
}
