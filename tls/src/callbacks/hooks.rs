//! The callbacks of a context.

use std::sync::{Arc, OnceLock};

use openssl::error::ErrorStack;
use openssl::ex_data::Index;
use openssl::ssl::{SslContext, SslContextBuilder, SslContextRef, SslRef};

use super::{
    AppData, ClientHello, IdentityRequest, KeyUpdateLimit, Ocsp, OnEvent, OnMessage, PeerChain,
    PskHooks, Rejection, VerifyWith, deferred, keys, observers, ocsp,
};
use crate::context::Context;
use crate::engine::Role;
use crate::identity::Identity;
use crate::panics::FreedByC;
use crate::ssl::slot;

/// Chooses the context of a server's connection.
pub(crate) type Resolve = Arc<dyn Fn(&ClientHello) -> Result<Context, Rejection> + Send + Sync>;
/// Chooses what a connection presents to its peer.
pub(crate) type Supply =
    Arc<dyn Fn(&IdentityRequest) -> Result<Option<Identity>, Rejection> + Send + Sync>;
/// Judges the peer's certificate.
pub(crate) type Approve = Arc<dyn Fn(&PeerChain) -> Result<(), Rejection> + Send + Sync>;

/// What a context's connections ask the application, and tell it.
#[derive(Default, Clone)]
pub(crate) struct Hooks {
    pub(crate) resolve: Option<Resolve>,
    pub(crate) supply: Option<Supply>,
    pub(crate) approve: Option<Approve>,
    /// Clients: a chain that OpenSSL refuses goes to `approve` all the same.
    pub(crate) any_chain: bool,
    /// Data of the application, for the context as a whole.
    pub(crate) app_data: Option<AppData>,
    pub(crate) on_event: Option<OnEvent>,
    pub(crate) on_message: Option<OnMessage>,
    pub(crate) verify_with: Option<VerifyWith>,
    pub(crate) key_update_limit: KeyUpdateLimit,
    pub(crate) ocsp: Ocsp,
    pub(crate) psk: PskHooks,
}

impl Hooks {
    /// Gives the callbacks to a context and makes OpenSSL call those that are set.
    pub(crate) fn install(
        self,
        role: Role,
        context: &mut SslContextBuilder,
    ) -> Result<(), ErrorStack> {
        deferred::install(&self, role, context);
        observers::install(&self, context);
        ocsp::install(&self, role, context)?;
        keys::install(&self, role, context)?;
        context.set_ex_data(index()?, FreedByC::new(Arc::new(self)));
        Ok(())
    }

    /// The callbacks of the context that `ssl` belongs to.
    pub(crate) fn of(ssl: &SslRef) -> Option<Arc<Hooks>> {
        Hooks::of_context(ssl.ssl_context())
    }

    pub(crate) fn of_context(context: &SslContextRef) -> Option<Arc<Hooks>> {
        let hooks = context.ex_data(index().ok()?)?;
        Some(Arc::clone(hooks))
    }
}

fn index() -> Result<Index<SslContext, FreedByC<Arc<Hooks>>>, ErrorStack> {
    static INDEX: OnceLock<Index<SslContext, FreedByC<Arc<Hooks>>>> = OnceLock::new();
    slot(&INDEX, SslContext::new_ex_index)
}
