//! OCSP responses: whether clients ask for them, and which ones servers send.

use std::sync::Arc;

use super::ContextBuilder;
use crate::callbacks::{ConnectionView, Rejection};
use crate::crypto::Cert;

impl ContextBuilder {
    /// Clients: asks servers to send an OCSP response for their certificate.
    ///
    /// Nobody looks at it unless [`on_ocsp`](ContextBuilder::on_ocsp) or
    /// [`require_ocsp_staple`](ContextBuilder::require_ocsp_staple) is set too, or
    /// the application asks [`Engine::ocsp_response`](crate::Engine::ocsp_response).
    #[doc(alias = "SSL_CTX_set_tlsext_status_type")]
    #[doc(alias = "SSL_set_tlsext_status_type")]
    pub fn request_ocsp(mut self) -> ContextBuilder {
        self.hooks.ocsp.request = true;
        self
    }

    /// Clients: asks for OCSP responses, and lets `judge` decide about each in DER
    /// form, or about there being none.
    ///
    /// It comes after the chain was verified, and must not wait; see
    /// [`on_event`](ContextBuilder::on_event). A rejection or a panic ends the
    /// connection. OpenSSL has two alerts for that: `internal_error`, and
    /// `bad_certificate_status_response` for all others. A resumed session has no
    /// response.
    #[doc(alias = "set_ocsp_client_callback")]
    #[doc(alias = "SSL_CTX_set_tlsext_status_cb")]
    pub fn on_ocsp(
        mut self,
        judge: impl Fn(&ConnectionView<'_>, Option<&[u8]>) -> Result<(), Rejection>
        + Send
        + Sync
        + 'static,
    ) -> ContextBuilder {
        self.hooks.ocsp.request = true;
        self.hooks.ocsp.on_response = Some(Arc::new(judge));
        self
    }

    /// Clients: refuses a server that does not send an OCSP response which says that
    /// its certificate is good: about this certificate, signed by its authority, and
    /// of our time.
    ///
    /// For servers whose certificates demand it ("must staple", RFC 7633), which
    /// OpenSSL does not see to by itself, and for all others of which that is known.
    /// Most servers send none.
    #[doc(alias = "OCSP_basic_verify")]
    #[doc(alias = "OCSP_check_validity")]
    pub fn require_ocsp_staple(mut self) -> ContextBuilder {
        self.hooks.ocsp.request = true;
        self.hooks.ocsp.require = true;
        self
    }

    /// Servers: finds the OCSP response, in DER form, to send with a certificate to a
    /// client that asks. With `None` the one of
    /// [`Identity::with_ocsp_staple`](crate::Identity::with_ocsp_staple) is sent, if
    /// there is one.
    ///
    /// It must not wait; see [`on_event`](ContextBuilder::on_event). A rejection or a
    /// panic ends the connection with `internal_error`, and so does what is no OCSP
    /// response.
    #[doc(alias = "set_ocsp_server_callback")]
    #[doc(alias = "SSL_CTX_set_tlsext_status_cb")]
    pub fn ocsp_responder(
        mut self,
        responder: impl Fn(&ConnectionView<'_>, &Cert) -> Result<Option<Vec<u8>>, Rejection>
        + Send
        + Sync
        + 'static,
    ) -> ContextBuilder {
        self.hooks.ocsp.responder = Some(Arc::new(responder));
        self
    }
}
