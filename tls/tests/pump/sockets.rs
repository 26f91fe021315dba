//! Streams over plain sockets and OS threads.

use std::io::{ErrorKind, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::os::unix::net::UnixStream;
use std::thread;
use std::time::Duration;

use greenling_tls::{Error, TlsStream, Version};

use crate::support::{NAME, VERSIONS, client_builder, contexts, pattern, server_builder};

#[test]
fn bulk_data_over_tcp() {
    for version in VERSIONS {
        let (server, client) = contexts(version);
        let listener = TcpListener::bind("127.0.0.1:0").expect("bind");
        let address = listener.local_addr().expect("address");
        let data = pattern(3_000_000);
        let expected = data.clone();
        let thread = thread::spawn(move || {
            let (tcp, _) = listener.accept().expect("accept");
            let mut stream = TlsStream::accept(&server, tcp).expect("handshake");
            let mut got = vec![0; expected.len()];
            stream.read_exact(&mut got).expect("read");
            assert!(got == expected);
            stream.write_all(&got).expect("write");
            stream.close().expect("close");
        });
        let tcp = TcpStream::connect(address).expect("connect");
        let mut stream = TlsStream::connect(&client, NAME, tcp).expect("handshake");
        stream.write_all(&data).expect("write");
        let mut back = Vec::new();
        stream.read_to_end(&mut back).expect("read");
        assert!(back == data);
        stream.close().expect("close");
        thread.join().expect("no panic");
    }
}

#[test]
fn a_client_that_never_finishes_its_handshake_is_given_up() {
    let server = server_builder(Version::Tls13)
        .handshake_timeout(Duration::from_millis(50))
        .build()
        .expect("context");
    // Nothing at all, and a record that never ends.
    for beginning in [&b""[..], &b"\x16\x03\x01\x02\x00\x01"[..]] {
        let (ours, mut theirs) = UnixStream::pair().expect("socket pair");
        theirs.write_all(beginning).expect("write");
        let failed = TlsStream::accept(&server, ours).expect_err("the client never finishes");
        assert!(matches!(failed.error(), Error::TimedOut));
    }
}

#[test]
fn a_server_that_never_answers_is_given_up() {
    let client = client_builder(Version::Tls13)
        .handshake_timeout(Duration::from_millis(50))
        .build()
        .expect("context");
    let (ours, _theirs) = UnixStream::pair().expect("socket pair");
    let failed = TlsStream::connect(&client, NAME, ours).expect_err("nobody answers");
    assert!(matches!(failed.error(), Error::TimedOut));
}

#[test]
fn a_read_that_timed_out_can_be_repeated() {
    let (server, client) = contexts(Version::Tls13);
    let (ours, theirs) = UnixStream::pair().expect("socket pair");
    let (go, wait) = std::sync::mpsc::channel::<()>();
    let thread = thread::spawn(move || {
        let mut stream = TlsStream::accept(&server, theirs).expect("handshake");
        wait.recv().expect("the client is ready");
        stream.write_all(b"at last").expect("write");
        stream.close().expect("close");
    });
    let mut stream = TlsStream::connect(&client, NAME, ours).expect("handshake");
    stream.set_read_timeout(Some(Duration::from_millis(20)));
    let late = stream.read(&mut [0; 1]).expect_err("nothing yet");
    assert_eq!(late.kind(), ErrorKind::TimedOut);
    go.send(()).expect("the server waits");
    stream.set_read_timeout(None);
    let mut got = Vec::new();
    stream.read_to_end(&mut got).expect("read");
    assert_eq!(got, b"at last");
    thread.join().expect("no panic");
}

#[test]
fn a_write_that_timed_out_leaves_whole_records() {
    let (server, client) = contexts(Version::Tls13);
    let (ours, theirs) = UnixStream::pair().expect("socket pair");
    let (go, wait) = std::sync::mpsc::channel::<usize>();
    let thread = thread::spawn(move || {
        let mut stream = TlsStream::accept(&server, theirs).expect("handshake");
        let expected = wait.recv().expect("the client has given up");
        let mut got = vec![0; expected];
        stream.read_exact(&mut got).expect("whole records");
        assert!(got == pattern(expected));
        stream.write_all(b"thanks").expect("write");
    });
    let mut stream = TlsStream::connect(&client, NAME, ours).expect("handshake");
    stream.set_write_timeout(Some(Duration::from_millis(20)));
    let data = pattern(8_000_000);
    let mut sent = 0;
    let late = loop {
        match stream.write(&data[sent..]) {
            Ok(n) => sent += n,
            Err(error) => break error,
        }
    };
    assert_eq!(late.kind(), ErrorKind::TimedOut);
    go.send(sent).expect("the server waits");
    let mut thanks = [0; 6];
    stream
        .read_exact(&mut thanks)
        .expect("reading sends what was left over");
    assert_eq!(&thanks, b"thanks");
    thread.join().expect("no panic");
}
