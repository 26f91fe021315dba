//! The floor of `compare http`: a bare epoll loop that recognises the end of a
//! request and writes a fixed answer. `rival_epoll PORT`.
//!
//! It parses nothing, so that no server can be much cheaper.

use std::collections::HashMap;
use std::error::Error;
use std::io::{self, Read, Write};

use mio::net::{TcpListener, TcpStream};
use mio::{Events, Interest, Poll, Token};

const LISTENER: Token = Token(usize::MAX);
const ANSWER: &[u8] =
    b"HTTP/1.1 200 OK\r\ncontent-type: text/plain\r\ncontent-length: 13\r\n\r\nHello, world!";

/// A connection with what arrived of its next request.
struct Connection {
    socket: TcpStream,
    request: Vec<u8>,
}

fn main() -> Result<(), Box<dyn Error>> {
    let port = std::env::args().nth(1).ok_or("usage: rival_epoll PORT")?;
    let mut listener = TcpListener::bind(format!("127.0.0.1:{port}").parse()?)?;
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
                    poll.registry()
                        .register(&mut socket, Token(next), Interest::READABLE)?;
                    connections.insert(
                        next,
                        Connection {
                            socket,
                            request: Vec::new(),
                        },
                    );
                    next += 1;
                }
            } else if let Some(connection) = connections.get_mut(&event.token().0)
                && !connection.serve()
            {
                connections.remove(&event.token().0);
            }
        }
    }
}

impl Connection {
    /// Answers what has arrived; false when the connection is over.
    fn serve(&mut self) -> bool {
        let mut buffer = [0; 4096];
        loop {
            match self.socket.read(&mut buffer) {
                Ok(0) => return false,
                Ok(length) => {
                    self.request.extend_from_slice(&buffer[..length]);
                    if self.request.ends_with(b"\r\n\r\n") {
                        self.request.clear();
                        // Few bytes into an empty socket: they fit or it is broken.
                        if !matches!(self.socket.write(ANSWER), Ok(n) if n == ANSWER.len()) {
                            return false;
                        }
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
}
