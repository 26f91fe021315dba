//! A stream over a scripted transport: one byte at a time, blocked at random,
//! failing at awkward moments.
//!
//! Two test programs include this file. In `transports` a [`Blocking`] object is put
//! around the scripted transport, which does its own waits then.

use std::io::{self, ErrorKind, Read, Write};

use greenling_tls::{
    Blocking, Engine, Error, HandshakeError, Interest, Ready, RingSizes, TlsStream, Transport,
    Version, Want,
};

use crate::support::{NAME, Script, Scripted, VERSIONS, contexts, echo, pattern, rings};
use crate::under::{Under, under};

/// A client's stream whose peer is a server that follows `script`.
fn client_over(
    version: Version,
    size: usize,
    seed: u64,
    script: Script,
    adjust: impl FnOnce(&mut Scripted),
) -> TlsStream<Under> {
    let (server, client) = contexts(version);
    let peer = Engine::new(&server, None, rings(size)).expect("engine");
    let ours = Engine::new(&client, Some(NAME), rings(size)).expect("engine");
    let mut transport = Scripted::new(peer, seed, script);
    adjust(&mut transport);
    TlsStream::from_engine(ours, under(transport))
}

/// Sends `data` in pieces to an echoing peer and expects it back.
fn talk(mut stream: &TlsStream<Under>, data: &[u8]) {
    for piece in data.chunks(10_000) {
        stream.write_all(piece).expect("write");
        let mut back = vec![0; piece.len()];
        stream.read_exact(&mut back).expect("echo");
        assert!(back == piece, "data came back damaged");
    }
}

#[test]
fn one_byte_for_each_call() {
    for version in VERSIONS {
        for size in [17, 300, 17 * 1024] {
            let stream = client_over(version, size, 1, echo(), |transport| transport.chunk = 1);
            talk(&stream, &pattern(12_000));
            let (_, rest) = stream.unwrap().expect("the peer answers the goodbye");
            assert!(rest.is_empty());
        }
    }
}

#[test]
fn blocked_at_random_with_little_room() {
    for version in VERSIONS {
        for seed in 0..12 {
            let size = [17, 64, 1000, 4096][seed as usize % 4];
            let stream = client_over(version, size, seed, echo(), |transport| {
                transport.blocked_percent = 40;
                transport.chunk = 700;
                transport.capacity = 900;
            });
            talk(&stream, &pattern(30_000));
            stream.close().expect("orderly end");
        }
    }
}

#[test]
fn a_transport_that_suspends_gets_copies() {
    /// Claims that its calls may switch, so no part of a ring may be lent to it.
    struct Copied(Scripted);

    impl Transport for Copied {
        const MAY_SUSPEND: bool = true;

        fn try_recv(&self, buf: &mut [u8]) -> io::Result<usize> {
            self.0.try_recv(buf)
        }

        fn try_send(&self, data: &[u8]) -> io::Result<usize> {
            self.0.try_send(data)
        }

        fn wait(
            &self,
            interest: Interest,
            deadline: Option<std::time::Instant>,
        ) -> io::Result<Ready> {
            self.0.wait(interest, deadline)
        }

        fn shutdown(&self, how: std::net::Shutdown) -> io::Result<()> {
            self.0.shutdown(how)
        }
    }

    let (server, client) = contexts(Version::Tls13);
    for size in [17, 17 * 1024] {
        let peer = Engine::new(&server, None, rings(size)).expect("engine");
        let ours = Engine::new(&client, Some(NAME), rings(size)).expect("engine");
        let mut transport = Scripted::new(peer, 3, echo());
        transport.blocked_percent = 30;
        let mut stream = TlsStream::from_engine(ours, Copied(transport));
        let data = pattern(20_000);
        stream.write_all(&data).expect("write");
        let mut back = vec![0; data.len()];
        stream.read_exact(&mut back).expect("echo");
        assert!(back == data);
    }
}

