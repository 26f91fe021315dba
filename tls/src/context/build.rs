//! From options to an `SSL_CTX`.
//!
//! OpenSSL applies the system's `openssl.cnf` when it makes the `SSL_CTX`. It
//! stays in force for what is not set here; everything that matters is set
//! afterwards.

use std::sync::Arc;
use std::time::Duration;

use openssl::error::ErrorStack;
use openssl::hash::MessageDigest;
use openssl::sha::Sha256;
use openssl::ssl::{
    AlpnError, SslContextBuilder, SslMethod, SslMode, SslOptions, SslSessionCacheMode,
    SslVerifyMode,
};
use openssl::x509::X509;
use openssl::x509::verify::X509VerifyFlags;

use super::builder::{ContextBuilder, GROUPS, Tickets};
use super::sys::{self, TicketKeeper};
use super::trust::{self, ClientAuth, TrustSource};
use super::{Context, Shared, alpn};
use crate::config_error::{ConfigError, ConfigErrorKind};
use crate::engine::Role;
use crate::error::Error;
use crate::panics::guard_callback;
use crate::ssl::on_system_stack;

/// The longest that a ticket may be valid (RFC 8446, section 4.6.1).
const SESSION_LIFETIME_MAX: Duration = Duration::from_secs(7 * 24 * 3600);

/// `SSL_MAX_SID_CTX_LENGTH`.
const SESSION_ID_CONTEXT_MAX: usize = 32;

impl ContextBuilder {
    /// Checks the options and makes the context.
    ///
    /// # Scheduling
    ///
    /// Never switches. Loading the system's trust roots takes some milliseconds
    /// of the OS thread.
    ///
    /// # Errors
    ///
    /// [`Error::Config`] that names the file or option at fault: a server without
    /// identity, client authentication without trust anchors, two identities of
    /// one key type, a list that OpenSSL does not know, a key that is too weak for
    /// the security level, an unreadable trust file.
    #[doc(alias = "SSL_CTX_check_private_key")]
    pub fn build(self) -> Result<Context, Error> {
        self.check()?;
        on_system_stack(|| {
            // What others left in OpenSSL's queue of errors is not about us, and
            // even calls that succeed leave entries there.
            drop(ErrorStack::get());
            let built = self.assemble();
            drop(ErrorStack::get());
            built
        })
    }

    fn assemble(&self) -> Result<Context, Error> {
        let method = match self.role {
            Role::Client => SslMethod::tls_client(),
            Role::Server => SslMethod::tls_server(),
        };
        let mut context = SslContextBuilder::new(method)?;
        set_flags(&mut context);
        self.set_versions_and_ciphers(&mut context)?;
        let anchors = self.set_verification(&mut context)?;
        self.set_identities(&mut context)?;
        self.set_alpn(&mut context)?;
        self.set_sessions(&mut context, &anchors)?;
        Ok(Context {
            shared: Arc::new(Shared {
                ssl_ctx: context.build(),
                role: self.role,
                handshake_timeout: self.handshake_timeout,
                send_name: self.send_name,
                check_name: self.check_name,
                need_name: self.check_name && self.verify,
            }),
        })
    }

    /// What can be told from the options alone.
    fn check(&self) -> Result<(), ConfigError> {
        let missing = |what, detail| Err(ConfigError::new(ConfigErrorKind::Missing, what, detail));
        let bad = |what, detail| Err(ConfigError::new(ConfigErrorKind::BadValue, what, detail));
        if self.versions.is_empty() {
            return bad("versions", "the range is empty");
        }
        if self.session_lifetime < Duration::from_secs(1)
            || self.session_lifetime > SESSION_LIFETIME_MAX
        {
            return bad("session_lifetime", "must be from one second to seven days");
        }
        if self.handshake_timeout.is_zero() {
            return bad("handshake_timeout", "must be longer than nothing");
        }
        if self
            .session_id_context
            .as_ref()
            .is_some_and(|id| id.len() > SESSION_ID_CONTEXT_MAX)
        {
            return bad("session_id_context", "is longer than 32 bytes");
        }
        match self.role {
            Role::Server => {
                if self.identities.is_empty() {
                    return missing("server", "has no identity to present");
                }
                if self.client_auth != ClientAuth::None && self.trust.is_empty() {
                    return missing("client_auth", "needs trust anchors, and none were given");
                }
                if self
                    .trust
                    .iter()
                    .any(|source| matches!(source, TrustSource::System))
                {
                    return bad("trust_system", "would let any public CA admit clients");
                }
                if !self.verify || !self.check_name {
                    return bad("dangerous", "is for clients; a server has client_auth");
                }
            }
            Role::Client => {
                if self.client_auth != ClientAuth::None {
                    return bad("client_auth", "is for servers");
                }
            }
        }
        Ok(())
    }

