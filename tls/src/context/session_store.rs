//! Sessions that a server keeps itself, beside or instead of tickets.

use std::collections::{BTreeMap, HashMap};
use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use zeroize::Zeroizing;

/// Where a context keeps sessions (RFC 5246, section 7.4.1.2: session identifiers).
///
/// A client needs it to resume sessions by itself; see
/// [`session_cache`](crate::ContextBuilder::session_cache). A server's cache costs
/// memory for each client; tickets ([`Tickets`](crate::Tickets)) do
/// not, and nearly all clients know them. The cache is for those that do not, or for
/// servers that want to forget a session before its time. With tickets switched
/// on it is used for clients of TLS 1.2 that do not take them. With
/// [`Tickets::Off`](crate::Tickets::Off) it is used for all, and clients of TLS
/// 1.3 get tickets that name a session instead of containing it.
#[doc(alias = "set_session_cache_mode")]
#[doc(alias = "SESS_CACHE_OFF")]
#[doc(alias = "SESS_CACHE_SERVER")]
#[doc(alias = "SESS_CACHE_NO_INTERNAL")]
#[doc(alias = "SSL_CTX_set_session_cache_mode")]
#[doc(alias = "SSL_CTX_sess_set_cache_size")]
#[derive(Clone, Default)]
#[non_exhaustive]
pub enum SessionCache {
    /// Nowhere.
    #[default]
    Off,
    /// In the memory of this context: a server's at most so many, and the oldest is
    /// forgotten first; a client's those of so many servers.
    Memory(usize),
    /// Servers: where the application says. Several contexts and processes may
    /// share it.
    External(Arc<dyn SessionStore>),
}

impl From<usize> for SessionCache {
    fn from(limit: usize) -> SessionCache {
        match limit {
            0 => SessionCache::Off,
            _ => SessionCache::Memory(limit),
        }
    }
}

impl fmt::Debug for SessionCache {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            SessionCache::Off => f.write_str("Off"),
            SessionCache::Memory(size) => f.debug_tuple("Memory").field(size).finish(),
            SessionCache::External(_) => f.debug_tuple("External").finish_non_exhaustive(),
        }
    }
}

/// A store of sessions that the application provides.
///
/// Its methods are called from inside OpenSSL, on any thread that serves with the
/// context: they must not wait as a tasklet, and what blocks them blocks the OS
/// thread. A panic ends the connection and goes on in the call that led there.
///
/// What is stored is secret: whoever has a session of TLS 1.2 can read what was
/// sent in it.
#[doc(alias = "SSL_CTX_sess_set_new_cb")]
#[doc(alias = "SSL_CTX_sess_set_get_cb")]
#[doc(alias = "SSL_CTX_sess_set_remove_cb")]
pub trait SessionStore: Send + Sync {
    /// Keeps `session` under `id`; there is no use for it after `lifetime`.
    fn put(&self, id: &[u8], session: &[u8], lifetime: Duration);

    /// The session kept under `id`. One that is too old, or was made under other
    /// demands or another server name, may be returned: it is refused afterwards.
    fn get(&self, id: &[u8]) -> Option<Zeroizing<Vec<u8>>>;

    /// Forgets the session: it has ended badly, or is too old.
    fn remove(&self, id: &[u8]);
}

/// The store of [`SessionCache::Memory`].
pub(super) struct MemoryStore {
    limit: usize,
    state: Mutex<Kept>,
}

/// What became of sessions.
#[derive(Default, Clone, Copy)]
pub(super) struct Counts {
    /// For want of room.
    pub(super) forgotten: u64,
    pub(super) missed: u64,
    pub(super) too_old: u64,
}

#[derive(Default)]
struct Kept {
    by_id: HashMap<Vec<u8>, Session>,
    /// From the oldest to the newest.
    order: BTreeMap<u64, Vec<u8>>,
    next: u64,
    counts: Counts,
}

struct Session {
    number: u64,
    content: Zeroizing<Vec<u8>>,
    until: Option<Instant>,
}

impl MemoryStore {
    pub(super) fn new(limit: usize) -> MemoryStore {
        MemoryStore {
            limit,
            state: Mutex::default(),
        }
    }

    /// How many there are, and what became of others.
    pub(super) fn counts(&self) -> (u64, Counts) {
        self.with(|kept| (kept.by_id.len() as u64, kept.counts))
    }

    fn with<R>(&self, f: impl FnOnce(&mut Kept) -> R) -> R {
        // Nothing in between can panic but an allocation, which aborts.
        f(&mut self.state.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

impl Kept {
    fn forget(&mut self, id: &[u8]) {
        if let Some(session) = self.by_id.remove(id) {
            self.order.remove(&session.number);
        }
    }
}

impl SessionStore for MemoryStore {
    fn put(&self, id: &[u8], session: &[u8], lifetime: Duration) {
        self.with(|kept| {
            kept.forget(id);
            while kept.by_id.len() >= self.limit {
                let Some((_, oldest)) = kept.order.pop_first() else {
                    return; // no room for any
                };
                kept.by_id.remove(&oldest);
                kept.counts.forgotten += 1;
            }
            let number = kept.next;
            kept.next += 1;
            kept.order.insert(number, id.to_vec());
            let content = Zeroizing::new(session.to_vec());
            let until = Instant::now().checked_add(lifetime);
            kept.by_id.insert(
                id.to_vec(),
                Session {
                    number,
                    content,
                    until,
                },
            );
        });
    }

    fn get(&self, id: &[u8]) -> Option<Zeroizing<Vec<u8>>> {
        self.with(|kept| {
            let Some(session) = kept.by_id.get(id) else {
                kept.counts.missed += 1;
                return None;
            };
            if session.until.is_some_and(|until| until <= Instant::now()) {
                kept.forget(id);
                kept.counts.too_old += 1;
                return None;
            }
            Some(session.content.clone())
        })
    }

    fn remove(&self, id: &[u8]) {
        self.with(|kept| kept.forget(id));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LONG: Duration = Duration::from_secs(300);

    #[test]
    fn the_oldest_is_forgotten_first_and_nothing_is_left_behind() {
        let store = MemoryStore::new(2);
        for id in [b"1", b"2", b"3"] {
            store.put(id, id, LONG);
        }
        assert!(store.get(b"1").is_none());
        assert_eq!(store.get(b"2").as_deref(), Some(&b"2".to_vec()));
        assert_eq!((store.counts().0, store.counts().1.forgotten), (2, 1));
        store.remove(b"2");
        store.remove(b"2");
        store.put(b"4", b"4", LONG);
        assert_eq!(store.counts().1.forgotten, 1, "there was room");
        store.put(b"4", b"5", LONG);
        assert_eq!(store.get(b"4").as_deref(), Some(&b"5".to_vec()));
        assert_eq!(store.with(|kept| kept.order.len()), 2);
    }

    #[test]
    fn what_is_too_old_is_forgotten_and_no_room_means_no_sessions() {
        let store = MemoryStore::new(1);
        store.put(b"1", b"1", Duration::ZERO);
        assert!(store.get(b"1").is_none());
        assert_eq!(store.counts().0, 0);
        let none = MemoryStore::new(0);
        none.put(b"1", b"1", LONG);
        assert!(none.get(b"1").is_none());
    }
}
