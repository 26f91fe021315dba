//! How strictly chains of certificates are judged, at what time and for what.

use std::time::{SystemTime, UNIX_EPOCH};

use openssl::error::ErrorStack;
use openssl::ssl::SslContextBuilder;
use openssl::x509::verify::X509VerifyFlags;

use super::ContextBuilder;
use crate::crypto::Purpose;

pub(super) struct Chain {
    partial: bool,
    strict: bool,
    raw_flags: u32,
    time: Option<SystemTime>,
    purpose: Option<Purpose>,
}

impl Default for Chain {
    fn default() -> Chain {
        Chain {
            partial: true,
            strict: false,
            raw_flags: 0,
            time: None,
            purpose: None,
        }
    }
}

impl ContextBuilder {
    /// Whether every trusted certificate ends a chain. Default: yes; otherwise
    /// only self-signed roots do.
    #[doc(alias = "VERIFY_X509_PARTIAL_CHAIN")]
    #[doc(alias = "X509_V_FLAG_PARTIAL_CHAIN")]
    pub fn partial_chain(mut self, allow: bool) -> ContextBuilder {
        self.chain.partial = allow;
        self
    }

    /// Whether to refuse chains that violate RFC 5280 in ways that OpenSSL
    /// otherwise tolerates. Default: no, since many private authorities and some
    /// public ones do. The [`VerifyError`](crate::VerifyError) says which check it
    /// was, and that it was made because of this.
    #[doc(alias = "VERIFY_X509_STRICT")]
    #[doc(alias = "X509_V_FLAG_X509_STRICT")]
    pub fn strict(mut self, strict: bool) -> ContextBuilder {
        self.chain.strict = strict;
        self
    }

    /// Sets flags of chain verification by their bits
    /// (`X509_VERIFY_PARAM_set_flags(3)`), after all others: some switch
    /// protections off. [`options`](crate::options) has the bits.
    #[doc(alias = "verify_flags")]
    #[doc(alias = "X509Store.set_flags")]
    #[doc(alias = "X509_VERIFY_PARAM_set_flags")]
    pub fn raw_verify_flags(mut self, bits: u32) -> ContextBuilder {
        self.chain.add_flags(bits);
        self
    }

    /// The time at which certificates and revocation lists must be valid. Default:
    /// the time of the handshake. For tests and for looking into the past.
    #[doc(alias = "X509Store.set_time")]
    #[doc(alias = "X509_VERIFY_PARAM_set_time")]
    pub fn verify_time(mut self, time: SystemTime) -> ContextBuilder {
        self.chain.time = Some(time);
        self
    }

    /// What the peer's certificate must be good for. Default: [`Purpose::Server`]
    /// for a client's peer, [`Purpose::Client`] for a server's.
    ///
    /// Programs that are both, and have one certificate for it, need it.
    #[doc(alias = "SSL_CTX_set_purpose")]
    #[doc(alias = "X509_VERIFY_PARAM_set_purpose")]
    pub fn verify_purpose(mut self, purpose: Purpose) -> ContextBuilder {
        self.chain.purpose = Some(purpose);
        self
    }
}

impl Chain {
    /// Adds flags by their bits.
    pub(super) fn add_flags(&mut self, bits: u32) {
        self.raw_flags |= bits;
    }

    pub(super) fn apply(&self, context: &mut SslContextBuilder) -> Result<(), ErrorStack> {
        let parameters = context.verify_param_mut();
        let mut flags = X509VerifyFlags::from_bits_retain(self.raw_flags.into());
        flags.set(X509VerifyFlags::PARTIAL_CHAIN, self.partial);
        if self.strict {
            flags |= X509VerifyFlags::X509_STRICT;
        }
        parameters.set_flags(flags)?;
        if let Some(time) = self.time {
            parameters.set_time(seconds(time));
        }
        if let Some(purpose) = self.purpose {
            parameters.set_purpose(purpose.id())?;
        }
        Ok(())
    }

    #[cfg(feature = "aws-lc")]
    pub(super) fn is_strict(&self) -> bool {
        self.strict
    }

    /// What sessions depend on: one made under other rules must not be resumed.
    pub(super) fn fingerprint(&self) -> String {
        format!(
            "{} {} {} {:?} {:?}",
            self.partial,
            self.strict,
            self.raw_flags,
            self.time.map(seconds),
            self.purpose
        )
    }
}

/// Seconds since 1970; a time that C cannot express becomes the nearest it can.
fn seconds(time: SystemTime) -> libc::time_t {
    match time.duration_since(UNIX_EPOCH) {
        Ok(since) => libc::time_t::try_from(since.as_secs()).unwrap_or(libc::time_t::MAX),
        Err(before) => libc::time_t::try_from(before.duration().as_secs())
            .map_or(libc::time_t::MIN, |seconds| -seconds),
    }
}
