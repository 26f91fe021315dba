//! How a listening TCP socket is made.

use super::keepalive::TcpKeepalive;
use super::listener::TcpListener;
use crate::net::addresses::{ToSocketAddrs, first_that_works, resolve};
use crate::net::endpoint::Endpoint;
use socket2::{Domain, Protocol, SockRef, Socket, Type};
use std::io;
use std::net::SocketAddr;

/// Connections the kernel queues before they are accepted; it takes no more
/// than `net.core.somaxconn`, whose default this is.
const BACKLOG: u32 = 4096;

/// How to make a [`TcpListener`]. What is not set is the system's default.
///
/// On Linux, accepted connections inherit the options of the listener.
///
/// # Examples
///
/// ```
/// use greenling::net::{ListenOptions, TcpStream};
/// # fn main() -> std::io::Result<()> {
/// // IPv4 as well, by mapped addresses.
/// let options = ListenOptions::new().only_v6(false).backlog(128).nodelay(true);
/// let Ok(listener) = options.bind("[::]:0") else {
///     return Ok(()); // no IPv6 here
/// };
/// let port = listener.local_addr()?.port();
/// let _client = TcpStream::connect(("127.0.0.1", port))?;
/// let (accepted, peer) = listener.accept()?;
/// assert!(peer.ip().to_canonical().is_ipv4());
/// # #[cfg(target_os = "linux")]
/// assert!(accepted.nodelay()?);
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug)]
#[must_use = "it makes a listener by `bind` only"]
pub struct ListenOptions {
    backlog: u32,
    reuse_address: bool,
    reuse_port: bool,
    only_v6: Option<bool>,
    ttl: Option<u32>,
    nodelay: Option<bool>,
    keepalive: Option<TcpKeepalive>,
    receive_buffer: Option<usize>,
    send_buffer: Option<usize>,
}

impl ListenOptions {
    /// `SO_REUSEADDR`, and a queue of 4096 connections.
    ///
    /// # Scheduling
    ///
    /// Never switches, nor does any setter.
    pub const fn new() -> ListenOptions {
        ListenOptions {
            backlog: BACKLOG,
            reuse_address: true,
            reuse_port: false,
            only_v6: None,
            ttl: None,
            nodelay: None,
            keepalive: None,
            receive_buffer: None,
            send_buffer: None,
        }
    }

    /// Connections that the kernel queues before they are accepted (listen(2)).
    ///
    /// # Scheduling
    ///
    /// Never switches.
    pub const fn backlog(mut self, connections: u32) -> ListenOptions {
        self.backlog = connections;
        self
    }

    /// Whether an address can be bound of which connections linger
    /// (`SO_REUSEADDR`). On unless it is switched off.
    ///
    /// # Scheduling
    ///
    /// Never switches.
    pub const fn reuse_address(mut self, on: bool) -> ListenOptions {
        self.reuse_address = on;
        self
    }

    /// Whether several sockets may listen at the address (`SO_REUSEPORT`): each
    /// worker binds the same, and the kernel deals connections out among them.
    ///
    /// # Scheduling
    ///
    /// Never switches.
    pub const fn reuse_port(mut self, on: bool) -> ListenOptions {
        self.reuse_port = on;
        self
    }

    /// Whether an IPv6 socket leaves IPv4 alone (`IPV6_V6ONLY`). With `false`
    /// `[::]` accepts both; addresses of IPv4 peers are mapped ones.
    ///
    /// # Scheduling
    ///
    /// Never switches.
    pub const fn only_v6(mut self, on: bool) -> ListenOptions {
        self.only_v6 = Some(on);
        self
    }

    /// Routers that a packet may pass (`IP_TTL`).
    ///
    /// # Scheduling
    ///
    /// Never switches.
    pub const fn ttl(mut self, ttl: u32) -> ListenOptions {
        self.ttl = Some(ttl);
        self
    }

    /// Whether small segments are sent at once (`TCP_NODELAY`).
    ///
    /// # Scheduling
    ///
    /// Never switches.
    pub const fn nodelay(mut self, on: bool) -> ListenOptions {
        self.nodelay = Some(on);
        self
    }

    /// How the kernel probes idle connections (`SO_KEEPALIVE`).
    ///
    /// # Scheduling
    ///
    /// Never switches.
    pub const fn keepalive(mut self, keepalive: TcpKeepalive) -> ListenOptions {
        self.keepalive = Some(keepalive);
        self
    }

    /// Bytes that the kernel holds for a reader (`SO_RCVBUF`); set here, it
    /// bounds the window that connections offer from the start (tcp(7)).
    ///
    /// # Scheduling
    ///
    /// Never switches.
    pub const fn receive_buffer(mut self, bytes: usize) -> ListenOptions {
        self.receive_buffer = Some(bytes);
        self
    }

    /// Bytes that the kernel holds for the peer (`SO_SNDBUF`).
    ///
    /// # Scheduling
    ///
    /// Never switches.
    pub const fn send_buffer(mut self, bytes: usize) -> ListenOptions {
        self.send_buffer = Some(bytes);
        self
    }

    /// Binds to the first of the addresses that can be bound, and listens.
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
    /// The last address' error, as of `bind(2)`, `listen(2)` or `setsockopt(2)`.
    #[track_caller]
    pub fn bind(&self, address: impl ToSocketAddrs) -> io::Result<TcpListener> {
        first_that_works(resolve(&address)?, |address| self.listen(address))
    }

    fn listen(&self, address: SocketAddr) -> io::Result<TcpListener> {
        let socket = Socket::new(
            Domain::for_address(address),
            Type::STREAM,
            Some(Protocol::TCP),
        )?;
        self.apply(&socket, address)?;
        socket.bind(&address.into())?;
        socket.listen(i32::try_from(self.backlog).unwrap_or(i32::MAX))?;
        let endpoint = Endpoint::new_own(socket.into())?;
        Ok(TcpListener { endpoint })
    }

    fn apply(&self, socket: &Socket, address: SocketAddr) -> io::Result<()> {
        socket.set_reuse_address(self.reuse_address)?;
        if self.reuse_port {
            socket.set_reuse_port(true)?;
        }
        if let (Some(on), true) = (self.only_v6, address.is_ipv6()) {
            socket.set_only_v6(on)?;
        }
        if let Some(ttl) = self.ttl {
            match address {
                SocketAddr::V4(_) => socket.set_ttl_v4(ttl)?,
                SocketAddr::V6(_) => socket.set_unicast_hops_v6(ttl)?,
            }
        }
        if let Some(on) = self.nodelay {
            socket.set_tcp_nodelay(on)?;
        }
        if let Some(keepalive) = self.keepalive {
            keepalive.set(SockRef::from(socket))?;
        }
        if let Some(bytes) = self.receive_buffer {
            socket.set_recv_buffer_size(bytes)?;
        }
        if let Some(bytes) = self.send_buffer {
            socket.set_send_buffer_size(bytes)?;
        }
        Ok(())
    }
}

impl Default for ListenOptions {
    fn default() -> ListenOptions {
        ListenOptions::new()
    }
}
