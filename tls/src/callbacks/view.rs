//! The connection that a pure callback is about.

use std::any::Any;
use std::fmt;
use std::sync::Arc;

use openssl::ssl::{NameType, SslRef};

use super::Hooks;
use super::attached::attached;
use crate::context::Version;
use crate::engine::Role;

/// The connection that a callback is about, for as long as the callback runs.
///
/// OpenSSL is in the middle of a call, so this only looks.
///
/// # Scheduling
///
/// Never switches, except where a method says so.
#[derive(Clone, Copy)]
pub struct ConnectionView<'a> {
    ssl: &'a SslRef,
}

impl<'a> ConnectionView<'a> {
    pub(crate) fn new(ssl: &'a SslRef) -> ConnectionView<'a> {
        ConnectionView { ssl }
    }

    /// The application's data, if it has the type `T`; see
    /// [`Engine::set_app_data`](crate::Engine::set_app_data).
    #[doc(alias = "get_app_data")]
    #[doc(alias = "SSL_get_ex_data")]
    pub fn app_data<T: Any + Send + Sync>(&self) -> Option<Arc<T>> {
        let data = attached(self.ssl)?.app_data.clone()?;
        data.downcast().ok()
    }

    /// The data of its context, if it has the type `T`; see
    /// [`ContextBuilder::app_data`](crate::ContextBuilder::app_data).
    #[doc(alias = "SSL_CTX_get_ex_data")]
    pub fn context_data<T: Any + Send + Sync>(&self) -> Option<Arc<T>> {
        let data = Hooks::of(self.ssl)?.app_data.clone()?;
        data.downcast().ok()
    }

    /// Which side this is.
    #[doc(alias = "SSL_is_server")]
    pub fn role(&self) -> Role {
        if self.ssl.is_server() {
            Role::Server
        } else {
            Role::Client
        }
    }

    /// The server name that the client asks for, as far as it is known yet.
    #[doc(alias = "SSL_get_servername")]
    pub fn server_name(&self) -> Option<&'a str> {
        self.ssl.servername(NameType::HOST_NAME)
    }

    /// The version, as far as it is decided yet.
    #[doc(alias = "SSL_version")]
    pub fn version(&self) -> Option<Version> {
        Version::from_openssl(self.ssl.version2()?)
    }

    /// What OpenSSL is doing, in its words.
    #[doc(alias = "SSL_state_string_long")]
    pub fn state_string(&self) -> &'static str {
        self.ssl.state_string_long()
    }
}

impl fmt::Debug for ConnectionView<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ConnectionView")
            .field("role", &self.role())
            .field("server_name", &self.server_name())
            .finish_non_exhaustive()
    }
}