    fn set_versions_and_ciphers(&self, context: &mut SslContextBuilder) -> Result<(), Error> {
        let (min, max) = (
            self.versions.start().to_openssl(),
            self.versions.end().to_openssl(),
        );
        if let Some(configured) = context.min_proto_version().filter(|v| *v != min) {
            log::info!(
                "openssl.cnf asks for {configured:?} at least; using {}",
                self.versions.start()
            );
        }
        context.set_min_proto_version(Some(min))?;
        context.set_max_proto_version(Some(max))?;
        context.set_security_level(self.security_level);
        let rejected = |what: &str, list: &str| {
            let what = what.to_owned();
            let detail = format!("OpenSSL does not accept {list:?}");
            move |stack| ConfigError::rejected(what, detail, stack)
        };
        context
            .set_cipher_list(checked("ciphers12", &self.ciphers12)?)
            .map_err(rejected("ciphers12", &self.ciphers12))?;
        context
            .set_ciphersuites(checked("ciphers13", &self.ciphers13)?)
            .map_err(rejected("ciphers13", &self.ciphers13))?;
        match &self.groups {
            Some(list) => context
                .set_groups_list(checked("groups", list)?)
                .map_err(rejected("groups", list))?,
            None => set_default_groups(context)?,
        }
        Ok(())
    }

    /// Returns the trust anchors that are known by now.
    fn set_verification(&self, context: &mut SslContextBuilder) -> Result<Vec<X509>, Error> {
        let mode = match (self.role, self.client_auth) {
            (Role::Client, _) if self.verify => SslVerifyMode::PEER,
            (Role::Client, _) | (Role::Server, ClientAuth::None) => SslVerifyMode::NONE,
            (Role::Server, ClientAuth::Optional) => SslVerifyMode::PEER,
            (Role::Server, ClientAuth::Required) => {
                SslVerifyMode::PEER | SslVerifyMode::FAIL_IF_NO_PEER_CERT
            }
        };
        context.set_verify(mode);
        context.set_verify_depth(self.verify_depth);
        context
            .verify_param_mut()
            .set_flags(X509VerifyFlags::PARTIAL_CHAIN)?;
        let system = self.role == Role::Client && self.verify && self.trust.is_empty();
        let sources = if system {
            &[TrustSource::System]
        } else {
            self.trust.as_slice()
        };
        let anchors = trust::load(sources, context)?;
        if self.client_auth != ClientAuth::None {
            for anchor in &anchors {
                context.add_client_ca(anchor)?;
            }
        }
        Ok(anchors)
    }

    fn set_identities(&self, context: &mut SslContextBuilder) -> Result<(), ConfigError> {
        for identity in &self.identities {
            sys::add_identity(context, identity).map_err(|stack| {
                ConfigError::rejected(identity.label(), "OpenSSL does not accept it", stack)
            })?;
        }
        Ok(())
    }

    fn set_alpn(&self, context: &mut SslContextBuilder) -> Result<(), Error> {
        let ours = alpn::wire_format(&self.alpn)?;
        if ours.is_empty() {
            return Ok(());
        }
        match self.role {
            Role::Client => context.set_alpn_protos(&ours)?,
            Role::Server => {
                let mismatch = if self.alpn_lenient {
                    AlpnError::NOACK
                } else {
                    AlpnError::ALERT_FATAL
                };
                context.set_alpn_select_callback(move |_, theirs| {
                    guard_callback(Err(AlpnError::ALERT_FATAL), || {
                        alpn::select(&ours, theirs).ok_or(mismatch)
                    })
                });
            }
        }
        Ok(())
    }

