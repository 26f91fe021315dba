//! What can be used again after a time limit has ended a read inside it, and
//! what can't: each limit falls into the middle of a message.

use super::scene::SHORT;
use crate::openssl_stream::{acceptor, connector};
use crate::tls_stacks;
use flate2::Compression;
use flate2::read::GzDecoder;
use flate2::write::GzEncoder;
use greenling::net::TcpStream;
use greenling::time::timeout;
use greenling::{Channel, spawn};
use neighbours::Certified;
use neighbours::redis::Connection;
use redis::ConnectionLike;
use std::cell::Cell;
use std::fmt::Debug;
use std::io::{self, BufRead, BufReader, Cursor, ErrorKind, Read, Write};
use std::rc::Rc;
use tests::isolated;
use tests::sockets::pair;
use tungstenite::protocol::Role;
use tungstenite::{Message, WebSocket};

/// Lets so many bytes be read; whoever wants more waits.
#[derive(Debug)]
struct Valve {
    stream: TcpStream,
    open_for: Rc<Cell<usize>>,
}

impl Valve {
    fn new(stream: TcpStream) -> (Valve, Rc<Cell<usize>>) {
        let open_for = Rc::new(Cell::new(usize::MAX));
        let handle = open_for.clone();
        (Valve { stream, open_for }, handle)
    }
}

impl Read for Valve {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let most = buffer.len().min(self.open_for.get());
        if most == 0 {
            // Nobody sends: only a time limit ends this.
            Channel::<()>::new().receive().map_err(io::Error::from)?;
        }
        let count = self.stream.read(&mut buffer[..most])?;
        self.open_for.set(self.open_for.get() - count);
        Ok(count)
    }
}

impl Write for Valve {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.stream.write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.stream.flush()
    }
}

/// Runs `read` until its time is up.
#[track_caller]
fn cut_off<T: Debug>(read: impl FnOnce() -> io::Result<T>) {
    let late = timeout(SHORT, read).expect_err("the limit").into_inner();
    assert_eq!(late.unwrap_err().kind(), ErrorKind::TimedOut);
}

/// A connection on which half of `bytes` has come.
fn half_sent(bytes: &[u8]) -> (Valve, Rc<Cell<usize>>, TcpStream) {
    let (ours, theirs) = pair();
    let (ours, open_for) = Valve::new(ours);
    (&theirs).write_all(bytes).unwrap();
    open_for.set(bytes.len() / 2);
    (ours, open_for, theirs)
}

#[test]
fn a_websocket_keeps_half_a_frame() {
    isolated(|| {
        let text = Message::text("one whole message");
        let mut server = WebSocket::from_raw_socket(Cursor::new(Vec::new()), Role::Server, None);
        server.send(text.clone()).unwrap();
        let frame = server.get_ref().get_ref().clone();

        let (ours, open_for, _theirs) = half_sent(&frame);
        let mut socket = WebSocket::from_raw_socket(ours, Role::Client, None);
        cut_off(|| match socket.read() {
            Err(tungstenite::Error::Io(error)) => Err(error),
            other => Ok(other),
        });
        open_for.set(usize::MAX);
        assert_eq!(socket.read().unwrap(), text);
    });
}

/// The client reads the handshake and a byte, half a record, and then the rest.
fn half_a_record<S: Read + Write>(certified: &Certified, connect: impl FnOnce(Valve) -> S) {
    let (ours, theirs) = pair();
    let (ours, open_for) = Valve::new(ours);
    let accepts = acceptor(certified);
    let server = spawn(move || {
        let mut stream = accepts.accept(theirs).unwrap();
        stream.write_all(b"!").unwrap();
        let mut byte = [0];
        stream.read_exact(&mut byte).unwrap();
        stream.write_all(b"a record of its own").unwrap();
        stream
    });
    let mut stream = connect(ours);
    let mut byte = [0];
    stream.read_exact(&mut byte).unwrap();
    stream.write_all(&byte).unwrap();
    // The record has arrived before time is limited.
    let theirs = server.join().unwrap();
    open_for.set(10);
    let mut record = [0; b"a record of its own".len()];
    cut_off(|| stream.read(&mut record));
    assert_eq!(
        open_for.get(),
        0,
        "the limit came in the middle of the record"
    );
    open_for.set(usize::MAX);
    stream.read_exact(&mut record).unwrap();
    assert_eq!(&record, b"a record of its own");
    drop(theirs);
}

#[test]
fn rustls_keeps_half_a_record() {
    isolated(|| {
        let certified = Certified::new();
        let config = tls_stacks::client_config(&certified);
        half_a_record(&certified, |stream| tls_stacks::connect(&config, stream));
    });
}

#[test]
fn openssl_keeps_half_a_record() {
    isolated(|| {
        let certified = Certified::new();
        let connects = connector(&certified);
        half_a_record(&certified, |stream| {
            connects.connect("localhost", stream).unwrap()
        });
    });
}

#[test]
fn gzip_goes_on_where_it_was() {
    isolated(|| {
        let mut gzip = GzEncoder::new(Vec::new(), Compression::fast());
        let text: Vec<u8> = (0..50_000_u32).flat_map(u32::to_le_bytes).collect();
        gzip.write_all(&text).unwrap();
        let (ours, open_for, _theirs) = half_sent(&gzip.finish().unwrap());
        let mut decoder = GzDecoder::new(ours);
        let mut got = Vec::new();
        // Keeps what came before the error, as `read_exact` would not.
        cut_off(|| decoder.read_to_end(&mut got));
        assert!(!got.is_empty() && got.len() < text.len());
        open_for.set(usize::MAX);
        decoder.read_to_end(&mut got).unwrap();
        assert!(got == text);
    });
}

#[test]
fn read_line_keeps_half_a_line_and_lines_loses_it() {
    isolated(|| {
        let (ours, open_for, _theirs) = half_sent(b"1234567890\n");
        let mut reader = BufReader::new(ours);
        let mut line = String::new();
        cut_off(|| reader.read_line(&mut line));
        assert_eq!(line, "12345");
        open_for.set(usize::MAX);
        reader.read_line(&mut line).unwrap();
        assert_eq!(line, "1234567890\n");

        let (ours, open_for, _theirs) = half_sent(b"1234567890\n");
        let mut lines = BufReader::new(ours).lines();
        cut_off(|| lines.next().unwrap());
        open_for.set(usize::MAX);
        assert_eq!(lines.next().unwrap().unwrap(), "67890");
    });
}

/// The reply that comes too late would be taken for the next one.
#[test]
fn a_redis_connection_is_out_of_step() {
    isolated(|| {
        let (ours, _theirs) = pair();
        let mut connection = Connection::new(ours);
        assert!(connection.is_open());
        let late = timeout(SHORT, || redis::cmd("PING").exec(&mut connection));
        assert!(late.unwrap_err().into_inner().unwrap_err().is_timeout());
        assert!(!connection.is_open());
    });
}
