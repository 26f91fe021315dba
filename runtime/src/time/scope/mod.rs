//! Scopes: an end, by time or by a token, for every wait inside a closure.
//!
//! A tasklet's scopes form a chain, innermost first. A wait arms one timer,
//! for the earliest deadline among its own and all scopes'. When it expires,
//! every scope whose deadline is not later is marked, and its `timeout` call
//! reports `Elapsed`. A token that was cancelled is a deadline in the past: so
//! waits that begin later end, too.

#[allow(unsafe_code, reason = "scopes in the frames of suspended tasklets")]
mod chain;

pub(super) use chain::{End, run_in};
pub(crate) use chain::{Innermost, earlier, note_expiry, without_scopes};

use crate::scheduler::local;
use std::error::Error;
use std::fmt;
use std::time::{Duration, Instant};

/// The deadline of a [`timeout`] passed while something inside it waited.
///
/// It carries what the closure returned, for nothing is lost by a timeout.
///
/// # Scheduling
///
/// Never switches, except where a method says so.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Elapsed<T> {
    value: T,
}

impl<T> Elapsed<T> {
    /// What the closure returned.
    pub fn into_inner(self) -> T {
        self.value
    }

    /// What the closure returned.
    pub fn get_ref(&self) -> &T {
        &self.value
    }
}

impl<T> fmt::Display for Elapsed<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the deadline has passed")
    }
}

impl<T: fmt::Debug> Error for Elapsed<T> {}

impl<T> From<Elapsed<T>> for std::io::Error {
    fn from(_: Elapsed<T>) -> std::io::Error {
        std::io::Error::new(std::io::ErrorKind::TimedOut, "the deadline has passed")
    }
}

/// Runs `f` with a deadline for every wait inside it.
///
/// When the deadline passes, the wait in progress ends with
/// [`WaitError::TimedOut`](crate::WaitError::TimedOut) (sockets:
/// `ErrorKind::TimedOut`), and so does every later wait in `f`; sleeps return
/// early. `f` decides what to do about it. Scopes nest, and the earliest
/// deadline counts.
///
/// # Scheduling
///
/// Switches only as `f` does.
///
/// # Cancellation
///
/// Nothing is lost: a wait that timed out took nothing, and what `f` returned
/// is in [`Elapsed`].
///
/// # Errors
///
/// [`Elapsed`] if the deadline ended a wait inside. A closure that ends late
/// without having been cut short is `Ok`.
///
/// # Panics
///
/// When the thread is ending.
///
/// # Examples
///
/// ```
/// use greenling::{Channel, time::timeout};
/// use std::time::Duration;
/// let never: Channel<u32> = Channel::new();
/// let result = timeout(Duration::from_millis(1), || never.receive());
/// assert!(result.unwrap_err().into_inner().is_err());
/// ```
pub fn timeout<T>(duration: Duration, f: impl FnOnce() -> T) -> Result<T, Elapsed<T>> {
    match Instant::now().checked_add(duration) {
        Some(deadline) => timeout_at(deadline, f),
        None => Ok(f()),
    }
}

/// As [`timeout`], with the deadline as an instant.
///
/// # Scheduling
///
/// Switches only as `f` does.
///
/// # Cancellation
///
/// As [`timeout`].
///
/// # Errors
///
/// As [`timeout`].
///
/// # Panics
///
/// When the thread is ending.
pub fn timeout_at<T>(deadline: Instant, f: impl FnOnce() -> T) -> Result<T, Elapsed<T>> {
    let task = local::expect().current();
    match run_in(task, End::At(deadline), f) {
        (value, false) => Ok(value),
        (value, true) => Err(Elapsed { value }),
    }
}

/// Runs `f` as if no [`timeout`] and no [`CancelToken`](super::CancelToken) were around
/// it: to say goodbye after they have ended something. What `f` begins itself counts,
/// so the goodbye can have a limit of its own.
///
/// It holds off neither kills, for which there is
/// [`defer_kill`](crate::defer_kill), nor errors that are thrown.
///
/// # Scheduling
///
/// Switches only as `f` does.
///
/// # Cancellation
///
/// That of `f`. The scopes around end the waits that come after it again.
///
/// # Panics
///
/// With the panic of `f`, and when the thread is ending.
///
/// # Examples
///
/// ```
/// use greenling::net::UnixStream;
/// use greenling::time::{shield, timeout};
/// use std::io::{Read, Write};
/// use std::time::Duration;
/// # fn main() -> std::io::Result<()> {
/// let (mut stream, _peer) = UnixStream::pair()?;
/// let served = timeout(Duration::from_millis(1), || {
///     let mut request = [0; 100];
///     stream.read(&mut request).or_else(|error| {
///         let limit = Duration::from_secs(5);
///         shield(|| timeout(limit, || stream.write_all(b"too slow")))??;
///         Err(error)
///     })
/// });
/// assert!(served.is_err());
/// # Ok(())
/// # }
/// ```
pub fn shield<T>(f: impl FnOnce() -> T) -> T {
    without_scopes(local::expect().current(), f)
}

/// The earliest deadline of the scopes around the caller; one in the past when
/// a [`CancelToken`](super::CancelToken) around it was cancelled.
///
/// # Scheduling
///
/// Never switches.
pub fn deadline() -> Option<Instant> {
    let task = local::get()?.current();
    earlier(task, None)
}
