//! The floor of the plain HTTP cases: a bare epoll loop that recognises the
//! end of a request and writes an answer. `rival_epoll PORT WORKERS`, each worker a
//! thread with a listener of its own.
//!
//! It parses nothing but the path and sends no date, so that no server can be
//! much cheaper. It takes one request at a time: nobody sends it two.

use std::collections::HashMap;
use std::error::Error;
use std::io::{self, Read, Write};

use benches::answers::{self, HELLO};
use mio::net::{TcpListener, TcpStream};
use mio::{Events, Interest, Poll, Token};
use socket2::{Domain, Socket, Type};

const LISTENER: Token = Token(usize::MAX);
const HELLO_ANSWER: &[u8] =
    b"HTTP/1.1 200 OK\r\ncontent-type: text/plain\r\ncontent-length: 13\r\n\r\nHello, world!";

/// Waiting connections that the kernel holds, as for all servers.
const BACKLOG: i32 = 4096;

/// A connection with what arrived of its next request.
struct Connection {
    socket: TcpStream,
    request: Vec<u8>,
    /// What is left to send of a body that the socket did not take at once.
    left: &'static [u8],
}

/// Why the server ended.
type Failure = Box<dyn Error + Send + Sync>;

fn main() -> Result<(), Failure> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [port, workers] = &arguments[..] else {
        return Err("usage: rival_epoll PORT WORKERS".into());
    };
    answers::on_threads(workers.parse()?, || serve(port))
}

fn serve(port: &str) -> Result<(), Failure> {
    let mut listener = listen(port)?;
    let mut poll = Poll::new()?;
    poll.registry()
        .register(&mut listener, LISTENER, Interest::READABLE)?;
    let mut events = Events::with_capacity(256);
    let mut connections = HashMap::new();
    let mut next = 0;
    loop {
        poll.poll(&mut events, None)?;
        for event in &events {
            if event.token() == LISTENER {
                while let Ok((mut socket, _)) = listener.accept() {
                    socket.set_nodelay(true)?;
                    poll.registry().register(
                        &mut socket,
                        Token(next),
                        Interest::READABLE | Interest::WRITABLE,
                    )?;
                    let connection = Connection {
                        socket,
                        request: Vec::new(),
                        left: &[],
                    };
                    connections.insert(next, connection);
                    next += 1;
                }
            } else if let Some(connection) = connections.get_mut(&event.token().0)
                && !connection.serve(event.is_readable())
            {
                connections.remove(&event.token().0);
            }
        }
    }
}

fn listen(port: &str) -> Result<TcpListener, Failure> {
    let address: std::net::SocketAddr = format!("127.0.0.1:{port}").parse()?;
    let socket = Socket::new(Domain::for_address(address), Type::STREAM, None)?;
    socket.set_reuse_address(true)?;
    socket.set_reuse_port(true)?;
    socket.set_nonblocking(true)?;
    socket.bind(&address.into())?;
    socket.listen(BACKLOG)?;
    Ok(TcpListener::from_std(socket.into()))
}

impl Connection {
    /// Does what an event allows; false when the connection is over.
    fn serve(&mut self, readable: bool) -> bool {
        self.send() && (!readable || self.receive())
    }

    /// Answers what has arrived.
    fn receive(&mut self) -> bool {
        let mut buffer = [0; 4096];
        loop {
            match self.socket.read(&mut buffer) {
                Ok(0) => return false,
                Ok(length) => {
                    self.request.extend_from_slice(&buffer[..length]);
                    if self.request.ends_with(b"\r\n\r\n") && !self.answer() {
                        return false;
                    }
                    // A short read drained the socket; edge-triggered epoll
                    // reports what comes later.
                    if length < buffer.len() {
                        return true;
                    }
                }
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => return true,
                Err(_) => return false,
            }
        }
    }

    fn answer(&mut self) -> bool {
        let body = path(&self.request).and_then(answers::body);
        self.request.clear();
        match body {
            Some(HELLO) => {
                // Few bytes into an empty socket: they fit or it is broken.
                matches!(self.socket.write(HELLO_ANSWER), Ok(n) if n == HELLO_ANSWER.len())
            }
            Some(body) => {
                let head = format!(
                    "HTTP/1.1 200 OK\r\ncontent-type: text/plain\r\ncontent-length: {}\r\n\r\n",
                    body.len()
                );
                self.left = body;
                matches!(self.socket.write(head.as_bytes()), Ok(n) if n == head.len())
                    && self.send()
            }
            None => false,
        }
    }

    /// Sends as much as the socket takes.
    fn send(&mut self) -> bool {
        while !self.left.is_empty() {
            match self.socket.write(self.left) {
                Ok(sent) => self.left = &self.left[sent..],
                Err(error) => return error.kind() == io::ErrorKind::WouldBlock,
            }
        }
        true
    }
}

/// The path in "GET path HTTP/1.1".
fn path(request: &[u8]) -> Option<&str> {
    let rest = request.strip_prefix(b"GET ")?;
    let end = rest.iter().position(|&byte| byte == b' ')?;
    std::str::from_utf8(&rest[..end]).ok()
}
