//! The pump: moves ciphertext between the engine and the transport, and waits.
//!
//! ```text
//!   drive: call the engine
//!            done ------------------------------> result
//!            wants input -> send what is there -> fill -> call again
//!            asks ---------> the application decides --> call again
//!            failed ------> let the alert out --> error
//!
//!   fill:  receive; nothing there: wait to receive, and to send as well while
//!          bytes are left to send and nobody else sends them
//!   flush: send; no room: wait to send
//! ```
//!
//! Errors of `try_recv` and `try_send` are the transport's and permanent; errors
//! of `wait` are the waiter's own, and the connection stays as it was.

use std::cell::Cell;
use std::time::{Duration, Instant};

use super::TlsStream;
use super::locks::{Lock, LockGuard, WaitReason};
use super::transfer::{Received, Sent};
use crate::bio::RingSizes;
use crate::engine::{Engine, EngineError, Want};
use crate::error::{Alert, Error};
#[cfg(feature = "greenling")]
use crate::listener::Permit;
use crate::transport::{Interest, Ready, Transport};

/// More unsent bytes than this, and nothing is received until some are sent. Only
/// a peer that makes us answer without reading the answers gets there.
const UNSENT_MAX: usize = RingSizes::BULK.outgoing + 64 * 1024;

/// How long a handshake that failed waits for its alert to go out, and then for
/// the peer to take it.
const FAREWELL: Duration = Duration::from_secs(1);

/// What a completed engine call means for the caller.
#[derive(Debug)]
pub(super) enum Progress<R> {
    Done(R),
    /// The peer sent `close_notify`.
    Closed,
}

/// The reasons for which an operation waits for a lock. Without the scheduler
/// nobody waits, so they are all the same.
pub(super) mod reason {
    #[cfg(feature = "greenling")]
    pub(in crate::stream) use crate::waits::{
        DECISION_LOCK, FLUSH_LOCK, READ_LOCK, RECEIVE_LOCK, WRITE_LOCK,
    };

    #[cfg(not(feature = "greenling"))]
    mod none {
        use crate::stream::locks::WaitReason;

        pub(in crate::stream) static READ_LOCK: WaitReason = ();
        pub(in crate::stream) static WRITE_LOCK: WaitReason = ();
        pub(in crate::stream) static RECEIVE_LOCK: WaitReason = ();
        pub(in crate::stream) static FLUSH_LOCK: WaitReason = ();
        pub(in crate::stream) static DECISION_LOCK: WaitReason = ();
    }
    #[cfg(not(feature = "greenling"))]
    pub(in crate::stream) use none::{
        DECISION_LOCK, FLUSH_LOCK, READ_LOCK, RECEIVE_LOCK, WRITE_LOCK,
    };
}

/// When an operation gives up. The clock is read when that is asked, so that what need
/// not wait does not pay for it.
pub(super) trait Until: Copy {
    fn at(self) -> Option<Instant>;
}

impl Until for Option<Instant> {
    fn at(self) -> Option<Instant> {
        self
    }
}

/// So long after the first look at it.
pub(super) struct Limit {
    timeout: Option<Duration>,
    at: Cell<Option<Instant>>,
}

impl Limit {
    pub(super) fn new(timeout: Option<Duration>) -> Limit {
        Limit {
            timeout,
            at: Cell::new(None),
        }
    }
}

impl Until for &Limit {
    fn at(self) -> Option<Instant> {
        if self.at.get().is_none() {
            self.at.set(after(self.timeout));
        }
        self.at.get()
    }
}

/// The moment at which a wait of `timeout` from now ends.
pub(super) fn after(timeout: Option<Duration>) -> Option<Instant> {
    let timeout = timeout?;
    // A timeout too long to express is none.
    Instant::now().checked_add(timeout)
}

pub(super) fn earlier(a: Option<Instant>, b: Option<Instant>) -> Option<Instant> {
    match (a, b) {
        (Some(a), Some(b)) => Some(a.min(b)),
        (a, b) => a.or(b),
    }
}

