//! The ends of a connection.
//!
//! | call | alert | waits | then the transport is |
//! |---|---|---|---|
//! | [`TlsStream::shutdown_write`] | sent | to send it | half closed, in TLS only |
//! | [`TlsStream::close`] | sent | 5 s to send it, then 1 s for the peer to take it | shut down |
//! | [`TlsStream::unwrap`] | sent and received | for the peer's | given back |
//! | [`TlsStream::abort`] | no | no | shut down |
//! | drop | sent if it fits | never | dropped |
//!
//! The limits are those that [`TlsStream::set_close_timeout`] and
//! [`TlsStream::set_linger_timeout`] change.
//!
//! `SSL_shutdown` is called once. A second call, meant to wait for the peer's
//! answer, fails for good when data is still to be read; reading finds the
//! answer without that.

use std::net::Shutdown;
use std::time::{Duration, Instant};

use super::TlsStream;
use super::pump::{Progress, after};
use crate::engine::{Engine, EngineError};
use crate::error::Error;
use crate::transport::{Interest, Transport};

/// How long a goodbye may take to go out, or in `unwrap` to be answered.
pub(super) const CLOSE_TIMEOUT: Duration = Duration::from_secs(5);

/// How long, and for how many bytes, the peer may go on sending after that. A
/// socket closed with unread data resets the connection, and the peer may lose
/// what it has not read yet.
pub(super) const LINGER_TIMEOUT: Duration = Duration::from_secs(1);
const LINGER_MAX: usize = 256 * 1024;

impl<T: Transport> TlsStream<T> {
    /// Ends our side: sends `close_notify`. The peer may go on sending, and reads
    /// go on working.
    ///
    /// # Scheduling
    ///
    /// May switch.
    ///
    /// # Cancellation
    ///
    /// May be repeated.
    ///
    /// # Errors
    ///
    /// [`Error::Local`] before the handshake is done or after a torn `write_all`:
    /// the peer must not take a part for the whole.
    #[doc(alias = "SSL_shutdown")]
    #[doc(alias = "shutdown")]
    pub fn shutdown_write(&self) -> Result<(), Error> {
        self.say_goodbye(after(self.write_timeout.get()))
    }

    /// How long the goodbye of [`close`](TlsStream::close) may take to go out, and the
    /// peer's to arrive in [`unwrap`](TlsStream::unwrap): 5 s unless set. `None` is for
    /// ever.
    #[doc(alias = "ssl_shutdown_timeout")]
    pub fn set_close_timeout(&self, timeout: Option<Duration>) {
        self.close_timeout.set(timeout);
    }

    /// How long [`close`](TlsStream::close) then waits for the peer to take what is
    /// under way and to end its side: 1 s unless set. Zero does not wait.
    ///
    /// A socket that is closed with data in it that nobody has read resets the
    /// connection, and a reset can overtake our last bytes.
    pub fn set_linger_timeout(&self, timeout: Duration) {
        self.linger_timeout.set(timeout);
    }

    fn say_goodbye(&self, deadline: Option<Instant>) -> Result<(), Error> {
        let _writing = self.lock_writing(deadline)?;
        self.say_goodbye_alone(deadline)
    }

    /// Needs the writing lock.
    fn say_goodbye_alone(&self, deadline: Option<Instant>) -> Result<(), Error> {
        self.ensure_writable()?;
        if !self.is_established() {
            // Nothing to say goodbye to, nor to wait for: the engine says so.
            return match self.with_engine(Engine::shutdown)? {
                Err(EngineError::Failed(error)) => Err(error),
                _ => Ok(()),
            };
        }
        self.drive(deadline, Engine::shutdown)?;
        self.flush_until(deadline, |_| false)
    }

    /// Says goodbye where nobody may wait, if it is true and fits.
    pub(super) fn say_goodbye_if_it_fits(&self) {
        // A connection dropped by a panic or a kill was not ended on purpose: the
        // peer must not take what it got for the whole.
        let torn = self.torn.get() || std::thread::panicking();
        if T::MAY_SUSPEND || self.closed.get() || torn {
            return;
        }
        let Some(_writing) = self.writing.try_lock() else {
            return;
        };
        // The engine refuses where there is nothing to end.
        let said = self.with_engine(|engine| engine.shutdown().is_ok());
        if said.unwrap_or(false) {
            self.flush_in_drop();
            self.pass_duty_on();
            self.keep_if_idle();
        }
    }

    /// Ends the connection: sends `close_notify`, shuts the transport down, and
    /// gives the peer a moment to read what is under way. Tasklets that still wait
    /// on the stream get an error; one that closes as well waits for the first.
    ///
    /// # Scheduling
    ///
    /// May switch.
    ///
    /// # Cancellation
    ///
    /// Ends the connection all the same.
    ///
    /// # Errors
    ///
    /// When the goodbye could not be sent in [time](TlsStream::set_close_timeout), or
    /// there was nothing to say goodbye to: the connection had failed or the handshake
    /// was not done. It is no error when a peer that has said goodbye is gone before
    /// it hears ours. The transport is shut down in any case but one: a non-blocking
    /// stream that would have to wait says `WouldBlock`, and is to be closed again.
    #[doc(alias = "SSL_free")]
    pub fn close(&self) -> Result<(), Error> {
        if self.closed.get() {
            return Ok(());
        }
        // Runs when this is killed, too.
        let shut = ShutOnDrop(self);
        let ended = self.close_alone();
        if self.nonblocking.get() && ended.as_ref().is_err_and(Error::is_transient) {
            std::mem::forget(shut);
        }
        ended
    }

