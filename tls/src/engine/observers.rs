//! Watching one connection, and what its callbacks have left.

use std::sync::Arc;

use openssl::ssl::SslVersion;

use super::{Engine, Role};
use crate::callbacks::{ConnectionView, Event, attached, attached_mut, watch};
use crate::error::Error;
#[cfg(feature = "aws-lc")]
use crate::ssl::missing::SslRefExt;

impl Engine {
    /// Calls `observer` for what happens in this connection, in place of the one
    /// that its context has; see
    /// [`ContextBuilder::on_event`](crate::ContextBuilder::on_event).
    ///
    /// # Errors
    ///
    /// [`Error::Ssl`] without memory.
    #[doc(alias = "set_info_callback")]
    #[doc(alias = "SSL_set_info_callback")]
    pub fn on_event(
        &mut self,
        observer: impl Fn(&ConnectionView<'_>, &Event) + Send + Sync + 'static,
    ) -> Result<(), Error> {
        let ssl = self.connection.get_mut();
        attached_mut(ssl)?.on_event = Some(Arc::new(observer));
        watch(ssl);
        Ok(())
    }

    /// The OCSP response, in DER form, that the server sent with its certificate.
    /// Nobody has checked it, unless the context has
    /// [`require_ocsp_staple`](crate::ContextBuilder::require_ocsp_staple).
    #[doc(alias = "SSL_get_tlsext_status_ocsp_resp")]
    pub fn ocsp_response(&self) -> Option<&[u8]> {
        self.ssl().ocsp_status()
    }

    /// Servers: the identity of the shared key that the client has proven to have.
    /// `None` also when a session was resumed with TLS 1.3.
    #[doc(alias = "SSL_get_psk_identity")]
    pub fn psk_identity(&self) -> Option<&[u8]> {
        if self.role == Role::Client || !self.state.established {
            return None;
        }
        if self.ssl().version2() != Some(SslVersion::TLS1_3) {
            return self.ssl().psk_identity();
        }
        // To OpenSSL it is a kind of resumption. Without that a key was found, but a
        // suite was chosen that it does not fit.
        let found = attached(self.ssl())?.psk_identity.as_deref()?;
        self.is_session_reused().then_some(found)
    }
}