impl<T: Transport> TlsStream<T> {
    /// Makes the handshake; returns at once if it is done.
    ///
    /// Optional: the first read or write does it too. When it fails, the alert
    /// that says why has been sent and the sending side is shut down, except
    /// where there is no alert ([`Error::PlainHttp`]).
    ///
    /// # Scheduling
    ///
    /// May switch.
    ///
    /// # Cancellation
    ///
    /// Can be continued after a deadline or a kill.
    ///
    /// # Errors
    ///
    /// [`Error::TimedOut`] also when the handshake timeout has passed, counted
    /// from its first step; the peer's and the certificate's faults otherwise.
    #[doc(alias = "SSL_do_handshake")]
    #[doc(alias = "do_handshake")]
    pub fn handshake(&self) -> Result<(), Error> {
        self.ensure_open()?;
        if self.is_settled() {
            return Ok(());
        }
        match self.drive(None, Engine::handshake)? {
            Progress::Done(()) => {
                // Its last flight may fail to go out, because the peer has said
                // something and gone. What it said is for the next read to find.
                let _ = self.flush_until(self.handshake_deadline.get(), |_| false);
                Ok(())
            }
            Progress::Closed => Err(Error::Peer(Alert::CLOSE_NOTIFY)),
        }
    }

    /// Whether there is nothing left of the handshake, the approval included.
    pub(super) fn is_settled(&self) -> bool {
        self.look(Engine::is_settled).unwrap_or(false)
    }

    /// Repeats an engine call until it comes to an end.
    pub(super) fn drive<R>(
        &self,
        deadline: impl Until,
        mut call: impl FnMut(&mut Engine) -> Result<R, EngineError>,
    ) -> Result<Progress<R>, Error> {
        self.arrive(deadline)?;
        let mut turn = self.wait_for_turn(deadline)?;
        loop {
            let seen = self.received.get();
            let alert = AlertOnUnwind(self);
            let (result, established, dead_before) = self.with_engine(|engine| {
                let dead = engine.failure().is_some();
                let result = call(engine);
                (result, engine.is_established(), dead)
            })?;
            std::mem::forget(alert);
            if established {
                // The wait for data that may follow is no part of the handshake.
                let _ended = turn.take();
            }
            match result {
                Ok(value) => return Ok(Progress::Done(value)),
                Err(EngineError::Closed) => return Ok(Progress::Closed),
                Err(EngineError::Want(Want::Read)) => {
                    self.try_flush();
                    if self.received.get() != seen {
                        continue;
                    }
                    if self.ended.get() {
                        return Err(Error::Truncated);
                    }
                    let limit = if established {
                        None
                    } else {
                        self.handshake_limit()
                    };
                    self.fill(seen, earlier(deadline.at(), limit))?;
                }
                Err(EngineError::Want(_)) => self.decide(deadline.at())?,
                Err(EngineError::Failed(error)) => {
                    if !dead_before {
                        self.send_alert(established);
                    }
                    return Err(error);
                }
            }
        }
    }

    /// Waits until the listener lets the handshake of this connection go on.
    #[cfg(feature = "greenling")]
    #[inline]
    fn wait_for_turn(&self, deadline: impl Until) -> Result<Option<Permit>, Error> {
        match self.gate.get() {
            None => Ok(None),
            Some(gate) => self.wait_at_gate(gate, deadline),
        }
    }

    #[cfg(feature = "greenling")]
    #[cold]
    fn wait_at_gate(&self, gate: u64, deadline: impl Until) -> Result<Option<Permit>, Error> {
        if self.is_established() {
            self.gate.set(None);
            return Ok(None);
        }
        let limit = self.handshake_limit();
        crate::listener::enter_gate(gate, earlier(deadline.at(), limit))
    }

    /// Without the scheduler there are no listeners.
    #[cfg(not(feature = "greenling"))]
    fn arrive(&self, _deadline: impl Until) -> Result<(), Error> {
        Ok(())
    }

    /// As above.
    #[cfg(not(feature = "greenling"))]
    fn wait_for_turn(&self, _deadline: impl Until) -> Result<Option<()>, Error> {
        Ok(None)
    }

    /// The handshake's deadline, which its first step sets.
    pub(super) fn handshake_limit(&self) -> Option<Instant> {
        if self.handshake_deadline.get().is_none() {
            self.handshake_deadline
                .set(after(self.handshake_timeout.get()));
        }
        self.handshake_deadline.get()
    }

    /// Sends until the transport has no room. Errors are kept for the next write.
    /// Does nothing while another tasklet sends.
    pub(super) fn try_flush(&self) {
        if let Some(_sending) = self.sending.try_lock() {
            let _ = self.send();
        }
    }

