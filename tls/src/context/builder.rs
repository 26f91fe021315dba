//! The options of a context and their defaults.
//!
//! The defaults are those of the well-regarded stacks of today: Mozilla's
//! intermediate profile 6.0, Go's crypto/tls and rustls, where they agree.

use std::fmt;
use std::ops::RangeInclusive;
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use super::Version;
use super::sys::Clock;
use super::trust::{ClientAuth, TrustSource};
use crate::engine::Role;
use crate::identity::Identity;

/// Forward secret AEAD suites with ECDHE; no DHE, no CBC, no RSA key exchange.
pub(super) const CIPHERS_12: &str = "ECDHE-ECDSA-AES128-GCM-SHA256:ECDHE-RSA-AES128-GCM-SHA256:\
     ECDHE-ECDSA-AES256-GCM-SHA384:ECDHE-RSA-AES256-GCM-SHA384:\
     ECDHE-ECDSA-CHACHA20-POLY1305:ECDHE-RSA-CHACHA20-POLY1305";
pub(super) const CIPHERS_13: &str =
    "TLS_AES_128_GCM_SHA256:TLS_AES_256_GCM_SHA384:TLS_CHACHA20_POLY1305_SHA256";
/// The first list that OpenSSL takes is used: one with the post-quantum hybrid
/// and key shares for it and X25519 (the stars; OpenSSL 3.5 and later), one with
/// the hybrid alone, and one for libraries that do not know it and therefore
/// refuse the whole list. `DEFAULT` is not used, because some releases ignore
/// the server's own order after it (CVE-2026-2673).
pub(super) const GROUPS: [&str; 3] = [
    "*X25519MLKEM768:*X25519:P-256:P-384",
    "X25519MLKEM768:X25519:P-256:P-384",
    "X25519:P-256:P-384",
];

