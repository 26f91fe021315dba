//! Greenling's streams with the traits that async crates ask for.

use super::stream::PollStream;
use std::cell::Cell;
use std::fmt;
use std::io;
use std::task::{Context, Poll};

/// Operations that may succeed in a row before the task gives way: a peer that
/// floods one stream must not keep the thread.
const SPREE_MAX: u8 = 32;

/// Gives a stream the traits of other crates.
///
/// With feature `hyper` these are `hyper::rt::Read` and `hyper::rt::Write`, with
/// feature `futures-io` its `AsyncRead` and `AsyncWrite`. The stream is any
/// [`PollStream`]: a socket of [`net`](crate::net), or a `TlsStream` of
/// `greenling-tls` over one.
///
/// After 32 operations in a row that had something to do the next is pending,
/// and wakes its future at once, so that other tasklets get a turn.
///
/// # Scheduling
///
/// Never switches, except where a method says so.
///
/// # Examples
///
/// ```
/// use greenling::future::{Io, PollStream, block_on};
/// use greenling::net::{TcpListener, TcpStream};
/// use std::future::poll_fn;
/// # fn main() -> std::io::Result<()> {
/// let listener = TcpListener::bind("127.0.0.1:0")?;
/// let client = Io::new(TcpStream::connect(listener.local_addr()?)?);
/// let server = listener.accept()?.0;
/// block_on(poll_fn(|context| client.get_ref().poll_write(context, b"hi")))??;
/// assert_eq!(server.try_read(&mut [0; 8])?, 2);
/// # Ok(())
/// # }
/// ```
pub struct Io<S> {
    stream: S,
    /// Operations that succeeded since one was pending.
    spree: Cell<u8>,
}

/// The stream is used by shared reference only, never pinned.
impl<S> Unpin for Io<S> {}

impl<S> Io<S> {
    /// Wraps a stream.
    pub fn new(stream: S) -> Io<S> {
        Io {
            stream,
            spree: Cell::new(0),
        }
    }

    /// The stream.
    pub fn get_ref(&self) -> &S {
        &self.stream
    }

    /// The stream, out of its wrapping.
    pub fn into_inner(self) -> S {
        self.stream
    }
}

impl<S: PollStream> Io<S> {
    /// Runs an operation that moves data, unless it is others' turn.
    fn poll_counted<R>(
        &self,
        context: &mut Context<'_>,
        operation: impl FnOnce(&S, &mut Context<'_>) -> Poll<io::Result<R>>,
    ) -> Poll<io::Result<R>> {
        if self.spree.get() >= SPREE_MAX {
            self.spree.set(0);
            context.waker().wake_by_ref();
            return Poll::Pending;
        }
        let polled = operation(&self.stream, context);
        match polled {
            Poll::Ready(_) => self.spree.set(self.spree.get() + 1),
            Poll::Pending => self.spree.set(0),
        }
        polled
    }
}

impl<S: PollStream> PollStream for Io<S> {
    fn poll_read(&self, context: &mut Context<'_>, buffer: &mut [u8]) -> Poll<io::Result<usize>> {
        self.poll_counted(context, |stream, context| stream.poll_read(context, buffer))
    }

    fn poll_write(&self, context: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        self.poll_counted(context, |stream, context| stream.poll_write(context, bytes))
    }

    fn poll_write_vectored(
        &self,
        context: &mut Context<'_>,
        buffers: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        self.poll_counted(context, |stream, context| {
            stream.poll_write_vectored(context, buffers)
        })
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_flush(&self, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.stream.poll_flush(context)
    }

    fn poll_shutdown(&self, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.stream.poll_shutdown(context)
    }
}

impl<S: fmt::Debug> fmt::Debug for Io<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Io").field(&self.stream).finish()
    }
}