#[test]
fn a_ticket_flush_that_fails_does_not_fail_the_handshake() {
    let (server, client) = contexts(Version::Tls13);
    let peer = Engine::new(&client, Some(NAME), RingSizes::default()).expect("engine");
    let mut said = false;
    // The client says its piece with the end of its handshake, and is gone.
    let script: Script = Box::new(move |engine| {
        if engine.handshake().is_ok() && !said {
            engine.write(b"fire and forget").expect("write");
            engine.shutdown().expect("goodbye");
            said = true;
        }
    });
    /// Sending fails as soon as the server's own flight is out.
    struct HalfDeaf(Scripted);

    impl Transport for HalfDeaf {
        const MAY_SUSPEND: bool = false;

        fn try_recv(&self, buf: &mut [u8]) -> io::Result<usize> {
            self.0.try_recv(buf)
        }

        fn try_send(&self, data: &[u8]) -> io::Result<usize> {
            let sent = self.0.try_send(data)?;
            self.0.send_fails.set(Some(libc_epipe()));
            Ok(sent)
        }

        fn wait(
            &self,
            interest: Interest,
            deadline: Option<std::time::Instant>,
        ) -> io::Result<Ready> {
            self.0.wait(interest, deadline)
        }

        fn shutdown(&self, how: std::net::Shutdown) -> io::Result<()> {
            self.0.shutdown(how)
        }
    }

    let mut stream = TlsStream::accept(&server, HalfDeaf(Scripted::new(peer, 1, script)))
        .expect("the handshake itself succeeded");
    let mut got = Vec::new();
    stream
        .read_to_end(&mut got)
        .expect("what the client sent arrives, and its goodbye");
    assert_eq!(got, b"fire and forget");
    let refused = stream.write_all(b"answer").expect_err("nobody listens");
    assert_eq!(refused.kind(), ErrorKind::BrokenPipe);
}

/// `EPIPE` on every Unix.
fn libc_epipe() -> i32 {
    32
}

