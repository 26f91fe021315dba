//! A thread, and so a scheduler, for one test, under a watchdog.

use std::panic::resume_unwind;
use std::sync::mpsc;
use std::time::Duration;

/// A generous limit: it only ends what hangs.
const WATCHDOG: Duration = Duration::from_secs(120);

/// Runs `test` on a thread of its own inside [`greenling::enter`], and passes
/// its result or its panic on.
///
/// # Panics
///
/// With the panic of `test`, or when it has not ended after two minutes.
#[track_caller]
pub fn isolated<T: Send + 'static>(test: impl FnOnce() -> T + Send + 'static) -> T {
    on_bare_thread(|| greenling::enter(test))
}

/// As [`isolated`] without the `enter`: the thread just ends, with whatever
/// tasklets it has.
///
/// # Panics
///
/// As [`isolated`].
#[track_caller]
pub fn on_bare_thread<T: Send + 'static>(test: impl FnOnce() -> T + Send + 'static) -> T {
    let (ended, wait) = mpsc::channel::<()>();
    let thread = std::thread::spawn(move || {
        // Dropped, and so heard of, whichever way the test ends.
        let _ended = ended;
        test()
    });
    if let Err(mpsc::RecvTimeoutError::Timeout) = wait.recv_timeout(WATCHDOG) {
        panic!("the test does not end");
    }
    match thread.join() {
        Ok(value) => value,
        Err(payload) => resume_unwind(payload),
    }
}
