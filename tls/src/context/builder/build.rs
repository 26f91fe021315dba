//! From options to an `SSL_CTX`.
//!
//! OpenSSL applies the system's `openssl.cnf` when it makes the `SSL_CTX`. It
//! stays in force for what is not set here; everything that matters is set
//! afterwards.

use std::sync::Arc;

use openssl::error::ErrorStack;
use openssl::ssl::{SslContextBuilder, SslMethod, SslVerifyMode};

use super::{ClientAuth, ContextBuilder};
#[cfg(feature = "aws-lc")]
use crate::callbacks::KeyUpdateLimit;
use crate::config_error::{ConfigError, ConfigErrorKind};
use crate::context::{Context, Shared, config_file, sys};
use crate::crypto::{Cert, TrustSource};
use crate::engine::Role;
use crate::error::Error;
use crate::identity::Identity;
use crate::ssl::on_system_stack;

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
    /// the security level, an unreadable trust file. [`Error::Unsupported`] when
    /// something was asked for that OpenSSL 3 does not have or this crate does not do.
    #[doc(alias = "SSL_CTX_check_private_key")]
    pub fn build(self) -> Result<Context, Error> {
        if let Some(why) = self.refusal {
            return Err(Error::unsupported(why));
        }
        #[cfg(feature = "aws-lc")]
        self.check_aws_lc()?;
        self.check()?;
        config_file::is_read_now();
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
        self.flags.apply(self.role, &mut context);
        self.protocol.apply(
            self.tmp_dh.is_some(),
            self.hooks.psk.is_used(),
            &mut context,
        )?;
        self.records.apply(self.role, &mut context)?;
        if let Some(tmp_dh) = &self.tmp_dh {
            tmp_dh.apply(self.role, &mut context)?;
        }
        let anchors = self.verification.apply(self.role, &mut context)?;
        self.chain.apply(&mut context)?;
        let crls = self.revocation.apply(&mut context)?;
        self.set_identities(&mut context)?;
        self.set_keylogs(&mut context)?;
        self.alpn.apply(self.role, &mut context)?;
        let own_store = self.set_sessions(&mut context, &anchors, &crls)?;
        let session_cache = self.sessions.client_cache(self.role, &mut context);
        self.install_hooks(&mut context)?;
        let verification = &self.verification;
        Ok(Context {
            shared: Arc::new(Shared {
                ssl_ctx: context.build(),
                own_store,
                role: self.role,
                versions: self.protocol.versions.clone(),
                certificates: self.certificates(),
                handshake_timeout: self.handshake_timeout,
                send_name: self.send_name,
                check_name: verification.check_name,
                need_name: verification.check_name && verification.verify,
                session_cache,
            }),
        })
    }

    /// What AWS-LC cannot do, or not so that it could be relied on.
    #[cfg(feature = "aws-lc")]
    fn check_aws_lc(&self) -> Result<(), Error> {
        if self.hooks.psk.is_used() {
            return Err(Error::unsupported("AWS-LC has no shared keys for TLS 1.3"));
        }
        if self.chain.is_strict() {
            return Err(Error::unsupported("AWS-LC has no X509_V_FLAG_X509_STRICT"));
        }
        if self.hooks.ocsp.require {
            return Err(Error::unsupported(
                "AWS-LC asks about the OCSP response before the chain is known",
            ));
        }
        if self.hooks.key_update_limit != KeyUpdateLimit::default() {
            return Err(Error::unsupported(
                "AWS-LC takes 32 key updates without data, and no other number",
            ));
        }
        Ok(())
    }

    /// What can be told from the options alone.
    fn check(&self) -> Result<(), ConfigError> {
        let missing = |what, detail| Err(ConfigError::new(ConfigErrorKind::Missing, what, detail));
        let bad = |what, detail| Err(ConfigError::new(ConfigErrorKind::BadValue, what, detail));
        self.protocol.check()?;
        if self.handshake_timeout.is_zero() {
            return bad("handshake_timeout", "must be longer than nothing");
        }
        self.sessions.check()?;
        let verification = &self.verification;
        let checks_nothing = match self.role {
            Role::Server => verification.client_auth == ClientAuth::None,
            Role::Client => !verification.verify,
        };
        if checks_nothing && self.hooks.verify_with.is_some() {
            return bad("verify_with", "has no say where no certificate is checked");
        }
        match self.role {
            Role::Server => {
                let later = self.hooks.resolve.is_some() || self.hooks.supply.is_some();
                let psk = self.hooks.psk.serves();
                if psk && verification.client_auth == ClientAuth::Required {
                    return bad("psk", "lets clients in that show no certificate");
                }
                if self.identities.is_empty() && !later && !psk {
                    return missing("server", "has no identity to present");
                }
                if verification.client_auth != ClientAuth::None && verification.trust.is_empty() {
                    return missing("client_auth", "needs trust anchors, and none were given");
                }
                if verification.trust.iter().any(TrustSource::is_public) {
                    return bad("trust_system", "would let any public CA admit clients");
                }
                if !verification.verify || !verification.check_name {
                    return bad("dangerous", "is for clients; a server has client_auth");
                }
            }
            Role::Client => {
                if verification.client_auth != ClientAuth::None {
                    return bad("client_auth", "is for servers");
                }
                if verification.names_authorities() {
                    return bad("client_ca_names", "is for servers");
                }
                if self.hooks.resolve.is_some() {
                    return bad("resolver", "is for servers");
                }
                if self.sessions.has_external_cache() {
                    return bad("session_cache", "outside of the context is for servers");
                }
            }
        }
        Ok(())
    }

    fn install_hooks(&self, context: &mut SslContextBuilder) -> Result<(), ErrorStack> {
        let mut hooks = self.hooks.clone();
        if hooks.approve.is_some() && self.role == Role::Client && !self.verification.verify {
            // OpenSSL has to listen to a refusal, though not to its own.
            hooks.any_chain = true;
            context.set_verify(SslVerifyMode::PEER);
        }
        hooks.ocsp.staples = self
            .identities
            .iter()
            .filter_map(Identity::staple)
            .collect();
        hooks.install(self.role, context)
    }

    fn certificates(&self) -> Vec<Cert> {
        self.identities.iter().map(Identity::certificate).collect()
    }

    fn set_identities(&self, context: &mut SslContextBuilder) -> Result<(), ConfigError> {
        for identity in &self.identities {
            sys::add_identity(context, identity).map_err(|stack| {
                ConfigError::rejected(identity.label(), "OpenSSL does not accept it", stack)
            })?;
        }
        Ok(())
    }
}
