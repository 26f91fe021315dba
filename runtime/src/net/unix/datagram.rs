//! A Unix socket for datagrams.

use super::address::{from_raw, to_raw, unnamed};
use super::full_queue;
use crate::io::source::Source;
use crate::io::{Interest, Ready};
use crate::net::datagram::datagram_methods;
use crate::net::endpoint::{self, Endpoint};
use crate::net::handle::{handle_methods, mode_methods};
use rustix::net::RecvFlags;
use std::fmt;
use std::io;
use std::net::Shutdown;
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, OwnedFd, RawFd};
use std::os::unix::net::{self, SocketAddr};
use std::panic::Location;
use std::path::Path;
use std::time::{Duration, Instant};

/// A Unix socket for datagrams, as [`std::os::unix::net::UnixDatagram`].
///
/// Datagrams are delivered, in order, or the sender hears of it: a full
/// queue makes it wait.
///
/// # Scheduling
///
/// As [`TcpStream`](crate::net::TcpStream).
///
/// # Cancellation
///
/// A kill, a scope's deadline or the socket's time limit ends a waiting
/// operation. No datagram is lost by that, and none was sent.
///
/// # Examples
///
/// ```
/// use greenling::net::UnixDatagram;
/// # fn main() -> std::io::Result<()> {
/// let (ours, theirs) = UnixDatagram::pair()?;
/// greenling::spawn(move || theirs.send(b"hello").unwrap());
/// let mut buffer = [0; 16];
/// assert_eq!(ours.recv(&mut buffer)?, 5);
/// # Ok(())
/// # }
/// ```
pub struct UnixDatagram {
    endpoint: Endpoint<net::UnixDatagram>,
}

handle_methods!(UnixDatagram, std::os::unix::net::UnixDatagram);
mode_methods!(UnixDatagram);
datagram_methods!(UnixDatagram, SocketAddr);

fn peek_from(socket: &net::UnixDatagram, buffer: &mut [u8]) -> io::Result<(usize, SocketAddr)> {
    let (got, _, address) = rustix::net::recvfrom(socket, buffer, RecvFlags::PEEK)?;
    Ok((got, from_raw(address)?))
}

fn nobody() -> SocketAddr {
    unnamed().expect("an address without a name can be made")
}

impl UnixDatagram {
    /// Makes a socket at `path`. The file stays when the socket is dropped, as
    /// std's does, and must be gone before the next `bind`.
    ///
    /// # Scheduling
    ///
    /// Never switches.
    ///
    /// # Errors
    ///
    /// Those of `bind(2)`: `AddrInUse` when there is something at `path`.
    pub fn bind(path: impl AsRef<Path>) -> io::Result<UnixDatagram> {
        UnixDatagram::from_std(net::UnixDatagram::bind(path)?)
    }

    /// Makes a socket at `address`, which may be a Linux abstract name
    /// ([`SocketAddrExt`](std::os::linux::net::SocketAddrExt)).
    ///
    /// # Scheduling
    ///
    /// Never switches.
    ///
    /// # Errors
    ///
    /// Those of `bind(2)`.
    pub fn bind_addr(address: &SocketAddr) -> io::Result<UnixDatagram> {
        UnixDatagram::from_std(net::UnixDatagram::bind_addr(address)?)
    }

    /// Makes a socket without an address: nobody can answer it.
    ///
    /// # Scheduling
    ///
    /// Never switches.
    ///
    /// # Errors
    ///
    /// Those of `socket(2)`, or when the reactor can't watch it.
    pub fn unbound() -> io::Result<UnixDatagram> {
        UnixDatagram::from_std(net::UnixDatagram::unbound()?)
    }

    /// Two sockets that are connected with each other.
    ///
    /// # Scheduling
    ///
    /// Never switches.
    ///
    /// # Errors
    ///
    /// Those of `socketpair(2)`, or when the reactor can't watch them.
    pub fn pair() -> io::Result<(UnixDatagram, UnixDatagram)> {
        let (one, other) = net::UnixDatagram::pair()?;
        Ok((UnixDatagram::from_std(one)?, UnixDatagram::from_std(other)?))
    }

