//! What a context asks the application, and tells it.

use std::any::Any;
use std::sync::Arc;

use super::{Context, ContextBuilder};
use crate::callbacks::{ClientHello, Hooks, IdentityRequest, PeerChain, Rejection};
use crate::identity::Identity;

impl ContextBuilder {
    /// Attaches data of the application. Callbacks find it by
    /// [`ConnectionView::context_data`], everybody else by [`Context::app_data`].
    ///
    /// [`ConnectionView::context_data`]: crate::ConnectionView::context_data
    #[doc(alias = "set_app_data")]
    #[doc(alias = "SSL_CTX_set_ex_data")]
    pub fn app_data<T: Any + Send + Sync>(mut self, data: T) -> ContextBuilder {
        self.hooks.app_data = Some(Arc::new(data));
        self
    }
}

/// # Callbacks that may wait
///
/// They run on the tasklet that makes the handshake, outside of OpenSSL, and may
/// wait as that tasklet may: read a file by `offload`, ask a remote store. The time
/// counts as part of the handshake, whose deadline ends their waits; what is asked
/// after that, about a certificate that comes later, has as long for itself. A
/// connection whose callback panics, or whose tasklet is killed in it, is refused with
/// `internal_error`, and the panic goes on to the caller of the handshake. In a
/// stream that is not to block they may block all the same.
impl ContextBuilder {
    /// Servers: chooses the context of each connection by its ClientHello: by the
    /// name that the client asks for, say.
    ///
    /// The connection is then one of the chosen context in every respect, as if it
    /// had been accepted with it: the versions, the demand for a certificate, the
    /// sessions. What was set on the connection before its handshake is lost, but
    /// for its data and [`ignore_truncation`](crate::TlsStream::ignore_truncation).
    /// A resolver of the chosen context is not asked. A context with a resolver needs
    /// no identity.
    ///
    /// # Scheduling
    ///
    /// Never switches. The resolver may.
    ///
    /// # Examples
    ///
    /// ```
    /// use greenling_tls::{Alert, ContextBuilder, Identity};
    ///
    /// let serving = |name: &str| {
    ///     let identity = Identity::self_signed(&[name])?;
    ///     ContextBuilder::server().identity(identity).build()
    /// };
    /// let (a, b) = (serving("a.test")?, serving("b.test")?);
    /// let by_name = ContextBuilder::server()
    ///     .resolver(move |hello| match hello.server_name() {
    ///         Some("a.test") => Ok(a.clone()),
    ///         Some("b.test") => Ok(b.clone()),
    ///         _ => Err(Alert::UNRECOGNIZED_NAME),
    ///     })
    ///     .build()?;
    /// # Ok::<(), greenling_tls::Error>(())
    /// ```
    #[doc(alias = "set_tlsext_servername_callback")]
    #[doc(alias = "sni_callback")]
    #[doc(alias = "SniResolver")]
    #[doc(alias = "SSL_CTX_set_client_hello_cb")]
    #[doc(alias = "SSL_CTX_set_tlsext_servername_callback")]
    pub fn resolver<F, E>(mut self, resolver: F) -> ContextBuilder
    where
        F: Fn(&ClientHello) -> Result<Context, E> + Send + Sync + 'static,
        E: Into<Rejection>,
    {
        self.hooks.resolve = Some(Arc::new(move |hello| resolver(hello).map_err(Into::into)));
        self
    }

    /// Chooses what each connection presents to its peer, when it is needed: a
    /// server's certificate by name, a client's when the server asks for one. `None`
    /// leaves it at the context's own identities.
    ///
    /// It is not asked when a session is resumed. A server with this needs no other
    /// identity. A refusal is the alert `internal_error` whatever it says.
    ///
    /// # Scheduling
    ///
    /// Never switches. `supply` may.
    #[doc(alias = "SSL_CTX_set_cert_cb")]
    #[doc(alias = "SSL_CTX_set_client_cert_cb")]
    pub fn identity_with<F, E>(mut self, supply: F) -> ContextBuilder
    where
        F: Fn(&IdentityRequest) -> Result<Option<Identity>, E> + Send + Sync + 'static,
        E: Into<Rejection>,
    {
        self.hooks.supply = Some(Arc::new(move |request| supply(request).map_err(Into::into)));
        self
    }

    /// Judges the peer's certificate after OpenSSL has found it good: looks up
    /// whether it is revoked, or known to an application.
    ///
    /// A client asks in the middle of its handshake, and the server gets an alert
    /// about certificates. A server asks after the handshake and before anything is
    /// read or written, for each connection of a client with a certificate, also a
    /// resumed one; OpenSSL has no alert left then, so that a refused client sees the
    /// connection cut. A client that is asked for its certificate later, or
    /// renegotiates, is judged again, before anything that it says afterwards. A client
    /// that resumes a session does not ask: the server has shown no certificate. With
    /// [`Dangerous::no_verify`] it judges alone.
    ///
    /// # Scheduling
    ///
    /// Never switches. `approve` may.
    ///
    /// [`Dangerous::no_verify`]: crate::Dangerous::no_verify
    #[doc(alias = "SSL_CTX_set_cert_verify_callback")]
    #[doc(alias = "SSL_set_retry_verify")]
    pub fn approve_peer<F, E>(mut self, approve: F) -> ContextBuilder
    where
        F: Fn(&PeerChain) -> Result<(), E> + Send + Sync + 'static,
        E: Into<Rejection>,
    {
        self.hooks.approve = Some(Arc::new(move |chain| approve(chain).map_err(Into::into)));
        self
    }
}

impl Context {
    /// The data attached by [`ContextBuilder::app_data`], if it has the type `T`.
    ///
    /// # Scheduling
    ///
    /// Never switches.
    #[doc(alias = "get_app_data")]
    #[doc(alias = "SSL_CTX_get_ex_data")]
    pub fn app_data<T: Any + Send + Sync>(&self) -> Option<Arc<T>> {
        let data = Hooks::of_context(self.ssl_ctx())?.app_data.clone()?;
        data.downcast().ok()
    }
}
