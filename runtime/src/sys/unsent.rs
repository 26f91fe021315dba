//! How much of a socket's buffer is in use.

use std::io;
use std::os::fd::{AsRawFd, BorrowedFd};

/// What a Unix socket has sent and nobody has received, as the kernel counts it
/// against the socket's buffer.
#[cfg(target_os = "linux")]
pub(crate) fn unsent(socket: BorrowedFd<'_>) -> io::Result<usize> {
    let mut count: libc::c_int = 0;
    // SAFETY: the request, known to sockets as SIOCOUTQ, writes one integer.
    match unsafe { libc::ioctl(socket.as_raw_fd(), libc::TIOCOUTQ, &raw mut count) } {
        0 => Ok(usize::try_from(count).unwrap_or(0)),
        _ => Err(io::Error::last_os_error()),
    }
}
