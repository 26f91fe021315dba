//! What one stream does otherwise than its context says: the engine's settings,
//! for a stream that was made by [`TlsStream::start_connect`] or
//! [`TlsStream::start_accept`] and has not begun its handshake.

use std::any::Any;

use super::TlsStream;
use crate::context::{ClientAuth, Context};
use crate::engine::Engine;
use crate::error::Error;
use crate::identity::Identity;
use crate::session::Session;
use crate::transport::Transport;

impl<T: Transport> TlsStream<T> {
    /// Offers a session of an earlier connection; see [`Engine::set_session`].
    ///
    /// # Errors
    ///
    /// As there.
    #[doc(alias = "SSL_set_session")]
    pub fn set_session(&self, session: &Session) -> Result<(), Error> {
        self.with_engine(|engine| engine.set_session(session))?
    }

    /// Whether this client is asked for a certificate; see [`Engine::set_client_auth`].
    ///
    /// # Errors
    ///
    /// As there.
    #[doc(alias = "SSL_set_verify")]
    #[doc(alias = "set_verify")]
    pub fn set_client_auth(&self, mode: ClientAuth) -> Result<(), Error> {
        self.with_engine(|engine| engine.set_client_auth(mode))?
    }

    /// How long the peer's chain may be; see [`Engine::set_verify_depth`].
    ///
    /// # Errors
    ///
    /// As there.
    #[doc(alias = "SSL_set_verify_depth")]
    pub fn set_verify_depth(&self, depth: u32) -> Result<(), Error> {
        self.with_engine(|engine| engine.set_verify_depth(depth))?
    }

    /// Presents `identity` on this connection; see [`Engine::set_identity`].
    ///
    /// # Errors
    ///
    /// As there.
    #[doc(alias = "SSL_use_certificate")]
    #[doc(alias = "SSL_use_PrivateKey")]
    #[doc(alias = "use_certificate")]
    #[doc(alias = "use_privatekey")]
    pub fn set_identity(&self, identity: &Identity) -> Result<(), Error> {
        self.with_engine(|engine| engine.set_identity(identity))?
    }

    /// Clients: the server to reach; see [`Engine::set_hostname`].
    ///
    /// # Errors
    ///
    /// As there.
    #[doc(alias = "SSL_set_tlsext_host_name")]
    #[doc(alias = "set_tlsext_host_name")]
    pub fn set_hostname(&self, name: &str) -> Result<(), Error> {
        self.with_engine(|engine| engine.set_hostname(name))?
    }

    /// Servers: how many tickets the handshake issues; see [`Engine::set_num_tickets`].
    ///
    /// # Errors
    ///
    /// As there.
    #[doc(alias = "SSL_set_num_tickets")]
    pub fn set_num_tickets(&self, count: usize) -> Result<(), Error> {
        self.with_engine(|engine| engine.set_num_tickets(count))?
    }

    /// Sets `SSL_OP_*` bits; see [`Engine::set_options`].
    ///
    /// # Errors
    ///
    /// As there.
    #[doc(alias = "SSL_set_options")]
    pub fn set_options(&self, bits: u64) -> Result<(), Error> {
        self.with_engine(|engine| engine.set_options(bits))
    }

    /// Clears `SSL_OP_*` bits; see [`Engine::clear_options`].
    ///
    /// # Errors
    ///
    /// As there.
    #[doc(alias = "SSL_clear_options")]
    pub fn clear_options(&self, bits: u64) -> Result<(), Error> {
        self.with_engine(|engine| engine.clear_options(bits))
    }

    /// Clients: lets the server ask for a certificate later; see
    /// [`Engine::offer_post_handshake_auth`].
    ///
    /// # Errors
    ///
    /// As there.
    #[doc(alias = "SSL_set_post_handshake_auth")]
    #[doc(alias = "post_handshake_auth")]
    pub fn offer_post_handshake_auth(&self) -> Result<(), Error> {
        self.with_engine(Engine::offer_post_handshake_auth)
    }

    /// Exchanges the context. Not fit to tell hosts with different terms apart; see
    /// [`Engine::set_context`].
    ///
    /// # Errors
    ///
    /// As there.
    #[doc(alias = "SSL_set_SSL_CTX")]
    pub fn set_context(&self, context: &Context) -> Result<(), Error> {
        self.with_engine(|engine| engine.set_context(context))?
    }

    /// Attaches data of the application, which callbacks find; see
    /// [`Engine::set_app_data`].
    ///
    /// # Errors
    ///
    /// As there.
    #[doc(alias = "SSL_set_ex_data")]
    pub fn set_app_data<D: Any + Send + Sync>(&self, data: D) -> Result<(), Error> {
        self.with_engine(|engine| engine.set_app_data(data))?
    }

    /// Clients: the application protocols to offer; see [`Engine::set_alpn`].
    ///
    /// # Errors
    ///
    /// As there.
    #[doc(alias = "SSL_set_alpn_protos")]
    #[doc(alias = "set_alpn_protos")]
    pub fn set_alpn<P: AsRef<[u8]>>(
        &self,
        protocols: impl IntoIterator<Item = P>,
    ) -> Result<(), Error> {
        // The caller's iterator runs before the engine is taken.
        let protocols: Vec<P> = protocols.into_iter().collect();
        self.with_engine(|engine| engine.set_alpn(protocols))?
    }
}
