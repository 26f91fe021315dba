//! What became of a context's connections and sessions.

use super::{Context, sys};

/// Counters of a context since it was made (`SSL_CTX_sess_number(3)`).
///
/// What is said of the memory cache is about
/// [`SessionCache::Memory`](crate::SessionCache::Memory).
///
/// # Scheduling
///
/// Never switches, except where a method says so.
#[doc(alias = "session_stats")]
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
#[non_exhaustive]
pub struct SessionStats {
    /// Sessions in the memory cache now.
    #[doc(alias = "SSL_CTX_sess_number")]
    pub number: u64,
    /// Handshakes that clients began.
    #[doc(alias = "SSL_CTX_sess_connect")]
    pub connect: u64,
    /// Handshakes that clients completed.
    #[doc(alias = "SSL_CTX_sess_connect_good")]
    pub connect_good: u64,
    /// Further handshakes of established connections, on the client's side.
    #[doc(alias = "SSL_CTX_sess_connect_renegotiate")]
    pub connect_renegotiate: u64,
    /// Handshakes that servers began.
    #[doc(alias = "SSL_CTX_sess_accept")]
    pub accept: u64,
    /// Handshakes that servers completed.
    #[doc(alias = "SSL_CTX_sess_accept_good")]
    pub accept_good: u64,
    /// Further handshakes of established connections, on the server's side.
    #[doc(alias = "SSL_CTX_sess_accept_renegotiate")]
    pub accept_renegotiate: u64,
    /// Sessions that were resumed.
    #[doc(alias = "SSL_CTX_sess_hits")]
    pub hits: u64,
    /// Sessions that were found in the server's cache, of either kind.
    #[doc(alias = "SSL_CTX_sess_cb_hits")]
    pub cache_hits: u64,
    /// Sessions that were asked for and not in the memory cache.
    #[doc(alias = "SSL_CTX_sess_misses")]
    pub misses: u64,
    /// Sessions in the memory cache that were asked for too late.
    #[doc(alias = "SSL_CTX_sess_timeouts")]
    pub timeouts: u64,
    /// Sessions that the memory cache forgot for want of room.
    #[doc(alias = "SSL_CTX_sess_cache_full")]
    pub cache_full: u64,
}

impl Context {
    /// How many handshakes there were, and what became of sessions.
    #[doc(alias = "SSL_CTX_sess_number")]
    pub fn session_stats(&self) -> SessionStats {
        // SSL_CTRL_SESS_CONNECT and those that follow it.
        let count = |command| sys::session_counter(self.ssl_ctx(), command);
        let own = self.shared.own_store.as_ref();
        let (number, counts) = own.map(|store| store.counts()).unwrap_or_default();
        SessionStats {
            number,
            connect: count(21),
            connect_good: count(22),
            connect_renegotiate: count(23),
            accept: count(24),
            accept_good: count(25),
            accept_renegotiate: count(26),
            hits: count(27),
            cache_hits: count(28),
            misses: counts.missed,
            timeouts: counts.too_old,
            cache_full: counts.forgotten,
        }
    }
}
