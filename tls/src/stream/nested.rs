//! A stream as the transport of another: TLS in TLS.
//!
//! The inner connection's pump tries and waits; so the outer one's operations are
//! tried with waits forbidden, as for futures, and its waits are one step of its own
//! pump: send what is left, receive or wait once. A deadline, a kill or a wake-up of
//! the inner connection is then one of the transport at the bottom.
//!
//! ```text
//!   inner: try_send --> outer: encrypt, send what goes out at once --> transport
//!          try_flush -> outer: send the rest          (inner waits for room if not)
//!          try_recv --> outer: read what is there
//!          wait ------> outer: send the rest, receive or wait once --> transport
//! ```
//!
//! What the outer connection has encrypted and not sent is nobody's if the inner one
//! takes it for sent. That is what `try_flush` is for.
//!
//! Over a transport whose own calls wait ([`Transport::MAY_SUSPEND`]) the outer
//! connection's calls do so too.

use std::io;
use std::net::Shutdown;
use std::time::Instant;

use super::TlsStream;
use crate::engine::{Engine, Want};
use crate::error::Error;
use crate::transport::{Interest, Ready, Transport, ready};

/// Forbids waits as long as it lives.
pub(super) struct NoWaits<'a, T: Transport> {
    stream: &'a TlsStream<T>,
    before: bool,
}

impl<'a, T: Transport> NoWaits<'a, T> {
    pub(super) fn on(stream: &'a TlsStream<T>) -> NoWaits<'a, T> {
        let before = stream.nonblocking.replace(true);
        NoWaits { stream, before }
    }
}

impl<T: Transport> Drop for NoWaits<'_, T> {
    fn drop(&mut self) {
        self.stream.nonblocking.set(self.before);
    }
}

/// TLS in TLS. A handshake that has not been made is made by the first wait.
impl<T: Transport> Transport for TlsStream<T> {
    const MAY_SUSPEND: bool = T::MAY_SUSPEND;
    const MAY_MIGRATE: bool = T::MAY_MIGRATE;

    fn try_recv(&self, buf: &mut [u8]) -> io::Result<usize> {
        self.try_without_waits(Want::Read, || self.read_some(buf))
    }

    fn try_send(&self, data: &[u8]) -> io::Result<usize> {
        self.try_without_waits(Want::Write, || self.write_some(data))
    }

    fn try_flush(&self) -> io::Result<()> {
        self.try_without_waits(Want::Write, || self.flush_all())
    }

    fn wait(&self, interest: Interest, deadline: Option<Instant>) -> io::Result<Ready> {
        if T::MAY_SUSPEND {
            return Ok(ready(interest.is_read(), interest.is_write()));
        }
        match self.wait_once(interest, deadline) {
            Err(error) if error.is_transient() => Err(error.into()),
            // The call that follows meets it again, as an error of the connection.
            Err(_) => Ok(ready(interest.is_read(), interest.is_write())),
            Ok(()) => Ok(ready(
                interest.is_read() && self.has_news(),
                interest.is_write() && !self.holds_back(),
            )),
        }
    }

    /// Ends the sending side by `close_notify`, or the connection as
    /// [`abort`](TlsStream::abort) does. There is no way to refuse to receive.
    fn shutdown(&self, how: Shutdown) -> io::Result<()> {
        match how {
            Shutdown::Read => Err(io::ErrorKind::Unsupported.into()),
            Shutdown::Write => self.try_without_waits(Want::Write, || self.shutdown_write()),
            Shutdown::Both => {
                self.abort();
                Ok(())
            }
        }
    }

    fn wake(&self) {
        self.get_ref().wake();
    }

    fn give_way(&self) {
        self.get_ref().give_way();
    }
}

impl<T: Transport> TlsStream<T> {
    /// An operation of the connection on top, which waits by itself.
    fn try_without_waits<R>(
        &self,
        want: Want,
        operation: impl FnOnce() -> Result<R, Error>,
    ) -> io::Result<R> {
        if T::MAY_SUSPEND {
            return Ok(operation()?);
        }
        // A handshake may have to wait its turn, or for an answer of the program.
        if !self.is_settled() {
            return Err(match &*self.receive_error.borrow() {
                Some(error) => error.clone().into(),
                None => io::Error::new(io::ErrorKind::WouldBlock, want),
            });
        }
        let _no_waits = NoWaits::on(self);
        Ok(operation()?)
    }

    /// Sends what is left, and waits at most once.
    fn wait_once(&self, interest: Interest, deadline: Option<Instant>) -> Result<(), Error> {
        if !self.is_settled() {
            let made = self.drive(deadline, Engine::handshake);
            return made.map(drop).inspect_err(|error| {
                if !error.is_transient() {
                    self.receive_error.replace(Some(error.clone()));
                }
            });
        }
        self.try_flush();
        let found =
            interest.is_write() && !self.holds_back() || interest.is_read() && self.has_news();
        if found {
            return Ok(());
        }
        if !interest.is_read() {
            return self.flush_until(deadline, |_| false);
        }
        let seen = self.received.get();
        let _receiving = self.lock_receiving(deadline)?;
        if self.received.get() != seen {
            return Ok(());
        }
        self.fill_step(deadline)
    }

    /// Whether something has been encrypted and not sent.
    fn holds_back(&self) -> bool {
        self.unsent().is_ok_and(|n| n > 0)
    }

    /// Whether a read could find anything, be it the end or an error.
    fn has_news(&self) -> bool {
        self.ended.get()
            || self.closed.get()
            || self.receive_error.borrow().is_some()
            || self
                .with_engine(|engine| {
                    engine.in_pending() > 0
                        || engine.pending() > 0
                        || engine.is_peer_closed()
                        || engine.failure().is_some()
                })
                .unwrap_or(true)
    }
}
