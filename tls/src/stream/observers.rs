//! Watching one stream.

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
}
