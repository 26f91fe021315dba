//! Greenling's sockets and descriptors: only the tasklet waits.

use std::io;
use std::net::Shutdown;
use std::os::fd::AsFd;
use std::time::Instant;

use greenling::io::Fd;
use greenling::net::{TcpStream, UnixStream};
use rustix::io::Errno;

use super::{Interest, Ready, Transport};

macro_rules! transport {
    ($socket:ident) => {
        /// `try_read` and `try_write` never switch, so a part of a ring may be
        /// lent to them; the pump gives way itself, through
        /// [`Transport::give_way`].
        impl Transport for $socket {
            const MAY_SUSPEND: bool = false;

            fn try_recv(&self, buf: &mut [u8]) -> io::Result<usize> {
                self.try_read(buf)
            }

            fn try_send(&self, data: &[u8]) -> io::Result<usize> {
                self.try_write(data)
            }

            #[track_caller]
            fn wait(&self, interest: Interest, deadline: Option<Instant>) -> io::Result<Ready> {
                $socket::wait(self, interest, deadline)
            }

            fn shutdown(&self, how: Shutdown) -> io::Result<()> {
                $socket::shutdown(self, how)
            }

            fn wake(&self) {
                $socket::wake(self);
            }

            fn give_way(&self) {
                greenling::schedule();
            }
        }
    };
}

transport!(TcpStream);
transport!(UnixStream);

/// Any descriptor that `epoll(7)` can watch: ends of pipes, FIFOs, terminals, sockets
/// of others. A connection takes both directions of one, or two of them in a
/// [`Split`](super::Split).
impl<F: AsFd> Transport for Fd<F> {
    const MAY_SUSPEND: bool = false;

    fn try_recv(&self, buf: &mut [u8]) -> io::Result<usize> {
        self.try_read(buf)
    }

    fn try_send(&self, data: &[u8]) -> io::Result<usize> {
        self.try_write(data)
    }

    #[track_caller]
    fn wait(&self, interest: Interest, deadline: Option<Instant>) -> io::Result<Ready> {
        Fd::wait(self, interest, deadline)
    }

    /// What is no socket has no directions to end: the peer sees the end when the
    /// descriptor is dropped. `Both` fails every later operation, and those that
    /// wait.
    fn shutdown(&self, how: Shutdown) -> io::Result<()> {
        let how_exactly = match how {
            Shutdown::Read => rustix::net::Shutdown::Read,
            Shutdown::Write => rustix::net::Shutdown::Write,
            Shutdown::Both => rustix::net::Shutdown::Both,
        };
        match rustix::net::shutdown(self.get_ref(), how_exactly) {
            Err(Errno::NOTSOCK) if how == Shutdown::Both => {
                self.close();
                Ok(())
            }
            done => Ok(done?),
        }
    }

    fn wake(&self) {
        Fd::wake(self);
    }

    fn give_way(&self) {
        greenling::schedule();
    }
}
