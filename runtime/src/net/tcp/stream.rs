//! A TCP connection.

use super::connect;
use super::keepalive::TcpKeepalive;
use crate::io::limits::check_limit;
use crate::io::source::Source;
use crate::io::{Interest, Ready};
use crate::net::addresses::ToSocketAddrs;
use crate::net::byte_stream::byte_stream_methods;
use crate::net::endpoint::{self, Endpoint};
use crate::net::halves::{Halved, OwnedReadHalf, OwnedWriteHalf, SplitStream};
use crate::net::handle::{handle_methods, mode_methods};
use std::fmt;
use std::io::{self, IoSlice, IoSliceMut, Read, Write};
use std::net::{Shutdown, SocketAddr};
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, OwnedFd, RawFd};
use std::panic::Location;
use std::time::{Duration, Instant};

/// A TCP connection, as [`std::net::TcpStream`].
///
/// `Read` and `Write` are implemented for `&TcpStream` as well, so one tasklet
/// may read while another writes; share it by `Rc`, by
/// [`try_clone`](TcpStream::try_clone), or [`split`](TcpStream::split) it.
///
/// # Scheduling
///
/// An operation tries the system call first and switches only when it would
/// block, and before it begins after 32 successes in a row.
///
/// # Cancellation
///
/// A kill unwinds from a waiting operation, a [`timeout`](crate::time::timeout)
/// scope ends it with `TimedOut`, the socket's own time limit with
/// `WouldBlock`. In each case no byte is lost: nothing was read or written.
///
/// # Examples
///
/// ```
/// use greenling::net::{TcpListener, TcpStream};
/// use std::io::{Read, Write};
/// # fn main() -> std::io::Result<()> {
/// let listener = TcpListener::bind("127.0.0.1:0")?;
/// let address = listener.local_addr()?;
/// greenling::spawn(move || {
///     let (mut stream, _) = listener.accept().unwrap();
///     stream.write_all(b"hello").unwrap();
/// });
/// let mut text = String::new();
/// TcpStream::connect(address)?.read_to_string(&mut text)?;
/// assert_eq!(text, "hello");
/// # Ok(())
/// # }
/// ```
pub struct TcpStream {
    pub(super) endpoint: Endpoint<std::net::TcpStream>,
}

handle_methods!(TcpStream, std::net::TcpStream);
mode_methods!(TcpStream);
byte_stream_methods!(TcpStream, short_read_empties: true);

impl TcpStream {
    /// Connects to the first of the addresses that answers.
    ///
    /// Several addresses are tried as RFC 8305 ("happy eyeballs") says: IPv6
    /// and IPv4 in turns, the next one as soon as one fails or has not answered
    /// for 250 ms, while the earlier ones go on. The first to succeed is
    /// taken, and the others are closed.
    ///
    /// # Scheduling
    ///
    /// Switches while a name is looked up and until a peer answers.
    ///
    /// # Cancellation
    ///
    /// All half-made connections are closed.
    ///
    /// # Errors
    ///
    /// That of the attempt that failed last; the end of a scope's time
    /// (`TimedOut`) or an error thrown at the tasklet ends all attempts at once.
    #[track_caller]
    pub fn connect(address: impl ToSocketAddrs) -> io::Result<TcpStream> {
        connect::to_any(&address, Location::caller())
    }

    /// Connects to one address within `limit`.
    ///
    /// # Scheduling
    ///
    /// Switches until the peer answers.
    ///
    /// # Cancellation
    ///
    /// The half-made connection is closed.
    ///
    /// # Errors
    ///
    /// `TimedOut` when the limit has passed; `InvalidInput` for a limit of
    /// zero.
    #[track_caller]
    pub fn connect_timeout(address: &SocketAddr, limit: Duration) -> io::Result<TcpStream> {
        check_limit(Some(limit))?;
        let location = Location::caller();
        match Instant::now().checked_add(limit) {
            Some(deadline) => connect::before(address, deadline, location),
            None => connect::to_any(address, location),
        }
    }

