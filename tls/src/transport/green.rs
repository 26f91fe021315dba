//! Greenling's sockets: only the tasklet waits.

use std::io;
use std::net::Shutdown;
use std::time::Instant;

use greenling::net::TcpStream;
use greenling::on_system_stack;

use super::{Interest, Ready, Transport};

/// The calls that move data run where no switch is possible. The socket would
/// otherwise give way to other tasklets now and then, while a part of a ring is
/// lent to it; the pump gives way itself, through [`Transport::give_way`].
impl Transport for TcpStream {
    const MAY_SUSPEND: bool = false;

    fn try_recv(&self, buf: &mut [u8]) -> io::Result<usize> {
        on_system_stack(|| self.try_read(buf))
    }

    fn try_send(&self, data: &[u8]) -> io::Result<usize> {
        on_system_stack(|| self.try_write(data))
    }

    #[track_caller]
    fn wait(&self, interest: Interest, deadline: Option<Instant>) -> io::Result<Ready> {
        TcpStream::wait(self, interest, deadline)
    }

    fn shutdown(&self, how: Shutdown) -> io::Result<()> {
        TcpStream::shutdown(self, how)
    }

    fn give_way(&self) {
        greenling::schedule();
    }
}