#[test]
fn plain_http_gets_the_transport_back_for_a_plain_answer() {
    let (server, client) = contexts(Version::Tls13);
    let peer = Engine::new(&client, Some(NAME), RingSizes::default()).expect("engine");
    let transport = Scripted::new(peer, 1, Box::new(|_| {}));
    transport.inject(b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n");
    let failed = TlsStream::accept(&server, transport).expect_err("not TLS");
    let (error, transport) = HandshakeError::into_parts(failed);
    assert!(matches!(error, Error::PlainHttp));
    assert_eq!(transport.sent.get(), 0);
    assert_eq!(transport.shut.get(), None);
    transport
        .try_send(b"HTTP/1.1 400 Bad Request\r\n\r\n")
        .expect("still open");
}

#[test]
fn a_peer_that_leaves_before_it_says_anything_is_told_apart() {
    let (server, client) = contexts(Version::Tls13);
    let peer = Engine::new(&client, Some(NAME), RingSizes::default()).expect("engine");
    let transport = Scripted::new(peer, 1, Box::new(|_| {}));
    transport.peer_gone.set(true);
    let failed = TlsStream::accept(&server, transport).expect_err("nobody there");
    assert!(matches!(failed.error(), Error::ClosedBeforeHello));
}

#[test]
fn a_failed_handshake_sends_its_alert_and_half_closes() {
    let (server, _) = contexts(Version::Tls13);
    let (_, old_client) = contexts(Version::Tls12);
    let peer = Engine::new(&old_client, Some(NAME), RingSizes::default()).expect("engine");
    let mut greeted = false;
    let script: Script = Box::new(move |engine| {
        if !greeted {
            greeted = true;
            assert!(engine.handshake().is_err());
        }
    });
    let failed = TlsStream::accept(&server, Scripted::new(peer, 1, script)).expect_err("versions");
    assert!(matches!(failed.error(), Error::Ssl(_)), "{failed:?}");
    let transport = failed.into_transport();
    assert!(transport.sent.get() > 0, "the alert went out");
    assert_eq!(transport.shut.get(), Some(std::net::Shutdown::Write));
}

#[test]
fn a_cut_is_an_error_unless_the_protocol_marks_its_own_ends() {
    for lenient in [false, true] {
        let mut stream = client_over(Version::Tls13, 17 * 1024, 1, echo(), |_| {});
        stream.handshake().expect("handshake");
        if lenient {
            stream.ignore_truncation().expect("not in use");
        }
        stream.write_all(b"last words").expect("write");
        stream.get_ref().turn();
        stream.get_ref().peer_gone.set(true);
        let mut got = Vec::new();
        let end = stream.read_to_end(&mut got);
        assert_eq!(got, b"last words");
        match end {
            Ok(_) => assert!(lenient),
            Err(error) => {
                assert!(!lenient);
                assert_eq!(error.kind(), ErrorKind::UnexpectedEof);
                assert!(matches!(Error::from(error), Error::Truncated));
            }
        }
    }
}

#[test]
fn a_wait_that_fails_leaves_the_stream_as_it_was() {
    let mut stream = client_over(
        Version::Tls13,
        17 * 1024,
        1,
        Box::new(|engine| {
            let _ = engine.handshake();
        }),
        |_| {},
    );
    stream.handshake().expect("handshake");
    for _ in 0..3 {
        // The scripted peer says nothing, so the transport gives up the wait.
        let failed = stream.read(&mut [0; 4]).expect_err("nothing to read");
        assert_eq!(failed.kind(), ErrorKind::Other);
    }
    stream.write_all(b"still usable").expect("write");
    stream.close().expect("orderly end");
}

#[test]
fn a_torn_write_all_fails_later_writes_but_a_counted_write_does_not() {
    let small = |transport: &mut Scripted| transport.capacity = 3000;

    // The peer is deaf after the handshake: room runs out in the middle.
    let shaken = || {
        let stream = client_over(
            Version::Tls13,
            17 * 1024,
            1,
            Box::new(|engine| {
                let _ = engine.handshake();
            }),
            small,
        );
        stream.handshake().expect("handshake");
        stream.get_ref().set_script(Box::new(|_| {}));
        stream
    };
    let mut stream = shaken();
    let torn = stream.write_all(&pattern(100_000)).expect_err("no room");
    assert_eq!(torn.kind(), ErrorKind::Other);
    let refused = stream.write(b"x").expect_err("torn");
    assert_eq!(refused.kind(), ErrorKind::InvalidInput);
    assert!(
        stream.shutdown_write().is_err(),
        "a part must not look like the whole"
    );

    if Under::MAY_SUSPEND {
        // There a wait is a part of the write, and its failure the transport's.
        return;
    }
    let mut stream = shaken();
    let mut taken = 0;
    for _ in 0..2 {
        let late = loop {
            match stream.write(&pattern(10_000)) {
                Ok(n) => taken += n,
                Err(error) => break error,
            }
        };
        assert_eq!(late.kind(), ErrorKind::Other, "no room, and nothing worse");
    }
    // With the peer awake again, everything that was counted arrives.
    stream.get_ref().set_script(echo());
    let mut back = vec![0; taken];
    stream.read_exact(&mut back).expect("echo");
    assert!(
        back.chunks(10_000)
            .all(|piece| piece == &pattern(10_000)[..piece.len()])
    );
}

#[test]
fn a_nonblocking_stream_says_what_it_waits_for() {
    if Under::MAY_SUSPEND {
        return;
    }
    let mut stream = client_over(Version::Tls13, 17 * 1024, 1, echo(), |_| {});
    stream.set_nonblocking(true);
    let want = |error: Error| match error {
        Error::Io(error) if error.kind() == ErrorKind::WouldBlock => *error
            .get_ref()
            .and_then(|inner| inner.downcast_ref::<Want>())
            .expect("carries it"),
        other => panic!("{other}"),
    };
    while let Err(error) = stream.handshake() {
        assert_eq!(want(error), Want::Read);
        stream.get_ref().turn();
    }
    stream.write_all(b"hello").expect("there is room");
    let mut buf = [0; 5];
    let error = stream
        .read(&mut buf)
        .expect_err("the peer has not had a turn");
    assert_eq!(want(error.into()), Want::Read);
    stream.get_ref().turn();
    assert_eq!(stream.read(&mut buf).expect("echo"), 5);
    assert_eq!(stream.peek(&mut buf).map_err(want), Err(Want::Read));
}

#[test]
fn peek_leaves_the_data_and_counts_are_right() {
    let mut stream = client_over(Version::Tls13, 17 * 1024, 1, echo(), |_| {});
    stream.write_all(b"look twice").expect("write");
    let mut buf = [0; 4];
    assert_eq!(stream.peek(&mut buf).expect("peek"), 4);
    assert_eq!(stream.pending(), 10);
    assert!(stream.buffered() >= 10);
    let mut all = [0; 10];
    stream.read_exact(&mut all).expect("read");
    assert_eq!(&all, b"look twice");
    assert_eq!(stream.pending(), 0);
    assert_eq!(stream.version(), Some(Version::Tls13));
    assert!(stream.cipher().is_some_and(|cipher| cipher.bits() >= 128));
    assert!(stream.peer_certificate().is_some());
}

#[test]
fn unwrap_returns_what_follows_in_plain() {
    let mut stream = client_over(Version::Tls13, 17 * 1024, 1, echo(), |_| {});
    stream.write_all(b"the secret part").expect("write");
    let mut buf = [0; 15];
    stream.read_exact(&mut buf).expect("echo");
    // Unread data in front of the peer's goodbye must not break the end.
    stream.write_all(b"never read").expect("write");
    stream.shutdown_write().expect("goodbye");
    stream.get_ref().turn();
    stream.get_ref().inject(b"220 plain again\r\n");
    let (transport, rest) = stream.unwrap().expect("the peer has answered");
    let mut plain = rest;
    let mut more = [0; 64];
    while let Ok(n) = transport.try_recv(&mut more) {
        plain.extend_from_slice(&more[..n]);
    }
    assert_eq!(plain, b"220 plain again\r\n");
}

#[test]
fn dropping_sends_the_goodbye_only_when_it_is_true() {
    for (torn, version) in [
        (false, Version::Tls12),
        (false, Version::Tls13),
        (true, Version::Tls13),
    ] {
        let goodbye = std::rc::Rc::new(std::cell::Cell::new(false));
        let seen = goodbye.clone();
        let (server, client) = contexts(version);
        let peer = Engine::new(&server, None, RingSizes::default()).expect("engine");
        let script: Script = Box::new(move |engine| {
            let _ = engine.handshake();
            if engine.is_established() {
                while engine.read(&mut [0; 64]).is_ok() {}
                seen.set(engine.is_peer_closed());
            }
        });
        let transport = Scripted::new(peer, 1, script);
        let stream = TlsStream::connect(&client, NAME, &transport).expect("handshake");
        if torn {
            let panicked = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
                let _dropped_by_the_panic = stream;
                std::panic::resume_unwind(Box::new("cut off"));
            }));
            assert!(panicked.is_err());
        } else {
            drop(stream);
        }
        transport.turn();
        assert_eq!(goodbye.get(), !torn);
    }
}

