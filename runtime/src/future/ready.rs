//! Readiness of descriptors for futures.

use crate::io::source::closed;
use crate::io::{Fd, Interest, Ready};
use crate::net::{TcpListener, TcpStream, UdpSocket, UnixDatagram, UnixListener, UnixStream};
use crate::reactor::{Registration, Seat};
use std::fmt;
use std::future::Future;
use std::io;
use std::os::fd::{AsFd, RawFd};
use std::pin::Pin;
use std::task::{Context, Poll};

/// What can tell a future when it may be read or written: Greenling's sockets,
/// [`Fd`] around any descriptor, and what is made of them.
///
/// Readiness is a hint: the operation, such as
/// [`try_read`](TcpStream::try_read), may still say `WouldBlock`. Ask in this
/// order, always: try, on `WouldBlock` poll for readiness, when ready try again.
///
/// The waker is called by the scheduler of the thread that the object belongs
/// to. So any executor may poll, on that thread, as long as it leaves the thread
/// to the scheduler while it waits; [`block_on`](super::block_on) does.
///
/// # Examples
///
/// ```
/// use greenling::future::{block_on, ready};
/// use greenling::io::Interest;
/// use greenling::net::TcpListener;
/// # fn main() -> std::io::Result<()> {
/// let listener = TcpListener::bind("127.0.0.1:0")?;
/// let client = std::net::TcpStream::connect(listener.local_addr()?)?;
/// block_on(ready(&listener, Interest::READ))??;
/// assert_eq!(listener.accept()?.1, client.local_addr()?);
/// # Ok(())
/// # }
/// ```
pub trait PollReady {
    /// The object's place in its thread's reactor; for a wrapper, that of what
    /// it wraps.
    fn watch(&self) -> Watch<'_>;

    /// Whether one of the directions may be ready; if none is, the waker of
    /// `context` is called once one is, or once the object is closed.
    ///
    /// For each direction the object remembers one waker of those that came by
    /// this function, that of the last call. Futures that wait for the same
    /// direction side by side take [`ready`], of which each has a place of its
    /// own.
    ///
    /// # Scheduling
    ///
    /// Never switches.
    ///
    /// # Errors
    ///
    /// `ConnectionAborted` once the object was closed.
    fn poll_ready(&self, context: &mut Context<'_>, interest: Interest) -> Poll<io::Result<Ready>> {
        self.watch().poll_ready(context, interest, None)
    }
}

/// An object's place in its thread's reactor.
#[derive(Clone, Copy)]
pub struct Watch<'a>(&'a Registration);

impl Watch<'_> {
    /// The descriptor that is watched.
    pub(crate) fn descriptor(self) -> RawFd {
        self.0.fd()
    }

    fn poll_ready(
        self,
        context: &mut Context<'_>,
        interest: Interest,
        seat: Option<Seat>,
    ) -> Poll<io::Result<Ready>> {
        if self.0.is_closed() {
            return Poll::Ready(Err(closed()));
        }
        self.0.poll_ready(context, interest, seat).map(Ok)
    }
}

impl fmt::Debug for Watch<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Watch")
    }
}

/// Waits, as a future, until one of the directions of `object` may be ready.
///
/// Any number of these may wait for the same object.
///
/// # Scheduling
///
/// Never switches; nor does the future, it is whoever polls it that waits.
///
/// # Cancellation
///
/// Dropping the future loses nothing.
pub fn ready<S: PollReady + ?Sized>(object: &S, interest: Interest) -> Readiness<'_> {
    let watch = object.watch();
    Readiness {
        seat: watch.0.new_seat(),
        watch,
        interest,
    }
}

/// A future that waits for readiness; made by [`ready`]. It fails with
/// `ConnectionAborted` once the object was closed.
pub struct Readiness<'a> {
    watch: Watch<'a>,
    interest: Interest,
    seat: Seat,
}

impl Future for Readiness<'_> {
    type Output = io::Result<Ready>;

    fn poll(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<Ready>> {
        self.watch
            .poll_ready(context, self.interest, Some(self.seat))
    }
}

impl Drop for Readiness<'_> {
    fn drop(&mut self) {
        self.watch.0.leave_seat(self.seat);
    }
}

impl fmt::Debug for Readiness<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Readiness")
            .field("interest", &self.interest)
            .finish_non_exhaustive()
    }
}

impl<T: AsFd> PollReady for Fd<T> {
    fn watch(&self) -> Watch<'_> {
        Watch(self.source().registration())
    }
}

macro_rules! watched {
    ($($type:ty),* $(,)?) => {
        $(impl PollReady for $type {
            fn watch(&self) -> Watch<'_> {
                Watch(self.source().registration())
            }
        })*
    };
}

watched! {
    TcpListener,
    TcpStream,
    UdpSocket,
    UnixDatagram,
    UnixListener,
    UnixStream,
}

impl<S: PollReady + ?Sized> PollReady for &S {
    fn watch(&self) -> Watch<'_> {
        (**self).watch()
    }
}

impl<S: PollReady + ?Sized> PollReady for std::rc::Rc<S> {
    fn watch(&self) -> Watch<'_> {
        (**self).watch()
    }
}
