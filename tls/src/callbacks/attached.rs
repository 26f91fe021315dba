//! What is known about one connection: data of the application, and how its
//! questions stand.

use std::any::Any;
use std::sync::{Arc, OnceLock};

use openssl::error::ErrorStack;
use openssl::ex_data::Index;
use openssl::ssl::{Ssl, SslRef};
use openssl::x509::X509;

use super::question::Stage;
use super::{ClientHello, IdentityRequest, OnEvent, PeerChain, Rejection};
use crate::error::VerifyError;
use crate::identity::{Identity, OcspStaple};
use crate::session_cache;
use crate::ssl::slot;

/// Data that an application attaches to a connection or a context.
pub(crate) type AppData = Arc<dyn Any + Send + Sync>;

/// Hangs on an `SSL`, in the one slot that this crate uses; freed with it.
///
/// Most connections have none: it is made when something is first put in.
#[derive(Default)]
pub(crate) struct Attached {
    pub(crate) app_data: Option<AppData>,
    /// Events of this connection, in place of its context's.
    pub(crate) on_event: Option<OnEvent>,
    /// How often the peer has asked for new keys since the last data was read.
    pub(crate) without_data: u32,
    /// Why the peer's chain was refused.
    pub(crate) fault: Option<VerifyError>,
    /// Servers: what is sent with a certificate that came late.
    pub(crate) staple: Option<(X509, OcspStaple)>,
    /// Servers: whose key was found.
    pub(crate) psk_identity: Option<Vec<u8>>,
    /// What a callback refused with, for the caller of the call that failed by it.
    pub(crate) rejection: Option<Rejection>,
    /// Where a client's sessions are kept.
    pub(crate) session_slot: Option<session_cache::Slot>,
    /// The session of the last ticket.
    #[cfg(feature = "aws-lc")]
    pub(crate) newest: Option<openssl::ssl::SslSession>,
    pub(crate) hello: Stage<ClientHello, ()>,
    pub(crate) identity: Stage<IdentityRequest, Option<Identity>>,
    pub(crate) peer: Stage<PeerChain, ()>,
}

/// What hangs on `ssl`.
pub(crate) fn attached(ssl: &SslRef) -> Option<&Attached> {
    ssl.ex_data(index().ok()?)
}

/// What hangs on `ssl`, made if there was nothing.
pub(crate) fn attached_mut(ssl: &mut SslRef) -> Result<&mut Attached, ErrorStack> {
    let index = index()?;
    if ssl.ex_data(index).is_none() {
        ssl.set_ex_data(index, Attached::default());
    }
    Ok(ssl.ex_data_mut(index).expect("set just now"))
}

/// Takes off what hangs on `ssl`.
pub(crate) fn take_attached(ssl: &mut SslRef) -> Option<Attached> {
    ssl.ex_data_mut(index().ok()?).map(std::mem::take)
}

fn index() -> Result<Index<Ssl, Attached>, ErrorStack> {
    static INDEX: OnceLock<Index<Ssl, Attached>> = OnceLock::new();
    slot(&INDEX, Ssl::new_ex_index)
}
