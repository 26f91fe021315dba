//! The loop that accepts connections.
//!
//! ```text
//!   permit --> accept --> start --> let others run --+
//!     ^           |                                  |
//!     |         error: pause, longer each time       |
//!     +-----------+----------------------------------+
//!   when cancelled: as long as neither has to wait, then it ends
//! ```
//!
//! Where several listeners share a limit, each that can tell first waits until there is
//! somebody to accept: else those at which nobody connects would hold the permits.

use super::Listener;
use crate::scheduler::schedule;
use crate::time::{self, CancelToken};
use std::io;
use std::time::Duration;

/// First and longest pause after an error.
const PAUSES: (Duration, Duration) = (Duration::from_millis(10), Duration::from_secs(1));

/// Connections that are accepted at most when it is time to stop: as many as the
/// kernel queues, or else a flood of them would put the end off.
const LAST_LOOKS: usize = 4096;

/// Accepts connections until `stopping` is cancelled, and then those that are
/// queued already, as far as there are permits. `permit` waits for one and says
/// `None` if there will be none.
pub(super) fn accept_all<L: Listener, P>(
    listener: &L,
    stopping: &CancelToken,
    shares_permits: bool,
    permit: impl Fn() -> Option<P>,
    start: impl Fn(L::Stream, L::Address, P),
) {
    let mut pause = PAUSES.0;
    let mut last_looks = LAST_LOOKS;
    while last_looks > 0 {
        let Some(accepted) = accept_one(listener, stopping, shares_permits, &permit) else {
            return;
        };
        match accepted {
            Ok(((stream, address), permit)) => {
                pause = PAUSES.0;
                start(stream, address, permit);
                // A flood of connections must not keep those that are here from
                // being served.
                schedule();
            }
            Err(_) if stopping.is_cancelled() => return,
            Err(error) => {
                report(&error, pause);
                let _ = stopping.run(|| time::sleep(pause));
                pause = (pause * 2).min(PAUSES.1);
            }
        }
        if stopping.is_cancelled() {
            last_looks -= 1;
        }
    }
}

/// A connection, and where it comes from.
type Accepted<L> = (<L as Listener>::Stream, <L as Listener>::Address);

/// Accepts a connection once there is a permit for it; `None` if there will be none.
fn accept_one<L: Listener, P>(
    listener: &L,
    stopping: &CancelToken,
    shares_permits: bool,
    permit: impl Fn() -> Option<P>,
) -> Option<io::Result<(Accepted<L>, P)>> {
    // Nothing is lost by a wait that is cancelled, and what did not have to wait is
    // not cancelled.
    if !(shares_permits && L::TELLS_PENDING) {
        let permit = until_stopped(stopping, permit)?;
        let accepted = until_stopped(stopping, || listener.accept());
        return Some(accepted.map(|accepted| (accepted, permit)));
    }
    loop {
        if let Err(error) = until_stopped(stopping, || listener.wait_pending()) {
            return Some(Err(error));
        }
        let permit = until_stopped(stopping, &permit)?;
        match listener.try_accept() {
            // Another worker was faster: others may need the permit.
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
            accepted => return Some(accepted.map(|accepted| (accepted, permit))),
        }
    }
}

/// What `f` returns, which may be that its wait was cancelled.
fn until_stopped<T>(stopping: &CancelToken, f: impl FnOnce() -> T) -> T {
    match stopping.run(f) {
        Ok(value) => value,
        Err(cancelled) => cancelled.into_inner(),
    }
}

/// Not inlined: formatting takes more of a stack than the loop does.
#[inline(never)]
fn report(error: &io::Error, pause: Duration) {
    log::warn!("greenling: no connection can be accepted: {error}; pausing for {pause:?}");
}
