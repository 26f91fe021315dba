//! Another transport in mid-stream.

use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::os::unix::net::UnixStream;
use std::thread;

use greenling_tls::{Error, TlsStream};

use crate::support::{NAME, VERSIONS, contexts, pattern};

fn tcp_pair() -> (TcpStream, TcpStream) {
    let listener = TcpListener::bind("127.0.0.1:0").expect("port");
    let near = TcpStream::connect(listener.local_addr().expect("address")).expect("connect");
    let (far, _) = listener.accept().expect("accept");
    (near, far)
}

#[test]
fn a_connection_goes_on_over_another_transport() {
    for version in VERSIONS {
        let (server, client) = contexts(version);
        let (near, far) = UnixStream::pair().expect("sockets");
        let (next_near, next_far) = tcp_pair();
        let data = pattern(50_000);
        let sent = data.clone();
        let peer = thread::spawn(move || {
            let mut stream = TlsStream::accept(server, far).expect("handshake");
            stream.write_all(b"beginning").expect("write");
            let mut question = [0; 8];
            stream.read_exact(&mut question).expect("read");
            assert_eq!(&question, b"question");
            let (engine, old) = stream.into_engine().expect("whole");
            let mut stream = TlsStream::from_engine(engine, next_far);
            stream.write_all(&sent).expect("write");
            let mut answer = Vec::new();
            stream.read_to_end(&mut answer).expect("orderly end");
            drop(old);
            answer
        });
        let mut stream = TlsStream::connect(client, NAME, near).expect("handshake");
        // The rest of the record stays in the engine.
        let mut begin = [0; 5];
        stream.read_exact(&mut begin).expect("read");
        stream.write_all(b"question").expect("write");
        let (engine, old) = stream.into_engine().expect("whole");
        assert_eq!(engine.pending(), 4);
        let mut stream = TlsStream::from_engine(engine, next_near);
        let mut rest = vec![0; 4 + data.len()];
        stream.read_exact(&mut rest).expect("read");
        assert_eq!(rest[..4], b"ning"[..]);
        assert_eq!(rest[4..], data);
        stream.write_all(b"answer").expect("write");
        stream.close().expect("goodbye");
        assert_eq!(peer.join().expect("peer"), b"answer");
        // Nothing of it went over the first transport, which is as it was.
        old.set_nonblocking(true).expect("socket");
        let ended = (&old).read(&mut [0; 100]).expect("the peer has dropped it");
        assert_eq!(ended, 0);
    }
}

#[test]
fn a_handshake_goes_on_over_another_transport() {
    let (server, client) = contexts(VERSIONS[1]);
    let (near, far) = UnixStream::pair().expect("sockets");
    let stream = TlsStream::start_connect(client, NAME, near);
    stream.set_nonblocking(true);
    stream.handshake().expect_err("nobody answers");
    let (engine, old) = stream.into_engine().expect("whole");
    // The ClientHello has gone the first way, its answer comes the second.
    let (next_near, next_far) = tcp_pair();
    let peer = thread::spawn(move || {
        let stream = TlsStream::start_accept(server, far);
        stream.set_nonblocking(true);
        stream.handshake().expect_err("waits for the client");
        let (engine, far) = stream.into_engine().expect("whole");
        assert_eq!(engine.out_pending(), 0);
        let stream = TlsStream::from_engine(engine, next_far);
        stream.handshake().expect("handshake");
        stream.shutdown_write().expect("goodbye");
        far
    });
    // What the server has answered already went the first way as well.
    let mut answer = [0; 20_000];
    let n = (&old).read(&mut answer).expect("ServerHello");
    let mut engine = engine;
    assert_eq!(engine.feed(&answer[..n]), n);
    let stream = TlsStream::from_engine(engine, next_near);
    stream.handshake().expect("handshake");
    assert_eq!((&stream).read(&mut [0]).expect("orderly end"), 0);
    drop(peer.join().expect("peer"));
}

#[test]
fn a_torn_stream_is_not_taken_apart() {
    let (server, client) = contexts(VERSIONS[1]);
    let (near, far) = UnixStream::pair().expect("sockets");
    let peer = thread::spawn(move || TlsStream::accept(server, far).expect("handshake"));
    let stream = TlsStream::connect(client, NAME, near).expect("handshake");
    let _silent = peer.join().expect("peer");
    stream.set_nonblocking(true);
    (&stream)
        .write_all(&pattern(4 << 20))
        .expect_err("nobody reads");
    let refused = stream.into_engine().expect_err("torn");
    assert!(matches!(refused, Error::Local(_)), "{refused}");
}
