//! The options of a context and their defaults, by theme.
//!
//! The defaults are those of the well-regarded stacks of today: Mozilla's
//! intermediate profile 6.0, Go's crypto/tls and rustls, where they agree.
//!
//! Each theme has a file with its options, the setters for them, and the calls
//! that put them into an `SSL_CTX`; `build` checks what concerns several of them
//! and makes the calls in the right order.

mod alpn;
mod build;
mod chain;
mod dangerous;
mod flags;
mod keylog;
mod protocol;
mod records;
mod refused;
mod revocation;
mod sessions;
mod temporary_keys;
mod verification;

use std::fmt;
use std::time::Duration;

pub use alpn::AlpnChoice;
pub(crate) use alpn::wire_format as alpn_wire_format;
pub use dangerous::Dangerous;
pub use sessions::Tickets;
pub use verification::ClientAuth;

use super::Version;
use crate::callbacks::Hooks;
use crate::engine::Role;
use crate::identity::Identity;
use alpn::Alpn;
use chain::Chain;
use flags::Flags;
use keylog::KeyLog;
use protocol::Protocol;
use records::Records;
use revocation::Revocation;
use sessions::Sessions;
use temporary_keys::TmpDh;
use verification::Verification;

/// Collects the options of a [`Context`](super::Context).
///
/// Both kinds begin with safe defaults: TLS 1.2 and 1.3, forward secret AEAD
/// ciphers, security level 2, no renegotiation, no compression. Nothing is
/// checked before [`build`](ContextBuilder::build).
///
/// # Scheduling
///
/// Never switches, except where a method says so.
///
/// # Examples
///
/// ```
/// use greenling_tls::{ContextBuilder, Version, Identity};
///
/// let context = ContextBuilder::server()
///     .identity(Identity::self_signed(&["localhost"])?)
///     .versions(Version::Tls13..=Version::Tls13)
///     .build()?;
/// # Ok::<(), greenling_tls::Error>(())
/// ```
#[doc(alias = "Context")]
#[doc(alias = "SSL_CTX_new")]
#[doc(alias = "SSLv23_METHOD")]
#[must_use]
pub struct ContextBuilder {
    role: Role,
    protocol: Protocol,
    flags: Flags,
    tmp_dh: Option<TmpDh>,
    records: Records,
    keylogs: Vec<KeyLog>,
    pub(super) identities: Vec<Identity>,
    verification: Verification,
    chain: Chain,
    revocation: Revocation,
    alpn: Alpn,
    sessions: Sessions,
    send_name: bool,
    handshake_timeout: Duration,
    /// Something was asked for that cannot be had, and why.
    refusal: Option<&'static str>,
    pub(super) hooks: Hooks,
}

impl ContextBuilder {
    /// A client that verifies its servers with the system's trust roots.
    ///
    /// A handshake may take 30 seconds.
    #[doc(alias = "TLS_client_method")]
    pub fn client() -> ContextBuilder {
        ContextBuilder::new(Role::Client, Duration::from_secs(30))
    }

    /// A server; it needs at least one [`identity`](ContextBuilder::identity).
    ///
    /// A handshake may take 10 seconds. Clients are not asked for certificates.
    #[doc(alias = "TLS_server_method")]
    pub fn server() -> ContextBuilder {
        ContextBuilder::new(Role::Server, Duration::from_secs(10))
    }

    fn new(role: Role, handshake_timeout: Duration) -> ContextBuilder {
        ContextBuilder {
            role,
            protocol: Protocol::default(),
            flags: Flags::default(),
            tmp_dh: None,
            records: Records::default(),
            keylogs: Vec::new(),
            identities: Vec::new(),
            verification: Verification::default(),
            chain: Chain::default(),
            revocation: Revocation::default(),
            alpn: Alpn::default(),
            sessions: Sessions::default(),
            send_name: true,
            handshake_timeout,
            refusal: None,
            hooks: Hooks::default(),
        }
    }

    /// Lets [`build`](ContextBuilder::build) fail with [`Error::Unsupported`](crate::Error).
    pub(super) fn unsupported(mut self, why: &'static str) -> ContextBuilder {
        self.refusal = Some(why);
        self
    }

    /// Presents `identity` to peers. One may be given for each type of key.
    #[doc(alias = "use_certificate")]
    #[doc(alias = "use_privatekey")]
    #[doc(alias = "use_certificate_chain_file")]
    #[doc(alias = "add_extra_chain_cert")]
    #[doc(alias = "check_privatekey")]
    #[doc(alias = "SSL_CTX_use_certificate")]
    #[doc(alias = "SSL_CTX_use_PrivateKey")]
    pub fn identity(mut self, identity: Identity) -> ContextBuilder {
        self.identities.push(identity);
        self
    }

    /// Clients: whether to send the server's name (RFC 6066). Default: yes,
    /// unless it is an IP address.
    #[doc(alias = "set_tlsext_host_name")]
    #[doc(alias = "SSL_set_tlsext_host_name")]
    pub fn sni(mut self, send: bool) -> ContextBuilder {
        self.send_name = send;
        self
    }

    /// How long a handshake may take. Default: 10 seconds for a server, 30 for a
    /// client.
    pub fn handshake_timeout(mut self, timeout: Duration) -> ContextBuilder {
        self.handshake_timeout = timeout;
        self
    }
}

/// Shows the role only: the rest may hold secrets and is not decided yet.
impl fmt::Debug for ContextBuilder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ContextBuilder")
            .field("role", &self.role)
            .finish_non_exhaustive()
    }
}
