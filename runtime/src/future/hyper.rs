//! What `hyper` asks of a runtime: streams, an executor, a timer.

use super::block_on::block_on;
use super::io::Io;
use super::sleep::{Sleep, sleep, sleep_until};
use super::stream::PollStream;
use hyper::rt::{self, ReadBufCursor};
use std::cell::Cell;
use std::future::Future;
use std::io::{self, IoSlice};
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::{Duration, Instant};

/// Most bytes of one read.
const READ_MAX: usize = 16 * 1024;

thread_local! {
    /// Where reads go first: what hyper lends may be uninitialised memory, which
    /// safe code can't read into. Not on the stack, where it would stay with
    /// every tasklet that waits.
    static SCRATCH: Cell<Vec<u8>> = const { Cell::new(Vec::new()) };
}

impl<S: PollStream> rt::Read for Io<S> {
    fn poll_read(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
        mut buffer: ReadBufCursor<'_>,
    ) -> Poll<io::Result<()>> {
        // Whoever comes here meanwhile, or while the thread ends, gets a new one.
        let mut scratch = SCRATCH.try_with(Cell::take).unwrap_or_default();
        scratch.resize(READ_MAX, 0);
        let room = buffer.remaining().min(READ_MAX);
        let read = PollStream::poll_read(&*self, context, &mut scratch[..room]);
        let read = read.map_ok(|count| buffer.put_slice(&scratch[..count]));
        let _ = SCRATCH.try_with(|kept| kept.set(scratch));
        read
    }
}

impl<S: PollStream> rt::Write for Io<S> {
    fn poll_write(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        PollStream::poll_write(&*self, context, bytes)
    }

    fn poll_write_vectored(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffers: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        PollStream::poll_write_vectored(&*self, context, buffers)
    }

    fn is_write_vectored(&self) -> bool {
        PollStream::is_write_vectored(self)
    }

    fn poll_flush(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        PollStream::poll_flush(&*self, context)
    }

    fn poll_shutdown(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        PollStream::poll_shutdown(&*self, context)
    }
}

/// Runs each future of hyper's on a tasklet of its own.
///
/// The tasklets belong to the thread, and the futures need not be `Send`. There
/// is nobody to join them: a future that panics is reported like any detached
/// tasklet, and one for which no tasklet can be had is dropped, which ends the
/// stream or request that it was for.
#[derive(Clone, Copy, Debug, Default)]
pub struct Executor;

impl<F> rt::Executor<F> for Executor
where
    F: Future + 'static,
{
    fn execute(&self, future: F) {
        let task = crate::Builder::new().spawn(move || {
            if let Err(error) = block_on(future) {
                log::debug!("greenling: a future of hyper's was given up: {error}");
            }
        });
        if let Err(error) = task {
            log::error!("greenling: no tasklet for a future of hyper's: {error}");
        }
    }
}

/// Hyper's timeouts, as [`Sleep`]s.
#[derive(Clone, Copy, Debug, Default)]
pub struct Timer;

impl rt::Timer for Timer {
    fn sleep(&self, duration: Duration) -> Pin<Box<dyn rt::Sleep>> {
        Box::pin(sleep(duration))
    }

    fn sleep_until(&self, deadline: Instant) -> Pin<Box<dyn rt::Sleep>> {
        Box::pin(sleep_until(deadline))
    }

    fn reset(&self, future: &mut Pin<Box<dyn rt::Sleep>>, deadline: Instant) {
        match future.as_mut().downcast_mut_pin::<Sleep>() {
            Some(ours) => ours.get_mut().reset(deadline),
            None => *future = self.sleep_until(deadline),
        }
    }
}

impl rt::Sleep for Sleep {}
