//! How connections end, by either side's will or by neither's.

use greenling_tls::{Error, SslErrorKind, SslObject};

use crate::support::{Pair, Side, VERSIONS, assert_waits, contexts};

/// SSLObjectTests.test_unwrap
#[test]
fn unwrap_sends_the_goodbye_once_and_waits_for_the_peers() {
    for version in VERSIONS {
        let mut pair = Pair::connected(version);
        assert_waits(pair.client.call(SslObject::unwrap));
        let sent = pair.client.outgoing.pending();
        assert!(sent > 0);
        assert_waits(pair.client.call(SslObject::unwrap));
        assert_eq!(pair.client.outgoing.pending(), sent);
        pair.carry();
        // The other side finds the goodbye that is there already.
        pair.server.call(SslObject::unwrap).expect("said");
        pair.carry();
        pair.client.call(SslObject::unwrap).expect("said");
        pair.client.call(SslObject::unwrap).expect("still said");
    }
}

#[test]
fn after_the_peers_goodbye_reads_find_nothing_and_writes_work() {
    for version in VERSIONS {
        let mut pair = Pair::connected(version);
        assert_waits(pair.client.call(SslObject::unwrap));
        pair.carry();
        for _ in 0..2 {
            assert_eq!(pair.server.call(|tls| tls.read(10)).expect("an end"), b"");
        }
        assert_eq!(
            pair.server
                .call(|tls| tls.write(b"late"))
                .expect("half open"),
            4
        );
        pair.carry();
        // The one that said goodbye goes on reading.
        assert_eq!(pair.client.call(|tls| tls.read(10)).expect("data"), b"late");
        pair.server
            .call(SslObject::unwrap)
            .expect("both have said it");
        pair.carry();
        // With both goodbyes said Python raises where a half-open end reads nothing.
        for side in [&mut pair.client, &mut pair.server] {
            let error = side.fails(|tls| tls.read(10));
            assert_eq!(error.kind(), SslErrorKind::ZeroReturn);
            assert_eq!(error.errno(), Some(6));
            assert_eq!(side.call(|tls| tls.read(0)).expect("nothing"), b"");
        }
    }
}

#[test]
fn after_our_own_goodbye_nothing_is_written() {
    for version in VERSIONS {
        let mut pair = Pair::connected(version);
        assert_waits(pair.client.call(SslObject::unwrap));
        let sent = pair.client.outgoing.pending();
        for data in [b"x".as_slice(), b""] {
            let error = pair.client.fails(|tls| tls.write(data));
            assert_eq!(error.kind(), SslErrorKind::Ssl);
            assert_eq!(error.reason().as_deref(), Some("PROTOCOL_IS_SHUTDOWN"));
        }
        assert_eq!(pair.client.outgoing.pending(), sent);
    }
}

/// SimpleBackgroundTests.test_transport_eof; pyOpenSSL TestMemoryBIO test_shutdown
/// and test_unexpected_EOF.
#[test]
fn an_end_without_goodbye_is_an_error_and_kills_the_connection() {
    for version in VERSIONS {
        let mut pair = Pair::connected(version);
        pair.client.incoming.write_eof();
        let error = pair.client.fails(|tls| tls.read(10));
        assert_eq!(error.kind(), SslErrorKind::Eof);
        assert_eq!(error.errno(), Some(8));
        assert!(matches!(error.error(), Some(Error::Truncated)));
        assert_eq!(
            pair.client.fails(|tls| tls.read(10)).kind(),
            SslErrorKind::Eof
        );
        assert_eq!(
            pair.client.fails(|tls| tls.write(b"x")).kind(),
            SslErrorKind::Eof
        );
        let error = pair.client.fails(SslObject::unwrap);
        assert_eq!(error.reason().as_deref(), Some("SHUTDOWN_WHILE_IN_INIT"));
        // The peer learns that something is wrong.
        pair.carry_up();
        assert_eq!(
            pair.server.fails(|tls| tls.read(10)).kind(),
            SslErrorKind::Ssl
        );
    }
}

