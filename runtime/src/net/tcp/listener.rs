//! A socket that accepts TCP connections.

use super::options::ListenOptions;
use super::stream::TcpStream;
use crate::io::source::Source;
use crate::io::{Interest, Ready};
use crate::net::accept::{Accepting, Incoming, listener_methods};
use crate::net::addresses::ToSocketAddrs;
use crate::net::endpoint::Endpoint;
use crate::net::handle::handle_methods;
#[cfg(target_os = "linux")]
use socket2::SockRef;
use std::fmt;
use std::io;
use std::net::SocketAddr;
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, OwnedFd, RawFd};
use std::panic::Location;
use std::time::Instant;

/// Accepts TCP connections, as [`std::net::TcpListener`].
///
/// # Examples
///
/// An acceptor that ends when somebody closes its listener.
///
/// ```
/// use greenling::net::{TcpListener, TcpStream};
/// use std::rc::Rc;
/// # fn main() -> std::io::Result<()> {
/// let listener = Rc::new(TcpListener::bind("127.0.0.1:0")?);
/// let address = listener.local_addr()?;
/// let accepting = listener.clone();
/// let acceptor = greenling::spawn(move || {
///     accepting.incoming().filter(Result::is_ok).count()
/// });
/// drop(TcpStream::connect(address)?);
/// greenling::schedule();
/// listener.close();
/// assert_eq!(acceptor.join().unwrap(), 1);
/// assert!(TcpStream::connect(address).is_err());
/// # Ok(())
/// # }
/// ```
pub struct TcpListener {
    pub(super) endpoint: Endpoint<std::net::TcpListener, Accepting>,
}

handle_methods!(TcpListener, std::net::TcpListener);
listener_methods!(
    TcpListener, TcpStream, SocketAddr, take_connection,
    example: "let listener = TcpListener::bind(\"127.0.0.1:0\")?;"
);

impl TcpListener {
    /// Binds to the first of the addresses that can be bound, with
    /// `SO_REUSEADDR`; [`ListenOptions`] has more choices.
    ///
    /// # Scheduling
    ///
    /// Switches only if a name must be looked up.
    ///
    /// # Cancellation
    ///
    /// Nothing is bound.
    ///
    /// # Errors
    ///
    /// The last address' error.
    #[track_caller]
    pub fn bind(address: impl ToSocketAddrs) -> io::Result<TcpListener> {
        ListenOptions::new().bind(address)
    }

    /// As [`bind`](TcpListener::bind), with `SO_REUSEPORT`: each worker binds
    /// the same address, and the kernel deals connections out among them.
    ///
    /// # Scheduling
    ///
    /// Switches only if a name must be looked up.
    ///
    /// # Cancellation
    ///
    /// Nothing is bound.
    ///
    /// # Errors
    ///
    /// The last address' error.
    #[track_caller]
    pub fn bind_reuseport(address: impl ToSocketAddrs) -> io::Result<TcpListener> {
        ListenOptions::new().reuse_port(true).bind(address)
    }

    /// The address it is bound to.
    ///
    /// # Scheduling
    ///
    /// Never switches.
    ///
    /// # Errors
    ///
    /// Those of `getsockname(2)`.
    pub fn local_addr(&self) -> io::Result<SocketAddr> {
        self.endpoint.socket().local_addr()
    }

    /// Routers that a packet may pass (`IP_TTL`), for connections accepted from
    /// now on as well.
    ///
    /// # Scheduling
    ///
    /// Never switches.
    ///
    /// # Errors
    ///
    /// Those of `setsockopt(2)`.
    pub fn set_ttl(&self, ttl: u32) -> io::Result<()> {
        self.endpoint.socket().set_ttl(ttl)
    }

    /// Routers that a packet may pass.
    ///
    /// # Scheduling
    ///
    /// Never switches.
    ///
    /// # Errors
    ///
    /// Those of `getsockopt(2)`.
    pub fn ttl(&self) -> io::Result<u32> {
        self.endpoint.socket().ttl()
    }
}

/// Takes a connection from the queue, in non-blocking mode from the beginning.
#[cfg(target_os = "linux")]
fn take_connection(listener: &std::net::TcpListener) -> io::Result<(TcpStream, SocketAddr)> {
    let flags = libc::SOCK_CLOEXEC | libc::SOCK_NONBLOCK;
    let (socket, peer) = SockRef::from(listener).accept4(flags)?;
    // As std's answer for what does not speak TCP.
    let peer = peer.as_socket().ok_or(io::ErrorKind::InvalidInput)?;
    let endpoint = Endpoint::watch(socket.into())?;
    Ok((TcpStream { endpoint }, peer))
}

/// Takes a connection from the queue.
#[cfg(not(target_os = "linux"))]
fn take_connection(listener: &std::net::TcpListener) -> io::Result<(TcpStream, SocketAddr)> {
    let (stream, peer) = listener.accept()?;
    Ok((TcpStream::from_std(stream)?, peer))
}
