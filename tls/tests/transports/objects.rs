//! What is particular to single transports.

use std::cell::RefCell;
use std::collections::VecDeque;
use std::io::{self, ErrorKind, Read, Write};
use std::os::unix::net::UnixStream;
use std::rc::Rc;
use std::time::Duration;

use greenling_tls::transport::{Blocking, Prefixed, Split};
use greenling_tls::{
    Engine, EngineError, Error, Interest, RingSizes, TlsStream, Transport, Version, Want,
};

use crate::kinds::trusting;
use crate::support::{NAME, VERSIONS, pattern};

/// A server that looks at the first bytes before it knows that they are TLS.
#[test]
fn a_client_hello_that_was_read_before_comes_first() {
    for version in VERSIONS {
        for seen in [1, 5, 40, 100] {
            let (ours, theirs) = UnixStream::pair().expect("socket pair");
            let client = std::thread::spawn(move || {
                let (_, client) = trusting(version);
                let mut stream = TlsStream::connect(client, NAME, theirs).expect("handshake");
                let mut word = String::new();
                stream.read_to_string(&mut word).expect("orderly end");
                assert_eq!(word, "welcome");
            });
            let mut first = vec![0; seen];
            (&ours).read_exact(&mut first).expect("read");
            assert_eq!(first[0], 22, "a handshake record");
            let transport = Prefixed::new(first, ours);
            assert_eq!(transport.remaining(), seen);
            let (server, _) = trusting(version);
            let mut stream = TlsStream::accept(server, transport).expect("handshake");
            assert_eq!(stream.get_ref().remaining(), 0);
            stream.write_all(b"welcome").expect("write");
            stream.close().expect("close");
            client.join().expect("no panic");
        }
    }
}

#[test]
fn what_is_left_in_front_of_a_transport_comes_back() {
    let (ours, mut theirs) = UnixStream::pair().expect("socket pair");
    let transport = Prefixed::new(*b"in front", ours);
    let mut buf = [0; 3];
    assert_eq!(transport.try_recv(&mut buf).expect("bytes"), 3);
    let ready = transport.wait(Interest::READ, None).expect("no wait");
    assert!(ready.readable);
    assert_eq!(transport.try_recv(&mut [0; 1]).expect("bytes"), 1);
    theirs.write_all(b"behind").expect("write");
    let (rest, mut ours) = transport.into_parts();
    assert_eq!(rest, b"ront");
    let mut behind = [0; 6];
    ours.read_exact(&mut behind).expect("read");
    assert_eq!(&behind, b"behind");
}

/// The end that this thread polls for has something in front of it.
#[test]
fn a_wait_for_either_sees_what_is_in_front() {
    let (ours, _theirs) = UnixStream::pair().expect("socket pair");
    let (full, _unread) = UnixStream::pair().expect("socket pair");
    while Transport::try_send(&full, &[0; 65536]).is_ok() {}
    let split = Split::new(Prefixed::new(*b"x", ours), full);
    let ready = split.wait(Interest::BOTH, None).expect("no wait");
    assert!(ready.readable && !ready.writable);
    assert_eq!(split.try_recv(&mut [0; 2]).expect("byte"), 1);
    let past = std::time::Instant::now().checked_sub(Duration::from_secs(1));
    let late = split.wait(Interest::BOTH, past).expect_err("neither");
    assert_eq!(late.kind(), ErrorKind::TimedOut);
}

#[test]
fn half_an_object_refuses_the_other_direction() {
    let (reader, writer) = io::pipe().expect("pipe");
    let (reader, writer) = (Blocking::reader(reader), Blocking::writer(writer));
    let refused = reader.try_send(b"x").expect_err("a reader");
    assert_eq!(refused.kind(), ErrorKind::Unsupported);
    let refused = writer.try_recv(&mut [0]).expect_err("a writer");
    assert_eq!(refused.kind(), ErrorKind::Unsupported);
    writer.try_send(b"x").expect("room");
    assert_eq!(reader.try_recv(&mut [0; 2]).expect("byte"), 1);
}

/// An object in memory whose `read` lets its peer act: no socket, no descriptor, and
/// as many bytes for each call as it likes.
struct Conversation {
    peer: Engine,
    chunk: usize,
    heard: Rc<RefCell<Vec<u8>>>,
    flushes: Rc<RefCell<usize>>,
    to_peer: VecDeque<u8>,
}

impl Conversation {
    fn act(&mut self) {
        let fed = self.peer.feed(self.to_peer.make_contiguous());
        self.to_peer.drain(..fed);
        let mut buf = [0; 700];
        loop {
            match self.peer.read(&mut buf) {
                Ok(n) => {
                    self.heard.borrow_mut().extend_from_slice(&buf[..n]);
                    let mut back = &buf[..n];
                    while !back.is_empty() {
                        let n = self.peer.write(back).expect("established");
                        back = &back[n..];
                    }
                }
                Err(EngineError::Want(Want::Read)) => return,
                Err(EngineError::Closed) => {
                    self.peer.shutdown().expect("established");
                    return;
                }
                Err(other) => panic!("{other}"),
            }
        }
    }
}

