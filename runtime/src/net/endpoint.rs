//! What every socket is made of: a watched descriptor, shared by its handles.
//!
//! ```text
//!   TcpStream ---+
//!   (try_clone) -+--> Shared { source, state }     one descriptor, one place in
//!   OwnedReadHalf+                                 the reactor, one set of limits
//! ```
//!
//! # Why handles share instead of duplicating the descriptor
//!
//! Time limits, the blocking mode and `close` are one for all handles, as they
//! are for std's clones, where the kernel keeps them. A duplicate would cost a
//! descriptor and a registration, and giving one back to std would set the
//! others to blocking mode as well, where they would stop the whole thread;
//! here the last handle alone can be given back.

use crate::io::limits::Limits;
use crate::io::source::{Source, Waiting};
use crate::wait::reason;
use rustix::net::{RecvFlags, SendFlags};
use socket2::SockRef;
use std::cell::Cell;
use std::fmt;
use std::io;
use std::os::fd::AsFd;
use std::panic::Location;
use std::rc::Rc;

/// A socket `S` and the state that its handles share.
pub(super) struct Endpoint<S, X = Mode>(Rc<Shared<S, X>>);

struct Shared<S, X> {
    source: Source<S>,
    state: X,
}

/// How the operations of a socket wait.
#[derive(Default)]
pub(super) struct Mode {
    limits: Limits,
    nonblocking: Cell<bool>,
    /// Reading was shut down: what is not there will not come.
    is_ended: Cell<bool>,
    protocol: Cell<Spoken>,
}

/// What a stream speaks, on which depends what its short reads tell.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum Spoken {
    /// Nobody has asked yet: the socket was taken over.
    #[default]
    Unknown,
    Tcp,
    Other,
}

impl<S: AsFd, X: Default> Endpoint<S, X> {
    /// Sets the descriptor to non-blocking mode and watches it.
    pub(super) fn new(socket: S) -> io::Result<Endpoint<S, X>> {
        rustix::io::ioctl_fionbio(&socket, true)?;
        Endpoint::watch(socket)
    }

    /// Watches a descriptor that is in non-blocking mode already.
    pub(super) fn watch(socket: S) -> io::Result<Endpoint<S, X>> {
        Ok(Endpoint(Rc::new(Shared {
            source: Source::new(socket)?,
            state: X::default(),
        })))
    }
}

impl<S: AsFd, X> Endpoint<S, X> {
    #[inline]
    pub(super) fn source(&self) -> &Source<S> {
        &self.0.source
    }

    #[inline]
    pub(super) fn socket(&self) -> &S {
        self.0.source.inner()
    }

    #[inline]
    pub(super) fn state(&self) -> &X {
        &self.0.state
    }

    /// For the options that std lacks.
    pub(super) fn options(&self) -> SockRef<'_> {
        SockRef::from(self.socket())
    }

    pub(super) fn share(&self) -> Endpoint<S, X> {
        Endpoint(self.0.clone())
    }

    /// Whether both are handles of one socket.
    pub(super) fn is_same(&self, other: &Endpoint<S, X>) -> bool {
        Rc::ptr_eq(&self.0, &other.0)
    }

    /// The descriptor in blocking mode, if this is its last handle.
    pub(super) fn into_socket(self) -> io::Result<S> {
        let shared = Rc::try_unwrap(self.0).map_err(|_| {
            io::Error::new(
                io::ErrorKind::ResourceBusy,
                "other handles share this socket",
            )
        })?;
        let socket = shared.source.into_inner();
        rustix::io::ioctl_fionbio(&socket, false)?;
        Ok(socket)
    }
}

impl<S: AsFd> Endpoint<S> {
    pub(super) fn mode(&self) -> &Mode {
        self.state()
    }

    /// The error of every operation once the socket is closed.
    pub(super) fn check_open(&self) -> io::Result<()> {
        match self.source().try_read_op(|_| Ok(())) {
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => Ok(()),
            result => result,
        }
    }

    /// A short read from a stream of TCP has emptied its queue: to ask again
    /// would cost a system call to hear so.
    #[inline]
    pub(super) fn note_short_read(&self, got: usize, asked: usize) {
        if got > 0 && got < asked && self.speaks_tcp() {
            self.source().registration().read_short();
        }
    }

    #[inline]
    fn speaks_tcp(&self) -> bool {
        let protocol = &self.mode().protocol;
        if protocol.get() == Spoken::Unknown {
            protocol.set(Spoken::of(self.socket()));
        }
        protocol.get() == Spoken::Tcp
    }

