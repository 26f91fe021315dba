//! Digests, by which data is signed and certificates are told apart.

use std::fmt;

use openssl::hash::MessageDigest;

use super::call::call;
use super::key::{KeyAlg, PrivateKey};
use crate::config_error::{ConfigError, ConfigErrorKind};
use crate::error::Error;

/// A message digest, also called a hash.
///
/// [`Digest::Md5`] and [`Digest::Sha1`] serve to recognise old things by their
/// fingerprint. Signatures are made with them with the feature `legacy` only, since
/// others can forge what they sign.
///
/// # Scheduling
///
/// Never switches, except where a method says so.
///
/// # Examples
///
/// ```
/// use greenling_tls::crypto::Digest;
///
/// let digest = Digest::by_name("sha256").expect("a known name");
/// assert_eq!(digest, Digest::default());
/// assert_eq!(digest.hash(b"abc")?[..2], [0xba, 0x78]);
/// # Ok::<(), greenling_tls::Error>(())
/// ```
#[doc(alias = "EVP_MD")]
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
#[non_exhaustive]
pub enum Digest {
    /// MD5 (RFC 1321), broken.
    Md5,
    /// SHA-1 (FIPS 180-4), broken for signatures.
    Sha1,
    /// SHA-224 (FIPS 180-4).
    Sha224,
    /// SHA-256 (FIPS 180-4): the default, which everything reads.
    #[default]
    Sha256,
    /// SHA-384 (FIPS 180-4).
    Sha384,
    /// SHA-512 (FIPS 180-4).
    Sha512,
    /// SHA3-256 (FIPS 202).
    Sha3_256,
    /// SHA3-384 (FIPS 202).
    Sha3_384,
    /// SHA3-512 (FIPS 202).
    Sha3_512,
}

/// All of them with their usual name.
const NAMES: [(Digest, &str); 9] = [
    (Digest::Md5, "MD5"),
    (Digest::Sha1, "SHA-1"),
    (Digest::Sha224, "SHA-224"),
    (Digest::Sha256, "SHA-256"),
    (Digest::Sha384, "SHA-384"),
    (Digest::Sha512, "SHA-512"),
    (Digest::Sha3_256, "SHA3-256"),
    (Digest::Sha3_384, "SHA3-384"),
    (Digest::Sha3_512, "SHA3-512"),
];

impl Digest {
    /// The digest called `name`: `sha256`, `SHA256` and `SHA-256` are the same.
    #[doc(alias = "EVP_get_digestbyname")]
    pub fn by_name(name: &str) -> Option<Digest> {
        let plain = |name: &str| name.to_ascii_lowercase().replace('-', "");
        let wanted = plain(name);
        let known = NAMES.iter().find(|(_, known)| plain(known) == wanted);
        known.map(|(digest, _)| *digest)
    }

    /// Its usual name, such as `SHA-256`.
    #[doc(alias = "EVP_MD_get0_name")]
    pub fn name(self) -> &'static str {
        let known = NAMES.iter().find(|(digest, _)| *digest == self);
        known.map_or("", |(_, name)| name)
    }

    /// The number of bytes in a result.
    #[doc(alias = "EVP_MD_get_size")]
    pub fn size(self) -> usize {
        self.openssl().size()
    }

    /// The digest of `data`.
    ///
    /// # Errors
    ///
    /// [`Error::Ssl`] when OpenSSL is set up to refuse this digest, as for FIPS 140.
    #[doc(alias = "EVP_Digest")]
    pub fn hash(self, data: &[u8]) -> Result<Vec<u8>, Error> {
        let digest = call(|| openssl::hash::hash(self.openssl(), data))?;
        Ok(digest.to_vec())
    }

    /// As the `openssl` crate has it.
    pub(crate) fn openssl(self) -> MessageDigest {
        match self {
            Digest::Md5 => MessageDigest::md5(),
            Digest::Sha1 => MessageDigest::sha1(),
            Digest::Sha224 => MessageDigest::sha224(),
            Digest::Sha256 => MessageDigest::sha256(),
            Digest::Sha384 => MessageDigest::sha384(),
            Digest::Sha512 => MessageDigest::sha512(),
            Digest::Sha3_256 => MessageDigest::sha3_256(),
            Digest::Sha3_384 => MessageDigest::sha3_384(),
            Digest::Sha3_512 => MessageDigest::sha3_512(),
        }
    }

    /// What a new signature of `key` begins with; `None` for keys that sign the data
    /// itself, whichever digest was asked for.
    pub(crate) fn for_signing(self, key: &PrivateKey) -> Result<Option<MessageDigest>, Error> {
        let algorithm = key.algorithm();
        if !algorithm.signs() {
            return Err(Error::unsupported(format!("{algorithm} keys do not sign")));
        }
        if matches!(self, Digest::Md5 | Digest::Sha1) && !cfg!(feature = "legacy") {
            return Err(ConfigError::new(
                ConfigErrorKind::Rejected,
                self.name(),
                "signs only with the feature `legacy`, since others can forge what it signs",
            )
            .into());
        }
        Ok(self.for_algorithm(algorithm))
    }

    /// What a signature by a key of `algorithm` begins with.
    pub(crate) fn for_algorithm(self, algorithm: KeyAlg) -> Option<MessageDigest> {
        (!algorithm.hashes_itself()).then(|| self.openssl())
    }
}

/// As [`Digest::name`].
impl fmt::Display for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}
