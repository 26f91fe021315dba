//! Keys that both sides have shared beforehand (RFC 4279; RFC 8446, section 2.2).

use std::collections::HashMap;
use std::ffi::CString;
use std::fmt;
use std::sync::{Arc, PoisonError, RwLock};

use openssl::ssl::{SslRef, SslVerifyMode};
use zeroize::Zeroizing;

use super::{ConnectionView, Hooks, Rejection, attached, attached_mut};
use crate::config_error::{ConfigError, ConfigErrorKind};
use crate::error::{Alert, Error};

/// The longest identity and the longest key that OpenSSL takes.
const IDENTITY_MAX: usize = 255;
const KEY_MAX: usize = 512;

/// Finds the key that a client shows to a server, by the server's hint.
pub(crate) type PskClient =
    Arc<dyn Fn(&ConnectionView<'_>, Option<&[u8]>) -> Result<Option<Psk>, Rejection> + Send + Sync>;
/// Finds the key of a client, by its identity.
pub(crate) type PskServer = Arc<
    dyn Fn(&ConnectionView<'_>, &[u8]) -> Result<Option<Zeroizing<Vec<u8>>>, Rejection>
        + Send
        + Sync,
>;

/// A shared key and the name it goes by.
///
/// The key is wiped when it is dropped, and not printed.
///
/// # Scheduling
///
/// Never switches, except where a method says so.
#[derive(Clone)]
pub struct Psk {
    identity: Vec<u8>,
    key: Zeroizing<Vec<u8>>,
}

impl Psk {
    /// Joins an identity, which goes over the wire in the clear, and its key, which
    /// does not. The key must not be a password: whoever records one handshake can
    /// try all the words there are (RFC 8446, section 4.2.11).
    ///
    /// # Errors
    ///
    /// [`Error::Config`] unless the identity has 1 to 255 bytes and no NUL, and the
    /// key 1 to 512 bytes.
    pub fn new(identity: impl Into<Vec<u8>>, key: impl Into<Vec<u8>>) -> Result<Psk, Error> {
        let psk = Psk {
            identity: identity.into(),
            key: Zeroizing::new(key.into()),
        };
        let bad = |detail| Err(ConfigError::new(ConfigErrorKind::BadValue, "psk", detail).into());
        if !(1..=IDENTITY_MAX).contains(&psk.identity.len()) || psk.identity.contains(&0) {
            return bad("the identity has not 1 to 255 bytes without a NUL");
        }
        if !(1..=KEY_MAX).contains(&psk.key.len()) {
            return bad("the key has not 1 to 512 bytes");
        }
        Ok(psk)
    }

    /// The name of the key.
    pub fn identity(&self) -> &[u8] {
        &self.identity
    }
}

/// Hides the key.
impl fmt::Debug for Psk {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let identity = String::from_utf8_lossy(&self.identity);
        f.debug_struct("Psk")
            .field("identity", &identity)
            .finish_non_exhaustive()
    }
}

type Keys = HashMap<Vec<u8>, Zeroizing<Vec<u8>>>;

/// The keys of a server's clients by their identities; see
/// [`ContextBuilder::psk_table`](crate::ContextBuilder::psk_table).
///
/// Clones share the table, which can change while the server runs.
///
/// # Scheduling
///
/// Never switches, except where a method says so.
///
/// # Examples
///
/// ```
/// use greenling_tls::{ContextBuilder, Psk, PskTable};
///
/// let table = PskTable::default();
/// table.insert(Psk::new("sensor 7", *b"16 random bytes!")?);
/// let context = ContextBuilder::server().psk_table(&table).build()?;
/// # Ok::<(), greenling_tls::Error>(())
/// ```
#[derive(Clone, Default)]
pub struct PskTable {
    keys: Arc<RwLock<Keys>>,
}

impl PskTable {
    /// Adds a key, in place of another of the same identity.
    pub fn insert(&self, psk: Psk) {
        let mut keys = self.keys.write().unwrap_or_else(PoisonError::into_inner);
        keys.insert(psk.identity, psk.key);
    }

    /// Takes a key out; says whether there was one. Connections that were made with
    /// it go on, and may be resumed for the lifetime of their sessions.
    pub fn remove(&self, identity: &[u8]) -> bool {
        let mut keys = self.keys.write().unwrap_or_else(PoisonError::into_inner);
        keys.remove(identity).is_some()
    }

    pub(crate) fn get(&self, identity: &[u8]) -> Option<Zeroizing<Vec<u8>>> {
        let keys = self.keys.read().unwrap_or_else(PoisonError::into_inner);
        keys.get(identity).cloned()
    }
}

/// Tells the number of keys only.
impl fmt::Debug for PskTable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let keys = self.keys.read().unwrap_or_else(PoisonError::into_inner);
        f.debug_struct("PskTable")
            .field("count", &keys.len())
            .finish()
    }
}

