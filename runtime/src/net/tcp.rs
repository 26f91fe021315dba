//! A TCP connection.

use super::addresses::{ToSocketAddrs, first_that_works, resolve};
use crate::io::source::{Source, Waiting};
use crate::io::{Interest, Ready};
use crate::wait::reason;
use socket2::{Domain, Protocol, SockRef, Socket, Type};
use std::cell::Cell;
use std::fmt;
use std::io::{self, IoSlice, IoSliceMut, Read, Write};
use std::net::{self, Shutdown, SocketAddr};
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, RawFd};
use std::panic::Location;
use std::time::{Duration, Instant};

/// A TCP connection, as [`std::net::TcpStream`].
///
/// `Read` and `Write` are implemented for `&TcpStream` as well, so one tasklet
/// may read while another writes; share it by `Rc`.
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
    source: Source<net::TcpStream>,
    read_limit: Cell<Option<Duration>>,
    write_limit: Cell<Option<Duration>>,
}

impl TcpStream {
    /// Connects to the first of the addresses that answers.
    ///
    /// # Scheduling
    ///
    /// Switches while a name is looked up and until the peer answers.
    ///
    /// # Cancellation
    ///
    /// The half-made connection is closed.
    ///
    /// # Errors
    ///
    /// The last address' error; the end of a scope's time (`TimedOut`) or an
    /// error thrown at the tasklet ends the attempts at once.
    #[track_caller]
    pub fn connect(address: impl ToSocketAddrs) -> io::Result<TcpStream> {
        let location = Location::caller();
        first_that_works(resolve(&address)?, |address| {
            TcpStream::connect_to(address, None, location)
        })
    }

    /// Connects to one address within `limit`.
    ///
    /// # Scheduling
    ///
    /// Switches until the peer answers.
    ///
    /// # Errors
    ///
    /// `TimedOut` when the limit has passed; `InvalidInput` for a limit of
    /// zero.
    #[track_caller]
    pub fn connect_timeout(address: &SocketAddr, limit: Duration) -> io::Result<TcpStream> {
        check_limit(Some(limit))?;
        let deadline = Instant::now().checked_add(limit);
        TcpStream::connect_to(*address, deadline, Location::caller())
    }

    fn connect_to(
        address: SocketAddr,
        deadline: Option<Instant>,
        location: &'static Location<'static>,
    ) -> io::Result<TcpStream> {
        let socket = Socket::new(
            Domain::for_address(address),
            Type::STREAM.nonblocking(),
            Some(Protocol::TCP),
        )?;
        let in_progress = match socket.connect(&address.into()) {
            Ok(()) => false,
            Err(error) if error.raw_os_error() == Some(libc::EINPROGRESS) => true,
            // The connection goes on in the background, as with EINPROGRESS.
            Err(error) if error.kind() == io::ErrorKind::Interrupted => true,
            Err(error) => return Err(error),
        };
        let stream = TcpStream::watch(socket.into())?;
        if in_progress {
            stream.finish_connect(deadline, location)?;
        }
        Ok(stream)
    }

    fn finish_connect(
        &self,
        deadline: Option<Instant>,
        location: &'static Location<'static>,
    ) -> io::Result<()> {
        let wait = Waiting::new(&reason::CONNECT, location, None).until(deadline);
        self.source.write_op(wait, |socket| {
            if let Some(error) = socket.take_error()? {
                return Err(error);
            }
            match socket.peer_addr() {
                Ok(_) => Ok(()),
                Err(error) if error.kind() == io::ErrorKind::NotConnected => {
                    Err(io::ErrorKind::WouldBlock.into())
                }
                Err(error) => Err(error),
            }
        })
    }

    /// Takes over a socket of std, which it sets to non-blocking mode.
    ///
    /// # Errors
    ///
    /// When the mode can't be set or the reactor can't watch it.
    pub fn from_std(stream: net::TcpStream) -> io::Result<TcpStream> {
        stream.set_nonblocking(true)?;
        TcpStream::watch(stream)
    }

    /// Gives the socket back to std, in blocking mode.
    ///
    /// # Errors
    ///
    /// When the mode can't be set.
    pub fn into_std(self) -> io::Result<net::TcpStream> {
        let stream = self.source.into_inner();
        stream.set_nonblocking(false)?;
        Ok(stream)
    }

