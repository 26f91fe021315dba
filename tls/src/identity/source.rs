//! From bytes to an identity: what was given is checked here, under the name that
//! the person who gave it knows.

use openssl::error::ErrorStack;
use openssl::pkey::{PKey, Private};
use openssl::x509::X509;

use super::{Encoding, Identity, chain};
use crate::config_error::{ConfigError, ConfigErrorKind};
use crate::crypto::{is_encrypted_key, items};
use crate::error::Error;
use crate::ssl::on_system_stack;

/// OpenSSL's buffer for a passphrase (`PEM_BUFSIZE`); a longer one would be cut.
const PASSPHRASE_MAX: usize = 1024;

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
    /// Whether `key` cannot be read without a passphrase.
    pub(super) fn is_encrypted(&self, key: &[u8]) -> bool {
        match self.encoding {
            Encoding::Der => is_encrypted_key(key),
            Encoding::Pem => {
                // PKCS #8 (RFC 7468, section 11), and the header of RFC 1421 that
                // OpenSSL's traditional form has.
                contains(key, b"-----BEGIN ENCRYPTED PRIVATE KEY-----")
                    || contains(key, b"Proc-Type: 4,ENCRYPTED")
            }
        }
    }

    pub(super) fn parse(
        &self,
        chain: &[u8],
        key: &[u8],
        passphrase: Option<&[u8]>,
    ) -> Result<Identity, Error> {
        on_system_stack(|| {
            let chain = match self.encoding {
                Encoding::Pem => X509::stack_from_pem(chain),
                Encoding::Der => items(chain).map(X509::from_der).collect(),
            };
            let chain = chain.map_err(|stack| {
                self.chain_error("holds a damaged certificate")
                    .because_ssl(stack)
            })?;
            self.join(chain, self.parse_key(key, passphrase)?)
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
        let intermediates = chain::in_order(&leaf, rest);
        Ok(Identity {
            leaf,
            intermediates,
            key,
            label: self.chain_name.to_owned(),
            staple: None,
        })
    }

    fn parse_key(&self, key: &[u8], passphrase: Option<&[u8]>) -> Result<PKey<Private>, Error> {
        let error = |kind, detail: &str| ConfigError::new(kind, self.key_name, detail);
        if let Some(fault) = passphrase.and_then(passphrase_fault) {
            return Err(error(ConfigErrorKind::BadPassphrase, fault).into());
        }
        let mut encrypted = false;
        let answer = |buffer: &mut [u8]| {
            encrypted = true;
            let passphrase = passphrase.filter(|p| p.len() <= buffer.len());
            let passphrase = passphrase.ok_or_else(ErrorStack::get)?;
            buffer[..passphrase.len()].copy_from_slice(passphrase);
            Ok(passphrase.len())
        };
        let parsed = match self.encoding {
            Encoding::Pem => PKey::private_key_from_pem_callback(key, answer),
            Encoding::Der if is_encrypted_key(key) => {
                PKey::private_key_from_pkcs8_callback(key, answer)
            }
            Encoding::Der => PKey::private_key_from_der(key),
        };
        parsed.map_err(|stack| {
            let error = match passphrase {
                _ if self.encoding == Encoding::Pem && !contains(key, b"PRIVATE KEY-----") => {
                    error(
                        ConfigErrorKind::Malformed,
                        "holds no private key in PEM form",
                    )
                }
                None if encrypted => error(
                    ConfigErrorKind::EncryptedKey,
                    "the private key is encrypted and no passphrase was given",
                ),
                Some(_) if encrypted => error(
                    ConfigErrorKind::WrongPassphrase,
                    "the passphrase does not open the private key",
                )
                .because_ssl(stack),
                _ => error(ConfigErrorKind::Malformed, "holds a damaged private key")
                    .because_ssl(stack),
            };
            error.into()
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

pub(super) fn passphrase_fault(passphrase: &[u8]) -> Option<&'static str> {
    if passphrase.contains(&0) {
        // The C interfaces around it would silently use what comes before.
        Some("the passphrase contains a NUL byte")
    } else if passphrase.len() > PASSPHRASE_MAX {
        Some("the passphrase is longer than 1024 bytes")
    } else {
        None
    }
}

fn contains(text: &[u8], marker: &[u8]) -> bool {
    text.windows(marker.len()).any(|window| window == marker)
}
