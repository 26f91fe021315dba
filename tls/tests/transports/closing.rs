//! The ends of a connection, as the other side sees them.

use std::io::{ErrorKind, Read, Write};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::os::unix::net::UnixStream;
use std::thread;
use std::time::Duration;

use greenling_tls::{Error, TlsStream, Transport, Version, Want};

use crate::kinds::trusting;
use crate::support::{NAME, VERSIONS, pattern};

const SHORT: Option<Duration> = Some(Duration::from_millis(20));

/// A server's stream on this thread and a client's program on another.
fn serve(
    version: Version,
    client: impl FnOnce(TlsStream<UnixStream>) + Send + 'static,
) -> (TlsStream<UnixStream>, thread::JoinHandle<()>) {
    let (ours, theirs) = UnixStream::pair().expect("socket pair");
    let thread = thread::spawn(move || {
        let connected = TlsStream::connect(trusting(version).1, NAME, theirs);
        client(connected.expect("the client's handshake"));
    });
    let stream = TlsStream::accept(trusting(version).0, ours).expect("handshake");
    (stream, thread)
}

#[test]
fn an_unwrap_is_given_up_when_the_peer_does_not_answer() {
    for version in VERSIONS {
        let (stream, client) = serve(version, |mut stream| {
            let mut all = Vec::new();
            stream.read_to_end(&mut all).expect("the server's goodbye");
            // Not answered: the server goes away, with or without a word.
            let mut raw = stream.into_transport();
            let _ = raw.read(&mut [0; 64]);
        });
        stream.set_close_timeout(SHORT);
        let late = stream.unwrap().expect_err("no goodbye from the client");
        assert!(matches!(late, Error::TimedOut), "{late}");
        client.join().expect("no panic");
    }
}

#[test]
fn an_unwrap_fails_when_the_peer_just_goes() {
    for version in VERSIONS {
        let (stream, client) = serve(version, |stream| drop(stream.into_transport()));
        client.join().expect("no panic");
        let cut = stream.unwrap().expect_err("no goodbye from the client");
        assert!(matches!(cut, Error::Truncated | Error::Io(_)), "{cut}");
    }
}

#[test]
fn a_peer_that_has_said_goodbye_need_not_hear_ours() {
    for version in VERSIONS {
        let (mut stream, client) = serve(version, |mut stream| {
            stream.read_exact(&mut [0]).expect("the server is ready");
        });
        stream.write_all(b"!").expect("write");
        client.join().expect("no panic");
        assert_eq!(stream.read(&mut [0]).expect("its goodbye"), 0);
        stream.close().expect("nothing was left to say");

        // But what was written to it is lost, and that is told.
        let (mut stream, client) = serve(version, |mut stream| {
            stream.read_exact(&mut [0]).expect("the server is ready");
        });
        stream.write_all(b"!").expect("write");
        client.join().expect("no panic");
        (&stream).write_all(b"are you there?").expect_err("no");
        stream.close().expect_err("lost");
    }
}

#[test]
fn what_was_written_goes_out_before_the_goodbye() {
    for version in VERSIONS {
        let (mut stream, client) = serve(version, |mut stream| {
            let mut all = Vec::new();
            stream.read_to_end(&mut all).expect("orderly end");
            assert!(all == pattern(3_000_000));
        });
        stream.write_all(&pattern(3_000_000)).expect("write");
        // The client is behind; this waits for it.
        stream.close().expect("close");
        client.join().expect("no panic");
    }
}

#[test]
fn reading_nothing_takes_no_time_and_no_data() {
    let (mut stream, client) = serve(Version::Tls13, |mut stream| {
        assert_eq!(stream.read(&mut []).expect("no wait"), 0);
        stream.write_all(b"data").expect("write");
        assert_eq!(stream.write(b"").expect("nothing to do"), 0);
        stream.shutdown_write().expect("goodbye");
        assert_eq!(stream.read(&mut [0]).expect("the server's goodbye"), 0);
    });
    // Nothing may be there yet, something may, and the end.
    assert_eq!(stream.read(&mut []).expect("no wait"), 0);
    let mut data = [0; 4];
    stream.read_exact(&mut data).expect("read");
    assert_eq!(stream.read(&mut []).expect("no wait"), 0);
    assert_eq!(stream.read(&mut [0; 4]).expect("end"), 0);
    assert_eq!(stream.read(&mut []).expect("no wait"), 0);
    stream.close().expect("close");
    client.join().expect("no panic");
}

