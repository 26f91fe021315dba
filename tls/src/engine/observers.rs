//! Watching one connection.

use std::sync::Arc;

use super::Engine;
use crate::callbacks::{ConnectionView, Event, attached_mut, watch};
use crate::error::Error;

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
}
