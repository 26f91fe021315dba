//! Sessions: how long they live, what they are bound to, and what carries or
//! keeps them.

use std::sync::Arc;
use std::time::{Duration, Instant};

use openssl::error::ErrorStack;
use openssl::hash::MessageDigest;
use openssl::sha::Sha256;
use openssl::ssl::{SslContextBuilder, SslOptions, SslSessionCacheMode};
use openssl::x509::X509;

use super::{ClientAuth, ContextBuilder};
use crate::config_error::{ConfigError, ConfigErrorKind};
use crate::context::session_store::{MemoryStore, SessionCache, SessionStore};
use crate::context::sys;
use crate::context::ticket_keys::{Clock, Process, TicketKeys};
use crate::crypto::{Crl, TrustSource};
use crate::engine::Role;
use crate::error::Error;
use crate::session_cache::SessionCache as ClientSessions;
#[cfg(feature = "aws-lc")]
use crate::ssl::missing::SslContextBuilderExt;

/// The longest that a ticket may be valid (RFC 8446, section 4.6.1).
const LIFETIME_MAX: Duration = Duration::from_secs(7 * 24 * 3600);

/// `SSL_MAX_SID_CTX_LENGTH`.
const ID_CONTEXT_MAX: usize = 32;

/// What a server does about session tickets (RFC 5077; RFC 8446, section 4.6.1).
#[derive(Debug, Clone, Default)]
#[non_exhaustive]
pub enum Tickets {
    /// No tickets, and so no resumption, unless there is a
    /// [`SessionCache`](crate::SessionCache).
    Off,
    /// Tickets under keys of AES-256 and HMAC-SHA256 that are made in memory,
    /// exchanged every hour, kept for one session lifetime more to open old
    /// tickets, and wiped. Every context has its own, and every child of `fork`.
    #[default]
    Rotating,
    /// Tickets under keys that others may share.
    Keys(TicketKeys),
}

pub(super) struct Sessions {
    id_context: Option<Vec<u8>>,
    lifetime: Duration,
    tickets: Tickets,
    num_tickets: usize,
    cache: SessionCache,
    clock: Clock,
    process: Process,
}

impl Default for Sessions {
    fn default() -> Sessions {
        Sessions {
            id_context: None,
            lifetime: Duration::from_secs(300),
            tickets: Tickets::Rotating,
            num_tickets: 2,
            cache: SessionCache::Off,
            clock: Arc::new(Instant::now),
            process: std::process::id,
        }
    }
}

impl ContextBuilder {
    /// Servers: which sessions belong together, in at most 32 bytes.
    ///
    /// By default it is a digest of the identities, the trust anchors, the
    /// revocation lists and how clients are judged, so that no session crosses
    /// from a context that demands less to one that demands more. What a function
    /// given to [`verify_with`](ContextBuilder::verify_with) demands it cannot tell:
    /// contexts that share ticket keys or a store, and have different ones, need
    /// different values here.
    #[doc(alias = "set_session_id")]
    #[doc(alias = "SSL_CTX_set_session_id_context")]
    pub fn session_id_context(mut self, id: &[u8]) -> ContextBuilder {
        self.sessions.id_context = Some(id.to_vec());
        self
    }

    /// How long a session can be resumed, up to seven days (RFC 8446, section
    /// 4.6.1). Default: 300 seconds.
    #[doc(alias = "set_timeout")]
    #[doc(alias = "get_timeout")]
    #[doc(alias = "SSL_CTX_set_timeout")]
    pub fn session_lifetime(mut self, lifetime: Duration) -> ContextBuilder {
        self.sessions.lifetime = lifetime;
        self
    }

    /// Servers: whether and how to issue session tickets. Default:
    /// [`Tickets::Rotating`].
    #[doc(alias = "OP_NO_TICKET")]
    #[doc(alias = "SSL_CTX_set_tlsext_ticket_key_evp_cb")]
    pub fn tickets(mut self, tickets: Tickets) -> ContextBuilder {
        self.sessions.tickets = tickets;
        self
    }

    /// Servers: how many tickets a full TLS 1.3 handshake issues. Default: 2.
    #[doc(alias = "SSL_CTX_set_num_tickets")]
    pub fn num_tickets(mut self, count: usize) -> ContextBuilder {
        self.sessions.num_tickets = count;
        self
    }

    /// Which sessions to keep outside of tickets. Default: [`SessionCache::Off`]. A
    /// number stands for [`SessionCache::Memory`].
    ///
    /// A server keeps so many sessions, for clients without tickets.
    ///
    /// A client keeps sessions of so many servers, by their names, and offers them
    /// to later connections: those of [`TlsStream::connect`] and all others that
    /// are given a name. A resumed handshake costs less than a full one, and the
    /// server is not verified again. Four sessions are kept of each server, and the
    /// servers that were used last. A ticket of TLS 1.3 is used once (RFC 8446,
    /// appendix C.4); with TLS 1.2 who watches the network can tell that two
    /// connections are the same client's. A session is forgotten when its lifetime
    /// is over, when a handshake with it fails, and when its connection is cut
    /// off. Servers of TLS 1.3 send tickets after the handshake, so a
    /// client that never reads gets none.
    ///
    /// [`TlsStream::connect`]: crate::TlsStream::connect
    #[doc(alias = "set_session_cache_mode")]
    #[doc(alias = "SSL_CTX_set_session_cache_mode")]
    #[doc(alias = "SSL_CTX_sess_set_cache_size")]
    #[doc(alias = "SSL_CTX_sess_set_new_cb")]
    pub fn session_cache(mut self, cache: impl Into<SessionCache>) -> ContextBuilder {
        self.sessions.cache = cache.into();
        self
    }

