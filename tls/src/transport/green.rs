//! Greenling's sockets: only the tasklet waits.

use std::io;
use std::net::Shutdown;
use std::time::Instant;

use greenling::net::{TcpStream, UnixStream};

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
