//! A TLS connection that looks like a socket.
//!
//! [`TlsStream`] joins an [`Engine`], which does no I/O, and a [`Transport`],
//! which knows no TLS. What lies between is the *pump*: `transfer.rs` moves
//! ciphertext and never waits, `pump.rs` decides and waits. Several tasklets of
//! one thread may use a stream at once, through a shared reference:
//!
//! ```text
//!   read   -- reading lock --+                    +-- fill:  receive lock
//!                            +-- drive: engine ---+
//!   write  -- writing lock --+                    +-- flush: sending lock
//! ```
//!
//! * One tasklet reads at a time, one writes (for a whole `write_all`), one
//!   receives, one sends; each lock is handed over in order of arrival.
//! * The engine is borrowed for one call at a time and never across a wait, so
//!   no tasklet ever finds OpenSSL half-way through something.
//! * A reader never waits for the one who sends. If it did, two peers that both
//!   write before they read would wait for each other for ever.
//! * Bytes go out before anybody waits for bytes to come in.
//! * Who gives up sending while bytes are left leaves that duty to the one that
//!   waits to receive.
//!
//! While its peer is silent a connection's engine is kept in a list of the
//! thread, which may take its rings for others to use ([`crate::idle`]).
//!
//! Futures poll the same operations with waits forbidden: `poll.rs`.

#[cfg(feature = "greenling")]
use std::cell::OnceCell;
use std::cell::{Cell, RefCell};
use std::fmt;
#[cfg(feature = "greenling")]
use std::sync::Arc;
use std::time::{Duration, Instant};

use openssl::ssl::Ssl;

use crate::bio::RingSizes;
use crate::engine::{Engine, Role};
use crate::error::Error;
use crate::transport::Transport;

#[cfg(feature = "greenling")]
mod arrival;
mod close;
mod connect;
mod decide;
mod info;
mod io;
mod locks;
mod nested;
mod observers;
#[cfg(feature = "greenling")]
mod poll;
mod pump;
mod replace;
mod requests;
mod settings;
mod slot;
mod socket;
mod split;
mod transfer;

#[cfg(feature = "greenling")]
pub use arrival::Arrival;
#[cfg(feature = "greenling")]
pub(crate) use arrival::Hook;
use locks::Lock;
pub use requests::PostHandshakeAuth;
use slot::Slot;
pub use split::{ReadHalf, ReuniteError, WriteHalf};

/// A TLS connection over `T`.
///
/// Reads and writes like a [`std::net::TcpStream`], also through a shared
/// reference: within one thread one tasklet may read while another writes. It is
/// `Send` when `T` is, and not `Sync`.
///
/// # Scheduling
///
/// Every operation that moves data may switch; OpenSSL itself never runs while
/// another tasklet does.
///
/// Never switches, except where a method says so.
///
/// # Cancellation
///
/// A deadline that passes, or a kill, leaves the connection consistent: whole
/// records only. After a `write_all` that ended early nobody knows how much of it
/// was sent, so later writes fail; `write` reports its count and has no such
/// effect. Dropping the stream sends `close_notify` if that needs no waiting. A
/// client that only writes should [`close`](TlsStream::close) instead: session
/// tickets that it never read make the kernel answer with a reset, which can
/// overtake its last bytes.
#[doc(alias = "Connection")]
#[doc(alias = "ConnectionType")]
pub struct TlsStream<T: Transport> {
    /// `None` only while a consuming method takes the stream apart.
    transport: Option<T>,
    slot: RefCell<Slot>,
    reading: Lock,
    writing: Lock,
    receiving: Lock,
    sending: Lock,
    /// Held while the application answers a question of the handshake.
    deciding: Lock,
    /// Counts what was received, the end included: a tasklet that waited for a
    /// lock finds out that another has done its work.
    received: Cell<u64>,
    /// The transport has ended.
    ended: Cell<bool>,
    /// A tasklet waits to receive; with nothing else going on the engine can
    /// be kept with the idle ones.
    waiting_to_receive: Cell<bool>,
    receive_error: RefCell<Option<Error>>,
    /// Kept for the next write, whoever met it: reading goes on without.
    send_error: RefCell<Option<Error>>,
    /// The transport has taken bytes that it has not sent (TLS in TLS).
    held_below: Cell<bool>,
    /// A `write_all` ended in the middle.
    torn: Cell<bool>,
    /// `close` or `abort` was called.
    closed: Cell<bool>,
    nonblocking: Cell<bool>,
    /// Transfers that succeeded since the last wait.
    spree: Cell<u8>,
    read_timeout: Cell<Option<Duration>>,
    write_timeout: Cell<Option<Duration>>,
    handshake_timeout: Cell<Option<Duration>>,
    close_timeout: Cell<Option<Duration>>,
    linger_timeout: Cell<Duration>,
    /// Set when the handshake begins.
    handshake_deadline: Cell<Option<Instant>>,
    /// The listener's gate, where handshakes wait for their turn; `None` after.
    #[cfg(feature = "greenling")]
    gate: Cell<Option<u64>>,
    /// What the listener does before the handshake; `None` after.
    #[cfg(feature = "greenling")]
    hook: RefCell<Option<arrival::Hook<T>>>,
    /// What a proxy told.
    #[cfg(feature = "greenling")]
    proxied: OnceCell<Box<crate::proxy::ProxyHeader>>,
    /// The futures that read and write; made when the first of them waits.
    #[cfg(feature = "greenling")]
    pollers: OnceCell<Arc<poll::Pollers>>,
}