    /// Watches a socket that is in non-blocking mode already.
    pub(super) fn watch(stream: net::TcpStream) -> io::Result<TcpStream> {
        Ok(TcpStream {
            source: Source::new(stream)?,
            read_limit: Cell::new(None),
            write_limit: Cell::new(None),
        })
    }

    /// The peer's address.
    ///
    /// # Errors
    ///
    /// When the socket is not connected any more.
    pub fn peer_addr(&self) -> io::Result<SocketAddr> {
        self.source.inner().peer_addr()
    }

    /// This end's address.
    ///
    /// # Errors
    ///
    /// Those of `getsockname(2)`.
    pub fn local_addr(&self) -> io::Result<SocketAddr> {
        self.source.inner().local_addr()
    }

    /// Shuts down one or both directions. Waiting tasklets wake up: readers
    /// see the end of the stream, writers an error.
    ///
    /// # Scheduling
    ///
    /// Never switches.
    ///
    /// # Errors
    ///
    /// Those of `shutdown(2)`.
    pub fn shutdown(&self, how: Shutdown) -> io::Result<()> {
        self.source.inner().shutdown(how)
    }

    /// Shuts the connection down and wakes every tasklet that waits for it
    /// with an error. The descriptor is released on drop.
    ///
    /// # Scheduling
    ///
    /// Never switches.
    pub fn close(&self) {
        // Not connected any more: then there is nothing to shut down.
        let _ = self.source.inner().shutdown(Shutdown::Both);
        self.source.close();
    }

    /// Receives without taking the bytes out of the queue.
    ///
    /// # Scheduling
    ///
    /// Switches until there is something to receive.
    ///
    /// # Errors
    ///
    /// Those of `recv(2)` and of the wait.
    #[track_caller]
    pub fn peek(&self, buffer: &mut [u8]) -> io::Result<usize> {
        let wait = self.reading(Location::caller());
        self.source.read_op(wait, |socket| socket.peek(buffer))
    }

    /// Reads what is there; `WouldBlock` instead of a wait, and without a
    /// system call if the socket is known to be drained.
    ///
    /// # Scheduling
    ///
    /// Never switches.
    ///
    /// # Errors
    ///
    /// Those of `recv(2)`.
    #[inline]
    pub fn try_read(&self, buffer: &mut [u8]) -> io::Result<usize> {
        let asked = buffer.len();
        let got = self.source.try_read_op(|mut socket| socket.read(buffer))?;
        self.source.note_short_read(got, asked);
        Ok(got)
    }

    /// Writes what fits; `WouldBlock` instead of a wait.
    ///
    /// # Scheduling
    ///
    /// Never switches.
    ///
    /// # Errors
    ///
    /// Those of `send(2)`; no signal is raised.
    #[inline]
    pub fn try_write(&self, bytes: &[u8]) -> io::Result<usize> {
        self.source.try_write_op(|mut socket| socket.write(bytes))
    }

    /// Parks until one of the directions may be ready. None is when
    /// [`wake`](TcpStream::wake) has ended the wait.
    ///
    /// # Scheduling
    ///
    /// Switches unless a direction is not known to block.
    ///
    /// # Cancellation
    ///
    /// Nothing is lost.
    ///
    /// # Errors
    ///
    /// `TimedOut` after `deadline` or that of a scope; those of the wait.
    #[track_caller]
    pub fn wait(&self, interest: Interest, deadline: Option<Instant>) -> io::Result<Ready> {
        self.source.wait(interest, deadline, Location::caller())
    }

    /// Ends every [`wait`](TcpStream::wait) in progress without readiness, for
    /// programs in which one tasklet has news for another that waits here.
    /// Reads and writes in progress go on waiting.
    ///
    /// # Scheduling
    ///
    /// Never switches.
    pub fn wake(&self) {
        self.source.wake();
    }

    /// Time limit of each read; when it passes, the read fails with
    /// `WouldBlock`, as std's does. `None` is no limit.
    ///
    /// # Errors
    ///
    /// `InvalidInput` for a limit of zero.
    pub fn set_read_timeout(&self, limit: Option<Duration>) -> io::Result<()> {
        self.read_limit.set(check_limit(limit)?);
        Ok(())
    }