    /// Runs an operation that reads, as the mode and the time limit say.
    #[inline]
    pub(super) fn read<R>(
        &self,
        location: &'static Location<'static>,
        operation: impl FnMut(&S) -> io::Result<R>,
    ) -> io::Result<R> {
        if self.mode().nonblocking.get() {
            return self.source().try_read_op(operation);
        }
        let limit = self.mode().limits().read();
        let wait = Waiting::new(&reason::IO_READ, location, limit);
        self.source().read_op(wait, operation)
    }

    /// As `read`, for datagrams: a descriptor in non-blocking mode does not say
    /// that reading was shut down, as one in blocking mode does.
    pub(super) fn receive<R>(
        &self,
        location: &'static Location<'static>,
        mut operation: impl FnMut(&S) -> io::Result<R>,
        end: impl Fn() -> R,
    ) -> io::Result<R> {
        self.read(location, |socket| self.or_end(operation(socket), &end))
    }

    /// As `receive`, with `WouldBlock` instead of a wait.
    pub(super) fn try_receive<R>(
        &self,
        mut operation: impl FnMut(&S) -> io::Result<R>,
        end: impl Fn() -> R,
    ) -> io::Result<R> {
        self.source()
            .try_read_op(|socket| self.or_end(operation(socket), &end))
    }

    fn or_end<R>(&self, result: io::Result<R>, end: impl Fn() -> R) -> io::Result<R> {
        match result {
            Err(error) if error.kind() == io::ErrorKind::WouldBlock && self.mode().is_ended() => {
                Ok(end())
            }
            result => result,
        }
    }

    /// Runs an operation that writes, as the mode and the time limit say.
    #[inline]
    pub(super) fn write<R>(
        &self,
        location: &'static Location<'static>,
        operation: impl FnMut(&S) -> io::Result<R>,
    ) -> io::Result<R> {
        if self.mode().nonblocking.get() {
            return self.source().try_write_op(operation);
        }
        let limit = self.mode().limits().write();
        let wait = Waiting::new(&reason::IO_WRITE, location, limit);
        self.source().write_op(wait, operation)
    }
}

impl Spoken {
    #[cfg(target_os = "linux")]
    #[cold]
    #[inline(never)]
    pub(super) fn of(socket: &impl AsFd) -> Spoken {
        match SockRef::from(socket).protocol() {
            Ok(Some(socket2::Protocol::TCP)) => Spoken::Tcp,
            _ => Spoken::Other,
        }
    }

    /// Elsewhere only the family of addresses tells.
    #[cfg(not(target_os = "linux"))]
    #[cold]
    #[inline(never)]
    pub(super) fn of(socket: &impl AsFd) -> Spoken {
        let address = SockRef::from(socket).local_addr();
        match address.is_ok_and(|address| address.as_socket().is_some()) {
            true => Spoken::Tcp,
            false => Spoken::Other,
        }
    }
}

impl Mode {
    pub(super) fn limits(&self) -> &Limits {
        &self.limits
    }

    pub(super) fn is_nonblocking(&self) -> bool {
        self.nonblocking.get()
    }

    /// What the stream is known to speak.
    pub(super) fn set_protocol(&self, protocol: Spoken) {
        self.protocol.set(protocol);
    }

    pub(super) fn is_ended(&self) -> bool {
        self.is_ended.get()
    }

    pub(super) fn note_end(&self) {
        self.is_ended.set(true);
    }

    pub(super) fn set_nonblocking(&self, on: bool) {
        self.nonblocking.set(on);
    }
}

impl<S: AsFd + fmt::Debug, X> fmt::Debug for Endpoint<S, X> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.socket().fmt(f)
    }
}

/// No signal when the peer is gone; elsewhere std has set that at the socket.
#[cfg(target_os = "linux")]
const SEND_FLAGS: SendFlags = SendFlags::NOSIGNAL;
#[cfg(not(target_os = "linux"))]
const SEND_FLAGS: SendFlags = SendFlags::empty();

/// As std's `read` of a stream, but for the C library, whose `recv` is a point
/// where threads may be cancelled, and says so by locked instructions.
#[inline]
pub(super) fn receive(socket: &impl AsFd, buffer: &mut [u8]) -> io::Result<usize> {
    let (got, _) = rustix::net::recv(socket, buffer, RecvFlags::empty())?;
    Ok(got)
}

/// As std's `write` of a stream; see [`receive`].
#[inline]
pub(super) fn send(socket: &impl AsFd, bytes: &[u8]) -> io::Result<usize> {
    Ok(rustix::net::send(socket, bytes, SEND_FLAGS)?)
}

/// Receives without taking anything out of the queue; std offers it for some
/// kinds of sockets only.
pub(super) fn peek(socket: &impl AsFd, buffer: &mut [u8]) -> io::Result<usize> {
    let (got, _) = rustix::net::recv(socket, buffer, RecvFlags::PEEK)?;
    Ok(got)
}