/// What a server does about session tickets (RFC 5077; RFC 8446, section 4.6.1).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
#[non_exhaustive]
pub enum Tickets {
    /// No tickets, and so no resumption.
    Off,
    /// Tickets under keys of AES-256 and HMAC-SHA256 that are made in memory,
    /// exchanged every hour, kept for one session lifetime more to open old
    /// tickets, and wiped. Every context has its own.
    #[default]
    Rotating,
}

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
/// use greenling_tls::{ContextBuilder, Version, crypto};
///
/// let context = ContextBuilder::server()
///     .identity(crypto::self_signed(&["localhost"])?)
///     .versions(Version::Tls13..=Version::Tls13)
///     .build()?;
/// # Ok::<(), greenling_tls::Error>(())
/// ```
#[doc(alias = "Context")]
#[doc(alias = "SSL_CTX_new")]
#[doc(alias = "SSLv23_METHOD")]
#[must_use]
pub struct ContextBuilder {
    pub(super) role: Role,
    pub(super) versions: RangeInclusive<Version>,
    pub(super) ciphers12: String,
    pub(super) ciphers13: String,
    pub(super) groups: Option<String>,
    pub(super) security_level: u32,
    pub(super) identities: Vec<Identity>,
    pub(super) trust: Vec<TrustSource>,
    pub(super) client_auth: ClientAuth,
    pub(super) verify_depth: u32,
    pub(super) verify: bool,
    pub(super) check_name: bool,
    pub(super) send_name: bool,
    pub(super) alpn: Vec<Vec<u8>>,
    pub(super) alpn_lenient: bool,
    pub(super) session_id_context: Option<Vec<u8>>,
    pub(super) session_lifetime: Duration,
    pub(super) tickets: Tickets,
    pub(super) num_tickets: usize,
    pub(super) handshake_timeout: Duration,
    pub(super) clock: Clock,
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
            versions: Version::Tls12..=Version::Tls13,
            ciphers12: CIPHERS_12.to_owned(),
            ciphers13: CIPHERS_13.to_owned(),
            groups: None,
            security_level: 2,
            identities: Vec::new(),
            trust: Vec::new(),
            client_auth: ClientAuth::None,
            verify_depth: 10,
            verify: true,
            check_name: true,
            send_name: true,
            alpn: Vec::new(),
            alpn_lenient: false,
            session_id_context: None,
            session_lifetime: Duration::from_secs(300),
            tickets: Tickets::Rotating,
            num_tickets: 2,
            handshake_timeout,
            clock: Arc::new(Instant::now),
        }
    }

    /// The versions to allow. Default: TLS 1.2 and 1.3.
    #[doc(alias = "set_options")]
    #[doc(alias = "SSL_CTX_set_min_proto_version")]
    #[doc(alias = "SSL_CTX_set_max_proto_version")]
    pub fn versions(mut self, versions: RangeInclusive<Version>) -> ContextBuilder {
        self.versions = versions;
        self
    }

    /// The cipher suites for TLS 1.2, in OpenSSL's notation (`openssl-ciphers(1)`).
    /// Default: ECDHE with AES-GCM or ChaCha20-Poly1305.
    ///
    /// A server lets the client's order decide.
    #[doc(alias = "set_cipher_list")]
    #[doc(alias = "SSL_CTX_set_cipher_list")]
    pub fn ciphers12(mut self, list: &str) -> ContextBuilder {
        self.ciphers12 = list.to_owned();
        self
    }

    /// The cipher suites for TLS 1.3, by their full names and joined by colons.
    #[doc(alias = "SSL_CTX_set_ciphersuites")]
    pub fn ciphers13(mut self, list: &str) -> ContextBuilder {
        self.ciphers13 = list.to_owned();
        self
    }

    /// The key exchange groups, joined by colons. Default: X25519MLKEM768 where
    /// OpenSSL knows it, X25519, P-256, P-384.
    #[doc(alias = "SSL_CTX_set1_groups_list")]
    pub fn groups(mut self, list: &str) -> ContextBuilder {
        self.groups = Some(list.to_owned());
        self
    }

    /// OpenSSL's security level (`SSL_CTX_set_security_level(3)`). Default: 2,
    /// which means at least 112 bits.
    #[doc(alias = "SSL_CTX_set_security_level")]
    pub fn security_level(mut self, level: u32) -> ContextBuilder {
        self.security_level = level;
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

    /// Trusts the certificates of a PEM file.
    ///
    /// The first `trust_` option replaces the system's roots, which are a
    /// client's default; [`trust_system`](ContextBuilder::trust_system) keeps
    /// them. Any certificate may be an anchor, not only a self-signed one.
    #[doc(alias = "load_verify_locations")]
    #[doc(alias = "load_client_ca")]
    #[doc(alias = "SSL_CTX_load_verify_file")]
    pub fn trust_file(mut self, path: impl AsRef<Path>) -> ContextBuilder {
        self.trust.push(TrustSource::File(path.as_ref().to_owned()));
        self
    }

    /// Trusts the certificates of a directory that `openssl rehash` has prepared.
    #[doc(alias = "load_verify_locations")]
    #[doc(alias = "SSL_CTX_load_verify_dir")]
    pub fn trust_dir(mut self, path: impl AsRef<Path>) -> ContextBuilder {
        self.trust.push(TrustSource::Dir(path.as_ref().to_owned()));
        self
    }

    /// Trusts certificates in PEM form.
    #[doc(alias = "get_cert_store")]
    #[doc(alias = "X509_STORE_add_cert")]
    pub fn trust_pem(mut self, pem: impl Into<Vec<u8>>) -> ContextBuilder {
        self.trust.push(TrustSource::Pem(pem.into()));
        self
    }

    /// Trusts the system's roots, for a client that also names others.
    ///
    /// `SSL_CERT_FILE` and `SSL_CERT_DIR` in the environment name other places
    /// for them. A server must not use it: any public CA could then admit clients.
    #[doc(alias = "set_default_verify_paths")]
    #[doc(alias = "SSL_CTX_set_default_verify_paths")]
    pub fn trust_system(mut self) -> ContextBuilder {
        self.trust.push(TrustSource::System);
        self
    }

    /// Servers: whether to ask clients for certificates. Default: no.
    ///
    /// Asking needs a `trust_` option. The names of the anchors that are known
    /// when the context is built are sent to clients as a hint.
    #[doc(alias = "set_verify")]
    #[doc(alias = "set_client_CA_list")]
    #[doc(alias = "SSL_CTX_set_verify")]
    pub fn client_auth(mut self, mode: ClientAuth) -> ContextBuilder {
        self.client_auth = mode;
        self
    }

    /// The number of intermediate certificates to allow in a chain. Default: 10.
    #[doc(alias = "set_verify_depth")]
    #[doc(alias = "get_verify_depth")]
    #[doc(alias = "SSL_CTX_set_verify_depth")]
    pub fn verify_depth(mut self, depth: u32) -> ContextBuilder {
        self.verify_depth = depth;
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

    /// Application protocols in order of preference (RFC 7301).
    ///
    /// A server picks the first that the client offers too, and refuses a client
    /// that offers only others with the alert `no_application_protocol`. A client
    /// that does not use ALPN is served.
    #[doc(alias = "set_alpn_protos")]
    #[doc(alias = "set_alpn_select_callback")]
    #[doc(alias = "SSL_CTX_set_alpn_protos")]
    #[doc(alias = "SSL_CTX_set_alpn_select_cb")]
    pub fn alpn<P: AsRef<[u8]>>(
        mut self,
        protocols: impl IntoIterator<Item = P>,
    ) -> ContextBuilder {
        self.alpn = protocols.into_iter().map(|p| p.as_ref().to_vec()).collect();
        self
    }

    /// Servers: goes on without a protocol when none is common, instead of
    /// refusing the client.
    pub fn alpn_lenient(mut self) -> ContextBuilder {
        self.alpn_lenient = true;
        self
    }

    /// Servers: which sessions belong together, in at most 32 bytes.
    ///
    /// By default it is a digest of the identities, the trust anchors and the
    /// client authentication, so that no session crosses from a context that
    /// demands less to one that demands more.
    #[doc(alias = "set_session_id")]
    #[doc(alias = "SSL_CTX_set_session_id_context")]
    pub fn session_id_context(mut self, id: &[u8]) -> ContextBuilder {
        self.session_id_context = Some(id.to_vec());
        self
    }

    /// How long a session can be resumed, up to seven days (RFC 8446, section
    /// 4.6.1). Default: 300 seconds.
    #[doc(alias = "set_timeout")]
    #[doc(alias = "get_timeout")]
    #[doc(alias = "SSL_CTX_set_timeout")]
    pub fn session_lifetime(mut self, lifetime: Duration) -> ContextBuilder {
        self.session_lifetime = lifetime;
        self
    }

    /// Servers: whether and how to issue session tickets. Default:
    /// [`Tickets::Rotating`].
    #[doc(alias = "OP_NO_TICKET")]
    #[doc(alias = "SSL_CTX_set_tlsext_ticket_key_evp_cb")]
    pub fn tickets(mut self, tickets: Tickets) -> ContextBuilder {
        self.tickets = tickets;
        self
    }

    /// Servers: how many tickets a full TLS 1.3 handshake issues. Default: 2.
    #[doc(alias = "SSL_CTX_set_num_tickets")]
    pub fn num_tickets(mut self, count: usize) -> ContextBuilder {
        self.num_tickets = count;
        self
    }

    /// How long a handshake may take. Default: 10 seconds for a server, 30 for a
    /// client.
    pub fn handshake_timeout(mut self, timeout: Duration) -> ContextBuilder {
        self.handshake_timeout = timeout;
        self
    }

    /// Options that switch off what TLS is for.
    pub fn dangerous(self) -> Dangerous {
        Dangerous { builder: self }
    }

    /// Tells the ticket keys the time.
    #[cfg(test)]
    pub(super) fn clock(
        mut self,
        clock: impl Fn() -> Instant + Send + Sync + 'static,
    ) -> ContextBuilder {
        self.clock = Arc::new(clock);
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

/// Options of a client that let an attacker in the middle go unnoticed; see
/// [`ContextBuilder::dangerous`].
#[derive(Debug)]
#[must_use]
pub struct Dangerous {
    builder: ContextBuilder,
}

impl Dangerous {
    /// Clients: accepts every certificate for every name. For tests only: whoever
    /// can reach the connection can read and change it.
    #[doc(alias = "VERIFY_NONE")]
    pub fn no_verify(mut self) -> ContextBuilder {
        self.builder.verify = false;
        self.builder
    }

    /// Clients: checks that the certificate leads to a trust anchor, but not whom
    /// it names. That is sound only if every certificate under the anchors may
    /// act as this server.
    pub fn skip_hostname(mut self) -> ContextBuilder {
        self.builder.check_name = false;
        self.builder
    }
}
