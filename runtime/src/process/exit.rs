//! A descriptor that becomes readable when a child has ended.
//!
//! A pidfd, or where there are none (before Linux 5.3, other systems, some
//! sandboxes) the reading end of a pipe, whose other end a thread drops when
//! it has seen the child's end. A thread of its own, and not one of the offload
//! pool: a pool full of waits for children would keep the files waiting that
//! the children need.

use rustix::io::Errno;
use rustix::pipe::{PipeFlags, pipe_with};
use rustix::process::{Pid, WaitId, WaitIdOptions, waitid};
use std::io;
use std::os::fd::OwnedFd;
use std::thread::Builder;

/// The descriptor for the child `pid`, which nobody has reaped yet.
pub(super) fn watch(pid: Pid) -> io::Result<OwnedFd> {
    pidfd(pid).or_else(|_| by_thread(pid))
}

/// The pidfd of the child `pid`, which nobody has reaped yet.
#[cfg(target_os = "linux")]
pub(super) fn pidfd(pid: Pid) -> io::Result<OwnedFd> {
    use rustix::process::{PidfdFlags, pidfd_open};
    Ok(pidfd_open(pid, PidfdFlags::empty())?)
}

/// There is none.
#[cfg(not(target_os = "linux"))]
pub(super) fn pidfd(_: Pid) -> io::Result<OwnedFd> {
    Err(io::ErrorKind::Unsupported.into())
}

fn by_thread(pid: Pid) -> io::Result<OwnedFd> {
    let (reader, writer) = pipe_with(PipeFlags::CLOEXEC | PipeFlags::NONBLOCK)?;
    Builder::new()
        .name("greenling-child".into())
        .spawn(move || {
            let _ended = writer;
            // Left for its owner to reap. Any other error means that there is
            // nothing to wait for.
            let options = WaitIdOptions::EXITED | WaitIdOptions::NOWAIT;
            while let Err(Errno::INTR) = waitid(WaitId::Pid(pid), options) {}
        })?;
    Ok(reader)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Read;
    use std::process::{Command, Stdio};

    #[test]
    fn a_thread_tells_of_the_end_and_leaves_the_status() {
        let mut child = Command::new("cat").stdin(Stdio::piped()).spawn().unwrap();
        let end = by_thread(Pid::from_child(&child)).unwrap();
        let mut end = std::fs::File::from(end);
        let early = end.read(&mut [0]).unwrap_err();
        assert_eq!(early.kind(), io::ErrorKind::WouldBlock);
        drop(child.stdin.take());
        while end.read(&mut [0]).is_err() {
            std::thread::yield_now();
        }
        assert!(child.try_wait().unwrap().unwrap().success());
    }
}
