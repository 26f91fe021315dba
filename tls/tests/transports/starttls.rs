//! From plain text to TLS: what was sent ahead is refused, what is no TLS fails.

use std::io::{BufRead, BufReader, ErrorKind, Read, Write};
use std::net::Shutdown;
use std::os::unix::net::UnixStream;
use std::thread;
use std::time::Duration;

use greenling_tls::transport::{Blocking, Plain};
use greenling_tls::{Error, TlsStream, Version};

use crate::kinds::trusting;
use crate::plain;
use crate::support::{NAME, VERSIONS};

/// Runs `peer` at the other end of a socket pair, on a thread of its own.
fn against<R: Send + 'static>(
    peer: impl FnOnce(UnixStream) -> R + Send + 'static,
) -> (UnixStream, thread::JoinHandle<R>) {
    let (ours, theirs) = UnixStream::pair().expect("socket pair");
    (ours, thread::spawn(move || peer(theirs)))
}

fn read_line(plain: &mut impl BufRead) -> String {
    let mut line = String::new();
    plain.read_line(&mut line).expect("a line");
    line
}

#[test]
fn an_upgrade_by_a_buffered_reader() {
    for version in VERSIONS {
        let (ours, client) = against(move |socket| {
            let mut plain = BufReader::new(socket);
            plain.get_mut().write_all(b"STARTTLS\r\n").expect("write");
            assert_eq!(read_line(&mut plain), "220 go ahead\r\n");
            let client = trusting(version).1;
            let mut stream = TlsStream::upgrade_connect(client, NAME, plain).expect("upgrade");
            stream.write_all(b"MAIL FROM\r\n").expect("write");
            // Back to plain text, and again when the server agrees.
            let (socket, rest) = stream.unwrap().expect("both say goodbye");
            assert_eq!(plain::receive_rest(&socket, rest, 5), b"again");
            let mut stream = TlsStream::upgrade_connect(client, NAME, (socket, Vec::new()))
                .expect("nothing is left of the plain text");
            stream.write_all(b"once more\r\n").expect("write");
            stream.shutdown_write().expect("goodbye");
            assert_eq!(stream.read(&mut [0]).expect("the server's"), 0);
        });
        let mut plain = BufReader::new(ours);
        assert_eq!(read_line(&mut plain), "STARTTLS\r\n");
        plain
            .get_mut()
            .write_all(b"220 go ahead\r\n")
            .expect("write");
        let server = trusting(version).0;
        let stream = TlsStream::upgrade_accept(server, plain).expect("upgrade");
        let mut secure = BufReader::new(stream);
        assert_eq!(read_line(&mut secure), "MAIL FROM\r\n");
        let (mut socket, rest) = secure.into_inner().unwrap().expect("both say goodbye");
        socket.write_all(b"again").expect("write");
        let stream = TlsStream::upgrade_accept(server, (socket, rest)).expect("again");
        let mut secure = BufReader::new(stream);
        assert_eq!(read_line(&mut secure), "once more\r\n");
        secure.into_inner().close().expect("close");
        client.join().expect("no panic");
    }
}

#[test]
fn a_command_sent_ahead_in_plain_is_not_obeyed() {
    let (ours, client) = against(|socket| {
        // In one packet, as somebody in between would put it there.
        (&socket)
            .write_all(b"STARTTLS\r\nRCPT TO:<attacker>\r\n")
            .expect("write");
        let mut plain = BufReader::new(socket);
        assert_eq!(read_line(&mut plain), "220 go ahead\r\n");
        let failed = TlsStream::upgrade_connect(trusting(Version::Tls13).1, NAME, plain);
        assert!(failed.is_err(), "the server refuses");
    });
    let mut plain = BufReader::new(ours);
    assert_eq!(read_line(&mut plain), "STARTTLS\r\n");
    plain
        .get_mut()
        .write_all(b"220 go ahead\r\n")
        .expect("write");
    let refused = TlsStream::upgrade_accept(trusting(Version::Tls13).0, plain)
        .expect_err("somebody spoke ahead");
    let (error, socket) = refused.into_parts();
    assert!(matches!(error, Error::Injected(20)), "{error:?}");
    assert_eq!(std::io::Error::from(error).kind(), ErrorKind::InvalidData);
    drop(socket);
    client.join().expect("no panic");
}

#[test]
fn an_answer_sent_ahead_in_plain_is_not_believed() {
    let (ours, server) = against(|socket| {
        let mut plain = BufReader::new(socket);
        assert_eq!(read_line(&mut plain), "STARTTLS\r\n");
        let answer = b"220 go ahead\r\n250 you are logged in\r\n";
        plain.get_mut().write_all(answer).expect("write");
        // No ClientHello comes.
        assert_eq!(plain.read(&mut [0]).expect("the end"), 0);
    });
    let mut plain = BufReader::new(ours);
    plain.get_mut().write_all(b"STARTTLS\r\n").expect("write");
    assert_eq!(read_line(&mut plain), "220 go ahead\r\n");
    let refused = TlsStream::upgrade_connect(trusting(Version::Tls13).1, NAME, plain)
        .expect_err("somebody spoke ahead");
    assert!(
        matches!(refused.error(), Error::Injected(23)),
        "{refused:?}"
    );
    drop(refused);
    server.join().expect("no panic");
}

