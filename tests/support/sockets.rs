//! Connected sockets, and listeners that nobody answers.

use greenling::net::{TcpListener, TcpStream};
use socket2::{Domain, Socket, Type};
use std::net::SocketAddr;

/// Two ends of a connection over loopback, both watched by this thread.
///
/// # Panics
///
/// When the sockets can't be had.
#[track_caller]
pub fn pair() -> (TcpStream, TcpStream) {
    let (ours, theirs) = half_pair();
    (ours, TcpStream::from_std(theirs).expect("watched"))
}

/// Two ends of a connection over loopback: one of ours, one of std.
///
/// # Panics
///
/// When the sockets can't be had.
#[track_caller]
pub fn half_pair() -> (TcpStream, std::net::TcpStream) {
    let (ours, theirs) = plain_pair();
    (TcpStream::from_std(ours).expect("watched"), theirs)
}

/// Two ends of a connection over loopback, both of std.
///
/// # Panics
///
/// When the sockets can't be had.
#[track_caller]
pub fn plain_pair() -> (std::net::TcpStream, std::net::TcpStream) {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").expect("bound");
    let address = listener.local_addr().expect("an address");
    let ours = std::net::TcpStream::connect(address).expect("connected");
    let (theirs, _) = listener.accept().expect("accepted");
    (ours, theirs)
}

/// A listener of ours on a free port of 127.0.0.1.
///
/// # Panics
///
/// When it can't be had.
#[track_caller]
pub fn listener() -> TcpListener {
    TcpListener::bind("127.0.0.1:0").expect("bound")
}

/// An address that leaves connection attempts unanswered as long as it lives:
/// the queue of its listener is full.
#[derive(Debug)]
pub struct Deaf {
    listener: Socket,
    _queued: std::net::TcpStream,
}

impl Deaf {
    /// Makes one on a free port of 127.0.0.1.
    ///
    /// # Panics
    ///
    /// When the sockets can't be had.
    pub fn new() -> Deaf {
        let listener = Socket::new(Domain::IPV4, Type::STREAM, None).expect("a socket");
        let any: SocketAddr = ([127, 0, 0, 1], 0).into();
        listener.bind(&any.into()).expect("bound");
        listener.listen(0).expect("listens");
        let address = address_of(&listener);
        // A queue of length n holds n + 1 connections.
        let queued = std::net::TcpStream::connect(address).expect("connected");
        Deaf {
            listener,
            _queued: queued,
        }
    }

    /// Where to connect to.
    ///
    /// # Panics
    ///
    /// When the socket has lost its address.
    pub fn address(&self) -> SocketAddr {
        address_of(&self.listener)
    }
}

impl Default for Deaf {
    fn default() -> Deaf {
        Deaf::new()
    }
}

fn address_of(socket: &Socket) -> SocketAddr {
    let address = socket.local_addr().expect("an address");
    address.as_socket().expect("an internet address")
}