impl<T: Transport> TlsStream<T> {
    /// A connection from an object of the `openssl` crate, configured by hand.
    ///
    /// `name` is what [`TlsStream::session`] is bound to; nothing is checked
    /// against it here. Callbacks set through the `openssl` crate must not panic.
    pub fn from_ssl(ssl: Ssl, role: Role, name: Option<&str>, transport: T) -> TlsStream<T> {
        TlsStream::from_engine(
            Engine::from_ssl(ssl, role, name, RingSizes::default()),
            transport,
        )
    }

    /// A connection from an engine, whatever it has done before. With
    /// [`TlsStream::into_engine`] it exchanges the transport in mid-stream.
    pub fn from_engine(engine: Engine, transport: T) -> TlsStream<T> {
        TlsStream::with_parts(Ok(engine), transport)
    }

    fn with_parts(engine: Result<Engine, Error>, transport: T) -> TlsStream<T> {
        let slot = engine.map_or_else(Slot::None, |engine| Slot::Here(Box::new(engine)));
        TlsStream {
            transport: Some(transport),
            slot: RefCell::new(slot),
            reading: Lock::default(),
            writing: Lock::default(),
            receiving: Lock::default(),
            sending: Lock::default(),
            deciding: Lock::default(),
            received: Cell::new(0),
            ended: Cell::new(false),
            waiting_to_receive: Cell::new(false),
            receive_error: RefCell::new(None),
            send_error: RefCell::new(None),
            held_below: Cell::new(false),
            torn: Cell::new(false),
            closed: Cell::new(false),
            nonblocking: Cell::new(false),
            spree: Cell::new(0),
            read_timeout: Cell::new(None),
            write_timeout: Cell::new(None),
            handshake_timeout: Cell::new(None),
            close_timeout: Cell::new(Some(close::CLOSE_TIMEOUT)),
            linger_timeout: Cell::new(close::LINGER_TIMEOUT),
            handshake_deadline: Cell::new(None),
            #[cfg(feature = "greenling")]
            gate: Cell::new(None),
            #[cfg(feature = "greenling")]
            hook: RefCell::new(None),
            #[cfg(feature = "greenling")]
            proxied: OnceCell::new(),
            #[cfg(feature = "greenling")]
            pollers: OnceCell::new(),
        }
    }

    /// The transport underneath. Moving data on it directly breaks the connection.
    #[doc(alias = "fileno")]
    #[doc(alias = "getsockopt")]
    #[doc(alias = "setsockopt")]
    #[expect(
        clippy::missing_panics_doc,
        reason = "only consuming methods take it out"
    )]
    pub fn get_ref(&self) -> &T {
        self.transport
            .as_ref()
            .expect("present until the stream is taken apart")
    }

    /// The transport, without a goodbye to the peer: to answer in plain text after
    /// [`Error::PlainHttp`], say. Ciphertext that was received but not read is lost.
    #[expect(clippy::missing_panics_doc, reason = "this is what takes it out")]
    pub fn into_transport(mut self) -> T {
        self.closed.set(true);
        self.transport
            .take()
            .expect("present until the stream is taken apart")
    }

    /// Asks the engine directly, for what this type does not offer itself. `f` must
    /// leave the transport's side alone, and may not use this stream.
    ///
    /// # Errors
    ///
    /// [`Error::Local`] when called from inside an operation of this stream.
    #[inline]
    pub fn with_engine<R>(&self, f: impl FnOnce(&mut Engine) -> R) -> Result<R, Error> {
        let busy = |_| Error::local("the stream is used again from inside one of its own calls");
        let mut slot = self.slot.try_borrow_mut().map_err(busy)?;
        Ok(f(slot.engine()?))
    }

    /// Makes the handshake wait its turn at a listener's gate.
    #[cfg(feature = "greenling")]
    pub(crate) fn set_gate(&self, gate: u64) {
        self.gate.set(Some(gate));
    }

    fn look<R>(&self, f: impl FnOnce(&Engine) -> R) -> Option<R> {
        self.with_engine(|engine| f(engine)).ok()
    }

    /// How long one read may wait; `None`, the default, is for ever. It expires as
    /// [`Error::TimedOut`].
    #[doc(alias = "settimeout")]
    pub fn set_read_timeout(&self, timeout: Option<Duration>) {
        self.read_timeout.set(timeout);
    }

    /// How long one write may wait; `None`, the default, is for ever.
    pub fn set_write_timeout(&self, timeout: Option<Duration>) {
        self.write_timeout.set(timeout);
    }

    /// How long the handshake may take in all, from its first step.
    pub fn set_handshake_timeout(&self, timeout: Option<Duration>) {
        self.handshake_timeout.set(timeout);
    }

    /// Whether operations fail with `WouldBlock` where they would wait; the error
    /// carries the [`Want`](crate::Want). They do not give way to other tasklets
    /// then. Futures need not set this: a poll never waits.
    #[doc(alias = "setblocking")]
    pub fn set_nonblocking(&self, nonblocking: bool) {
        self.nonblocking.set(nonblocking);
    }

    /// Takes the end of the transport for the end of the data, even without
    /// `close_notify`. Only for protocols that mark their ends themselves, such as
    /// HTTP with a length: anybody on the way can cut a connection.
    ///
    /// # Errors
    ///
    /// [`Error::Local`] when called from inside an operation of this stream.
    #[doc(alias = "SSL_OP_IGNORE_UNEXPECTED_EOF")]
    pub fn ignore_truncation(&self) -> Result<(), Error> {
        self.with_engine(Engine::ignore_truncation)
    }
}

impl<T: Transport> fmt::Debug for TlsStream<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TlsStream")
            .field("state", &self.state_string())
            .field("closed", &self.closed.get())
            .finish_non_exhaustive()
    }
}
