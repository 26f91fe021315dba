//! Connecting to Unix sockets.
//!
//! A non-blocking `connect(2)` says `EAGAIN` while the listener's queue is full,
//! and nothing says when that changes: no readiness of either socket does. A
//! blocking one would hold up a thread, so it is tried again, with pauses of 1
//! to 64 ms.

use crate::net::accept::pause_in;
use crate::wait::{WaitList, reason};
use socket2::{SockAddr, Socket};
use std::io;
use std::panic::Location;
use std::time::Duration;

/// First and longest pause.
const PAUSE: (Duration, Duration) = (Duration::from_millis(1), Duration::from_millis(64));

pub(super) fn connect(
    socket: &Socket,
    address: &SockAddr,
    location: &'static Location<'static>,
) -> io::Result<()> {
    let nobody = WaitList::new();
    let mut pause = PAUSE.0;
    loop {
        match socket.connect(address) {
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => {
                pause_in(&nobody, &reason::CONNECT, location, pause)?;
                pause = (pause * 2).min(PAUSE.1);
            }
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            result => return result,
        }
    }
}
