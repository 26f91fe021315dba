//! Who watches a context's connections, and the limit on what their peers ask for.

use std::sync::Arc;

use super::ContextBuilder;
use crate::callbacks::{ConnectionView, Event, KeyUpdateLimit, Message, Verdict, VerifyStep};

impl ContextBuilder {
    /// Calls `observer` for what happens in the context's connections: the steps of
    /// the handshake, and alerts.
    ///
    /// It runs inside OpenSSL, on the system stack, so it must not wait: no tasklet
    /// can be switched there. If it panics, the connection ends and the panic comes
    /// back from the call that it happened in.
    ///
    /// # Examples
    ///
    /// ```
    /// use greenling_tls::{ContextBuilder, Event};
    ///
    /// let context = ContextBuilder::client().on_event(|connection, event| {
    ///     if let Event::Alert { direction, alert, .. } = event {
    ///         eprintln!("{:?}: {direction} alert {alert}", connection.server_name());
    ///     }
    /// });
    /// ```
    #[doc(alias = "set_info_callback")]
    #[doc(alias = "SSL_CTX_set_info_callback")]
    pub fn on_event(
        mut self,
        observer: impl Fn(&ConnectionView<'_>, &Event) + Send + Sync + 'static,
    ) -> ContextBuilder {
        self.hooks.on_event = Some(Arc::new(observer));
        self
    }

    /// Calls `observer` with every message of the context's connections but the
    /// application's data: handshake messages, alerts, the headers of records.
    ///
    /// What it is shown holds secrets; see [`Message`]. It runs as
    /// [`ContextBuilder::on_event`] says, and several times for each record, which
    /// slows large transfers down.
    #[doc(alias = "_msg_callback")]
    #[doc(alias = "SSL_CTX_set_msg_callback")]
    pub fn on_message(
        mut self,
        observer: impl Fn(&ConnectionView<'_>, &Message<'_>) + Send + Sync + 'static,
    ) -> ContextBuilder {
        self.hooks.on_message = Some(Arc::new(observer));
        self
    }

    /// Gives `judge` a say in the check of the peer's chain. It is asked once for each
    /// certificate, from the anchor to the peer's own, and once for each fault.
    ///
    /// It must not wait, as [`ContextBuilder::on_event`] says. If it panics, the
    /// connection is refused and the panic comes back from the call that it happened
    /// in. It is not asked about the certificate of a resumed session, which was
    /// checked when the session began.
    ///
    /// Building fails where nothing is checked: for a client with
    /// [`no_verify`](crate::Dangerous::no_verify), and for a server that asks for no
    /// certificate.
    ///
    /// # Examples
    ///
    /// A client that also trusts one certificate that it knows:
    ///
    /// ```
    /// use greenling_tls::{ContextBuilder, Verdict, crypto::Cert};
    ///
    /// fn client(known: Cert) -> ContextBuilder {
    ///     ContextBuilder::client().verify_with(move |step| {
    ///         if step.depth() == 0 && step.certificate().as_ref() == Some(&known) {
    ///             Verdict::Accept
    ///         } else {
    ///             Verdict::AsOpenSsl
    ///         }
    ///     })
    /// }
    /// ```
    #[doc(alias = "set_verify")]
    #[doc(alias = "SSL_CTX_set_verify")]
    pub fn verify_with(
        mut self,
        judge: impl Fn(&VerifyStep<'_>) -> Verdict + Send + Sync + 'static,
    ) -> ContextBuilder {
        self.hooks.verify_with = Some(Arc::new(judge));
        self
    }

    /// How often a peer may ask for new keys without sending any data in between;
    /// `None` is any number. Default: 32.
    ///
    /// Key updates count (RFC 8446, section 4.6.3) and, with TLS 1.2 where they are
    /// allowed, renegotiations. Each costs this side more than the peer. The
    /// connection of a peer that goes on ends with
    /// [`Error::Rejected`](crate::Error::Rejected) and an alert.
    #[doc(alias = "SSL_key_update")]
    pub fn key_update_limit(mut self, limit: Option<u32>) -> ContextBuilder {
        self.hooks.key_update_limit = KeyUpdateLimit(limit);
        self
    }
}