impl Read for Conversation {
    fn read(&mut self, buf: &mut [u8]) -> io::Result<usize> {
        self.act();
        let n = buf.len().min(self.chunk);
        match self.peer.drain(&mut buf[..n]) {
            0 => Err(io::Error::other("the peer has nothing to say")),
            n => Ok(n),
        }
    }
}

impl Write for Conversation {
    fn write(&mut self, data: &[u8]) -> io::Result<usize> {
        let n = data.len().min(self.chunk);
        self.to_peer.extend(&data[..n]);
        Ok(n)
    }

    fn flush(&mut self) -> io::Result<()> {
        *self.flushes.borrow_mut() += 1;
        Ok(())
    }
}

#[test]
fn an_object_in_memory_is_a_transport_in_pieces_of_any_size() {
    for version in VERSIONS {
        for chunk in [1, 3, 1000, usize::MAX] {
            let (server, client) = trusting(version);
            let heard = Rc::new(RefCell::new(Vec::new()));
            let flushes = Rc::new(RefCell::new(0));
            let object = Conversation {
                peer: Engine::new(server, None, RingSizes::default()).expect("engine"),
                chunk,
                heard: heard.clone(),
                flushes: flushes.clone(),
                to_peer: VecDeque::new(),
            };
            let mut stream =
                TlsStream::connect(client, NAME, Blocking::new(object)).expect("handshake");
            let data = pattern(if chunk < 10 { 500 } else { 30_000 });
            for piece in data.chunks(9000) {
                stream.write_all(piece).expect("write");
                let mut back = vec![0; piece.len()];
                stream.read_exact(&mut back).expect("read");
                assert!(back == piece);
            }
            assert!(*heard.borrow() == data);
            assert!(*flushes.borrow() > 0, "an object may buffer");
            let (object, rest) = stream.unwrap().expect("both say goodbye");
            assert!(rest.is_empty());
            assert!(object.into_inner().peer.is_peer_closed());
        }
    }
}

/// A deadline that the object keeps itself ends the operation, not the connection.
#[test]
fn an_objects_own_deadline_is_a_timeout() {
    let (ours, theirs) = UnixStream::pair().expect("socket pair");
    let (go, wait) = std::sync::mpsc::channel();
    let server = std::thread::spawn(move || {
        let (server, _) = trusting(Version::Tls13);
        let mut stream = TlsStream::accept(server, theirs).expect("handshake");
        wait.recv().expect("the client is ready");
        stream.write_all(b"at last").expect("write");
        stream.close().expect("close");
    });
    let (_, client) = trusting(Version::Tls13);
    let object = Blocking::full_duplex(ours.try_clone().expect("another handle"));
    let mut stream = TlsStream::connect(client, NAME, object).expect("handshake");
    ours.set_read_timeout(Some(Duration::from_millis(10)))
        .expect("setsockopt");
    for _ in 0..2 {
        let late = Error::from(stream.read(&mut [0]).expect_err("nothing yet"));
        assert!(late.is_transient(), "{late:?}");
    }
    go.send(()).expect("the server waits");
    ours.set_read_timeout(None).expect("setsockopt");
    let mut words = String::new();
    stream.read_to_string(&mut words).expect("nothing was lost");
    assert_eq!(words, "at last");
    stream.unwrap().map(drop).expect("both have said goodbye");
    drop(ours);
    server.join().expect("no panic");
}

/// Keeps what it is given until it is flushed, for which it is late at times.
struct Lazy {
    socket: UnixStream,
    held: Vec<u8>,
    late: usize,
}

impl Read for Lazy {
    fn read(&mut self, buf: &mut [u8]) -> io::Result<usize> {
        self.socket.read(buf)
    }
}

impl Write for Lazy {
    fn write(&mut self, data: &[u8]) -> io::Result<usize> {
        self.held.extend_from_slice(data);
        Ok(data.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        if let Some(fewer) = self.late.checked_sub(1) {
            self.late = fewer;
            return Err(ErrorKind::TimedOut.into());
        }
        self.socket.write_all(&std::mem::take(&mut self.held))
    }
}

#[test]
fn a_flush_that_was_late_is_made_up_for() {
    for version in VERSIONS {
        let (ours, theirs) = UnixStream::pair().expect("socket pair");
        let server = std::thread::spawn(move || {
            let (server, _) = trusting(version);
            TlsStream::accept(server, theirs).map(drop)
        });
        let lazy = Lazy {
            socket: ours,
            held: Vec::new(),
            late: 3,
        };
        let (_, client) = trusting(version);
        let stream = TlsStream::start_connect(client, NAME, Blocking::new(lazy));
        let mut tries = 0;
        while let Err(late) = stream.handshake() {
            assert!(late.is_transient(), "{late}");
            tries += 1;
            assert!(tries < 10, "the hello stays where it is");
        }
        assert!(tries > 0);
        server.join().expect("no panic").expect("handshake");
    }
}
