//! Descriptors that the process was started with, taken over by number.
//!
//! # Why this is sound
//!
//! A number becomes an [`OwnedFd`] only if nobody else owns what it names:
//!
//! * the caller vouches that whoever started the process has passed it on;
//! * it is open and lacks `FD_CLOEXEC`: with the flag it would not have come
//!   through `execve`, and has been opened, or taken over, by somebody here.
//!   All that std opens has the flag;
//! * one call in the life of the process succeeds, and sets the flag.

use rustix::io::FdFlags;
use std::io::{self, ErrorKind};
use std::os::fd::{FromRawFd, OwnedFd, RawFd};
use std::sync::atomic::{AtomicBool, Ordering};

static CLAIMED: AtomicBool = AtomicBool::new(false);

/// Takes over `count` descriptors from the number `first` onward, which the
/// process was started with, and keeps them from its children. All or none.
pub(crate) fn claim_inherited(first: RawFd, count: usize) -> io::Result<Vec<OwnedFd>> {
    let numbers = || (first..).take(count);
    for number in numbers() {
        check_unowned(number)?;
    }
    if CLAIMED.swap(true, Ordering::Relaxed) {
        return Err(io::Error::new(
            ErrorKind::AlreadyExists,
            "the descriptors have been taken already",
        ));
    }
    // SAFETY: open, and nobody else's, as the header says.
    let own = |number| unsafe { OwnedFd::from_raw_fd(number) };
    let owned: Vec<OwnedFd> = numbers().map(own).collect();
    for descriptor in &owned {
        rustix::io::fcntl_setfd(descriptor, FdFlags::CLOEXEC)?;
    }
    Ok(owned)
}

fn check_unowned(number: RawFd) -> io::Result<()> {
    // SAFETY: it reads a flag, or says that there is no such descriptor.
    let flags = unsafe { libc::fcntl(number, libc::F_GETFD) };
    if flags < 0 {
        return Err(io::Error::last_os_error());
    }
    if flags & libc::FD_CLOEXEC != 0 {
        return Err(io::Error::new(
            ErrorKind::AlreadyExists,
            "a descriptor that should be inherited is somebody's here",
        ));
    }
    Ok(())
}
