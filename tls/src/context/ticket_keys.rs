//! Ticket keys as the application sees them: shared, exchanged, carried elsewhere.

use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use zeroize::Zeroizing;

use super::tickets::{KeyRing, ROTATION};
use crate::config_error::{ConfigError, ConfigErrorKind};
use crate::error::Error;

/// Tells the time, so that tests can.
pub(super) type Clock = Arc<dyn Fn() -> Instant + Send + Sync>;

/// Names the process, so that tests can.
pub(super) type Process = fn() -> u32;

/// Keys for session tickets that several contexts, threads and processes can
/// share, so that each resumes the sessions of the others: workers behind one
/// port, say, or the context before and after a reload.
///
/// Cheap to clone; clones are the same keys. Sharing keys does not share trust:
/// a session is resumed only where its
/// [`session_id_context`](crate::ContextBuilder::session_id_context) is the same,
/// that is, under the same certificates and demands on the client, and under the
/// same server name.
///
/// # Scheduling
///
/// Never switches, except where a method says so.
///
/// # Examples
///
/// ```
/// use greenling_tls::{ContextBuilder, TicketKeys, Tickets, Identity};
///
/// let keys = TicketKeys::new();
/// let identity = Identity::self_signed(&["localhost"])?;
/// let worker = || {
///     ContextBuilder::server()
///         .identity(identity.clone())
///         .tickets(Tickets::Keys(keys.clone()))
///         .build()
/// };
/// let (one, other) = (worker()?, worker()?);
/// # Ok::<(), greenling_tls::Error>(())
/// ```
#[doc(alias = "SSL_CTX_set_tlsext_ticket_keys")]
#[doc(alias = "SSL_CTX_set_tlsext_ticket_key_evp_cb")]
#[derive(Clone)]
pub struct TicketKeys {
    shared: Arc<Shared>,
}

struct Shared {
    state: Mutex<State>,
    clock: Clock,
}

struct State {
    ring: KeyRing,
    /// Who may use the ring, and how to find out who we are; none for keys that
    /// are meant to be shared.
    owner: Option<(u32, Process)>,
}

impl TicketKeys {
    /// Keys that are made on demand, exchanged every hour, and kept for one session
    /// lifetime more to open old tickets.
    pub fn new() -> TicketKeys {
        TicketKeys::with(Some(ROTATION), Duration::ZERO, Arc::new(Instant::now), None)
    }

    /// Keys that are exchanged only by [`rotate`](TicketKeys::rotate) and
    /// [`import`](TicketKeys::import). A key that is never exchanged opens all
    /// that was ever sealed with it, so exchange them daily or oftener.
    pub fn by_hand() -> TicketKeys {
        TicketKeys::with(None, Duration::ZERO, Arc::new(Instant::now), None)
    }

    /// The keys of one context. A child of `fork` makes its own: the parent would
    /// otherwise open the child's tickets for as long as both live.
    pub(super) fn private(lifetime: Duration, clock: Clock, process: Process) -> TicketKeys {
        let owner = Some((process(), process));
        TicketKeys::with(Some(ROTATION), lifetime, clock, owner)
    }

    fn with(
        rotation: Option<Duration>,
        lifetime: Duration,
        clock: Clock,
        owner: Option<(u32, Process)>,
    ) -> TicketKeys {
        let ring = KeyRing::new(rotation, lifetime);
        let state = Mutex::new(State { ring, owner });
        TicketKeys {
            shared: Arc::new(Shared { state, clock }),
        }
    }

    /// Seals new tickets with a new key from now on. Those sealed before can be
    /// opened for one session lifetime, the longest of all contexts that share
    /// the keys.
    ///
    /// # Errors
    ///
    /// [`Error::Ssl`] when there are no random numbers.
    pub fn rotate(&self) -> Result<(), Error> {
        Ok(self.with_ring(KeyRing::rotate)?)
    }

    /// All keys, in the clear, for [`import`](TicketKeys::import) in another process.
    ///
    /// Whoever has them can open the tickets, and of recorded TLS 1.2 connections
    /// also the data. The buffer is zeroised when dropped; what is copied out of
    /// it is not.
    ///
    /// # Errors
    ///
    /// [`Error::Ssl`] when there are no random numbers to make the first key of.
    #[doc(alias = "SSL_CTX_get_tlsext_ticket_keys")]
    pub fn export(&self) -> Result<Zeroizing<Vec<u8>>, Error> {
        Ok(self.with_ring(KeyRing::export)?)
    }

    /// Takes exported keys in place of its own.
    ///
    /// Where several processes follow one that exports, those that follow should
    /// begin with [`by_hand`](TicketKeys::by_hand): otherwise they make keys of
    /// their own when the imported ones are an hour old.
    ///
    /// # Errors
    ///
    /// [`Error::Config`] when `bytes` are not such keys; nothing has changed then.
    #[doc(alias = "SSL_CTX_set_tlsext_ticket_keys")]
    pub fn import(&self, bytes: &[u8]) -> Result<(), Error> {
        self.with_ring(|ring, now| ring.import(bytes, now))
            .ok_or_else(|| {
                let detail = "are not what TicketKeys::export made";
                ConfigError::new(ConfigErrorKind::Malformed, "ticket keys", detail).into()
            })
    }

    /// Keeps retired keys for at least `lifetime`.
    pub(super) fn keep_for(&self, lifetime: Duration) {
        self.with_ring(|ring, _| ring.keep_for(lifetime));
    }

    /// Calls `f` with the ring and the time.
    pub(super) fn with_ring<R>(&self, f: impl FnOnce(&mut KeyRing, Instant) -> R) -> R {
        let now = (self.shared.clock)();
        // A ring is whole between any two statements, so poisoning means nothing.
        let state = self.shared.state.lock();
        let mut state = state.unwrap_or_else(PoisonError::into_inner);
        if let Some((owner, process)) = state.owner {
            let current = process();
            if current != owner {
                state.owner = Some((current, process));
                state.ring.clear();
            }
        }
        f(&mut state.ring, now)
    }
}

impl Default for TicketKeys {
    /// As [`TicketKeys::new`].
    fn default() -> TicketKeys {
        TicketKeys::new()
    }
}

/// Shows nothing of the keys.
impl fmt::Debug for TicketKeys {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TicketKeys").finish_non_exhaustive()
    }
}
