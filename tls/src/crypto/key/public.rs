//! Public keys.

use std::fmt;

use openssl::pkey::{PKey, PKeyRef, Public};
use openssl::rsa::Rsa;

use super::{KeyAlg, PrivateKey, call, look, size, sys};
use crate::crypto::encoding::Encoding;
use crate::crypto::object::Kind;
use crate::error::Error;
#[cfg(feature = "aws-lc")]
use crate::ssl::missing::PKeyRefExt;

const KIND: Kind = Kind {
    subject: "public key",
    labels: &["PUBLIC KEY", "RSA PUBLIC KEY"],
};

/// A public key.
///
/// Immutable and cheap to clone: OpenSSL counts references to it.
///
/// # Scheduling
///
/// Never switches, except where a method says so.
///
/// # Examples
///
/// ```
/// use greenling_tls::Encoding;
/// use greenling_tls::crypto::{KeyAlg, PrivateKey, PublicKey};
///
/// let key = PrivateKey::generate(KeyAlg::Ed25519)?.public_key();
/// let der = key.encode(Encoding::Der)?;
/// assert_eq!(PublicKey::decode(Encoding::Der, &der)?, key);
/// # Ok::<(), greenling_tls::Error>(())
/// ```
#[doc(alias = "PKey")]
#[doc(alias = "EVP_PKEY")]
#[derive(Clone)]
pub struct PublicKey {
    key: PKey<Public>,
}

impl PublicKey {
    /// Reads a key in the form that certificates have it in (SubjectPublicKeyInfo,
    /// RFC 5280), or an RSA key in that of PKCS #1.
    ///
    /// In PEM form, text and other objects around it are skipped. In DER form nothing
    /// may follow it.
    ///
    /// # Errors
    ///
    /// [`Error::Config`] of kind [`WrongObject`] when there is another object, which
    /// the message names, of kind [`Malformed`] when it is damaged, and of kind
    /// [`TooLarge`].
    ///
    /// [`WrongObject`]: crate::ConfigErrorKind::WrongObject
    /// [`Malformed`]: crate::ConfigErrorKind::Malformed
    /// [`TooLarge`]: crate::ConfigErrorKind::TooLarge
    #[doc(alias = "load_publickey")]
    #[doc(alias = "PEM_read_bio_PUBKEY")]
    #[doc(alias = "d2i_PUBKEY")]
    pub fn decode(encoding: Encoding, bytes: &[u8]) -> Result<PublicKey, Error> {
        let pkcs1 = |parsed: Result<Rsa<Public>, _>| parsed.and_then(PKey::from_rsa);
        let key = KIND.decode(
            encoding,
            bytes,
            |pem| {
                let key = PKey::public_key_from_pem(pem);
                key.or_else(|_| pkcs1(Rsa::public_key_from_pem_pkcs1(pem)))
            },
            |der| {
                let key = PKey::public_key_from_der(der);
                key.or_else(|_| pkcs1(Rsa::public_key_from_der_pkcs1(der)))
            },
        )?;
        Ok(PublicKey { key })
    }

    /// Writes it in the form that [`decode`](PublicKey::decode) reads.
    ///
    /// # Errors
    ///
    /// [`Error::Ssl`] when OpenSSL has no such form for this kind of key.
    #[doc(alias = "dump_publickey")]
    #[doc(alias = "PEM_write_bio_PUBKEY")]
    #[doc(alias = "i2d_PUBKEY")]
    pub fn encode(&self, encoding: Encoding) -> Result<Vec<u8>, Error> {
        Ok(call(|| match encoding {
            Encoding::Pem => self.key.public_key_to_pem(),
            Encoding::Der => self.key.public_key_to_der(),
        })?)
    }

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

    /// The key as the `openssl` crate has it.
    pub fn as_pkey(&self) -> &PKeyRef<Public> {
        &self.key
    }

    /// The public half of `key`, in an object of its own: the private half is wiped
    /// when its owners drop it. Only a kind of key without a public form is shared.
    pub(super) fn of(key: &PrivateKey) -> PublicKey {
        let key = key.as_pkey();
        let copy = call(|| PKey::public_key_from_der(&key.public_key_to_der()?));
        PublicKey {
            key: copy.unwrap_or_else(|_| sys::share(key)),
        }
    }
}

impl From<PKey<Public>> for PublicKey {
    fn from(key: PKey<Public>) -> PublicKey {
        PublicKey { key }
    }
}

impl From<PublicKey> for PKey<Public> {
    fn from(key: PublicKey) -> PKey<Public> {
        key.key
    }
}

/// Compares the numbers, not the form in which they were read.
impl PartialEq for PublicKey {
    fn eq(&self, other: &PublicKey) -> bool {
        look(|| self.key.public_eq(&other.key))
    }
}

impl Eq for PublicKey {}

/// Shows the kind of key.
impl fmt::Debug for PublicKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "PublicKey({})", self.algorithm())
    }
}
