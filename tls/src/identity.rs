//! A certificate chain with its private key, as a server or client presents it.
//!
//! Everything that can be wrong is found when the identity is made, with the
//! file's name in the message, and not in the first handshake. Encrypted keys
//! are decrypted here: OpenSSL, left to itself, asks for the passphrase on the
//! terminal and blocks the OS thread, so its prompt is never reached.

mod chain;
mod files;

use std::fmt;

use openssl::error::ErrorStack;
use openssl::pkey::{PKey, Private};
use openssl::x509::X509;
use zeroize::Zeroizing;

pub use files::PemFiles;
pub(crate) use files::read;

use crate::config_error::{ConfigError, ConfigErrorKind};
use crate::error::Error;
use crate::ssl::on_system_stack;

/// OpenSSL's buffer for a passphrase (`PEM_BUFSIZE`); a longer one would be cut.
const PASSPHRASE_MAX: usize = 1024;

/// A certificate, the intermediates that lead to its root, and its private key.
///
/// Cheap to clone: the parts are counted references. A context may hold several,
/// one per key type, and a handshake uses the one that the peer can check.
///
/// # Scheduling
///
/// Never switches, except where a method says so.
///
/// # Examples
///
/// ```no_run
/// use greenling_tls::{ContextBuilder, Identity};
///
/// let identity = Identity::from_pem_files("server.pem", "server.key")?;
/// let context = ContextBuilder::server().identity(identity).build()?;
/// # Ok::<(), greenling_tls::Error>(())
/// ```
#[doc(alias = "use_certificate")]
#[doc(alias = "use_privatekey")]
#[derive(Clone)]
pub struct Identity {
    leaf: X509,
    intermediates: Vec<X509>,
    key: PKey<Private>,
    /// Where it came from, for messages.
    label: String,
}

impl Identity {
    /// Reads a chain file and a key file in PEM form.
    ///
    /// The two may be the same file. The certificate must come first in the
    /// chain; intermediates are put in order. [`PemFiles`] has the variants:
    /// passphrases and strict permission checks.
    ///
    /// # Scheduling
    ///
    /// Never switches: it reads with blocking system calls. A FIFO blocks the
    /// whole OS thread until it has a writer.
    ///
    /// # Errors
    ///
    /// [`Error::Config`], naming the file: it cannot be read, is larger than
    /// 1 MiB, holds no certificate or key, the key is encrypted, is writable by
    /// everyone, or does not belong to the certificate.
    #[doc(alias = "use_certificate_chain_file")]
    #[doc(alias = "use_certificate_file")]
    #[doc(alias = "use_privatekey_file")]
    #[doc(alias = "SSL_CTX_use_certificate_chain_file")]
    #[doc(alias = "SSL_CTX_use_PrivateKey_file")]
    pub fn from_pem_files(
        chain: impl AsRef<std::path::Path>,
        key: impl AsRef<std::path::Path>,
    ) -> Result<Identity, Error> {
        PemFiles::new(chain, key).load()
    }

    /// Reads a chain and a key in PEM form from memory.
    ///
    /// # Errors
    ///
    /// As [`Identity::from_pem_files`], without those that concern files.
    #[doc(alias = "load_certificate")]
    #[doc(alias = "load_privatekey")]
    pub fn from_pem(chain: &[u8], key: &[u8]) -> Result<Identity, Error> {
        Source {
            chain_name: "certificate chain",
            key_name: "private key",
        }
        .parse(chain, key, None)
    }

    /// As [`Identity::from_pem`], for a key that is encrypted with `passphrase`.
    ///
    /// A key that is not encrypted is accepted as it is.
    ///
    /// # Errors
    ///
    /// Also [`ConfigErrorKind::WrongPassphrase`], and
    /// [`ConfigErrorKind::BadPassphrase`] when it contains a NUL byte or is
    /// longer than 1024 bytes.
    pub fn from_pem_with_passphrase(
        chain: &[u8],
        key: &[u8],
        passphrase: &[u8],
    ) -> Result<Identity, Error> {
        Source {
            chain_name: "certificate chain",
            key_name: "private key",
        }
        .parse(chain, key, Some(passphrase))
    }

    /// Joins parsed certificates, the peer's own first, and their key.
    ///
    /// # Errors
    ///
    /// [`Error::Config`] when there is no certificate or the key is not its own.
    #[doc(alias = "check_privatekey")]
    #[doc(alias = "add_extra_chain_cert")]
    #[doc(alias = "SSL_CTX_use_cert_and_key")]
    pub fn new(chain: Vec<X509>, key: PKey<Private>) -> Result<Identity, Error> {
        Source {
            chain_name: "certificate chain",
            key_name: "private key",
        }
        .assemble(chain, key)
    }