    /// Tells the ticket keys in which process they are.
    #[cfg(test)]
    pub(in crate::context) fn process(mut self, process: Process) -> ContextBuilder {
        self.sessions.process = process;
        self
    }

    /// Tells the ticket keys the time.
    #[cfg(test)]
    pub(in crate::context) fn clock(
        mut self,
        clock: impl Fn() -> Instant + Send + Sync + 'static,
    ) -> ContextBuilder {
        self.sessions.clock = Arc::new(clock);
        self
    }

    /// Returns the context's own store, if it has one.
    pub(super) fn set_sessions(
        &self,
        context: &mut SslContextBuilder,
        anchors: &[X509],
        crls: &[Crl],
    ) -> Result<Option<Arc<MemoryStore>>, Error> {
        let sessions = &self.sessions;
        context.set_session_cache_mode(SslSessionCacheMode::OFF);
        sys::set_session_lifetime(context, sessions.lifetime);
        if self.role == Role::Client {
            return Ok(None);
        }
        let id = match &sessions.id_context {
            Some(id) => id.clone(),
            None => self.derive_session_id_context(anchors, crls)?,
        };
        context.set_session_id_context(&id)?;
        #[cfg(feature = "aws-lc")]
        context.set_ex_data(sys::id_index()?, id);
        // Accepting the name makes OpenSSL keep it with the session, so that the
        // application sees it on resumed connections too.
        context.set_servername_callback(|_, _| Ok(()));
        let keys = match &sessions.tickets {
            Tickets::Off => None,
            Tickets::Rotating => Some(TicketKeys::private(
                sessions.lifetime,
                Arc::clone(&sessions.clock),
                sessions.process,
            )),
            Tickets::Keys(keys) => {
                keys.keep_for(sessions.lifetime);
                Some(keys.clone())
            }
        };
        let (own, store) = sessions.store();
        if let Some(store) = &store {
            sys::install_store(context, store, keys.is_some());
        }
        // With AWS-LC no tickets can follow on the approval of a client.
        let after_approval = cfg!(feature = "aws-lc") && self.hooks.approve.is_some();
        if (keys.is_none() && store.is_none()) || after_approval {
            context.set_num_tickets(0)?;
        } else {
            context.set_num_tickets(sessions.num_tickets)?;
        }
        match keys {
            Some(keys) => sys::install_tickets(context, keys)?,
            None => drop(context.set_options(SslOptions::NO_TICKET)),
        }
        Ok(own)
    }

    /// Hashes what a session's client was judged by.
    pub(in crate::context) fn derive_session_id_context(
        &self,
        anchors: &[X509],
        crls: &[Crl],
    ) -> Result<Vec<u8>, ErrorStack> {
        let mut hash = Sha256::new();
        for identity in &self.identities {
            hash.update(b"identity");
            hash.update(&identity.leaf().digest(MessageDigest::sha256())?);
        }
        for anchor in anchors {
            hash.update(b"anchor");
            hash.update(&anchor.digest(MessageDigest::sha256())?);
        }
        for path in self.verification.trust.iter().flat_map(TrustSource::paths) {
            hash.update(b"directory");
            hash.update(path.as_os_str().as_encoded_bytes());
        }
        for crl in crls {
            hash.update(b"revoked");
            hash.update(&openssl::sha::sha256(&crl.as_x509_crl().to_der()?));
        }
        hash.update(self.chain.fingerprint().as_bytes());
        if self.hooks.verify_with.is_some() {
            hash.update(b"verify_with");
        }
        hash.update(match self.verification.client_auth {
            ClientAuth::None => b"none",
            ClientAuth::Optional => b"optional",
            ClientAuth::Required => b"required",
        });
        Ok(hash.finish().to_vec())
    }
}

impl Sessions {
    /// The cache that was asked for, if this is a client.
    pub(super) fn client_cache(
        &self,
        role: Role,
        context: &mut SslContextBuilder,
    ) -> Option<Arc<ClientSessions>> {
        match self.cache {
            SessionCache::Memory(servers @ 1..) if role == Role::Client => {
                Some(ClientSessions::install(servers, context))
            }
            _ => {
                #[cfg(feature = "aws-lc")]
                if role == Role::Client {
                    crate::session_cache::receive(context);
                }
                None
            }
        }
    }

    /// A server's store that is only this context's, if there is one, and its store.
    fn store(&self) -> (Option<Arc<MemoryStore>>, Option<Arc<dyn SessionStore>>) {
        match &self.cache {
            SessionCache::Off => (None, None),
            SessionCache::Memory(limit) => {
                let own = Arc::new(MemoryStore::new(*limit));
                (Some(Arc::clone(&own)), Some(own))
            }
            SessionCache::External(store) => (None, Some(Arc::clone(store))),
        }
    }

    pub(super) fn has_external_cache(&self) -> bool {
        matches!(self.cache, SessionCache::External(_))
    }

    pub(super) fn check(&self) -> Result<(), ConfigError> {
        let bad = |what, detail| Err(ConfigError::new(ConfigErrorKind::BadValue, what, detail));
        if self.lifetime < Duration::from_secs(1) || self.lifetime > LIFETIME_MAX {
            return bad("session_lifetime", "must be from one second to seven days");
        }
        if self
            .id_context
            .as_ref()
            .is_some_and(|id| id.len() > ID_CONTEXT_MAX)
        {
            return bad("session_id_context", "is longer than 32 bytes");
        }
        Ok(())
    }
}