    fn close_alone(&self) -> Result<(), Error> {
        let deadline = after(self.close_timeout.get());
        let _writing = self.lock_writing(deadline)?;
        if self.closed.get() {
            return Ok(());
        }
        // A peer that has said goodbye need not be there to hear ours, if that is all
        // that was left to send.
        let said_all = self.send_error.borrow().is_none() && self.unsent()? == 0;
        let may_be_gone = said_all && self.with_engine(|engine| engine.is_peer_closed())?;
        match self.say_goodbye_alone(deadline) {
            Err(Error::Io(error)) if may_be_gone && is_of_a_gone_peer(&error) => {}
            said => said?,
        }
        let _ = self.get_ref().shutdown(Shutdown::Write);
        self.linger(after(Some(self.linger_timeout.get())));
        Ok(())
    }

    /// Ends the connection at once, without a goodbye: the peer sees a truncated
    /// stream, as it should when what it got is not the whole.
    pub fn abort(&self) {
        drop(ShutOnDrop(self));
    }

    /// Ends TLS in both directions and gives the transport back, with any bytes
    /// that the peer sent in plain after its `close_notify`. Application data that
    /// arrives before that is discarded.
    ///
    /// # Scheduling
    ///
    /// May switch.
    ///
    /// # Cancellation
    ///
    /// The connection is gone: the stream is dropped with its transport.
    ///
    /// # Errors
    ///
    /// [`Error::TimedOut`] when the peer does not answer in
    /// [time](TlsStream::set_close_timeout), [`Error::Truncated`] when it just goes
    /// away. The transport is dropped then.
    #[doc(alias = "into_plain")]
    pub fn unwrap(self) -> Result<(T, Vec<u8>), Error> {
        let deadline = after(self.close_timeout.get());
        self.say_goodbye(deadline)?;
        let mut discarded = [0; 4096];
        while let Progress::Done(_) = self.drive(deadline, |engine| engine.read(&mut discarded))? {
            if deadline.is_some_and(|deadline| Instant::now() >= deadline) {
                return Err(Error::TimedOut);
            }
        }
        let rest = self.with_engine(Engine::take_unread)?;
        Ok((self.into_transport(), rest))
    }

    /// The same as [`TlsStream::unwrap`], by a name that nobody takes for a panic.
    ///
    /// # Errors
    ///
    /// As [`TlsStream::unwrap`].
    pub fn into_plain(self) -> Result<(T, Vec<u8>), Error> {
        self.unwrap()
    }

    /// Reads and discards until the peer closes, or for a bounded while. Never
    /// inlined: its buffer would be on the stack of every handshake.
    #[cold]
    #[inline(never)]
    pub(super) fn linger(&self, deadline: Option<Instant>) {
        // Where the transport's own calls wait, nothing bounds them.
        if T::MAY_SUSPEND || self.nonblocking.get() || self.is_over() {
            return;
        }
        // Whoever receives already does what lingering would, until it has something.
        let Ok(_receiving) = self.lock_receiving(deadline) else {
            return;
        };
        if self.is_over() {
            return;
        }
        let mut discarded = [0; 4096];
        let mut left = LINGER_MAX;
        while left > 0 {
            match self.get_ref().try_recv(&mut discarded) {
                Ok(0) => return,
                Ok(n) => left = left.saturating_sub(n),
                Err(error) if error.kind() == std::io::ErrorKind::WouldBlock => {
                    if self.wait_for(Interest::READ, deadline).is_err() {
                        return;
                    }
                }
                Err(error) if error.kind() == std::io::ErrorKind::Interrupted => {}
                Err(_) => return,
            }
        }
    }
}

impl<T: Transport> TlsStream<T> {
    /// Whether the peer has said goodbye, or the transport its last word.
    fn is_over(&self) -> bool {
        self.ended.get()
            || self
                .with_engine(|engine| engine.is_peer_closed())
                .unwrap_or(true)
    }
}

fn is_of_a_gone_peer(error: &std::io::Error) -> bool {
    use std::io::ErrorKind::{BrokenPipe, ConnectionReset, NotConnected};
    matches!(error.kind(), BrokenPipe | ConnectionReset | NotConnected)
}

/// Shuts the transport down, which ends the waits of other tasklets.
struct ShutOnDrop<'a, T: Transport>(&'a TlsStream<T>);

impl<T: Transport> Drop for ShutOnDrop<'_, T> {
    fn drop(&mut self) {
        self.0.closed.set(true);
        // Fails when the peer was faster; nothing is left to do then.
        let _ = self.0.get_ref().shutdown(Shutdown::Both);
        self.0.get_ref().wake();
    }
}

impl<T: Transport> Drop for TlsStream<T> {
    fn drop(&mut self) {
        // Where futures poll, it is left there between two polls.
        self.slot.get_mut().take_back();
        if self.transport.is_some() {
            self.say_goodbye_if_it_fits();
        }
    }
}
