//! Sockets that a service manager has opened for this process
//! ([sd_listen_fds(3)]).
//!
//! systemd, and whatever follows its protocol, listens before the service runs
//! and passes the sockets on as descriptors 3 and up; the variables
//! `LISTEN_FDS`, `LISTEN_PID` and `LISTEN_FDNAMES` tell of them. A service
//! can then be restarted without a connection being refused.
//!
//! ```text
//!   [Socket]                                  sockets()? -> [ web: TcpListener,
//!   ListenStream=443                                          admin: UnixListener ]
//!   FileDescriptorName=web
//! ```
//!
//! The variables are left as they are: changing the environment is unsafe while
//! other threads may read it. Children are not misled by them, since
//! `LISTEN_PID` is not theirs, and do not inherit the sockets.
//!
//! [sd_listen_fds(3)]:
//! https://www.freedesktop.org/software/systemd/man/latest/sd_listen_fds.html

use super::{TcpListener, TcpStream, UdpSocket, UnixDatagram, UnixListener, UnixStream};
use crate::sys::claim_inherited;
use rustix::net::{AddressFamily, SocketType, sockopt};
use std::env;
use std::io::{self, ErrorKind};
use std::os::fd::{AsFd, BorrowedFd, OwnedFd, RawFd};

/// The first descriptor that is passed on (`SD_LISTEN_FDS_START`).
const FIRST: RawFd = 3;

/// What a descriptor is called that has no name.
const NAMELESS: &str = "unknown";

/// A descriptor that was passed on. It is `Send`, so it can be given to the
/// thread that shall use it.
///
/// Turning it into a socket of another kind than it is fails, and closes it.
#[derive(Debug)]
pub struct Activated {
    name: String,
    descriptor: OwnedFd,
}

/// What an [`Activated`] descriptor is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Kind {
    /// `ListenStream=` with a port.
    TcpListener,
    /// An accepted connection, with `Accept=yes`.
    TcpStream,
    /// `ListenDatagram=` with a port.
    UdpSocket,
    /// `ListenStream=` with a path or an abstract name.
    UnixListener,
    /// An accepted connection, with `Accept=yes`.
    UnixStream,
    /// `ListenDatagram=` with a path or an abstract name.
    UnixDatagram,
    /// Something else, such as a FIFO: take it with [`Activated::into_fd`].
    Other,
}

/// The sockets that were passed on to this process, in order; none if it was
/// not started in this way.
///
/// They can be taken once. Children will not inherit them.
///
/// # Scheduling
///
/// Never switches.
///
/// # Errors
///
/// `AlreadyExists` when they have been taken before, also by something that is
/// not this function; `InvalidData` when the variables contradict each other;
/// those of `fcntl(2)` when a descriptor is not there.
///
/// # Examples
///
/// ```
/// use greenling::net::{TcpListener, activation};
/// # fn main() -> std::io::Result<()> {
/// let passed = activation::sockets()?;
/// let web = passed.into_iter().find(|socket| socket.name() == "web");
/// let listener = match web {
///     Some(socket) => socket.into_tcp_listener()?,
///     None => TcpListener::bind("127.0.0.1:0")?,
/// };
/// # Ok(())
/// # }
/// ```
#[doc(alias("sd_listen_fds", "sd_listen_fds_with_names", "LISTEN_FDS"))]
pub fn sockets() -> io::Result<Vec<Activated>> {
    let number = |name| env::var(name).ok().and_then(|text| text.parse().ok());
    let (Some(pid), Some(count)) = (number("LISTEN_PID"), number("LISTEN_FDS")) else {
        return Ok(Vec::new());
    };
    if pid != std::process::id() as usize || count == 0 {
        return Ok(Vec::new());
    }
    let names = env::var("LISTEN_FDNAMES").ok();
    let names = names
        .as_deref()
        .map(|text| split(text, count))
        .transpose()?;
    let mut names = names.into_iter().flatten();
    let name = |descriptor| Activated {
        name: names.next().unwrap_or(NAMELESS).to_owned(),
        descriptor,
    };
    let descriptors = claim_inherited(FIRST, count)?;
    Ok(descriptors.into_iter().map(name).collect())
}

/// The names of `count` descriptors.
fn split(text: &str, count: usize) -> io::Result<Vec<&str>> {
    let names: Vec<&str> = text.split(':').collect();
    if names.len() != count {
        return Err(io::Error::new(
            ErrorKind::InvalidData,
            "LISTEN_FDNAMES has another number of names than LISTEN_FDS says",
        ));
    }
    Ok(names)
}

impl Activated {
    /// Its `FileDescriptorName=`; `unknown` if none was passed on.
    ///
    /// # Scheduling
    ///
    /// Never switches.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// What it is.
    ///
    /// # Scheduling
    ///
    /// Never switches.
    pub fn kind(&self) -> Kind {
        kind_of(self.descriptor.as_fd()).unwrap_or(Kind::Other)
    }

    /// The descriptor as it is.
    ///
    /// # Scheduling
    ///
    /// Never switches.
    pub fn into_fd(self) -> OwnedFd {
        self.descriptor
    }

    fn checked(self, wanted: Kind) -> io::Result<OwnedFd> {
        let kind = self.kind();
        if kind != wanted {
            let text = format!("{}: {kind:?} instead of {wanted:?}", self.name);
            return Err(io::Error::new(ErrorKind::InvalidInput, text));
        }
        Ok(self.descriptor)
    }
}

/// One method for each kind.
macro_rules! conversions {
    ($($name:ident -> $kind:ident;)*) => {
        impl Activated {$(
            #[doc = concat!("It as a [`", stringify!($kind), "`].")]
            ///
            /// # Scheduling
            ///
            /// Never switches.
            ///
            /// # Errors
            ///
            /// `InvalidInput` when it is of another kind, or when the reactor
            /// can't watch it.
            pub fn $name(self) -> io::Result<$kind> {
                self.checked(Kind::$kind)?.try_into()
            }
        )*}
    };
}

conversions! {
    into_tcp_listener -> TcpListener;
    into_tcp_stream -> TcpStream;
    into_udp_socket -> UdpSocket;
    into_unix_listener -> UnixListener;
    into_unix_stream -> UnixStream;
    into_unix_datagram -> UnixDatagram;
}

fn kind_of(socket: BorrowedFd<'_>) -> io::Result<Kind> {
    let listens = sockopt::socket_acceptconn(socket)?;
    let family = rustix::net::getsockname(socket)?.address_family();
    let is_unix = family == AddressFamily::UNIX;
    let is_internet = [AddressFamily::INET, AddressFamily::INET6].contains(&family);
    Ok(match (sockopt::socket_type(socket)?, listens) {
        (SocketType::STREAM, true) if is_internet => Kind::TcpListener,
        (SocketType::STREAM, false) if is_internet => Kind::TcpStream,
        (SocketType::DGRAM, _) if is_internet => Kind::UdpSocket,
        (SocketType::STREAM, true) if is_unix => Kind::UnixListener,
        (SocketType::STREAM, false) if is_unix => Kind::UnixStream,
        (SocketType::DGRAM, _) if is_unix => Kind::UnixDatagram,
        _ => Kind::Other,
    })
}

#[cfg(test)]
mod tests {
    use super::split;

    #[test]
    fn there_are_as_many_names_as_descriptors() {
        assert_eq!(split("web:", 2).unwrap(), ["web", ""]);
        assert!(split("web", 2).is_err());
        assert!(split("a:b:c", 2).is_err());
    }
}