    /// The chain in PEM form, the certificate first.
    ///
    /// # Errors
    ///
    /// [`Error::Ssl`] when OpenSSL cannot encode it, which means it is out of memory.
    #[doc(alias = "dump_certificate")]
    pub fn chain_pem(&self) -> Result<Vec<u8>, Error> {
        let mut pem = self.leaf.to_pem()?;
        for certificate in &self.intermediates {
            pem.extend_from_slice(&certificate.to_pem()?);
        }
        Ok(pem)
    }

    /// The private key, in the clear, in PEM form (PKCS #8).
    ///
    /// The buffer is zeroised when dropped; what is copied out of it is not.
    ///
    /// # Errors
    ///
    /// [`Error::Ssl`] when the key cannot be exported, as keys in hardware cannot.
    #[doc(alias = "dump_privatekey")]
    pub fn export_private_key_pem(&self) -> Result<Zeroizing<Vec<u8>>, Error> {
        Ok(Zeroizing::new(self.key.private_key_to_pem_pkcs8()?))
    }

    pub(crate) fn leaf(&self) -> &X509 {
        &self.leaf
    }

    pub(crate) fn intermediates(&self) -> &[X509] {
        &self.intermediates
    }

    pub(crate) fn key(&self) -> &PKey<Private> {
        &self.key
    }

    /// The file or other source, for messages.
    pub(crate) fn label(&self) -> &str {
        &self.label
    }
}

/// Shows the subject and the source, never the key.
impl fmt::Debug for Identity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Identity")
            .field("subject", &self.leaf.subject_name())
            .field("intermediates", &self.intermediates.len())
            .field("source", &self.label)
            .finish_non_exhaustive()
    }
}

/// What the inputs are called in messages.
struct Source<'a> {
    chain_name: &'a str,
    key_name: &'a str,
}

impl Source<'_> {
    fn parse(
        &self,
        chain: &[u8],
        key: &[u8],
        passphrase: Option<&[u8]>,
    ) -> Result<Identity, Error> {
        on_system_stack(|| {
            let chain = X509::stack_from_pem(chain).map_err(|stack| {
                self.chain_error("holds a damaged certificate")
                    .because_ssl(stack)
            })?;
            self.join(chain, self.parse_key(key, passphrase)?)
        })
    }

    fn assemble(&self, chain: Vec<X509>, key: PKey<Private>) -> Result<Identity, Error> {
        on_system_stack(|| self.join(chain, key))
    }

    fn join(&self, chain: Vec<X509>, key: PKey<Private>) -> Result<Identity, Error> {
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
        })
    }

    fn parse_key(&self, pem: &[u8], passphrase: Option<&[u8]>) -> Result<PKey<Private>, Error> {
        let error = |kind, detail: &str| ConfigError::new(kind, self.key_name, detail);
        if let Some(fault) = passphrase.and_then(passphrase_fault) {
            return Err(error(ConfigErrorKind::BadPassphrase, fault).into());
        }
        let mut encrypted = false;
        let parsed = PKey::private_key_from_pem_callback(pem, |buffer| {
            encrypted = true;
            let passphrase = passphrase.filter(|p| p.len() <= buffer.len());
            let passphrase = passphrase.ok_or_else(ErrorStack::get)?;
            buffer[..passphrase.len()].copy_from_slice(passphrase);
            Ok(passphrase.len())
        });
        parsed.map_err(|stack| {
            let error = match passphrase {
                _ if !has_private_key(pem) => error(
                    ConfigErrorKind::Malformed,
                    "holds no private key in PEM form",
                ),
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

fn passphrase_fault(passphrase: &[u8]) -> Option<&'static str> {
    if passphrase.contains(&0) {
        // The C interfaces around it would silently use what comes before.
        Some("the passphrase contains a NUL byte")
    } else if passphrase.len() > PASSPHRASE_MAX {
        Some("the passphrase is longer than 1024 bytes")
    } else {
        None
    }
}

/// Whether `pem` has a block that OpenSSL could take for a private key.
fn has_private_key(pem: &[u8]) -> bool {
    let marker = b"PRIVATE KEY-----";
    pem.windows(marker.len()).any(|window| window == marker)
}

#[cfg(test)]
mod tests;
