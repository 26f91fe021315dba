//! The stream as futures use it: operations that leave a waker instead of
//! waiting.
//!
//! A poll is the blocking operation with waits forbidden. What it would have
//! waited for, it then asks the transport to be woken for:
//!
//! ```text
//!   operation: done -----------------------------> Ready
//!       ^      would wait to receive, or to send
//!       |            |
//!       |            v
//!       +-- ready -- transport: poll_ready -- no -> Pending
//! ```
//!
//! A read that finds ciphertext left to send is woken by room for it as well,
//! and sends it: bytes must go out before anybody waits for bytes to come in.
//! So both directions of the stream may be interested in one direction of the
//! transport, which remembers a single waker for each. It is given one that
//! wakes the stream's reader and its writer.
//!
//! While nothing moves, the engine is kept with the thread's idle ones, as when
//! a tasklet waits. A transport that can be polled stays on its thread, for its
//! place in the reactor does, and so the stream does, too.

use std::cell::Cell;
use std::io::{self, IoSlice};
use std::net::Shutdown;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Wake, Waker};

use greenling::future::{PollReady, PollStream};

use super::TlsStream;
use super::nested::NoWaits;
use crate::engine::Want;
use crate::error::Error;
use crate::ssl::RECORD_MAX;
use crate::transport::{Interest, Transport};

thread_local! {
    /// Where the pieces of a vectored write become one record.
    static GATHERED: Cell<Vec<u8>> = const { Cell::new(Vec::new()) };
}

/// Whose turn it is once the transport is ready.
#[derive(Debug, Default)]
pub(super) struct Pollers {
    wakers: Mutex<[Option<Waker>; 2]>,
}

/// An index of [`Pollers`].
#[derive(Clone, Copy)]
enum Side {
    Reader,
    Writer,
}

impl Pollers {
    fn lock(&self) -> MutexGuard<'_, [Option<Waker>; 2]> {
        self.wakers.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Remembers the last waker of a side. Wakers are foreign code, which must
    /// not run under the lock.
    fn set(&self, side: Side, waker: &Waker) {
        let is_there = |there: &Waker| there.will_wake(waker);
        if self.lock()[side as usize].as_ref().is_some_and(is_there) {
            return;
        }
        let waker = waker.clone();
        let replaced = self.lock()[side as usize].replace(waker);
        drop(replaced);
    }
}

impl Wake for Pollers {
    fn wake(self: Arc<Self>) {
        self.wake_by_ref();
    }

    fn wake_by_ref(self: &Arc<Self>) {
        let wakers = std::mem::take(&mut *self.lock());
        wakers.into_iter().flatten().for_each(Waker::wake);
    }
}

impl<T: Transport + PollReady> TlsStream<T> {
    fn poll_with<R>(
        &self,
        context: &mut Context<'_>,
        side: Side,
        mut operation: impl FnMut() -> Result<R, Error>,
    ) -> Poll<io::Result<R>> {
        if let Err(error) = self.check_pollable(side) {
            return Poll::Ready(Err(error.into()));
        }
        let _no_waits = NoWaits::on(self);
        loop {
            let want = match operation() {
                Ok(value) => return Poll::Ready(Ok(value)),
                Err(error) => match want_of(&error) {
                    Some(want) => want,
                    None => return Poll::Ready(Err(error.into())),
                },
            };
            match self.poll_transport(context, side, want) {
                Poll::Ready(Ok(())) if self.is_taken(want) => {
                    // It has been woken by the same edge, and can't run before
                    // this returns.
                    context.waker().wake_by_ref();
                    return Poll::Pending;
                }
                Poll::Ready(Ok(())) => {}
                Poll::Ready(Err(error)) => return Poll::Ready(Err(error)),
                Poll::Pending => {
                    self.keep_until_used();
                    return Poll::Pending;
                }
            }
        }
    }