#[test]
fn what_is_sent_ahead_and_was_not_read_yet_fails_the_handshake() {
    let (ours, mut theirs) = UnixStream::pair().expect("socket pair");
    theirs.write_all(b"RCPT TO:<attacker>\r\n").expect("write");
    let failed =
        TlsStream::upgrade_accept(trusting(Version::Tls13).0, Plain::new(ours, Vec::new()))
            .expect_err("no ClientHello");
    assert!(matches!(failed.error(), Error::Ssl(_)), "{failed:?}");
}

/// Bytes sent before any handshake, and the end (CPython's TestPreHandshakeClose).
#[test]
fn nothing_that_came_without_a_handshake_is_ever_read() {
    const ORDER: &[u8] = b"DELETE /data HTTP/1.0\r\n\r\n";
    const ANSWER: &[u8] = b"HTTP/1.0 200 OK\r\nContent-Length: 4\r\n\r\nlies";
    for half_closed in [false, true] {
        for (words, is_server) in [
            (ORDER, true),
            (ANSWER, false),
            (b"\x17\x03\x03\0\x01x", true),
        ] {
            let (ours, mut theirs) = UnixStream::pair().expect("socket pair");
            theirs.write_all(words).expect("write");
            let kept = if half_closed {
                theirs.shutdown(Shutdown::Write).expect("shutdown");
                Some(theirs)
            } else {
                drop(theirs);
                None
            };
            let (server, client) = trusting(Version::Tls13);
            let mut stream = if is_server {
                TlsStream::start_accept(server, ours)
            } else {
                TlsStream::start_connect(client, NAME, ours)
            };
            let mut got = Vec::new();
            stream
                .read_to_end(&mut got)
                .expect_err("no handshake, no data");
            assert!(got.is_empty());
            assert!(!stream.is_established());
            // It stays that way.
            assert!(stream.read(&mut [0; 8]).is_err());
            assert!(stream.write(b"answer").is_err());
            drop(kept);
        }
    }
}

/// The peer agrees to TLS, and then speaks something else or nothing at all.
#[test]
fn a_peer_that_agrees_and_speaks_nonsense_is_given_up() {
    let hasty = crate::support::server_builder(Version::Tls13)
        .handshake_timeout(Duration::from_millis(30))
        .build()
        .expect("context");
    let nonsense: [&[u8]; 4] = [
        b"",
        b"\x16\x03\x01\x00\x04\x01\x00\x00\x00",
        b"\x16\x03\x01\xff\xff\x01",
        b"\x15\x03\x01\x00\x02\x02\x28",
    ];
    for words in nonsense {
        let (ours, mut theirs) = UnixStream::pair().expect("socket pair");
        theirs.write_all(words).expect("write");
        if !words.is_empty() {
            theirs.shutdown(Shutdown::Write).expect("shutdown");
        }
        let failed =
            TlsStream::upgrade_accept(&hasty, Plain::new(ours, [])).expect_err("no client");
        let expected = match failed.error() {
            Error::TimedOut => words.is_empty(),
            Error::Peer(alert) => alert.code() == 0x28,
            Error::Ssl(_) => !words.is_empty(),
            _ => false,
        };
        assert!(expected, "{failed:?}");
        // Where it is the peer's fault, it is told so; then the end.
        drop(failed);
        let mut told = Vec::new();
        let _ = theirs.read_to_end(&mut told);
        assert!(
            told.is_empty() || told[0] == 0x15,
            "an alert and nothing else"
        );
    }
}

/// An object of two buffers is a reader too.
#[test]
fn an_upgrade_over_any_object() {
    let (ours, client) = against(|socket| {
        let (_, client) = trusting(Version::Tls13);
        let plain = Plain::new(Blocking::new(socket), []);
        let mut stream = TlsStream::upgrade_connect(client, NAME, plain).expect("upgrade");
        stream.write_all(b"through an object").expect("write");
        stream.close().expect("close");
    });
    let plain = Plain::new(Blocking::new(ours), []);
    assert!(plain.unread().is_empty());
    let (server, _) = trusting(Version::Tls13);
    let mut stream = TlsStream::upgrade_accept(server, plain).expect("upgrade");
    let mut all = String::new();
    stream.read_to_string(&mut all).expect("orderly end");
    assert_eq!(all, "through an object");
    client.join().expect("no panic");
}
