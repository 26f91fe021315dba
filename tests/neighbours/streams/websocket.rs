//! `tungstenite`, both ends, over plain sockets and over TLS.

use greenling::net::TcpStream;
use greenling::spawn;
use greenling_tls::TlsStream;
use neighbours::{Certified, Midway, Server, crowd};
use socket2::SockRef;
use std::io::{self, Read, Write};
use std::rc::Rc;
use tests::isolated;
use tests::sockets::pair;
use tungstenite::protocol::{CloseFrame, Role, frame::coding::CloseCode};
use tungstenite::{Bytes, Error, Message, WebSocket};

/// Answers each text and each binary message by itself until the peer closes.
fn echo<S: Read + Write>(stream: S) {
    let mut socket = tungstenite::accept(stream).unwrap();
    loop {
        match socket.read() {
            Ok(message @ (Message::Text(_) | Message::Binary(_))) => socket.send(message).unwrap(),
            Ok(_) => (), // answered by `tungstenite`
            Err(Error::ConnectionClosed) => return,
            Err(error) => panic!("{error}"),
        }
    }
}

/// A message of which no other connection has a piece.
fn bulk(number: usize, size: usize) -> Bytes {
    let mut bytes = vec![0; size];
    for (at, word) in bytes.chunks_exact_mut(8).enumerate() {
        word.copy_from_slice(&(((number << 32) | at) as u64).to_le_bytes());
    }
    bytes.into()
}

/// A client's whole life, which meets the others between its messages.
fn converse<S: Read + Write>(number: usize, stream: S, size: usize, midway: &Midway) {
    let (mut socket, response) = tungstenite::client("ws://localhost/echo", stream).unwrap();
    assert_eq!(response.status(), 101);
    let text = format!("number {number} speaks");
    socket.send(Message::text(text.as_str())).unwrap();
    assert_eq!(socket.read().unwrap().into_text().unwrap(), text);

    midway.meet();
    let bytes = bulk(number, size);
    socket.send(Message::Binary(bytes.clone())).unwrap();
    assert!(socket.read().unwrap().into_data() == bytes, "{number}");

    let ping = Bytes::from(format!("ping {number}"));
    socket.send(Message::Ping(ping.clone())).unwrap();
    assert_eq!(socket.read().unwrap(), Message::Pong(ping));

    let reason = CloseFrame {
        code: CloseCode::Normal,
        reason: format!("done {number}").into(),
    };
    socket.close(Some(reason.clone())).unwrap();
    assert_eq!(socket.read().unwrap(), Message::Close(Some(reason)));
    assert!(matches!(socket.read(), Err(Error::ConnectionClosed)));
}

#[test]
fn two_hundred_clients_and_their_server() {
    isolated(|| {
        let server = Server::start(echo);
        let address = server.address();
        crowd(200, move |number, midway| {
            let stream = TcpStream::connect(address).unwrap();
            converse(number, stream, 1 << 10, midway);
        });
        assert_eq!(server.finish(), 200);
    });
}

#[test]
fn messages_of_a_megabyte() {
    isolated(|| {
        let server = Server::start(echo);
        let address = server.address();
        crowd(24, move |number, midway| {
            let stream = TcpStream::connect(address).unwrap();
            converse(number, stream, 1 << 20, midway);
        });
        assert_eq!(server.finish(), 24);
    });
}

#[test]
fn over_tls() {
    isolated(|| {
        let certified = Certified::new();
        let context = certified.server();
        let server = Server::start(move |stream| {
            echo(TlsStream::accept(&context, stream).unwrap());
        });
        let address = server.address();
        let context = certified.client();
        crowd(50, move |number, midway| {
            let stream = TcpStream::connect(address).unwrap();
            let stream = TlsStream::connect(&context, "localhost", stream).unwrap();
            let size = if number < 10 { 1 << 20 } else { 1 << 10 };
            converse(number, stream, size, midway);
        });
        assert_eq!(server.finish(), 50);
    });
}

/// One tasklet's share of a stream that has no `try_clone`.
struct Shared<S>(Rc<S>);

impl<S> Read for Shared<S>
where
    for<'a> &'a S: Read,
{
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        (&*self.0).read(buffer)
    }
}

impl<S> Write for Shared<S>
where
    for<'a> &'a S: Write,
{
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        (&*self.0).write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        (&*self.0).flush()
    }
}

/// A `WebSocket` reads and writes by `&mut`, so each direction has one of its
/// own, on a handle of its own of the same stream.
fn both_ways<S: Read + Write + 'static>(number: usize, midway: &Midway, ends: [[S; 2]; 2]) {
    const MESSAGES: usize = 10;
    const SIZE: usize = 1 << 16;
    let [ours, theirs] = ends;
    let ends = [(ours, Role::Client, 1), (theirs, Role::Server, 2)];
    let tasks = ends.map(|(handles, role, way)| {
        let [mut sending, mut receiving] =
            handles.map(|stream| WebSocket::from_raw_socket(stream, role, None));
        let midway = midway.clone();
        let sender = spawn(move || {
            for message in 0..MESSAGES {
                if (message, way) == (MESSAGES / 2, 1) {
                    midway.meet();
                }
                let bytes = bulk(number * 1000 + message * 10 + way, SIZE);
                sending.send(Message::Binary(bytes)).unwrap();
            }
        });
        let receiver = spawn(move || {
            for message in 0..MESSAGES {
                let bytes = receiving.read().unwrap().into_data();
                let expected = bulk(number * 1000 + message * 10 + 3 - way, SIZE);
                assert!(bytes == expected, "{number}: {message}");
            }
        });
        (sender, receiver)
    });
    for (sender, receiver) in tasks {
        sender.join().unwrap();
        receiver.join().unwrap();
    }
}

/// A connection whose kernel buffers hold a fraction of a message.
fn narrow_pair() -> (TcpStream, TcpStream) {
    let (ours, theirs) = pair();
    for stream in [&ours, &theirs] {
        SockRef::from(stream).set_send_buffer_size(8192).unwrap();
    }
    (ours, theirs)
}

#[test]
fn one_tasklet_reads_while_another_writes() {
    isolated(|| {
        crowd(20, |number, midway| {
            let (ours, theirs) = narrow_pair();
            let ends = [ours, theirs].map(|end| [end.try_clone().unwrap(), end]);
            both_ways(number, midway, ends);
        });
    });
}

#[test]
fn one_tasklet_reads_while_another_writes_over_tls() {
    isolated(|| {
        let certified = Certified::new();
        let (server, client) = (certified.server(), certified.client());
        crowd(20, move |number, midway| {
            let (ours, theirs) = narrow_pair();
            let server = server.clone();
            let accepting = spawn(move || TlsStream::accept(&server, theirs).unwrap());
            let ours = TlsStream::connect(&client, "localhost", ours).unwrap();
            let ends = [ours, accepting.join().unwrap()].map(Rc::new);
            let ends = ends.map(|end| [Shared(end.clone()), Shared(end)]);
            both_ways(number, midway, ends);
        });
    });
}
