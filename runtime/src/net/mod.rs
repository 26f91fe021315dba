//! Sockets as in [`std::net`] and [`std::os::unix::net`], whose calls park
//! their tasklet only.
//!
//! A socket belongs to the OS thread that made it. To move one to another
//! thread, take it out with `into_std` and back in there with `from_std`.
//!
//! Tasklets that read and tasklets that write may use one socket at the same
//! time: both directions of `&TcpStream` are independent, without a second
//! descriptor.
//!
//! | std | here, differently |
//! |---|---|
//! | `try_clone` duplicates the descriptor | another handle of the same descriptor |
//! | `set_nonblocking` | has operations fail instead of wait, for all handles |
//! | `connect` tries one address after the other | RFC 8305: a slow one is overtaken |
//! | a read into an empty buffer may wait for data | gives `Ok(0)` at once |
//! | `Incoming` never ends | ends once the listener is closed |
//! | `From<OwnedFd>` | `TryFrom`: the reactor has to watch it |
//!
//! Addresses and [`Shutdown`] are std's own, so that `use std::net` becomes
//! `use greenling::net` and nothing else has to.
//!
//! Beyond std: `close(&self)` ends all waits with an error, `try_` forms never
//! switch, `wait` and `wake` are for event loops, `split` for two tasklets, and
//! all sockets give [`socket2::SockRef`](https://docs.rs/socket2) their
//! descriptor for whatever option is missing.

mod accept;
pub mod activation;
mod addresses;
mod byte_stream;
mod datagram;
mod endpoint;
mod halves;
mod handle;
mod selector;
mod tcp;
mod udp;
mod unix;

pub use accept::Incoming;
pub use addresses::{ToSocketAddrs, lookup_host};
pub use halves::{OwnedReadHalf, OwnedWriteHalf, ReuniteError, SplitStream};
pub use std::net::{
    AddrParseError, IpAddr, Ipv4Addr, Ipv6Addr, Shutdown, SocketAddr, SocketAddrV4, SocketAddrV6,
};
pub use tcp::{ListenOptions, TcpKeepalive, TcpListener, TcpStream};
pub use udp::UdpSocket;
pub use unix::{UnixDatagram, UnixListener, UnixStream};