/// What OpenSSL is told.
pub(super) enum Found<T> {
    Key(T),
    /// There is none: TLS 1.3 goes on to certificates, TLS 1.2 ends.
    None,
    /// The connection ends.
    Refused,
}

/// What a client shows to its server.
pub(super) fn client(ssl: &mut SslRef, hint: Option<&[u8]>) -> Found<Psk> {
    let Some(psk_client) = Hooks::of(ssl).and_then(|hooks| hooks.psk.client.clone()) else {
        return Found::Refused;
    };
    match psk_client(&ConnectionView::new(ssl), hint) {
        Ok(Some(psk)) => Found::Key(psk),
        Ok(None) => Found::None,
        Err(rejection) => refuse(ssl, rejection),
    }
}

/// What a server has shared with a client. With TLS 1.3 it is also asked about
/// session tickets, as if they were identities.
pub(super) fn server(ssl: &mut SslRef, identity: &[u8]) -> Found<Zeroizing<Vec<u8>>> {
    let Some(hooks) = Hooks::of(ssl) else {
        return Found::Refused;
    };
    forget(ssl);
    if ssl
        .verify_mode()
        .contains(SslVerifyMode::FAIL_IF_NO_PEER_CERT)
    {
        // This connection demands a certificate, which nobody shows beside a key.
        return Found::None;
    }
    let asked = match &hooks.psk.server {
        Some(psk_server) => psk_server(&ConnectionView::new(ssl), identity),
        None => Ok(None),
    };
    let found = match asked {
        Ok(found) => found.or_else(|| hooks.psk.table.as_ref()?.get(identity)),
        Err(rejection) => {
            // Only TLS 1.2 has the alert, and takes it for the answer that there is none.
            let unknown = rejection.alert() == Alert::UNKNOWN_PSK_IDENTITY;
            let refused = refuse(ssl, rejection);
            return if unknown && ssl.version2() == Some(openssl::ssl::SslVersion::TLS1_2) {
                Found::None
            } else {
                refused
            };
        }
    };
    let Some(key) = found else {
        return Found::None;
    };
    match attached_mut(ssl) {
        Ok(attached) => attached.psk_identity = Some(identity.to_vec()),
        Err(_) => return Found::Refused,
    }
    Found::Key(key)
}

/// Forgets the key that was found before. In TLS 1.3 a client names several, and
/// tickets beside them: one may be found and not fit, and another be taken.
pub(crate) fn forget(ssl: &mut SslRef) {
    if attached(ssl).is_some_and(|attached| attached.psk_identity.is_some())
        && let Ok(attached) = attached_mut(ssl)
    {
        attached.psk_identity = None;
    }
}

fn refuse<T>(ssl: &mut SslRef, rejection: Rejection) -> Found<T> {
    if let Ok(attached) = attached_mut(ssl) {
        attached.rejection = Some(rejection);
    }
    Found::Refused
}

/// Copies `data` to where OpenSSL wants it; `false` when it does not fit.
pub(super) fn put(data: &[u8], room: &mut [u8]) -> bool {
    match room.get_mut(..data.len()) {
        Some(room) => {
            room.copy_from_slice(data);
            true
        }
        None => false,
    }
}

impl Psk {
    pub(super) fn key(&self) -> &[u8] {
        &self.key
    }
}

/// What a context does about shared keys.
#[derive(Default, Clone)]
pub(crate) struct PskHooks {
    pub(crate) client: Option<PskClient>,
    pub(crate) server: Option<PskServer>,
    pub(crate) table: Option<PskTable>,
    /// Servers with TLS 1.2: what helps clients to choose an identity.
    pub(crate) hint: Option<CString>,
}

impl PskHooks {
    pub(crate) fn is_used(&self) -> bool {
        self.client.is_some() || self.serves()
    }

    /// Whether a server has keys, and can do without an identity.
    pub(crate) fn serves(&self) -> bool {
        self.server.is_some() || self.table.is_some()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::context::ContextBuilder;

    #[test]
    #[cfg_attr(feature = "aws-lc", ignore = "AWS-LC has no shared keys for TLS 1.3")]
    fn a_key_that_was_found_counts_only_if_it_is_the_last_that_was_asked_for() {
        let table = PskTable::default();
        table.insert(Psk::new("alice", [7; 16]).unwrap());
        let context = ContextBuilder::server().psk_table(&table).build().unwrap();
        let mut ssl = context.new_ssl(None).unwrap();
        let known = |ssl: &SslRef| attached(ssl).and_then(|it| it.psk_identity.clone());
        for next in [&b"a ticket"[..], b"mallory"] {
            assert!(matches!(server(&mut ssl, b"alice"), Found::Key(_)));
            assert_eq!(known(&ssl).as_deref(), Some(&b"alice"[..]));
            assert!(matches!(server(&mut ssl, next), Found::None));
            assert_eq!(known(&ssl), None);
        }
    }
}
