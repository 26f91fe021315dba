//! What connections come from.

use crate::net::{TcpListener, TcpStream, UnixListener, UnixStream};
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

    #[track_caller]
    fn accept(&self) -> io::Result<(TcpStream, SocketAddr)> {
        TcpListener::accept(self)
    }
}

impl Listener for UnixListener {
    type Stream = UnixStream;
    type Address = unix::net::SocketAddr;

    #[track_caller]
    fn accept(&self) -> io::Result<(UnixStream, unix::net::SocketAddr)> {
        UnixListener::accept(self)
    }
}

impl<L: Listener> Listener for Rc<L> {
    type Stream = L::Stream;
    type Address = L::Address;

    #[track_caller]
    fn accept(&self) -> io::Result<(L::Stream, L::Address)> {
        L::accept(self)
    }
}
