//! Watching one stream, and what its callbacks have left.

use super::TlsStream;
use crate::callbacks::{ConnectionView, Event};
use crate::error::Error;
use crate::transport::Transport;

impl<T: Transport> TlsStream<T> {
    /// Calls `observer` for what happens in this connection; see
    /// [`Engine::on_event`](crate::Engine::on_event).
    ///
    /// # Errors
    ///
    /// [`Error::Local`] when called from inside an operation of this stream.
    #[doc(alias = "set_info_callback")]
    #[doc(alias = "SSL_set_info_callback")]
    pub fn on_event(
        &self,
        observer: impl Fn(&ConnectionView<'_>, &Event) + Send + Sync + 'static,
    ) -> Result<(), Error> {
        self.with_engine(|engine| engine.on_event(observer))?
    }

    /// The OCSP response that the server sent; see [`Engine::ocsp_response`](crate::Engine::ocsp_response).
    #[doc(alias = "SSL_get_tlsext_status_ocsp_resp")]
    pub fn ocsp_response(&self) -> Option<Vec<u8>> {
        self.look(|engine| engine.ocsp_response().map(<[u8]>::to_vec))?
    }

    /// The identity of the client's shared key; see [`Engine::psk_identity`](crate::Engine::psk_identity).
    #[doc(alias = "SSL_get_psk_identity")]
    pub fn psk_identity(&self) -> Option<Vec<u8>> {
        self.look(|engine| engine.psk_identity().map(<[u8]>::to_vec))?
    }
}
