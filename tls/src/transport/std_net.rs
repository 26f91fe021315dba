//! Plain sockets of the standard library: the OS thread waits.
//!
//! They stay in blocking mode, so that the application can use them as before
//! once TLS is over; each call here asks for non-blocking behaviour itself.

use std::io;
use std::net::{Shutdown, TcpStream};
use std::os::fd::{AsFd, BorrowedFd};
use std::os::unix::net::UnixStream;
use std::time::Instant;

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::net::{RecvFlags, SendFlags};

use super::{Interest, Ready, Transport, ready};

pub(super) fn recv(socket: impl AsFd, buf: &mut [u8]) -> io::Result<usize> {
    let (n, _) = rustix::net::recv(socket, buf, RecvFlags::DONTWAIT)?;
    Ok(n)
}

pub(super) fn send(socket: impl AsFd, data: &[u8]) -> io::Result<usize> {
    // A peer that is gone is an error to handle, not a signal.
    Ok(rustix::net::send(
        socket,
        data,
        SendFlags::DONTWAIT | SendFlags::NOSIGNAL,
    )?)
}

pub(super) fn wait(
    socket: impl AsFd,
    interest: Interest,
    deadline: Option<Instant>,
) -> io::Result<Ready> {
    let mut flags = PollFlags::empty();
    flags.set(PollFlags::IN, interest.is_read());
    flags.set(PollFlags::OUT, interest.is_write());
    let [found] = poll_until([PollFd::new(&socket, flags)], deadline)?;
    // An error or a hang-up is for the next call to report, whichever it is.
    Ok(ready(
        found.intersects(BROKEN | PollFlags::IN),
        found.intersects(BROKEN | PollFlags::OUT),
    ))
}

/// Waits until `receiver` has something or `sender` has room.
pub(super) fn wait_either(
    receiver: BorrowedFd<'_>,
    sender: BorrowedFd<'_>,
    deadline: Option<Instant>,
) -> io::Result<Ready> {
    let fds = [
        PollFd::from_borrowed_fd(receiver, PollFlags::IN),
        PollFd::from_borrowed_fd(sender, PollFlags::OUT),
    ];
    let [received, sent] = poll_until(fds, deadline)?;
    Ok(ready(
        received.intersects(BROKEN | PollFlags::IN),
        sent.intersects(BROKEN | PollFlags::OUT),
    ))
}

const BROKEN: PollFlags = PollFlags::ERR.union(PollFlags::HUP).union(PollFlags::NVAL);

/// Blocks the OS thread in `poll(2)`; what was found for each descriptor.
fn poll_until<const N: usize>(
    mut fds: [PollFd<'_>; N],
    deadline: Option<Instant>,
) -> io::Result<[PollFlags; N]> {
    let timeout = match deadline {
        None => None,
        Some(deadline) => {
            let left = deadline.saturating_duration_since(Instant::now());
            // A deadline too far away to express is none.
            Timespec::try_from(left).ok()
        }
    };
    if poll(&mut fds, timeout.as_ref())? == 0 {
        return Err(io::ErrorKind::TimedOut.into());
    }
    Ok(fds.map(|fd| fd.revents()))
}

macro_rules! socket_transport {
    ($socket:ty) => {
        impl Transport for $socket {
            const MAY_SUSPEND: bool = false;

            fn try_recv(&self, buf: &mut [u8]) -> io::Result<usize> {
                recv(self, buf)
            }

            fn try_send(&self, data: &[u8]) -> io::Result<usize> {
                send(self, data)
            }

            fn wait(&self, interest: Interest, deadline: Option<Instant>) -> io::Result<Ready> {
                wait(self, interest, deadline)
            }

            fn shutdown(&self, how: Shutdown) -> io::Result<()> {
                <$socket>::shutdown(self, how)
            }

            fn as_polled(&self) -> Option<BorrowedFd<'_>> {
                Some(self.as_fd())
            }
        }
    };
}

socket_transport!(TcpStream);
socket_transport!(UnixStream);

#[cfg(test)]
mod tests {
    use std::io::Write;
    use std::time::Duration;

    use super::*;

    #[test]
    fn never_blocks_but_in_wait() {
        let (ours, mut theirs) = UnixStream::pair().expect("socket pair");
        let mut buf = [0; 8];
        let empty = Transport::try_recv(&ours, &mut buf).expect_err("nothing sent yet");
        assert_eq!(empty.kind(), io::ErrorKind::WouldBlock);
        let past = Some(Instant::now() - Duration::from_secs(1));
        let late = ours
            .wait(Interest::READ, past)
            .expect_err("the deadline has passed");
        assert_eq!(late.kind(), io::ErrorKind::TimedOut);
        let ready = ours
            .wait(Interest::BOTH, past)
            .expect("there is room to send");
        assert!(!ready.readable && ready.writable);

        theirs.write_all(b"hello").expect("write");
        assert!(ours.wait(Interest::READ, None).expect("data").readable);
        assert_eq!(Transport::try_recv(&ours, &mut buf).expect("data"), 5);
        while Transport::try_send(&ours, &[0; 65536]).is_ok() {}
        drop(theirs);
        let gone = Transport::try_send(&ours, b"x").expect_err("peer is gone");
        assert_ne!(gone.kind(), io::ErrorKind::WouldBlock);
    }
}