    /// Whether what was wanted may be had now; if not, `context` hears of it.
    fn poll_transport(
        &self,
        context: &mut Context<'_>,
        side: Side,
        want: Want,
    ) -> Poll<io::Result<()>> {
        let interest = match want {
            // A tasklet that sends already needs no help.
            Want::Read if self.unsent()? > 0 && !self.sending.is_held() => Interest::BOTH,
            Want::Read => Interest::READ,
            _ => Interest::WRITE,
        };
        let pollers = self.pollers.get_or_init(Arc::default);
        pollers.set(side, context.waker());
        let waker = Waker::from(pollers.clone());
        let ready = self
            .get_ref()
            .poll_ready(&mut Context::from_waker(&waker), interest);
        ready.map_ok(|_ready| ())
    }

    /// Whether a tasklet does already what was wanted, for the other side.
    fn is_taken(&self, want: Want) -> bool {
        match want {
            Want::Read => self.receiving.is_held(),
            _ => self.sending.is_held(),
        }
    }

    /// Locks are not held between polls, but by tasklets that wait.
    fn check_pollable(&self, side: Side) -> Result<(), Error> {
        let locks = match side {
            Side::Reader => [&self.reading, &self.receiving],
            Side::Writer => [&self.writing, &self.sending],
        };
        if locks.iter().any(|lock| lock.is_held()) {
            return Err(Error::local(
                "a tasklet is at work on this side of the stream, and a poll can't wait for it",
            ));
        }
        if self.gate.get().is_some() && !self.is_established() {
            return Err(Error::local(
                "the listener's turn must be waited for: call handshake() before polling",
            ));
        }
        Ok(())
    }
}

impl<T: Transport + PollReady> PollStream for TlsStream<T> {
    /// As [`Read::read`](std::io::Read::read) of the stream, time limits aside.
    fn poll_read(&self, context: &mut Context<'_>, buffer: &mut [u8]) -> Poll<io::Result<usize>> {
        self.poll_with(context, Side::Reader, || self.read_some(buffer))
    }

    fn poll_write(&self, context: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        self.poll_with(context, Side::Writer, || self.write_some(bytes))
    }

    /// Makes one record of the pieces, up to 16 KiB.
    fn poll_write_vectored(
        &self,
        context: &mut Context<'_>,
        buffers: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let mut pieces = buffers.iter().filter(|piece| !piece.is_empty());
        let Some(first) = pieces.next() else {
            return Poll::Ready(Ok(0));
        };
        let second = pieces.next();
        if second.is_none() || first.len() >= RECORD_MAX {
            return self.poll_write(context, first);
        }
        // Whoever comes here meanwhile, or while the thread ends, gets a new one.
        let mut gathered = GATHERED.try_with(Cell::take).unwrap_or_default();
        gathered.clear();
        for piece in [first].into_iter().chain(second).chain(pieces) {
            let room = RECORD_MAX - gathered.len();
            gathered.extend_from_slice(&piece[..piece.len().min(room)]);
        }
        let written = self.poll_write(context, &gathered);
        let _ = GATHERED.try_with(|kept| kept.set(gathered));
        written
    }

    fn is_write_vectored(&self) -> bool {
        true
    }

    fn poll_flush(&self, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.poll_with(context, Side::Writer, || self.flush_all())
    }

    /// Sends `close_notify`, then ends the transport's sending side. Reads go on
    /// working.
    fn poll_shutdown(&self, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.poll_with(context, Side::Writer, || {
            self.shutdown_write()?;
            // Fails when the peer was faster; nothing is left to do then.
            let _ = self.get_ref().shutdown(Shutdown::Write);
            Ok(())
        })
    }
}

/// What an operation would have waited for.
fn want_of(error: &Error) -> Option<Want> {
    match error {
        Error::Io(error) if error.kind() == io::ErrorKind::WouldBlock => {
            error.get_ref()?.downcast_ref().copied()
        }
        _ => None,
    }
}
