//! What connections come from.

use crate::io::{Interest, Readiness};
use crate::net::{TcpListener, TcpStream, UnixListener, UnixStream};
use crate::select;
use std::fmt;
use std::io;
use std::net::SocketAddr;
use std::os::unix;
use std::rc::Rc;

/// Something that accepts connections, for [`serve`](super::serve()).
///
/// Implemented for the listeners of [`net`](crate::net), and by `greenling-tls`
/// for its own.
pub trait Listener {
    /// A connection.
    type Stream: 'static;
    /// Where one comes from, for the log and the handler.
    type Address: fmt::Debug + 'static;

    /// Whether [`wait_pending`](Listener::wait_pending) and
    /// [`try_accept`](Listener::try_accept) are what they say. A server with several
    /// listeners then takes no place for one at which nobody connects; else each of
    /// them keeps one to accept into.
    const TELLS_PENDING: bool = false;

    /// Waits until there is a connection to accept. Another acceptor may be faster.
    ///
    /// # Scheduling
    ///
    /// Switches unless a connection waits.
    ///
    /// # Errors
    ///
    /// When none can be accepted now.
    fn wait_pending(&self) -> io::Result<()> {
        Ok(())
    }

    /// Takes a connection that is there.
    ///
    /// # Scheduling
    ///
    /// Never switches.
    ///
    /// # Errors
    ///
    /// `WouldBlock` when there is none, others when none can be accepted now.
    fn try_accept(&self) -> io::Result<(Self::Stream, Self::Address)> {
        self.accept()
    }

    /// Waits for a connection.
    ///
    /// When the wait is cancelled or times out, no connection may be lost: those
    /// in the queue are still accepted by later calls. An error of the *listener*
    /// that passes, such as a shortage of descriptors, is best waited for in
    /// here; the caller pauses after an error, too, and calls again.
    ///
    /// # Scheduling
    ///
    /// Switches unless a connection waits.
    ///
    /// # Errors
    ///
    /// When none can be accepted now.
    fn accept(&self) -> io::Result<(Self::Stream, Self::Address)>;
}

impl Listener for TcpListener {
    type Stream = TcpStream;
    type Address = SocketAddr;

    const TELLS_PENDING: bool = true;

    fn wait_pending(&self) -> io::Result<()> {
        until_ready(self.readiness(Interest::READ))
    }

    fn try_accept(&self) -> io::Result<(TcpStream, SocketAddr)> {
        TcpListener::try_accept(self)
    }

    #[track_caller]
    fn accept(&self) -> io::Result<(TcpStream, SocketAddr)> {
        TcpListener::accept(self)
    }
}

impl Listener for UnixListener {
    type Stream = UnixStream;
    type Address = unix::net::SocketAddr;

    const TELLS_PENDING: bool = true;

    fn wait_pending(&self) -> io::Result<()> {
        until_ready(self.readiness(Interest::READ))
    }

    fn try_accept(&self) -> io::Result<(UnixStream, unix::net::SocketAddr)> {
        UnixListener::try_accept(self)
    }

    #[track_caller]
    fn accept(&self) -> io::Result<(UnixStream, unix::net::SocketAddr)> {
        UnixListener::accept(self)
    }
}

impl<L: Listener> Listener for Rc<L> {
    type Stream = L::Stream;
    type Address = L::Address;

    const TELLS_PENDING: bool = L::TELLS_PENDING;

    fn wait_pending(&self) -> io::Result<()> {
        L::wait_pending(self)
    }

    fn try_accept(&self) -> io::Result<(L::Stream, L::Address)> {
        L::try_accept(self)
    }

    #[track_caller]
    fn accept(&self) -> io::Result<(L::Stream, L::Address)> {
        L::accept(self)
    }
}

/// Waits for readiness that the kernel confirms.
fn until_ready(readiness: Readiness<'_>) -> io::Result<()> {
    select! { ready = readiness => ready.map(drop) }?
}
