//! Private keys.

use std::fmt;

use openssl::pkey::{PKey, PKeyRef, Private};

use super::{KeyAlg, PublicKey, call, look, size, sys};
use crate::config_error::{ConfigError, ConfigErrorKind};
use crate::crypto::cert::Cert;
use crate::error::Error;
#[cfg(feature = "aws-lc")]
use crate::ssl::missing::PKeyRefExt;

/// A private key, with its public one.
///
/// Immutable and cheap to clone: OpenSSL counts references to it, and wipes it when
/// the last one is dropped. Two are equal when their public keys are.
///
/// # Scheduling
///
/// Never switches, except where a method says so.
///
/// # Examples
///
/// ```
/// use greenling_tls::Encoding;
/// use greenling_tls::crypto::{Digest, KeyAlg, PrivateKey};
///
/// let key = PrivateKey::generate(KeyAlg::Ed25519)?;
/// let signature = key.sign(Digest::default(), b"a message")?;
/// key.public_key().verify(Digest::default(), b"a message", &signature)?;
/// let pem = key.encode(Encoding::Pem, None)?;
/// assert!(pem.starts_with(b"-----BEGIN PRIVATE KEY-----"));
/// # Ok::<(), greenling_tls::Error>(())
/// ```
#[doc(alias = "PKey")]
#[doc(alias = "PKeyType")]
#[doc(alias = "EVP_PKEY")]
#[derive(Clone)]
pub struct PrivateKey {
    key: PKey<Private>,
}

impl PrivateKey {
    /// What kind of key it is.
    #[doc(alias = "PKey.type")]
    #[doc(alias = "EVP_PKEY_get_base_id")]
    pub fn algorithm(&self) -> KeyAlg {
        look(|| KeyAlg::of(&self.key))
    }

    /// Its size: the length of the modulus, or of the order of the curve.
    #[doc(alias = "PKey.bits")]
    #[doc(alias = "EVP_PKEY_get_bits")]
    pub fn bits(&self) -> u32 {
        look(|| size(self.key.bits()))
    }

    /// About how many bits a symmetric key of the same strength has (NIST SP 800-57).
    #[doc(alias = "EVP_PKEY_get_security_bits")]
    pub fn security_bits(&self) -> u32 {
        look(|| size(self.key.security_bits()))
    }

    /// The public half.
    #[doc(alias = "get_pubkey")]
    pub fn public_key(&self) -> PublicKey {
        PublicKey::of(self)
    }

    /// Whether the certificate is for this key.
    #[doc(alias = "check_privatekey")]
    #[doc(alias = "X509_check_private_key")]
    pub fn matches(&self, certificate: &Cert) -> bool {
        look(|| {
            let theirs = certificate.as_x509().public_key();
            theirs.is_ok_and(|theirs| theirs.public_eq(&self.key))
        })
    }

    /// Checks that its parts belong together.
    ///
    /// Decoding does not: a key with a number changed by accident or on purpose may
    /// decode, and gives itself away when it signs. For RSA this tests primes and
    /// takes some milliseconds.
    ///
    /// # Errors
    ///
    /// [`Error::Config`] of kind [`Malformed`](ConfigErrorKind::Malformed).
    /// [`Error::Unsupported`] when OpenSSL has no check for this kind of key.
    #[doc(alias = "PKey.check")]
    #[doc(alias = "EVP_PKEY_check")]
    #[doc(alias = "RSA_check_key")]
    pub fn check(&self) -> Result<(), Error> {
        match call(|| sys::check(&self.key)) {
            Ok(true) => Ok(()),
            Ok(false) => Err(Error::unsupported(format!(
                "OpenSSL has no check for {} keys",
                self.algorithm()
            ))),
            Err(stack) => Err(ConfigError::new(
                ConfigErrorKind::Malformed,
                "private key",
                "has parts that do not belong together",
            )
            .because_ssl(stack)
            .into()),
        }
    }

    /// The key as the `openssl` crate has it.
    pub fn as_pkey(&self) -> &PKeyRef<Private> {
        &self.key
    }
}

impl From<PKey<Private>> for PrivateKey {
    fn from(key: PKey<Private>) -> PrivateKey {
        PrivateKey { key }
    }
}

impl From<PrivateKey> for PKey<Private> {
    fn from(key: PrivateKey) -> PKey<Private> {
        key.key
    }
}

/// Compares the public halves.
impl PartialEq for PrivateKey {
    fn eq(&self, other: &PrivateKey) -> bool {
        look(|| self.key.public_eq(&other.key))
    }
}

impl Eq for PrivateKey {}

/// Shows the kind of key only.
impl fmt::Debug for PrivateKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "PrivateKey({})", self.algorithm())
    }
}
