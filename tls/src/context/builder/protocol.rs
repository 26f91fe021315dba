//! Which versions, suites, groups and signatures a context speaks.

use std::ops::RangeInclusive;

use openssl::error::ErrorStack;
use openssl::ssl::SslContextBuilder;

use super::{ContextBuilder, Version};
use crate::config_error::{ConfigError, ConfigErrorKind};
use crate::error::Error;
#[cfg(feature = "aws-lc")]
use crate::ssl::missing::SslContextBuilderExt;

/// Forward secret AEAD suites with ECDHE; no DHE, no CBC, no RSA key exchange.
const CIPHERS_12: &str = "ECDHE-ECDSA-AES128-GCM-SHA256:ECDHE-RSA-AES128-GCM-SHA256:\
     ECDHE-ECDSA-AES256-GCM-SHA384:ECDHE-RSA-AES256-GCM-SHA384:\
     ECDHE-ECDSA-CHACHA20-POLY1305:ECDHE-RSA-CHACHA20-POLY1305";
/// What [`tmp_dh_file`](ContextBuilder::tmp_dh_file) adds.
/// Added where keys are shared; the one with forward secrecy that OpenSSL has.
const CIPHERS_PSK: &str = ":ECDHE-PSK-CHACHA20-POLY1305";
const CIPHERS_DHE: &str =
    ":DHE-RSA-AES128-GCM-SHA256:DHE-RSA-AES256-GCM-SHA384:DHE-RSA-CHACHA20-POLY1305";
/// What TLS 1.0 and 1.1 add, which have no AEAD.
#[cfg(feature = "legacy")]
const CIPHERS_LEGACY: &str = ":ECDHE-ECDSA-AES128-SHA:ECDHE-RSA-AES128-SHA:\
     ECDHE-ECDSA-AES256-SHA:ECDHE-RSA-AES256-SHA";
const CIPHERS_13: &str =
    "TLS_AES_128_GCM_SHA256:TLS_AES_256_GCM_SHA384:TLS_CHACHA20_POLY1305_SHA256";
/// The first list that OpenSSL takes is used: one with the post-quantum hybrid
/// and key shares for it and X25519 (the stars; OpenSSL 3.5 and later), one with
/// the hybrid alone, and one for libraries that do not know it and therefore
/// refuse the whole list. `DEFAULT` is not used, because some releases ignore
/// the server's own order after it (CVE-2026-2673).
const GROUPS: [&str; 3] = [
    "*X25519MLKEM768:*X25519:P-256:P-384",
    "X25519MLKEM768:X25519:P-256:P-384",
    "X25519:P-256:P-384",
];

pub(super) struct Protocol {
    pub(super) versions: RangeInclusive<Version>,
    ciphers12: Option<String>,
    ciphers13: String,
    groups: Option<String>,
    signatures: Option<String>,
    security_level: u32,
}

impl Default for Protocol {
    fn default() -> Protocol {
        Protocol {
            versions: Version::Tls12..=Version::Tls13,
            ciphers12: None,
            ciphers13: CIPHERS_13.to_owned(),
            groups: None,
            signatures: None,
            security_level: 2,
        }
    }
}

impl ContextBuilder {
    /// The versions to allow. Default: TLS 1.2 and 1.3.
    #[doc(alias = "set_min_proto_version")]
    #[doc(alias = "set_max_proto_version")]
    #[doc(alias = "minimum_version")]
    #[doc(alias = "maximum_version")]
    #[doc(alias = "SSL_CTX_set_min_proto_version")]
    #[doc(alias = "SSL_CTX_set_max_proto_version")]
    pub fn versions(mut self, versions: RangeInclusive<Version>) -> ContextBuilder {
        self.protocol.versions = versions;
        self
    }

    /// The cipher suites for TLS 1.2, in OpenSSL's notation (`openssl-ciphers(1)`).
    /// Default: ECDHE with AES-GCM or ChaCha20-Poly1305.
    ///
    /// A server lets the client's order decide, unless it has
    /// [`server_order`](ContextBuilder::server_order).
    #[doc(alias = "set_cipher_list")]
    #[doc(alias = "set_ciphers")]
    #[doc(alias = "SSL_CTX_set_cipher_list")]
    pub fn ciphers12(mut self, list: &str) -> ContextBuilder {
        self.protocol.ciphers12 = Some(list.to_owned());
        self
    }

