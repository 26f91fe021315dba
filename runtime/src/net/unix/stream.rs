//! A connection between two Unix sockets.

use super::address::to_raw;
use super::connect::connect;
use crate::io::source::Source;
use crate::io::{Interest, Ready};
use crate::net::byte_stream::byte_stream_methods;
use crate::net::endpoint::{self, Endpoint};
use crate::net::halves::{Halved, OwnedReadHalf, OwnedWriteHalf, SplitStream};
use crate::net::handle::{handle_methods, mode_methods};
use socket2::{Domain, Socket, Type};
use std::fmt;
use std::io::{self, IoSlice, IoSliceMut, Read, Write};
use std::net::Shutdown;
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, OwnedFd, RawFd};
use std::os::unix::net::SocketAddr;
use std::panic::Location;
use std::path::Path;
use std::time::{Duration, Instant};

/// A stream between two Unix sockets, as [`std::os::unix::net::UnixStream`].
///
/// What is said of [`TcpStream`](crate::net::TcpStream) about sharing it, when
/// it switches, and what is lost when a wait is cut short holds here, too.
///
/// # Examples
///
/// ```
/// use greenling::net::UnixStream;
/// use std::io::{Read, Write};
/// # fn main() -> std::io::Result<()> {
/// let (mut ours, mut theirs) = UnixStream::pair()?;
/// greenling::spawn(move || theirs.write_all(b"hello").unwrap());
/// let mut text = String::new();
/// ours.read_to_string(&mut text)?;
/// assert_eq!(text, "hello");
/// # Ok(())
/// # }
/// ```
pub struct UnixStream {
    pub(super) endpoint: Endpoint<std::os::unix::net::UnixStream>,
}

handle_methods!(UnixStream, std::os::unix::net::UnixStream);
mode_methods!(UnixStream);
byte_stream_methods!(UnixStream, short_read_empties: false);

impl UnixStream {
    /// Connects to the socket at `path`.
    ///
    /// # Scheduling
    ///
    /// Switches while the listener's queue is full, of which nothing tells the
    /// end: it tries again after 1 to 64 ms.
    ///
    /// # Cancellation
    ///
    /// Nothing was connected.
    ///
    /// # Errors
    ///
    /// Those of `connect(2)`: `NotFound`, `ConnectionRefused`,
    /// `PermissionDenied`; those of the wait.
    #[track_caller]
    pub fn connect(path: impl AsRef<Path>) -> io::Result<UnixStream> {
        let address = SocketAddr::from_pathname(path)?;
        connected(&address, Location::caller())
    }

    /// Connects to the socket at `address`, which may be a Linux abstract name
    /// ([`SocketAddrExt`](std::os::linux::net::SocketAddrExt)).
    ///
    /// # Scheduling
    ///
    /// As [`connect`](UnixStream::connect).
    ///
    /// # Cancellation
    ///
    /// Nothing was connected.
    ///
    /// # Errors
    ///
    /// As `connect`; `InvalidInput` for the address of an unnamed socket.
    #[track_caller]
    pub fn connect_addr(address: &SocketAddr) -> io::Result<UnixStream> {
        connected(address, Location::caller())
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
    pub fn pair() -> io::Result<(UnixStream, UnixStream)> {
        let (one, other) = std::os::unix::net::UnixStream::pair()?;
        Ok((UnixStream::from_std(one)?, UnixStream::from_std(other)?))
    }

    /// The peer's address, which is unnamed unless it was bound.
    ///
    /// # Scheduling
    ///
    /// Never switches.
    ///
    /// # Errors
    ///
    /// Those of `getpeername(2)`.
    pub fn peer_addr(&self) -> io::Result<SocketAddr> {
        self.endpoint.socket().peer_addr()
    }

    /// This end's address.
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

fn connected(address: &SocketAddr, location: &'static Location<'static>) -> io::Result<UnixStream> {
    let socket = Socket::new(Domain::UNIX, Type::STREAM.nonblocking(), None)?;
    connect(&socket, &to_raw(address)?, location)?;
    let endpoint = Endpoint::watch(OwnedFd::from(socket).into())?;
    Ok(UnixStream { endpoint })
}
