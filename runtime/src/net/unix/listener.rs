//! A Unix socket that accepts connections.

use super::stream::UnixStream;
use crate::io::source::Source;
use crate::io::{Interest, Ready};
use crate::net::accept::{Accepting, Incoming, listener_methods};
use crate::net::endpoint::Endpoint;
use crate::net::handle::handle_methods;
use std::fmt;
use std::io;
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, OwnedFd, RawFd};
use std::os::unix::net::SocketAddr;
use std::panic::Location;
use std::path::Path;
use std::time::Instant;

/// Accepts connections of Unix sockets, as [`std::os::unix::net::UnixListener`].
///
/// # Examples
///
/// At a name in Linux' abstract namespace, which no file stands for.
///
/// ```
/// # #[cfg(target_os = "linux")]
/// # fn main() -> std::io::Result<()> {
/// use greenling::net::{UnixListener, UnixStream};
/// use std::io::{Read, Write};
/// use std::os::{linux::net::SocketAddrExt, unix::net::SocketAddr};
///
/// let name = format!("greenling-example-{}", std::process::id());
/// let address = SocketAddr::from_abstract_name(name)?;
/// let listener = UnixListener::bind_addr(&address)?;
/// greenling::spawn(move || {
///     let (mut stream, _) = listener.accept().unwrap();
///     stream.write_all(b"hello").unwrap();
/// });
/// let mut text = String::new();
/// UnixStream::connect_addr(&address)?.read_to_string(&mut text)?;
/// assert_eq!(text, "hello");
/// # Ok(())
/// # }
/// # #[cfg(not(target_os = "linux"))]
/// # fn main() {}
/// ```
pub struct UnixListener {
    endpoint: Endpoint<std::os::unix::net::UnixListener, Accepting>,
}

handle_methods!(UnixListener, std::os::unix::net::UnixListener);
listener_methods!(
    UnixListener, UnixStream, SocketAddr, take_connection,
    example: "let listener = UnixListener::bind(\"/run/server\")?;"
);

impl UnixListener {
    /// Makes a socket at `path` and listens. The file stays when the listener
    /// is dropped, as std's does, and must be gone before the next `bind`.
    ///
    /// # Scheduling
    ///
    /// Never switches.
    ///
    /// # Errors
    ///
    /// Those of `bind(2)`: `AddrInUse` when there is something at `path`.
    pub fn bind(path: impl AsRef<Path>) -> io::Result<UnixListener> {
        let endpoint = Endpoint::new_own(std::os::unix::net::UnixListener::bind(path)?)?;
        Ok(UnixListener { endpoint })
    }

    /// Makes a socket at `address`, which may be a Linux abstract name
    /// ([`SocketAddrExt`](std::os::linux::net::SocketAddrExt)), and listens.
    ///
    /// # Scheduling
    ///
    /// Never switches.
    ///
    /// # Errors
    ///
    /// Those of `bind(2)`.
    pub fn bind_addr(address: &SocketAddr) -> io::Result<UnixListener> {
        let endpoint = Endpoint::new_own(std::os::unix::net::UnixListener::bind_addr(address)?)?;
        Ok(UnixListener { endpoint })
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
}

/// Takes a connection from the queue.
fn take_connection(
    listener: &std::os::unix::net::UnixListener,
) -> io::Result<(UnixStream, SocketAddr)> {
    let (stream, peer) = listener.accept()?;
    Ok((UnixStream::from_std(stream)?, peer))
}