#[test]
fn the_peers_unread_words_do_not_spoil_our_goodbye() {
    for version in VERSIONS {
        let (stream, client) = serve(version, |mut stream| {
            stream.write_all(&pattern(60_000)).expect("write");
            let mut all = Vec::new();
            stream.read_to_end(&mut all).expect("the server's goodbye");
            stream
                .write_all(b"trailing data")
                .expect("our direction is open");
            stream.shutdown_write().expect("goodbye");
        });
        // Sent with all of it unread; a second SSL_shutdown would fail for good.
        stream.shutdown_write().expect("goodbye");
        let mut all = Vec::new();
        (&stream).read_to_end(&mut all).expect("reading goes on");
        assert!(all.starts_with(&pattern(60_000)) && all.ends_with(b"trailing data"));
        let (_, rest) = stream.unwrap().expect("both have said it");
        assert!(rest.is_empty());
        client.join().expect("no panic");
    }
}

fn tcp() -> (TcpStream, TcpStream) {
    let listener = TcpListener::bind("127.0.0.1:0").expect("bind");
    let client = TcpStream::connect(listener.local_addr().expect("address")).expect("connect");
    (listener.accept().expect("accept").0, client)
}

/// A socket that is closed with unread data in it sends a reset, which takes away
/// from the peer what it has not read yet.
#[test]
fn last_words_are_not_lost_by_a_reset() {
    let (ours, mut theirs) = tcp();
    // No handshake, and more that nobody will read.
    theirs
        .write_all(b"\x16\x03\x01\x00\x04nope")
        .expect("write");
    theirs.write_all(&pattern(200_000)).expect("write");
    let client = thread::spawn(move || {
        // Ends when the server has said why.
        let mut told = [0; 7];
        theirs.read_exact(&mut told).expect("the alert arrives");
        assert_eq!((told[0], told[5]), (0x15, 2), "a fatal alert: {told:?}");
        assert_eq!(theirs.read(&mut [0]).expect("no reset"), 0);
    });
    let failed = TlsStream::accept(trusting(Version::Tls13).0, ours).expect_err("no handshake");
    drop(failed);
    client.join().expect("no panic");

    let (ours, theirs) = tcp();
    let client = thread::spawn(move || {
        let mut stream =
            TlsStream::connect(trusting(Version::Tls13).1, NAME, theirs).expect("handshake");
        stream
            .write_all(&pattern(100_000))
            .expect("nobody reads it");
        let mut all = Vec::new();
        stream
            .read_to_end(&mut all)
            .expect("no reset, and a goodbye");
        assert_eq!(all, b"enough");
        stream.close().expect("close");
    });
    let mut stream = TlsStream::accept(trusting(Version::Tls13).0, ours).expect("handshake");
    stream.write_all(b"enough").expect("write");
    stream.close().expect("close");
    drop(stream);
    client.join().expect("no panic");
}

#[test]
fn a_nonblocking_close_is_repeated_until_it_is_done() {
    let (stream, client) = serve(Version::Tls12, |mut stream| {
        let mut got = Vec::new();
        stream.read_to_end(&mut got).expect("orderly end, in time");
        assert!(
            got.chunks(100_000)
                .all(|piece| pattern(100_000).starts_with(piece))
        );
    });
    stream.set_nonblocking(true);
    let want = |error: &Error| match error {
        Error::Io(error) if error.kind() == ErrorKind::WouldBlock => error
            .get_ref()
            .and_then(|inner| inner.downcast_ref::<Want>())
            .copied(),
        _ => None,
    };
    let data = pattern(100_000);
    let mut taken = 0;
    let full = loop {
        match (&stream).write(&data[taken..]) {
            Ok(n) => taken = (taken + n) % data.len(),
            Err(error) => break Error::from(error),
        }
    };
    assert_eq!(want(&full), Some(Want::Write));
    loop {
        match stream.close() {
            Ok(()) => break,
            Err(error) => {
                assert_eq!(want(&error), Some(Want::Write), "{error}");
                let room = greenling_tls::Interest::WRITE;
                stream.get_ref().wait(room, None).expect("room");
            }
        }
    }
    stream.close().expect("once is enough");
    client.join().expect("no panic");
}

#[test]
fn an_aborted_connection_looks_cut_and_a_transport_given_back_does_not_end() {
    let (stream, client) = serve(Version::Tls13, |mut stream| {
        let cut = stream.read(&mut [0; 9]).expect_err("no goodbye");
        assert_eq!(cut.kind(), ErrorKind::UnexpectedEof);
    });
    stream.abort();
    assert!((&stream).write(b"x").is_err());
    client.join().expect("no panic");

    let (stream, client) = serve(Version::Tls13, |stream| {
        let mut raw = stream.into_transport();
        raw.shutdown(Shutdown::Write).expect("shutdown");
        let mut all = Vec::new();
        raw.read_to_end(&mut all).expect("read");
        assert!(all.ends_with(b"in plain"));
    });
    let mut raw = stream.into_transport();
    raw.write_all(b"in plain").expect("write");
    drop(raw);
    client.join().expect("no panic");
}