    /// Connects to the socket at `path`: `send` goes there, and nobody else's
    /// datagrams are received any more.
    ///
    /// # Scheduling
    ///
    /// Never switches.
    ///
    /// # Errors
    ///
    /// Those of `connect(2)`.
    pub fn connect(&self, path: impl AsRef<Path>) -> io::Result<()> {
        self.endpoint.socket().connect(path)
    }

    /// As [`connect`](UnixDatagram::connect), to an address that may be a Linux
    /// abstract name.
    ///
    /// # Scheduling
    ///
    /// Never switches.
    ///
    /// # Errors
    ///
    /// Those of `connect(2)`.
    pub fn connect_addr(&self, address: &SocketAddr) -> io::Result<()> {
        self.endpoint.socket().connect_addr(address)
    }

    /// Sends a datagram to the socket at `path`.
    ///
    /// # Scheduling
    ///
    /// Switches while the receiver's queue is full.
    ///
    /// # Cancellation
    ///
    /// Nothing was sent.
    ///
    /// # Errors
    ///
    /// Those of `sendto(2)` and of the wait; `WouldBlock` by the write timeout.
    #[track_caller]
    pub fn send_to(&self, bytes: &[u8], path: impl AsRef<Path>) -> io::Result<usize> {
        self.send_to_addr(bytes, &SocketAddr::from_pathname(path)?)
    }

    /// Sends a datagram to an address, which may be a Linux abstract name.
    ///
    /// # Scheduling
    ///
    /// Switches while the receiver's queue is full.
    ///
    /// # Cancellation
    ///
    /// Nothing was sent.
    ///
    /// # Errors
    ///
    /// As [`send_to`](UnixDatagram::send_to).
    #[track_caller]
    pub fn send_to_addr(&self, bytes: &[u8], address: &SocketAddr) -> io::Result<usize> {
        let address = to_raw(address)?;
        full_queue::send_to(&self.endpoint, bytes, &address, Location::caller())
    }

    /// As [`send_to`](UnixDatagram::send_to), with `WouldBlock` instead of a
    /// wait.
    ///
    /// # Scheduling
    ///
    /// Never switches.
    ///
    /// # Errors
    ///
    /// Those of `sendto(2)`.
    pub fn try_send_to(&self, bytes: &[u8], path: impl AsRef<Path>) -> io::Result<usize> {
        self.try_send_to_addr(bytes, &SocketAddr::from_pathname(path)?)
    }

    /// As [`send_to_addr`](UnixDatagram::send_to_addr), with `WouldBlock`
    /// instead of a wait.
    ///
    /// # Scheduling
    ///
    /// Never switches.
    ///
    /// # Errors
    ///
    /// Those of `sendto(2)`.
    pub fn try_send_to_addr(&self, bytes: &[u8], address: &SocketAddr) -> io::Result<usize> {
        full_queue::try_send_to(&self.endpoint, bytes, &to_raw(address)?)
    }

    /// Shuts down one or both directions. Waiting tasklets wake up.
    ///
    /// # Scheduling
    ///
    /// Never switches.
    ///
    /// # Errors
    ///
    /// Those of `shutdown(2)`.
    pub fn shutdown(&self, how: Shutdown) -> io::Result<()> {
        self.endpoint.socket().shutdown(how)?;
        if how != Shutdown::Write {
            self.endpoint.mode().note_end();
        }
        Ok(())
    }

    /// Shuts the socket down and wakes every tasklet that waits for it with an
    /// error, for all handles. The descriptor is released when the last is
    /// dropped.
    ///
    /// # Scheduling
    ///
    /// Never switches.
    pub fn close(&self) {
        // Senders that wait for a receiver's queue are woken by this.
        let _ = self.endpoint.socket().shutdown(Shutdown::Both);
        self.endpoint.source().close();
    }

    /// The address of the peer it is connected to.
    ///
    /// # Scheduling
    ///
    /// Never switches.
    ///
    /// # Errors
    ///
    /// `NotConnected` without one.
    pub fn peer_addr(&self) -> io::Result<SocketAddr> {
        self.endpoint.socket().peer_addr()
    }

    /// The address it is bound to, if it is.
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
}
