//! Streams that are polled: what the adaptors for other crates' traits need.

use super::ready::PollReady;
use crate::io::Interest;
use crate::net::{TcpStream, UnixStream};
use std::io;
use std::net::Shutdown;
use std::rc::Rc;
use std::task::{Context, Poll};

/// A byte stream whose operations return instead of waiting.
///
/// The contract is that of the `Async` traits of the ecosystem: an operation
/// that is pending has left the waker, and for each of the two directions only
/// the last waker is kept. Reading and writing do not depend on each other:
/// while one is pending the other goes on. A pending operation has moved
/// nothing, and need not be repeated with the same buffer.
///
/// Implemented for Greenling's streams, and by `greenling-tls` for TLS over
/// them; [`Io`](super::Io) makes it other crates' traits.
pub trait PollStream {
    /// Reads what is there, at least one byte unless `buffer` is empty; 0 at the
    /// end of the stream.
    ///
    /// # Scheduling
    ///
    /// Never switches.
    ///
    /// # Errors
    ///
    /// The stream's; never `WouldBlock`.
    fn poll_read(&self, context: &mut Context<'_>, buffer: &mut [u8]) -> Poll<io::Result<usize>>;

    /// Writes what fits.
    ///
    /// # Scheduling
    ///
    /// Never switches.
    ///
    /// # Errors
    ///
    /// The stream's; never `WouldBlock`.
    fn poll_write(&self, context: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>>;

    /// Writes from several buffers, in their order.
    ///
    /// # Scheduling
    ///
    /// Never switches.
    ///
    /// # Errors
    ///
    /// As [`poll_write`](PollStream::poll_write).
    fn poll_write_vectored(
        &self,
        context: &mut Context<'_>,
        buffers: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let first = buffers.iter().find(|buffer| !buffer.is_empty());
        self.poll_write(context, first.map_or(&[], |buffer| buffer))
    }

    /// Whether writing several buffers at once is better than one by one.
    fn is_write_vectored(&self) -> bool {
        false
    }

    /// Passes on what earlier writes have left inside the stream.
    ///
    /// # Scheduling
    ///
    /// Never switches.
    ///
    /// # Errors
    ///
    /// The stream's; never `WouldBlock`.
    fn poll_flush(&self, context: &mut Context<'_>) -> Poll<io::Result<()>>;

    /// Ends the writing direction, as the stream's protocol says.
    ///
    /// # Scheduling
    ///
    /// Never switches.
    ///
    /// # Errors
    ///
    /// The stream's; never `WouldBlock`.
    fn poll_shutdown(&self, context: &mut Context<'_>) -> Poll<io::Result<()>>;
}

/// Repeats an operation of a socket while readiness says that it may work.
fn poll_io<S: PollReady, R>(
    socket: &S,
    context: &mut Context<'_>,
    interest: Interest,
    mut operation: impl FnMut(&S) -> io::Result<R>,
) -> Poll<io::Result<R>> {
    loop {
        match operation(socket) {
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
            result => return Poll::Ready(result),
        }
        match socket.poll_ready(context, interest) {
            Poll::Ready(Ok(_)) => {}
            Poll::Ready(Err(error)) => return Poll::Ready(Err(error)),
            Poll::Pending => return Poll::Pending,
        }
    }
}

macro_rules! socket_streams {
    ($($type:ty),*) => {
        $(impl PollStream for $type {
            fn poll_read(
                &self,
                context: &mut Context<'_>,
                buffer: &mut [u8],
            ) -> Poll<io::Result<usize>> {
                poll_io(self, context, Interest::READ, |socket| socket.try_read(buffer))
            }

            fn poll_write(
                &self,
                context: &mut Context<'_>,
                bytes: &[u8],
            ) -> Poll<io::Result<usize>> {
                poll_io(self, context, Interest::WRITE, |socket| socket.try_write(bytes))
            }

            fn poll_write_vectored(
                &self,
                context: &mut Context<'_>,
                buffers: &[io::IoSlice<'_>],
            ) -> Poll<io::Result<usize>> {
                poll_io(self, context, Interest::WRITE, |socket| {
                    socket.source().try_write_op(|mut inner| {
                        io::Write::write_vectored(&mut inner, buffers)
                    })
                })
            }

            fn is_write_vectored(&self) -> bool {
                true
            }

            fn poll_flush(&self, _: &mut Context<'_>) -> Poll<io::Result<()>> {
                Poll::Ready(Ok(()))
            }

            fn poll_shutdown(&self, _: &mut Context<'_>) -> Poll<io::Result<()>> {
                Poll::Ready(self.shutdown(Shutdown::Write))
            }
        })*
    };
}

socket_streams!(TcpStream, UnixStream);

macro_rules! borrowed_streams {
    ($([$($generics:tt)*] $type:ty),*) => {
        $(impl<$($generics)*> PollStream for $type {
            fn poll_read(
                &self,
                context: &mut Context<'_>,
                buffer: &mut [u8],
            ) -> Poll<io::Result<usize>> {
                (**self).poll_read(context, buffer)
            }

            fn poll_write(
                &self,
                context: &mut Context<'_>,
                bytes: &[u8],
            ) -> Poll<io::Result<usize>> {
                (**self).poll_write(context, bytes)
            }

            fn poll_write_vectored(
                &self,
                context: &mut Context<'_>,
                buffers: &[io::IoSlice<'_>],
            ) -> Poll<io::Result<usize>> {
                (**self).poll_write_vectored(context, buffers)
            }

            fn is_write_vectored(&self) -> bool {
                (**self).is_write_vectored()
            }

            fn poll_flush(&self, context: &mut Context<'_>) -> Poll<io::Result<()>> {
                (**self).poll_flush(context)
            }

            fn poll_shutdown(&self, context: &mut Context<'_>) -> Poll<io::Result<()>> {
                (**self).poll_shutdown(context)
            }
        })*
    };
}

borrowed_streams!([S: PollStream + ?Sized] &S, [S: PollStream + ?Sized] Rc<S>);
