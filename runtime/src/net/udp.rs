//! A UDP socket.

use super::addresses::{ToSocketAddrs, first_that_works, resolve, resolve_first};
use super::datagram::datagram_methods;
use super::endpoint::{self, Endpoint};
use super::handle::{handle_methods, mode_methods};
use crate::io::source::Source;
use crate::io::{Interest, Ready};
use std::fmt;
use std::io;
use std::net::{Ipv4Addr, Ipv6Addr, SocketAddr};
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, OwnedFd, RawFd};
use std::panic::Location;
use std::time::{Duration, Instant};

/// A UDP socket, as [`std::net::UdpSocket`].
///
/// Its options work as std's, whose documentation says more of them. Sockets
/// with other options (`SO_REUSEPORT`, IPv4 and IPv6 at once) are made with
/// `socket2` and taken over by [`from_std`](UdpSocket::from_std).
///
/// # Scheduling
///
/// As [`TcpStream`](super::TcpStream).
///
/// # Cancellation
///
/// A kill, a scope's deadline or the socket's time limit ends a waiting
/// operation. No datagram is lost by that, and none was sent.
///
/// # Examples
///
/// ```
/// use greenling::net::UdpSocket;
/// # fn main() -> std::io::Result<()> {
/// let server = UdpSocket::bind("127.0.0.1:0")?;
/// let address = server.local_addr()?;
/// greenling::spawn(move || {
///     let mut buffer = [0; 1500];
///     let (size, peer) = server.recv_from(&mut buffer).unwrap();
///     server.send_to(&buffer[..size], peer).unwrap();
/// });
/// let client = UdpSocket::bind("127.0.0.1:0")?;
/// client.connect(address)?;
/// client.send(b"echo")?;
/// let mut answer = [0; 16];
/// assert_eq!(client.recv(&mut answer)?, 4);
/// # Ok(())
/// # }
/// ```
pub struct UdpSocket {
    endpoint: Endpoint<std::net::UdpSocket>,
}

handle_methods!(UdpSocket, std::net::UdpSocket);
mode_methods!(UdpSocket);
datagram_methods!(UdpSocket, SocketAddr);

fn peek_from(socket: &std::net::UdpSocket, buffer: &mut [u8]) -> io::Result<(usize, SocketAddr)> {
    socket.peek_from(buffer)
}

fn nobody() -> SocketAddr {
    (Ipv4Addr::UNSPECIFIED, 0).into()
}

impl UdpSocket {
    /// Binds to the first of the addresses that can be bound.
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
    pub fn bind(address: impl ToSocketAddrs) -> io::Result<UdpSocket> {
        first_that_works(resolve(&address)?, |address| {
            UdpSocket::from_std(std::net::UdpSocket::bind(address)?)
        })
    }

    /// Connects to the first of the addresses that can be routed to: only its
    /// datagrams are received from now on. Nothing is sent for that.
    ///
    /// # Scheduling
    ///
    /// Switches only if a name must be looked up.
    ///
    /// # Cancellation
    ///
    /// The socket is connected as before.
    ///
    /// # Errors
    ///
    /// The last address' error.
    #[track_caller]
    pub fn connect(&self, address: impl ToSocketAddrs) -> io::Result<()> {
        first_that_works(resolve(&address)?, |address| {
            self.endpoint.socket().connect(address)
        })
    }

    /// Sends a datagram to the address, the first if there are several.
    ///
    /// # Scheduling
    ///
    /// Switches until there is room for it, and while a name is looked up.
    ///
    /// # Cancellation
    ///
    /// Nothing was sent.
    ///
    /// # Errors
    ///
    /// Those of `sendto(2)`, of a look-up and of the wait; `WouldBlock` by the
    /// write timeout.
    #[track_caller]
    pub fn send_to(&self, bytes: &[u8], address: impl ToSocketAddrs) -> io::Result<usize> {
        let address = resolve_first(&address)?;
        let location = Location::caller();
        self.endpoint
            .write(location, |socket| socket.send_to(bytes, address))
    }

    /// As [`send_to`](UdpSocket::send_to), with `WouldBlock` instead of a wait.
    ///
    /// # Scheduling
    ///
    /// Never switches.
    ///
    /// # Errors
    ///
    /// Those of `sendto(2)`.
    pub fn try_send_to(&self, bytes: &[u8], address: SocketAddr) -> io::Result<usize> {
        let source = self.endpoint.source();
        source.try_write_op(|socket| socket.send_to(bytes, address))
    }

    /// Wakes every tasklet that waits for the socket with an error, for all
    /// handles; later operations fail. The descriptor, which goes on queueing
    /// what comes in, is released when the last is dropped.
    ///
    /// # Scheduling
    ///
    /// Never switches.
    pub fn close(&self) {
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

/// Options that std has, by the same names.
macro_rules! options {
    ($($(#[$about:meta])* $set:ident($value:ty), $get:ident;)*) => {
        impl UdpSocket {$(
            $(#[$about])*
            ///
            /// # Scheduling
            ///
            /// Never switches.
            ///
            /// # Errors
            ///
            /// Those of `setsockopt(2)`.
            pub fn $set(&self, value: $value) -> io::Result<()> {
                self.endpoint.socket().$set(value)
            }

            #[doc = concat!("What [`", stringify!($set), "`](Self::", stringify!($set), ") sets.")]
            ///
            /// # Scheduling
            ///
            /// Never switches.
            ///
            /// # Errors
            ///
            /// Those of `getsockopt(2)`.
            pub fn $get(&self) -> io::Result<$value> {
                self.endpoint.socket().$get()
            }
        )*}
    };
}

options! {
    /// Whether broadcast addresses may be sent to (`SO_BROADCAST`).
    set_broadcast(bool), broadcast;
    /// Routers that a datagram may pass (`IP_TTL`).
    set_ttl(u32), ttl;
    /// Whether what is sent to a group comes back (`IP_MULTICAST_LOOP`).
    set_multicast_loop_v4(bool), multicast_loop_v4;
    /// Routers that a datagram to a group may pass (`IP_MULTICAST_TTL`).
    set_multicast_ttl_v4(u32), multicast_ttl_v4;
    /// Whether what is sent to a group comes back (`IPV6_MULTICAST_LOOP`).
    set_multicast_loop_v6(bool), multicast_loop_v6;
}

/// Joining and leaving groups, by std's names.
macro_rules! groups {
    ($($(#[$about:meta])* $name:ident($group:ty, $interface:ty);)*) => {
        impl UdpSocket {$(
            $(#[$about])*
            ///
            /// # Scheduling
            ///
            /// Never switches.
            ///
            /// # Errors
            ///
            /// Those of `setsockopt(2)`.
            pub fn $name(&self, group: &$group, interface: $interface) -> io::Result<()> {
                self.endpoint.socket().$name(group, interface)
            }
        )*}
    };
}

groups! {
    /// Joins a group on the interface with this address, or, with
    /// `0.0.0.0`, on one that the system picks (`IP_ADD_MEMBERSHIP`).
    join_multicast_v4(Ipv4Addr, &Ipv4Addr);
    /// Leaves a group (`IP_DROP_MEMBERSHIP`).
    leave_multicast_v4(Ipv4Addr, &Ipv4Addr);
    /// Joins a group on the interface of this index; 0 is any
    /// (`IPV6_ADD_MEMBERSHIP`).
    join_multicast_v6(Ipv6Addr, u32);
    /// Leaves a group (`IPV6_DROP_MEMBERSHIP`).
    leave_multicast_v6(Ipv6Addr, u32);
}
