//! From bytes to an identity: what was given is checked here, under the name that
//! the person who gave it knows.

use openssl::error::ErrorStack;
use openssl::pkey::{PKey, Private};
use openssl::x509::X509;

use super::{Encoding, Identity};
use crate::config_error::{ConfigError, ConfigErrorKind};
use crate::crypto::{self, KeyInput, Passphrase, in_order, items};
use crate::error::Error;
use crate::ssl::on_system_stack;

/// What the inputs are called in messages, and their form.
pub(super) struct Source<'a> {
    pub(super) chain_name: &'a str,
    pub(super) key_name: &'a str,
    pub(super) encoding: Encoding,
}

impl Source<'static> {
    pub(super) fn in_memory(encoding: Encoding) -> Source<'static> {
        Source {
            chain_name: "certificate chain",
            key_name: "private key",
            encoding,
        }
    }
}

impl Source<'_> {
    pub(super) fn parse(
        &self,
        chain: &[u8],
        key: &[u8],
        passphrase: Passphrase<'_>,
    ) -> Result<Identity, Error> {
        let key = KeyInput {
            name: self.key_name,
            encoding: self.encoding,
            bytes: key,
        };
        // Before anything runs on the system stack: who is asked may wait.
        let key = key.decode(passphrase)?;
        let labels = ["CERTIFICATE", "X509 CERTIFICATE"];
        let plain = match self.encoding {
            Encoding::Pem => crypto::pem_without_headers(chain, &labels).ok_or_else(|| {
                self.chain_error("holds a certificate with a header, as encrypted keys have")
            })?,
            Encoding::Der => Vec::new(),
        };
        on_system_stack(|| {
            let chain = match self.encoding {
                Encoding::Pem => X509::stack_from_pem(&plain),
                Encoding::Der => items(chain).map(X509::from_der).collect(),
            };
            let chain = chain.map_err(|stack| {
                self.chain_error("holds a damaged certificate")
                    .because_ssl(stack)
            })?;
            self.join(chain, key.into())
        })
    }

    pub(super) fn assemble(&self, chain: Vec<X509>, key: PKey<Private>) -> Result<Identity, Error> {
        on_system_stack(|| self.join(chain, key))
    }

    pub(super) fn join(&self, chain: Vec<X509>, key: PKey<Private>) -> Result<Identity, Error> {
        let mut certificates = chain.into_iter();
        let leaf = certificates
            .next()
            .ok_or_else(|| self.chain_error("holds no certificate"))?;
        let rest: Vec<X509> = certificates.collect();
        let belongs = owns(&leaf, &key).map_err(|stack| {
            self.chain_error("holds a certificate with a key that OpenSSL cannot read")
                .because_ssl(stack)
        })?;
        if !belongs {
            return Err(self.mismatch(&rest, &key).into());
        }
        let intermediates = in_order(&leaf, rest);
        Ok(Identity {
            leaf,
            intermediates,
            key,
            label: self.chain_name.to_owned(),
            staple: None,
        })
    }

    fn chain_error(&self, detail: &str) -> ConfigError {
        ConfigError::new(ConfigErrorKind::Malformed, self.chain_name, detail)
    }

    /// Explains a key that is not the first certificate's: the usual cause is a
    /// chain in the wrong order.
    fn mismatch(&self, rest: &[X509], key: &PKey<Private>) -> ConfigError {
        for (index, certificate) in rest.iter().enumerate() {
            if owns(certificate, key).unwrap_or(false) {
                return ConfigError::new(
                    ConfigErrorKind::KeyMismatch,
                    self.chain_name,
                    format!(
                        "the key of {} belongs to certificate {}, which must come first",
                        self.key_name,
                        index + 2
                    ),
                );
            }
        }
        ConfigError::new(
            ConfigErrorKind::KeyMismatch,
            self.key_name,
            format!(
                "the private key does not belong to the certificate of {}",
                self.chain_name
            ),
        )
    }
}

fn owns(certificate: &X509, key: &PKey<Private>) -> Result<bool, ErrorStack> {
    Ok(certificate.public_key()?.public_eq(key))
}
