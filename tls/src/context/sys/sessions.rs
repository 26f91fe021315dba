//! Sessions that a server keeps: the callbacks that store and find them.

use std::sync::Arc;
use std::time::Duration;

use openssl::ssl::{SslContextBuilder, SslRef, SslSession, SslSessionCacheMode, SslVersion};

use super::names;
use crate::context::session_store::SessionStore;
use crate::panics::{FreedByC, guard_callback};
#[cfg(feature = "aws-lc")]
use crate::ssl::missing::SslSessionRefExt;

/// Keeps the sessions of the context in `store`, instead of OpenSSL's own table,
/// which does not know that sessions are bound to names.
///
/// `tickets` tells whether tickets of TLS 1.3 contain their sessions; those are
/// not stored.
pub(in crate::context) fn install_store(
    context: &mut SslContextBuilder,
    store: &Arc<dyn SessionStore>,
    tickets: bool,
) {
    context.set_session_cache_mode(SslSessionCacheMode::SERVER | SslSessionCacheMode::NO_INTERNAL);
    let new = FreedByC::new(Arc::clone(store));
    context.set_new_session_callback(move |_, session| {
        guard_callback((), || {
            if tickets && session.protocol_version() == SslVersion::TLS1_3 {
                return;
            }
            let lifetime = Duration::from_secs(session.timeout().try_into().unwrap_or(0));
            match session.to_der() {
                Ok(der) => {
                    let der = zeroize::Zeroizing::new(der);
                    new.put(session.id(), &der, lifetime);
                }
                Err(stack) => log::error!("session cannot be stored: {stack}"),
            }
        });
    });
    let old = FreedByC::new(Arc::clone(store));
    context.set_remove_session_callback(move |_, session| {
        guard_callback((), || old.remove(session.id()));
    });
    let known = FreedByC::new(Arc::clone(store));
    let find = move |ssl: &mut SslRef, id: &[u8]| {
        guard_callback(None, || {
            let session = SslSession::from_der(&known.get(id)?).ok()?;
            names::may_resume(ssl, &session).then_some(session)
        })
    };
    // SAFETY: the sessions that it returns were read from bytes just now and belong
    // to no context yet.
    unsafe { context.set_get_session_callback(find) };
}