    /// Time limit of each write, as for reads.
    ///
    /// # Errors
    ///
    /// `InvalidInput` for a limit of zero.
    pub fn set_write_timeout(&self, limit: Option<Duration>) -> io::Result<()> {
        self.write_limit.set(check_limit(limit)?);
        Ok(())
    }

    /// Time limit of each read.
    pub fn read_timeout(&self) -> Option<Duration> {
        self.read_limit.get()
    }

    /// Time limit of each write.
    pub fn write_timeout(&self) -> Option<Duration> {
        self.write_limit.get()
    }

    /// Sends small segments at once (`TCP_NODELAY`).
    ///
    /// # Errors
    ///
    /// Those of `setsockopt(2)`.
    pub fn set_nodelay(&self, on: bool) -> io::Result<()> {
        self.source.inner().set_nodelay(on)
    }

    /// Whether small segments are sent at once.
    ///
    /// # Errors
    ///
    /// Those of `getsockopt(2)`.
    pub fn nodelay(&self) -> io::Result<bool> {
        self.source.inner().nodelay()
    }

    /// How long a close waits for unsent data (`SO_LINGER`). Zero resets the
    /// connection on drop.
    ///
    /// # Errors
    ///
    /// Those of `setsockopt(2)`.
    pub fn set_linger(&self, time: Option<Duration>) -> io::Result<()> {
        SockRef::from(self).set_linger(time)
    }

    /// The pending error of the socket (`SO_ERROR`), which is cleared.
    ///
    /// # Errors
    ///
    /// Those of `getsockopt(2)`.
    pub fn take_error(&self) -> io::Result<Option<io::Error>> {
        self.source.inner().take_error()
    }

    #[inline]
    fn reading(&self, location: &'static Location<'static>) -> Waiting {
        Waiting::new(&reason::IO_READ, location, self.read_limit.get())
    }

    #[inline]
    fn writing(&self, location: &'static Location<'static>) -> Waiting {
        Waiting::new(&reason::IO_WRITE, location, self.write_limit.get())
    }
}

fn check_limit(limit: Option<Duration>) -> io::Result<Option<Duration>> {
    if limit.is_some_and(|limit| limit.is_zero()) {
        return Err(io::Error::new(
            io::ErrorKind::InvalidInput,
            "a time limit of zero",
        ));
    }
    Ok(limit)
}

impl Read for &TcpStream {
    #[track_caller]
    #[inline]
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let asked = buffer.len();
        let wait = self.reading(Location::caller());
        let got = self
            .source
            .read_op(wait, |mut socket| socket.read(buffer))?;
        self.source.note_short_read(got, asked);
        Ok(got)
    }

    #[track_caller]
    fn read_vectored(&mut self, buffers: &mut [IoSliceMut<'_>]) -> io::Result<usize> {
        let wait = self.reading(Location::caller());
        self.source
            .read_op(wait, |mut socket| socket.read_vectored(buffers))
    }
}

impl Write for &TcpStream {
    #[track_caller]
    #[inline]
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let wait = self.writing(Location::caller());
        self.source.write_op(wait, |mut socket| socket.write(bytes))
    }

    #[track_caller]
    fn write_vectored(&mut self, buffers: &[IoSlice<'_>]) -> io::Result<usize> {
        let wait = self.writing(Location::caller());
        self.source
            .write_op(wait, |mut socket| socket.write_vectored(buffers))
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Read for TcpStream {
    #[track_caller]
    #[inline]
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        (&*self).read(buffer)
    }

    #[track_caller]
    fn read_vectored(&mut self, buffers: &mut [IoSliceMut<'_>]) -> io::Result<usize> {
        (&*self).read_vectored(buffers)
    }
}

impl Write for TcpStream {
    #[track_caller]
    #[inline]
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        (&*self).write(bytes)
    }

    #[track_caller]
    fn write_vectored(&mut self, buffers: &[IoSlice<'_>]) -> io::Result<usize> {
        (&*self).write_vectored(buffers)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl AsFd for TcpStream {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.source.inner().as_fd()
    }
}

impl AsRawFd for TcpStream {
    fn as_raw_fd(&self) -> RawFd {
        self.source.inner().as_raw_fd()
    }
}

impl fmt::Debug for TcpStream {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.source.inner().fmt(f)
    }
}
