//! Sessions that a client keeps for its next connections.
//!
//! A cache belongs to one context and keeps sessions by the name of the server,
//! so none is ever offered to another server or under other settings.
//!
//! ```text
//!   cache --lend: new connection--> offered --handshake done, TLS 1.2--> cache
//!     ^                               |
//!     +-- a session arrives           +-- failed, or TLS 1.3: gone
//! ```
//!
//! A session is lent to one connection at a time. A ticket of TLS 1.3 does not come
//! back, for who sees it twice can tell that both connections are the same client's
//! (RFC 8446, appendix C.4). One of TLS 1.2 comes back once the server has taken it:
//! whatever goes wrong before that, a kill or a deadline included, it is forgotten.
//!
//! OpenSSL hands over new sessions from inside a read, so storing one must be quick
//! and must not wait for a tasklet: a lock of the OS, held for a few lines.

use std::collections::{HashMap, VecDeque};
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use openssl::error::ErrorStack;
use openssl::ssl::{
    SslContextBuilder, SslRef, SslSession, SslSessionCacheMode, SslSessionRef, SslVersion,
};

use crate::callbacks::{attached, attached_mut};
use crate::panics::guard_callback;
use crate::ssl::SessionView;

/// How many sessions to keep of one server: as many connections can be resumed at a
/// time. Servers issue two tickets or so with each connection.
const PER_SERVER: usize = 4;

/// The sessions of one context.
pub(crate) struct SessionCache {
    /// How many servers there may be.
    capacity: usize,
    store: Mutex<Store>,
}

#[derive(Default)]
struct Store {
    servers: HashMap<Arc<str>, Server>,
    /// Counts uses, to tell which is the oldest.
    clock: u64,
}

#[derive(Default)]
struct Server {
    /// The newest last.
    sessions: VecDeque<SslSession>,
    used: u64,
}

/// How a connection finds its place in the cache.
pub(crate) struct Slot {
    cache: Arc<SessionCache>,
    server: Arc<str>,
}

impl SessionCache {
    /// A cache for `capacity` servers, filled by the connections of `context`.
    pub(crate) fn install(capacity: usize, context: &mut SslContextBuilder) -> Arc<SessionCache> {
        receive(context);
        Arc::new(SessionCache {
            capacity,
            store: Mutex::default(),
        })
    }

    /// Lets `ssl`, a new connection to `server`, take part.
    pub(crate) fn attach(
        self: &Arc<Self>,
        ssl: &mut SslRef,
        server: &str,
    ) -> Result<(), ErrorStack> {
        attached_mut(ssl)?.session_slot = Some(Slot {
            cache: Arc::clone(self),
            server: server.into(),
        });
        Ok(())
    }

    pub(crate) fn clear(&self) {
        // Dropped without the lock.
        let all = std::mem::take(&mut self.lock().servers);
        drop(all);
    }

    fn keep(&self, server: &Arc<str>, session: SslSession) {
        let mut store = self.lock();
        store.clock += 1;
        let now = store.clock;
        let entry = store.servers.entry(Arc::clone(server)).or_default();
        entry.used = now;
        entry.sessions.push_back(session);
        let surplus = if entry.sessions.len() > PER_SERVER {
            entry.sessions.pop_front()
        } else {
            None
        };
        // Looks at all, which only a server that is new here costs.
        let forgotten = if store.servers.len() > self.capacity {
            let oldest = store.servers.iter().min_by_key(|(_, entry)| entry.used);
            let oldest = oldest.map(|(name, _)| Arc::clone(name));
            oldest.and_then(|name| store.servers.remove(&name))
        } else {
            None
        };
        drop(store);
        drop((surplus, forgotten));
    }

    /// Takes the newest session of `server` that is good at `now`, and drops older
    /// ones that are not.
    fn lend(&self, server: &str, now: Duration) -> Option<SslSession> {
        let mut store = self.lock();
        store.clock += 1;
        let used = store.clock;
        let entry = store.servers.get_mut(server)?;
        entry.used = used;
        let mut sessions = std::mem::take(&mut entry.sessions);
        sessions.retain(|session| is_fresh(session, now));
        let lent = sessions.pop_back();
        if sessions.is_empty() {
            store.servers.remove(server);
        } else {
            entry.sessions = sessions;
        }
        lent
    }

    /// The store is whole between any two statements, so poisoning means nothing.
    fn lock(&self) -> MutexGuard<'_, Store> {
        self.store.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Shows no secret.
impl fmt::Debug for SessionCache {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SessionCache")
            .field("capacity", &self.capacity)
            .field("servers", &self.lock().servers.len())
            .finish_non_exhaustive()
    }
}

/// Makes OpenSSL hand over the new sessions of clients.
pub(crate) fn receive(context: &mut SslContextBuilder) {
    // OpenSSL's own cache is of no use to clients: it does not know the names.
    context.set_session_cache_mode(SslSessionCacheMode::CLIENT | SslSessionCacheMode::NO_INTERNAL);
    context.set_new_session_callback(|ssl, session| {
        guard_callback((), || {
            // The session that AWS-LC shows on a connection of TLS 1.3 has no ticket.
            #[cfg(feature = "aws-lc")]
            if let Ok(attached) = attached_mut(ssl) {
                attached.newest = Some(session.clone());
            }
            if let Some(slot) = slot(ssl) {
                slot.cache.keep(&slot.server, session);
            }
        });
    });
}

fn slot(ssl: &SslRef) -> Option<&Slot> {
    attached(ssl)?.session_slot.as_ref()
}

/// Lets a connection take no part any more; says whether it did.
pub(crate) fn detach(ssl: &mut SslRef) -> Result<bool, ErrorStack> {
    if slot(ssl).is_none() {
        return Ok(false);
    }
    Ok(attached_mut(ssl)?.session_slot.take().is_some())
}

/// A session for a new connection to offer.
pub(crate) fn lend(ssl: &SslRef) -> Option<SslSession> {
    let slot = slot(ssl)?;
    let now = SystemTime::now().duration_since(UNIX_EPOCH).ok()?;
    slot.cache.lend(&slot.server, now)
}

/// Takes back what a connection was lent, now that its handshake is done.
pub(crate) fn established(ssl: &SslRef) {
    let Some(slot) = slot(ssl) else { return };
    // Sessions that are new have come through the callback.
    if !ssl.session_reused() || ssl.version2() == Some(SslVersion::TLS1_3) {
        return;
    }
    if let Some(session) = ssl.session() {
        slot.cache.keep(&slot.server, session.to_owned());
    }
}

/// Whether `session` can still be resumed: its time is not over, and no connection
/// that used it has failed (RFC 5246, section 7.2.2).
fn is_fresh(session: &SslSessionRef, now: Duration) -> bool {
    let lifetime = u64::try_from(session.timeout()).unwrap_or(0);
    // On some platforms the type is another one.
    #[allow(clippy::unnecessary_fallible_conversions, reason = "a time_t")]
    #[allow(clippy::useless_conversion, reason = "a time_t, but not of AWS-LC")]
    let born = u64::try_from(session.time()).unwrap_or(0);
    SessionView::new(session).is_resumable() && now.as_secs() < born.saturating_add(lifetime)
}