#[test]
fn a_closed_stream_refuses_everything() {
    let mut stream = client_over(Version::Tls13, 17 * 1024, 1, echo(), |_| {});
    stream.handshake().expect("handshake");
    stream.abort();
    assert_eq!(stream.get_ref().shut.get(), Some(std::net::Shutdown::Both));
    assert_eq!(
        stream.read(&mut [0; 1]).expect_err("closed").kind(),
        ErrorKind::InvalidInput
    );
    assert_eq!(
        stream.write(b"x").expect_err("closed").kind(),
        ErrorKind::InvalidInput
    );
    stream.close().expect("nothing to do");
}

#[test]
fn a_name_that_is_no_name_is_reported_by_the_handshake() {
    let (_, client) = contexts(Version::Tls13);
    let (ours, _theirs) = std::os::unix::net::UnixStream::pair().expect("socket pair");
    let stream = TlsStream::start_connect(&client, "not a name", ours);
    assert!(stream.handshake().is_err());
    assert!((&stream).write(b"x").is_err());
}

#[test]
fn any_object_that_reads_and_writes_is_a_transport() {
    let (server, client) = contexts(Version::Tls13);
    let (ours, theirs) = std::os::unix::net::UnixStream::pair().expect("socket pair");
    let thread = std::thread::spawn(move || {
        let mut stream = TlsStream::accept(&server, Blocking::full_duplex(theirs)).expect("accept");
        let mut all = Vec::new();
        stream.read_to_end(&mut all).expect("read");
        stream.write_all(&all).expect("write");
        stream.close().expect("close");
    });
    let mut stream = TlsStream::connect(&client, NAME, Blocking::new(ours)).expect("connect");
    stream.write_all(b"through an object").expect("write");
    stream.shutdown_write().expect("goodbye");
    let mut back = Vec::new();
    stream.read_to_end(&mut back).expect("read");
    assert_eq!(back, b"through an object");
    drop(stream);
    thread.join().expect("no panic");
}

#[test]
fn tls_in_tls() {
    let (server, client) = contexts(Version::Tls13);
    let (ours, theirs) = std::os::unix::net::UnixStream::pair().expect("socket pair");
    let server_side = server.clone();
    let thread = std::thread::spawn(move || {
        let outer = TlsStream::accept(&server_side, theirs).expect("outer");
        let mut inner =
            TlsStream::accept(&server_side, Blocking::full_duplex(outer)).expect("inner");
        let mut all = Vec::new();
        inner.read_to_end(&mut all).expect("read");
        inner.write_all(&all).expect("write");
        inner.close().expect("close");
    });
    let outer = TlsStream::connect(&client, NAME, ours).expect("outer");
    let mut inner = TlsStream::connect(&client, NAME, Blocking::full_duplex(outer)).expect("inner");
    inner.write_all(&pattern(50_000)).expect("write");
    inner.shutdown_write().expect("goodbye");
    let mut back = Vec::new();
    inner.read_to_end(&mut back).expect("read");
    assert!(back == pattern(50_000));
    drop(inner);
    thread.join().expect("no panic");
}