    /// Sessions live in tickets only: a cache in memory would grow with the
    /// number of clients and is of use to none that knows tickets.
    fn set_sessions(&self, context: &mut SslContextBuilder, anchors: &[X509]) -> Result<(), Error> {
        context.set_session_cache_mode(SslSessionCacheMode::OFF);
        sys::set_session_lifetime(context, self.session_lifetime);
        if self.role == Role::Client {
            return Ok(());
        }
        let id = match &self.session_id_context {
            Some(id) => id.clone(),
            None => self.derive_session_id_context(anchors)?,
        };
        context.set_session_id_context(&id)?;
        // Accepting the name makes OpenSSL keep it with the session, so that the
        // application sees it on resumed connections too.
        context.set_servername_callback(|_, _| Ok(()));
        match self.tickets {
            Tickets::Off => {
                context.set_options(SslOptions::NO_TICKET);
                context.set_num_tickets(0)?;
            }
            Tickets::Rotating => {
                context.set_num_tickets(self.num_tickets)?;
                let keeper = TicketKeeper::new(self.session_lifetime, Arc::clone(&self.clock));
                sys::install_tickets(context, keeper)?;
            }
        }
        Ok(())
    }

    /// Hashes what a session's client was judged by.
    pub(super) fn derive_session_id_context(
        &self,
        anchors: &[X509],
    ) -> Result<Vec<u8>, ErrorStack> {
        let mut hash = Sha256::new();
        for identity in &self.identities {
            hash.update(b"identity");
            hash.update(&identity.leaf().digest(MessageDigest::sha256())?);
        }
        for anchor in anchors {
            hash.update(b"anchor");
            hash.update(&anchor.digest(MessageDigest::sha256())?);
        }
        for source in &self.trust {
            if let TrustSource::Dir(path) = source {
                hash.update(b"directory");
                hash.update(path.as_os_str().as_encoded_bytes());
            }
        }
        hash.update(match self.client_auth {
            ClientAuth::None => b"none",
            ClientAuth::Optional => b"optional",
            ClientAuth::Required => b"required",
        });
        Ok(hash.finish().to_vec())
    }
}

/// The flags that do not depend on options.
fn set_flags(context: &mut SslContextBuilder) {
    context.set_options(SslOptions::NO_RENEGOTIATION | SslOptions::NO_COMPRESSION);
    // An openssl.cnf may have set these.
    context.clear_options(
        SslOptions::ALLOW_UNSAFE_LEGACY_RENEGOTIATION
            | SslOptions::IGNORE_UNEXPECTED_EOF
            | SslOptions::from_bits_retain(openssl_sys::SSL_OP_LEGACY_SERVER_CONNECT),
    );
    context.set_mode(
        // One record per write call, and the caller's buffer may move between two.
        SslMode::ENABLE_PARTIAL_WRITE
            | SslMode::ACCEPT_MOVING_WRITE_BUFFER
            | SslMode::AUTO_RETRY
            // Send the chain that was given, instead of searching one among the
            // anchors for clients in every handshake.
            | SslMode::NO_AUTO_CHAIN,
    );
}

fn set_default_groups(context: &mut SslContextBuilder) -> Result<(), ErrorStack> {
    let mut last = Ok(());
    for list in GROUPS {
        last = context.set_groups_list(list);
        if last.is_ok() {
            break;
        }
    }
    last
}

/// The `openssl` crate panics on a NUL.
fn checked<'a>(what: &str, list: &'a str) -> Result<&'a str, ConfigError> {
    if list.contains('\0') {
        return Err(ConfigError::new(
            ConfigErrorKind::BadValue,
            what,
            "contains a NUL",
        ));
    }
    Ok(list)
}
