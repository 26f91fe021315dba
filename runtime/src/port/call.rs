//! Calls that run elsewhere and come back with a result: on a tasklet of their
//! own, or on an OS thread of their own.

use crate::error::{JoinError, Panicked};
use crate::tasklet::{Builder, Tasklet};
use crate::thread::{ReceiveError, channel};
use crate::time::timeout;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::time::Duration;

/// Runs `f` on a tasklet of its own and waits for its result: what happens to
/// that tasklet does not happen to the caller.
///
/// # Scheduling
///
/// Always switches.
///
/// # Cancellation
///
/// If the caller's wait ends early, by a kill, a throw or the deadline of a
/// [`timeout`] scope, the tasklet is killed when its turn comes.
///
/// # Errors
///
/// [`JoinError`]: `Killed` if the tasklet was killed, `Wait` if the caller's
/// wait has failed; an `io::Error` as `Thrown` if there is no stack for it.
///
/// # Examples
///
/// ```
/// use greenling::port::tasklet_call;
/// assert_eq!(tasklet_call(|| 6 * 7).unwrap(), 42);
/// assert!(tasklet_call(|| panic!("no luck")).unwrap_err().is_panic());
/// ```
#[track_caller]
pub fn tasklet_call<F, T>(f: F) -> Result<T, JoinError>
where
    F: FnOnce() -> T + 'static,
    T: 'static,
{
    let handle = match Builder::new().spawn(f) {
        Ok(handle) => handle,
        Err(error) => return Err(JoinError::Thrown(error.into())),
    };
    let abandoned = KillOnDrop(handle.tasklet());
    handle.wait().map_err(JoinError::Wait)?;
    // It has ended, so the kill does nothing.
    drop(abandoned);
    handle.join()
}

/// As [`tasklet_call`], with a time limit: after `limit` the tasklet is killed
/// and the result is `Wait(WaitError::TimedOut)`.
///
/// # Scheduling
///
/// Always switches.
///
/// # Cancellation
///
/// As [`tasklet_call`].
///
/// # Errors
///
/// As [`tasklet_call`].
///
/// # Panics
///
/// When the thread is ending.
///
/// # Examples
///
/// ```
/// use greenling::port::tasklet_call_timeout;
/// use greenling::{JoinError, WaitError};
/// use std::time::Duration;
/// let never = greenling::Channel::<()>::new();
/// let result = tasklet_call_timeout(Duration::from_millis(1), move || never.receive());
/// assert!(matches!(result, Err(JoinError::Wait(WaitError::TimedOut))));
/// ```
#[doc(alias = "timeout_call")]
#[track_caller]
pub fn tasklet_call_timeout<F, T>(limit: Duration, f: F) -> Result<T, JoinError>
where
    F: FnOnce() -> T + 'static,
    T: 'static,
{
    // The scope is the caller's; the tasklet inherits nothing.
    match timeout(limit, || tasklet_call(f)) {
        Ok(result) => result,
        Err(elapsed) => elapsed.into_inner(),
    }
}

/// Kills a tasklet nobody waits for any more.
struct KillOnDrop(Tasklet);

impl Drop for KillOnDrop {
    fn drop(&mut self) {
        // It can't be main, and with panic = "abort" it just goes on.
        let _ = self.0.kill_pending();
    }
}

/// Runs `f` on an OS thread of its own; the tasklet waits.
///
/// For what holds a thread for long: a call that blocks for minutes, a library
/// that wants its own thread. For short calls take [`offload`](crate::offload),
/// whose threads are made once and are limited in number.
///
/// # Scheduling
///
/// Always switches.
///
/// # Cancellation
///
/// A kill or timeout ends the wait only. `f` runs to its end, and its result is
/// dropped on its thread.
///
/// # Errors
///
/// [`JoinError`]: `Panicked` if `f` panicked, `Wait` if the caller's wait has
/// failed; an `io::Error` as `Thrown` if there is no thread to be had.
///
/// # Examples
///
/// ```
/// use greenling::port::call_on_thread;
/// let here = std::thread::current().id();
/// assert!(call_on_thread(move || std::thread::current().id() != here).unwrap());
/// ```
#[track_caller]
pub fn call_on_thread<F, T>(f: F) -> Result<T, JoinError>
where
    F: FnOnce() -> T + Send + 'static,
    T: Send + 'static,
{
    let (sender, receiver) = channel(1);
    let thread = std::thread::Builder::new().name("greenling-call".into());
    let started = thread.spawn(move || {
        let result = catch_unwind(AssertUnwindSafe(f));
        // Nobody may be left to hear of it; a destructor that panics here
        // concerns this thread alone.
        drop(sender.try_send(result));
    });
    if let Err(error) = started {
        return Err(JoinError::Thrown(error.into()));
    }
    match receiver.receive() {
        Ok(Ok(value)) => Ok(value),
        Ok(Err(payload)) => Err(JoinError::Panicked(Panicked(payload))),
        Err(ReceiveError::Closed) => Err(JoinError::Killed),
        Err(ReceiveError::Wait(error)) => Err(JoinError::Wait(error)),
    }
}