    /// As `try_flush`, for destructors, which do not give way to others: nothing is
    /// sent by a transport whose calls may.
    pub(super) fn flush_in_drop(&self) {
        if !T::MAY_SUSPEND {
            self.spree.set(0);
            self.try_flush();
        }
    }

    /// Sends until nothing is left or `enough` says so, and waits for room.
    pub(super) fn flush_until(
        &self,
        deadline: impl Until,
        enough: impl Fn(&Engine) -> bool,
    ) -> Result<(), Error> {
        let sending = self.lock_sending(deadline)?;
        let duty = Duty {
            stream: self,
            sending: Some(sending),
        };
        loop {
            if self.send()? == Sent::Everything || self.with_engine(|engine| enough(engine))? {
                break;
            }
            self.wait_for(Interest::WRITE, deadline.at())?;
        }
        drop(duty);
        Ok(())
    }

    /// Receives once, waiting if need be, unless another tasklet has received
    /// since `seen`.
    fn fill(&self, seen: u64, deadline: Option<Instant>) -> Result<(), Error> {
        let _receiving = self.lock_receiving(deadline)?;
        while self.received.get() == seen {
            self.fill_step(deadline)?;
        }
        Ok(())
    }

    /// Receives something or waits once. Needs the receiving lock.
    pub(super) fn fill_step(&self, deadline: Option<Instant>) -> Result<(), Error> {
        self.ensure_open()?;
        if let Some(error) = &*self.receive_error.borrow() {
            return Err(error.clone());
        }
        let unsent = self.unsent()?;
        if unsent > UNSENT_MAX {
            return self.flush_until(deadline, |engine| engine.out_pending() <= UNSENT_MAX);
        }
        if T::MAY_SUSPEND && unsent > 0 && !self.sending.is_held() {
            // The object refused some of it for now. It would wait by itself for an
            // answer to what it has not sent.
            return self.flush_until(deadline, |_| false);
        }
        if let Received::Something = self.receive()? {
            self.count_success();
            return Ok(());
        }
        let both = unsent > 0 && !self.sending.is_held();
        let interest = if both { Interest::BOTH } else { Interest::READ };
        if self.wait_to_receive(interest, deadline)?.writable {
            self.try_flush();
        }
        Ok(())
    }

    /// A wait of the one that receives. If nothing is under way, the engine stays
    /// with the idle ones meanwhile.
    fn wait_to_receive(
        &self,
        interest: Interest,
        deadline: Option<Instant>,
    ) -> Result<Ready, Error> {
        if self.nonblocking.get() {
            return self.wait_for(interest, deadline);
        }
        let _awake = Awake::after_wait_of(self);
        self.keep_if_idle();
        self.wait_for(interest, deadline)
    }

    /// Leaves the engine with the idle ones if the connection is.
    pub(super) fn keep_if_idle(&self) {
        if self.waiting_to_receive.get() {
            self.keep_until_used();
        }
    }

    /// As `keep_if_idle`, for a connection for whose data somebody waits.
    pub(super) fn keep_until_used(&self) {
        if T::MAY_SUSPEND {
            return;
        }
        if let Ok(mut slot) = self.slot.try_borrow_mut() {
            slot.rest_if(T::MAY_MIGRATE, |engine| {
                engine.is_established() && engine.out_pending() == 0
            });
        }
    }

    /// Every wait for the transport goes through here.
    pub(super) fn wait_for(
        &self,
        interest: Interest,
        deadline: Option<Instant>,
    ) -> Result<Ready, Error> {
        if self.nonblocking.get() {
            let want = if interest.is_read() {
                Want::Read
            } else {
                Want::Write
            };
            return Err(would_block(want));
        }
        self.spree.set(0);
        match self.get_ref().wait(interest, deadline) {
            Ok(ready) => Ok(ready),
            Err(error) if error.kind() == std::io::ErrorKind::Interrupted => Ok(Ready::default()),
            Err(error) => Err(error.into()),
        }
    }

    /// After a failure: lets the alert out. A failed handshake also makes sure that
    /// the peer gets it, which a reset would prevent.
    fn send_alert(&self, established: bool) {
        let alert = self.with_engine(|engine| engine.out_pending() > 0);
        if established || self.nonblocking.get() || !alert.unwrap_or(false) {
            self.try_flush();
            return;
        }
        let deadline = after(Some(FAREWELL));
        if self.flush_until(deadline, |_| false).is_ok() {
            let _ = self.get_ref().shutdown(std::net::Shutdown::Write);
            self.linger(deadline);
        }
    }

