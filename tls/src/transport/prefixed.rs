//! A transport of which some bytes were read before its turn came.
//!
//! A server that looks at the first bytes to tell protocols apart, or that reads
//! a header in front of TLS, may read further than it wanted. What it has read
//! goes first, then the transport follows.

use std::cell::{Cell, RefCell};
use std::fmt;
use std::io;
use std::net::Shutdown;
use std::os::fd::BorrowedFd;
use std::time::Instant;

use super::{Interest, Ready, Transport, ready};

/// A transport with bytes in front of it that were received already.
///
/// For a protocol that *changes* to TLS on the way (STARTTLS) this is the wrong
/// type: bytes that came before the change are not to be trusted, and
/// [`TlsStream::upgrade_accept`](crate::TlsStream::upgrade_accept) refuses them.
///
/// # Scheduling
///
/// Never switches, except where a method says so.
///
/// # Examples
///
/// One port for TLS and for plain HTTP, told apart by the first byte:
///
/// ```
/// use greenling_tls::{Context, TlsStream, transport::Prefixed};
/// use std::io::Read;
/// use std::net::TcpStream;
///
/// enum Visitor {
///     Secure(TlsStream<Prefixed<TcpStream>>),
///     Plain(u8, TcpStream),
/// }
///
/// fn welcome(context: &Context, mut tcp: TcpStream) -> std::io::Result<Visitor> {
///     const HANDSHAKE_RECORD: u8 = 22;
///     let mut first = [0];
///     tcp.read_exact(&mut first)?;
///     if first[0] != HANDSHAKE_RECORD {
///         return Ok(Visitor::Plain(first[0], tcp));
///     }
///     let tls = TlsStream::accept(context, Prefixed::new(first, tcp))?;
///     Ok(Visitor::Secure(tls))
/// }
/// ```
pub struct Prefixed<T> {
    prefix: RefCell<Vec<u8>>,
    /// How much of the prefix has been taken.
    taken: Cell<usize>,
    transport: T,
}

impl<T> Prefixed<T> {
    /// Puts `bytes` in front of what `transport` will receive.
    pub fn new(bytes: impl Into<Vec<u8>>, transport: T) -> Prefixed<T> {
        Prefixed {
            prefix: RefCell::new(bytes.into()),
            taken: Cell::new(0),
            transport,
        }
    }

    /// The transport underneath.
    pub fn get_ref(&self) -> &T {
        &self.transport
    }

    /// How many of the bytes in front are still to be received.
    pub fn remaining(&self) -> usize {
        self.prefix.borrow().len() - self.taken.get()
    }

    /// What was not received of the bytes in front, and the transport.
    pub fn into_parts(self) -> (Vec<u8>, T) {
        let mut rest = self.prefix.into_inner();
        rest.drain(..self.taken.get());
        (rest, self.transport)
    }

    /// Copies out of the prefix; 0 when nothing is left of it.
    fn take(&self, buf: &mut [u8]) -> usize {
        let mut prefix = self.prefix.borrow_mut();
        let rest = &prefix[self.taken.get()..];
        let n = rest.len().min(buf.len());
        buf[..n].copy_from_slice(&rest[..n]);
        self.taken.set(self.taken.get() + n);
        if self.taken.get() == prefix.len() {
            // A connection may live long after its first bytes.
            *prefix = Vec::new();
            self.taken.set(0);
        }
        n
    }
}

impl<T: Transport> Transport for Prefixed<T> {
    const MAY_SUSPEND: bool = T::MAY_SUSPEND;
    const MAY_MIGRATE: bool = T::MAY_MIGRATE;

    fn try_recv(&self, buf: &mut [u8]) -> io::Result<usize> {
        match self.take(buf) {
            0 => self.transport.try_recv(buf),
            n => Ok(n),
        }
    }

    fn try_send(&self, data: &[u8]) -> io::Result<usize> {
        self.transport.try_send(data)
    }

    fn try_flush(&self) -> io::Result<()> {
        self.transport.try_flush()
    }

    fn wait(&self, interest: Interest, deadline: Option<Instant>) -> io::Result<Ready> {
        if interest.is_read() && self.remaining() > 0 {
            return Ok(ready(true, false));
        }
        self.transport.wait(interest, deadline)
    }

    fn shutdown(&self, how: Shutdown) -> io::Result<()> {
        self.transport.shutdown(how)
    }

    fn wake(&self) {
        self.transport.wake();
    }

    fn give_way(&self) {
        self.transport.give_way();
    }

    fn as_polled(&self) -> Option<BorrowedFd<'_>> {
        self.transport.as_polled()
    }
}

#[cfg(feature = "greenling")]
mod polled {
    use std::io;
    use std::task::{Context, Poll};

    use greenling::future::{PollReady, Watch};

    use super::{Interest, Prefixed, Ready, ready};

    impl<T: PollReady> PollReady for Prefixed<T> {
        fn watch(&self) -> Watch<'_> {
            self.get_ref().watch()
        }

        fn poll_ready(
            &self,
            context: &mut Context<'_>,
            interest: Interest,
        ) -> Poll<io::Result<Ready>> {
            if interest.is_read() && self.remaining() > 0 {
                return Poll::Ready(Ok(ready(true, false)));
            }
            self.get_ref().poll_ready(context, interest)
        }
    }
}

impl<T> fmt::Debug for Prefixed<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Prefixed")
            .field("remaining", &self.remaining())
            .finish_non_exhaustive()
    }
}
