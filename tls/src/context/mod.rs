//! Configurations: what a server or client of TLS accepts and presents.
//!
//! A [`ContextBuilder`] collects options; [`ContextBuilder::build`] checks them
//! all and makes a [`Context`], which never changes again. That is what makes it
//! safe to share: OpenSSL reads an `SSL_CTX` from every connection without a
//! lock. To reload certificates, build another context and exchange the two.
//!
//! ```text
//!   ContextBuilder --build()--> Context --new_ssl(name)--> SSL, one per connection
//!     options, paths            SSL_CTX     SNI, name check
//!                               shared
//! ```
//!
//! A name resolver that chooses among contexts needs nothing from here: it picks
//! a `Context` and makes the connection's SSL from it, before OpenSSL has seen
//! the ClientHello. `SSL_set_SSL_CTX` is not used for it, because it keeps the
//! verify mode and the version range of the first context.

mod builder;
mod config_file;
mod hooks;
mod method;
mod observers;
mod ocsp;
pub mod options;
mod psk;
mod queries;
mod session_store;
mod stats;
#[allow(unsafe_code, reason = "calls on SSL_CTX that the openssl crate lacks")]
mod sys;
mod ticket_keys;
mod tickets;
mod version;

use std::fmt;
use std::ops::RangeInclusive;
use std::sync::Arc;
use std::time::Duration;

use openssl::ssl::{Ssl, SslContext, SslContextRef, SslRef};

pub(crate) use builder::alpn_wire_format;
pub use builder::{AlpnChoice, ClientAuth, ContextBuilder, Dangerous, Tickets};
pub use config_file::no_config;
pub use method::Method;
pub use session_store::{SessionCache, SessionStore};
pub use stats::SessionStats;
pub use ticket_keys::TicketKeys;
pub use version::Version;

use crate::config_error::{ConfigError, ConfigErrorKind};
use crate::crypto::Cert;
use crate::engine::Role;
use crate::error::Error;
use crate::peer_name::PeerName;
use crate::session_cache::SessionCache as ClientSessions;
use crate::ssl::on_system_stack;
use session_store::MemoryStore;
#[cfg(feature = "aws-lc")]
pub(crate) use sys::bind_sessions;

/// An immutable TLS configuration, made by a [`ContextBuilder`].
///
/// Cheap to clone, and shared by all connections and threads that use it.
///
/// # Scheduling
///
/// Never switches, except where a method says so.
///
/// # Examples
///
/// ```
/// use greenling_tls::{ContextBuilder, Identity};
///
/// let server = ContextBuilder::server()
///     .identity(Identity::self_signed(&["localhost", "127.0.0.1"])?)
///     .alpn(["http/1.1"])
///     .build()?;
/// let client = ContextBuilder::client().build()?;
/// # Ok::<(), greenling_tls::Error>(())
/// ```
#[doc(alias = "SSL_CTX")]
#[doc(alias = "ContextType")]
#[derive(Clone)]
pub struct Context {
    shared: Arc<Shared>,
}

struct Shared {
    ssl_ctx: SslContext,
    /// The sessions that it keeps itself.
    own_store: Option<Arc<MemoryStore>>,
    role: Role,
    versions: RangeInclusive<Version>,
    /// Those of the identities.
    certificates: Vec<Cert>,
    handshake_timeout: Duration,
    /// Clients only: whether the name is sent, and whether it is checked.
    send_name: bool,
    check_name: bool,
    /// Clients only: whether a connection must know whom it wants to reach.
    need_name: bool,
    /// Clients only: what later connections may resume.
    session_cache: Option<Arc<ClientSessions>>,
}

impl Context {
    /// Forgets the sessions that a client has kept; see
    /// [`ContextBuilder::session_cache`].
    #[doc(alias = "SSL_CTX_flush_sessions")]
    pub fn clear_sessions(&self) {
        if let Some(cache) = &self.shared.session_cache {
            on_system_stack(|| cache.clear());
        }
    }

    /// The configuration in OpenSSL's form.
    pub(crate) fn ssl_ctx(&self) -> &SslContextRef {
        &self.shared.ssl_ctx
    }

    /// Makes the SSL of one connection, ready to be given its BIOs and its state.
    ///
    /// `name` is the server that a client wants to reach.
    ///
    /// # Errors
    ///
    /// [`Error::Config`] when a client's name is missing or malformed, and
    /// [`Error::Local`] when a server is given one.
    pub(crate) fn new_ssl(&self, name: Option<&str>) -> Result<Ssl, Error> {
        on_system_stack(|| self.make_ssl(name))
    }

    fn make_ssl(&self, name: Option<&str>) -> Result<Ssl, Error> {
        let mut ssl = Ssl::new(self.ssl_ctx())?;
        match (self.shared.role, name) {
            (Role::Server, None) => {}
            (Role::Server, Some(_)) => {
                return Err(Error::local("a server's connection takes no server name"));
            }
            (Role::Client, None) if self.shared.need_name => {
                return Err(ConfigError::new(
                    ConfigErrorKind::ServerName,
                    "server name",
                    "is missing, and without it the peer cannot be verified",
                )
                .into());
            }
            (Role::Client, None) => {}
            (Role::Client, Some(name)) => self.set_name(&mut ssl, &PeerName::parse(name)?)?,
        }
        Ok(ssl)
    }

    /// Whether `name` is one that a connection can be made to.
    pub(crate) fn check_server_name(name: &str) -> Result<(), Error> {
        PeerName::parse(name)?;
        Ok(())
    }

    /// Makes `ssl`, a client's that has no name, one that wants to reach `name`.
    pub(crate) fn set_server_name(&self, ssl: &mut SslRef, name: &str) -> Result<(), Error> {
        on_system_stack(|| self.set_name(ssl, &PeerName::parse(name)?))
    }

    fn set_name(&self, ssl: &mut SslRef, name: &PeerName) -> Result<(), Error> {
        if let (true, PeerName::Dns(host)) = (self.shared.send_name, name) {
            ssl.set_hostname(host)?;
        }
        if self.shared.check_name {
            name.demand(ssl.param_mut())?;
        }
        if let Some(cache) = &self.shared.session_cache {
            cache.attach(ssl, &name.to_string())?;
        }
        Ok(())
    }
}

impl fmt::Debug for Context {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Context")
            .field("role", &self.shared.role)
            .field("handshake_timeout", &self.shared.handshake_timeout)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests;