#[test]
fn an_end_is_met_by_the_one_who_looks_for_it() {
    for version in VERSIONS {
        let mut pair = Pair::connected(version);
        pair.client.incoming.write_eof();
        // A write does not look.
        assert_eq!(pair.client.call(|tls| tls.write(b"x")).expect("room"), 1);
        assert_eq!(
            pair.client.fails(SslObject::unwrap).kind(),
            SslErrorKind::Eof
        );
        assert_eq!(
            pair.client.fails(|tls| tls.read(1)).kind(),
            SslErrorKind::Eof
        );
    }
}

#[test]
fn data_before_the_end_is_read_first() {
    for version in VERSIONS {
        let mut pair = Pair::connected(version);
        pair.server.call(|tls| tls.write(b"all")).expect("room");
        pair.carry();
        pair.client.incoming.write_eof();
        assert_eq!(pair.client.call(|tls| tls.read(10)).expect("data"), b"all");
        assert_eq!(
            pair.client.fails(|tls| tls.read(10)).kind(),
            SslErrorKind::Eof
        );
    }
}

#[test]
fn an_end_in_the_handshake_is_an_error() {
    for version in VERSIONS {
        let (server, client) = contexts(version);
        let mut pair = Pair::new(&server, &client);
        assert_waits(pair.client.call(SslObject::do_handshake));
        pair.carry();
        assert_waits(pair.server.call(SslObject::do_handshake));
        let error = pair.server.fails(SslObject::unwrap);
        assert_eq!(error.reason().as_deref(), Some("SHUTDOWN_WHILE_IN_INIT"));
        pair.server.incoming.write_eof();
        assert_eq!(
            pair.server.fails(SslObject::do_handshake).kind(),
            SslErrorKind::Eof
        );
        let mut scanned = Side::new(&server, None);
        scanned.incoming.write_eof();
        let error = scanned.fails(SslObject::do_handshake);
        assert_eq!(error.kind(), SslErrorKind::Eof);
        assert!(matches!(Error::from(error), Error::ClosedBeforeHello));
    }
}

#[test]
fn unwrap_before_unread_data_kills_the_connection() {
    for version in VERSIONS {
        let mut pair = Pair::connected(version);
        pair.server.call(|tls| tls.write(b"unread")).expect("room");
        pair.carry();
        let error = pair.client.fails(SslObject::unwrap);
        assert_eq!(error.kind(), SslErrorKind::Ssl);
        assert_eq!(
            error.reason().as_deref(),
            Some("APPLICATION_DATA_AFTER_CLOSE_NOTIFY")
        );
        assert_eq!(
            pair.client.fails(|tls| tls.read(10)).kind(),
            SslErrorKind::Eof
        );
        let error = pair.client.fails(|tls| tls.write(b"x"));
        assert_eq!(error.reason().as_deref(), Some("PROTOCOL_IS_SHUTDOWN"));
        let error = pair.client.fails(SslObject::unwrap);
        assert_eq!(error.reason().as_deref(), Some("SHUTDOWN_WHILE_IN_INIT"));
        // The goodbye had gone out before.
        pair.carry();
        assert_eq!(pair.server.call(|tls| tls.read(10)).expect("an end"), b"");
    }
}

#[test]
fn what_follows_the_goodbye_stays_in_the_buffer() {
    for version in VERSIONS {
        let mut pair = Pair::connected(version);
        assert_waits(pair.client.call(SslObject::unwrap));
        pair.carry();
        pair.server.incoming.write(b"QUIT\r\n").expect("open");
        pair.server.call(SslObject::unwrap).expect("said");
        assert_eq!(pair.server.incoming.read(None), b"QUIT\r\n");
    }
}

#[test]
fn a_goodbye_and_the_end_together_are_an_orderly_end() {
    for version in VERSIONS {
        let mut pair = Pair::connected(version);
        assert_waits(pair.client.call(SslObject::unwrap));
        pair.carry();
        pair.server.incoming.write_eof();
        assert_eq!(pair.server.call(|tls| tls.read(10)).expect("an end"), b"");
        pair.server
            .call(SslObject::unwrap)
            .expect("both have said it");
        assert!(pair.server.incoming.eof());
    }
}