    /// Has whoever waits to receive send what is left.
    pub(super) fn pass_duty_on(&self) {
        let somebody_waits = self.waiting_to_receive.get() || self.is_polled();
        if !self.sending.is_held() && somebody_waits && self.unsent().is_ok_and(|n| n > 0) {
            self.get_ref().wake();
        }
    }

    /// Whether a future may wait that the transport knows the waker of.
    #[cfg(feature = "greenling")]
    fn is_polled(&self) -> bool {
        self.pollers.get().is_some()
    }

    /// Without the scheduler nobody polls.
    #[cfg(not(feature = "greenling"))]
    fn is_polled(&self) -> bool {
        false
    }

    pub(super) fn ensure_open(&self) -> Result<(), Error> {
        if self.closed.get() {
            Err(Error::local("the stream is closed"))
        } else {
            Ok(())
        }
    }

    /// Waits for one of the locks, which a non-blocking stream does not do.
    fn lock<'a>(
        &self,
        lock: &'a Lock,
        reason: &'static WaitReason,
        want: Want,
        deadline: impl Until,
    ) -> Result<LockGuard<'a>, Error> {
        match lock.try_lock() {
            Some(guard) => Ok(guard),
            None if self.nonblocking.get() => Err(would_block(want)),
            None => lock.lock(reason, deadline.at()),
        }
    }

    pub(super) fn lock_reading(&self, deadline: impl Until) -> Result<LockGuard<'_>, Error> {
        self.lock(&self.reading, &reason::READ_LOCK, Want::Read, deadline)
    }

    pub(super) fn lock_writing(&self, deadline: impl Until) -> Result<LockGuard<'_>, Error> {
        self.lock(&self.writing, &reason::WRITE_LOCK, Want::Write, deadline)
    }

    pub(super) fn lock_receiving(&self, deadline: impl Until) -> Result<LockGuard<'_>, Error> {
        self.lock(&self.receiving, &reason::RECEIVE_LOCK, Want::Read, deadline)
    }

    pub(super) fn lock_deciding(&self, deadline: Option<Instant>) -> Result<LockGuard<'_>, Error> {
        self.deciding.lock(&reason::DECISION_LOCK, deadline)
    }

    fn lock_sending(&self, deadline: impl Until) -> Result<LockGuard<'_>, Error> {
        self.lock(&self.sending, &reason::FLUSH_LOCK, Want::Write, deadline)
    }
}

/// Releases the sending lock. With bytes left over, which only a deadline or a
/// kill leads to, the duty to send them passes to whoever waits to receive.
struct Duty<'a, T: Transport> {
    stream: &'a TlsStream<T>,
    sending: Option<LockGuard<'a>>,
}

impl<T: Transport> Drop for Duty<'_, T> {
    fn drop(&mut self) {
        self.sending = None;
        self.stream.pass_duty_on();
    }
}

/// Takes the engine back from the idle ones however the wait ends, so that the
/// stream can move to another thread afterwards.
struct Awake<'a, T: Transport>(&'a TlsStream<T>);

impl<'a, T: Transport> Awake<'a, T> {
    fn after_wait_of(stream: &'a TlsStream<T>) -> Awake<'a, T> {
        stream.waiting_to_receive.set(true);
        Awake(stream)
    }
}

impl<T: Transport> Drop for Awake<'_, T> {
    fn drop(&mut self) {
        self.0.waiting_to_receive.set(false);
        if let Ok(mut slot) = self.0.slot.try_borrow_mut() {
            slot.take_back();
        }
    }
}

fn would_block(want: Want) -> Error {
    Error::Io(std::io::Error::new(std::io::ErrorKind::WouldBlock, want))
}

/// If a callback panics inside of OpenSSL, lets the alert out, as far as that needs no
/// waiting.
struct AlertOnUnwind<'a, T: Transport>(&'a TlsStream<T>);

impl<T: Transport> Drop for AlertOnUnwind<'_, T> {
    fn drop(&mut self) {
        if std::thread::panicking() {
            self.0.flush_in_drop();
        }
    }
}
