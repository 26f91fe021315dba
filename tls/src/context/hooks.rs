//! What a context asks the application, and tells it.

use std::any::Any;
use std::sync::Arc;

use super::{Context, ContextBuilder};
use crate::callbacks::Hooks;

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