    /// As [`connect`](TcpStream::connect), before `deadline`, which holds for
    /// the look-up of a name and for all addresses together.
    ///
    /// # Scheduling
    ///
    /// Switches while a name is looked up and until a peer answers.
    ///
    /// # Cancellation
    ///
    /// All half-made connections are closed.
    ///
    /// # Errors
    ///
    /// `TimedOut` when the deadline has passed; those of `connect`.
    ///
    /// # Examples
    ///
    /// ```
    /// use greenling::net::{TcpListener, TcpStream};
    /// use std::time::{Duration, Instant};
    /// # fn main() -> std::io::Result<()> {
    /// let listener = TcpListener::bind("localhost:0")?;
    /// let port = listener.local_addr()?.port();
    /// let deadline = Instant::now() + Duration::from_secs(10);
    /// TcpStream::connect_deadline(("localhost", port), deadline)?;
    /// # Ok(())
    /// # }
    /// ```
    #[track_caller]
    pub fn connect_deadline(
        address: impl ToSocketAddrs,
        deadline: Instant,
    ) -> io::Result<TcpStream> {
        connect::before(&address, deadline, Location::caller())
    }

    /// The peer's address.
    ///
    /// # Scheduling
    ///
    /// Never switches.
    ///
    /// # Errors
    ///
    /// When the socket is not connected any more.
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

    /// Sends small segments at once (`TCP_NODELAY`).
    ///
    /// # Scheduling
    ///
    /// Never switches.
    ///
    /// # Errors
    ///
    /// Those of `setsockopt(2)`.
    pub fn set_nodelay(&self, on: bool) -> io::Result<()> {
        self.endpoint.socket().set_nodelay(on)
    }

    /// Whether small segments are sent at once.
    ///
    /// # Scheduling
    ///
    /// Never switches.
    ///
    /// # Errors
    ///
    /// Those of `getsockopt(2)`.
    pub fn nodelay(&self) -> io::Result<bool> {
        self.endpoint.socket().nodelay()
    }

    /// What a close does with unsent data (`SO_LINGER`). Zero resets the
    /// connection on drop. With a time of more than zero the last handle's drop
    /// holds up the whole thread while data is unsent, up to that long: Linux
    /// waits in `close(2)` whatever the mode of the descriptor.
    ///
    /// # Scheduling
    ///
    /// Never switches.
    ///
    /// # Errors
    ///
    /// Those of `setsockopt(2)`.
    pub fn set_linger(&self, time: Option<Duration>) -> io::Result<()> {
        self.endpoint.options().set_linger(time)
    }

    /// What a close does with unsent data.
    ///
    /// # Scheduling
    ///
    /// Never switches.
    ///
    /// # Errors
    ///
    /// Those of `getsockopt(2)`.
    pub fn linger(&self) -> io::Result<Option<Duration>> {
        self.endpoint.options().linger()
    }

    /// Routers that a packet may pass (`IP_TTL`).
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

    /// Has the kernel probe an idle connection (`SO_KEEPALIVE`); `None` ends
    /// that.
    ///
    /// # Scheduling
    ///
    /// Never switches.
    ///
    /// # Errors
    ///
    /// Those of `setsockopt(2)`: `InvalidInput` for a time or count that the
    /// kernel does not take.
    pub fn set_keepalive(&self, keepalive: Option<TcpKeepalive>) -> io::Result<()> {
        match keepalive {
            Some(keepalive) => keepalive.set(self.endpoint.options()),
            None => self.endpoint.options().set_keepalive(false),
        }
    }

    /// How the kernel probes an idle connection, if it does.
    ///
    /// # Scheduling
    ///
    /// Never switches.
    ///
    /// # Errors
    ///
    /// Those of `getsockopt(2)`.
    pub fn keepalive(&self) -> io::Result<Option<TcpKeepalive>> {
        TcpKeepalive::of(self.endpoint.options())
    }

    /// Acknowledges at once what comes in, until the kernel thinks otherwise
    /// again (`TCP_QUICKACK`).
    ///
    /// # Scheduling
    ///
    /// Never switches.
    ///
    /// # Errors
    ///
    /// Those of `setsockopt(2)`.
    #[cfg(target_os = "linux")]
    pub fn set_quickack(&self, on: bool) -> io::Result<()> {
        self.endpoint.options().set_tcp_quickack(on)
    }

    /// Whether the kernel acknowledges at once what comes in.
    ///
    /// # Scheduling
    ///
    /// Never switches.
    ///
    /// # Errors
    ///
    /// Those of `getsockopt(2)`.
    #[cfg(target_os = "linux")]
    pub fn quickack(&self) -> io::Result<bool> {
        self.endpoint.options().tcp_quickack()
    }
}