    /// The cipher suites for TLS 1.3, by their full names and joined by colons.
    #[doc(alias = "set_tls13_ciphersuites")]
    #[doc(alias = "SSL_CTX_set_ciphersuites")]
    pub fn ciphers13(mut self, list: &str) -> ContextBuilder {
        self.protocol.ciphers13 = list.to_owned();
        self
    }

    /// The key exchange groups, joined by colons. Default: X25519MLKEM768 where
    /// OpenSSL knows it, X25519, P-256, P-384.
    #[doc(alias = "set_ecdh_curve")]
    #[doc(alias = "set_tmp_ecdh")]
    #[doc(alias = "set_groups")]
    #[doc(alias = "SSL_CTX_set1_groups_list")]
    pub fn groups(mut self, list: &str) -> ContextBuilder {
        self.protocol.groups = Some(list.to_owned());
        self
    }

    /// The algorithms for signatures, joined by colons and in order of preference,
    /// such as `ECDSA+SHA256:RSA-PSS+SHA256`. Default: OpenSSL's list, less what
    /// the security level forbids.
    #[doc(alias = "set_server_sigalgs")]
    #[doc(alias = "set_client_sigalgs")]
    #[doc(alias = "SSL_CTX_set1_sigalgs_list")]
    pub fn signature_algorithms(mut self, list: &str) -> ContextBuilder {
        self.protocol.signatures = Some(list.to_owned());
        self
    }

    /// OpenSSL's security level (`SSL_CTX_set_security_level(3)`). Default: 2,
    /// which means at least 112 bits.
    #[doc(alias = "SSL_CTX_set_security_level")]
    pub fn security_level(mut self, level: u32) -> ContextBuilder {
        self.protocol.security_level = level;
        self
    }
}

impl Protocol {
    pub(super) fn check(&self) -> Result<(), ConfigError> {
        let bad = |detail| {
            let kind = ConfigErrorKind::BadValue;
            Err(ConfigError::new(kind, "versions", detail))
        };
        if self.versions.is_empty() {
            return bad("the range is empty");
        }
        if *self.versions.start() < Version::Tls12 && self.security_level > 0 {
            return bad("TLS 1.0 and 1.1 need security_level(0)");
        }
        Ok(())
    }

    /// The suites for TLS 1.2 and below.
    fn ciphers12(&self, dhe: bool, psk: bool) -> String {
        if let Some(list) = &self.ciphers12 {
            return list.clone();
        }
        let mut list = CIPHERS_12.to_owned();
        if dhe {
            list.push_str(CIPHERS_DHE);
        }
        if psk {
            list.push_str(CIPHERS_PSK);
        }
        #[cfg(feature = "legacy")]
        if *self.versions.start() < Version::Tls12 {
            list.push_str(CIPHERS_LEGACY);
        }
        list
    }

    pub(super) fn apply(
        &self,
        dhe: bool,
        psk: bool,
        context: &mut SslContextBuilder,
    ) -> Result<(), Error> {
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
        let ciphers12 = self.ciphers12(dhe, psk);
        context
            .set_cipher_list(checked("ciphers12", &ciphers12)?)
            .map_err(rejected("ciphers12", &ciphers12))?;
        context
            .set_ciphersuites(checked("ciphers13", &self.ciphers13)?)
            .map_err(rejected("ciphers13", &self.ciphers13))?;
        match &self.groups {
            Some(list) => context
                .set_groups_list(checked("groups", list)?)
                .map_err(rejected("groups", list))?,
            None => set_default_groups(context)?,
        }
        if let Some(list) = &self.signatures {
            context
                .set_sigalgs_list(checked("signature_algorithms", list)?)
                .map_err(rejected("signature_algorithms", list))?;
        }
        Ok(())
    }
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
