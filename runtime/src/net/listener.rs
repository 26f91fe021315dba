//! A socket that accepts TCP connections.

use super::addresses::{ToSocketAddrs, first_that_works, resolve};
use super::tcp::TcpStream;
use crate::io::source::{Source, Waiting};
use crate::scheduler::{Park, local};
use crate::wait::{WaitList, reason};
use socket2::{Domain, Protocol, Socket, Type};
use std::fmt;
use std::io;
use std::net::{self, SocketAddr};
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, RawFd};
use std::panic::Location;
use std::time::{Duration, Instant};

/// Connections the kernel queues before they are accepted.
const BACKLOG: i32 = 4096;

/// First and longest pause of `accept` when descriptors have run out.
const BACKOFF: (Duration, Duration) = (Duration::from_millis(10), Duration::from_millis(200));

/// Accepts TCP connections, as [`std::net::TcpListener`].
///
/// # Examples
///
/// See [`TcpStream`].
pub struct TcpListener {
    source: Source<net::TcpListener>,
    /// Acceptors that wait for descriptors to become free.
    backing_off: WaitList<()>,
}

impl TcpListener {
    /// Binds to the first of the addresses that can be bound, with
    /// `SO_REUSEADDR`.
    ///
    /// # Scheduling
    ///
    /// Switches only if a name must be looked up.
    ///
    /// # Errors
    ///
    /// The last address' error.
    #[track_caller]
    pub fn bind(address: impl ToSocketAddrs) -> io::Result<TcpListener> {
        first_that_works(resolve(&address)?, |address| listen(address, false))
    }

    /// As [`bind`](TcpListener::bind), with `SO_REUSEPORT`: each worker binds
    /// the same address, and the kernel deals connections out among them.
    ///
    /// # Scheduling
    ///
    /// Switches only if a name must be looked up.
    ///
    /// # Errors
    ///
    /// The last address' error.
    #[track_caller]
    pub fn bind_reuseport(address: impl ToSocketAddrs) -> io::Result<TcpListener> {
        first_that_works(resolve(&address)?, |address| listen(address, true))
    }

    /// Takes over a listening socket of std, which it sets to non-blocking
    /// mode.
    ///
    /// # Errors
    ///
    /// When the mode can't be set or the reactor can't watch it.
    pub fn from_std(listener: net::TcpListener) -> io::Result<TcpListener> {
        listener.set_nonblocking(true)?;
        Ok(TcpListener {
            source: Source::new(listener)?,
            backing_off: WaitList::new(),
        })
    }

    /// Gives the socket back to std, in blocking mode.
    ///
    /// # Errors
    ///
    /// When the mode can't be set.
    pub fn into_std(self) -> io::Result<net::TcpListener> {
        let listener = self.source.into_inner();
        listener.set_nonblocking(false)?;
        Ok(listener)
    }

    /// Waits for a connection.
    ///
    /// Connections that were reset before they could be accepted are skipped.
    /// While the process or the system is out of descriptors or memory, it
    /// pauses for 10 to 200 ms and tries again, with a warning to the log.
    ///
    /// # Scheduling
    ///
    /// Switches unless a connection waits.
    ///
    /// # Cancellation
    ///
    /// No connection is lost.
    ///
    /// # Errors
    ///
    /// `ConnectionAborted` once the listener is closed, `TimedOut` by a scope,
    /// and what `accept(2)` says of a broken socket.
    #[track_caller]
    pub fn accept(&self) -> io::Result<(TcpStream, SocketAddr)> {
        let location = Location::caller();
        let mut pause = BACKOFF.0;
        loop {
            let wait = Waiting::new(&reason::ACCEPT, location, None);
            let accepted = self.source.read_op(wait, net::TcpListener::accept);
            let accepted =
                accepted.and_then(|(stream, peer)| Ok((TcpStream::from_std(stream)?, peer)));
            match accepted {
                Err(error) if is_of_the_peer(&error) => {}
                Err(error) if is_shortage(&error) => {
                    log::warn!("greenling: accept: {error}; pausing for {pause:?}");
                    self.back_off(pause, location)?;
                    pause = (pause * 2).min(BACKOFF.1);
                }
                result => return result,
            }
        }
    }

    /// The address it is bound to.
    ///
    /// # Errors
    ///
    /// Those of `getsockname(2)`.
    pub fn local_addr(&self) -> io::Result<SocketAddr> {
        self.source.inner().local_addr()
    }

    /// Wakes every waiting acceptor with an error. The descriptor is released on
    /// drop; until then the kernel goes on queueing connections.
    ///
    /// # Scheduling
    ///
    /// Never switches.
    pub fn close(&self) {
        self.source.close();
        if let Some(scheduler) = local::get() {
            self.backing_off.wake_all(scheduler);
        }
    }

    fn back_off(&self, pause: Duration, location: &'static Location<'static>) -> io::Result<()> {
        let Some(scheduler) = local::get() else {
            return Err(crate::WaitError::Unwinding.into());
        };
        scheduler.check_may_park()?;
        let ends = Instant::now() + pause;
        let park = Park::new(&reason::ACCEPT_BACKOFF, location).until(Some(ends));
        match self.backing_off.park(scheduler, park) {
            // The pause is over, and no scope has ended it earlier.
            Err(crate::WaitError::TimedOut)
                if crate::time::deadline().is_none_or(|deadline| ends < deadline) =>
            {
                Ok(())
            }
            result => Ok(result?),
        }
    }
}

fn listen(address: SocketAddr, reuse_port: bool) -> io::Result<TcpListener> {
    let socket = Socket::new(
        Domain::for_address(address),
        Type::STREAM.nonblocking(),
        Some(Protocol::TCP),
    )?;
    socket.set_reuse_address(true)?;
    if reuse_port {
        socket.set_reuse_port(true)?;
    }
    socket.bind(&address.into())?;
    socket.listen(BACKLOG)?;
    TcpListener::from_std(socket.into())
}

/// Errors of the connection that was about to be accepted; accept(2) lists
/// those that a server should skip.
fn is_of_the_peer(error: &io::Error) -> bool {
    matches!(
        error.raw_os_error(),
        Some(
            libc::ECONNABORTED
                | libc::EPROTO
                | libc::ENETDOWN
                | libc::ENOPROTOOPT
                | libc::EHOSTDOWN
                | libc::EHOSTUNREACH
                | libc::EOPNOTSUPP
                | libc::ENETUNREACH
                | libc::EPERM
        )
    )
}

fn is_shortage(error: &io::Error) -> bool {
    matches!(
        error.raw_os_error(),
        Some(libc::EMFILE | libc::ENFILE | libc::ENOBUFS | libc::ENOMEM | libc::ENOSPC)
    )
}

impl AsFd for TcpListener {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.source.inner().as_fd()
    }
}

impl AsRawFd for TcpListener {
    fn as_raw_fd(&self) -> RawFd {
        self.source.inner().as_raw_fd()
    }
}

impl fmt::Debug for TcpListener {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.source.inner().fmt(f)
    }
}
