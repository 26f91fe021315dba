//! How a private key is encrypted for a file.

use std::fmt;

use openssl::symm::Cipher;
use zeroize::Zeroizing;

use crate::config_error::{ConfigError, ConfigErrorKind};
use crate::crypto::passphrase;
use crate::crypto::pbe::ITERATIONS_MAX;

/// Enough that guesses cost something, and some hundredths of a second for us.
const ITERATIONS: u32 = 100_000;

/// The passphrase and cipher that a private key is written with.
///
/// By default AES-256 in CBC mode, with a key derived from the passphrase by 100,000
/// rounds of PBKDF2 with HMAC-SHA-256, which costs some 50 ms (PBES2, RFC 8018). The
/// passphrase is wiped with this object.
///
/// # Scheduling
///
/// Never switches, except where a method says so.
#[doc(alias = "dump_privatekey")]
#[derive(Clone)]
pub struct Protect {
    cipher: KeyCipher,
    iterations: u32,
    passphrase: Zeroizing<Vec<u8>>,
}

/// Ciphers for private keys in files, all in CBC mode.
///
/// # Scheduling
///
/// Never switches, except where a method says so.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
#[non_exhaustive]
pub enum KeyCipher {
    /// AES with a key of 128 bits.
    #[doc(alias = "aes-128-cbc")]
    Aes128Cbc,
    /// AES with a key of 192 bits.
    #[doc(alias = "aes-192-cbc")]
    Aes192Cbc,
    /// AES with a key of 256 bits.
    #[default]
    #[doc(alias = "aes-256-cbc")]
    Aes256Cbc,
    /// Triple DES: for old readers only.
    #[doc(alias = "des-ede3-cbc")]
    #[doc(alias = "des3")]
    DesEde3Cbc,
}

impl KeyCipher {
    /// As the `openssl` crate has it.
    pub(super) fn openssl(self) -> Cipher {
        match self {
            KeyCipher::Aes128Cbc => Cipher::aes_128_cbc(),
            KeyCipher::Aes192Cbc => Cipher::aes_192_cbc(),
            KeyCipher::Aes256Cbc => Cipher::aes_256_cbc(),
            KeyCipher::DesEde3Cbc => Cipher::des_ede3_cbc(),
        }
    }
}

impl Protect {
    /// Encrypts with `passphrase`, of which a copy is kept.
    ///
    /// It must have 1 to 1024 bytes and no NUL among them, which is checked when a
    /// key is written.
    pub fn new(passphrase: impl AsRef<[u8]>) -> Protect {
        Protect {
            cipher: KeyCipher::default(),
            iterations: ITERATIONS,
            passphrase: Zeroizing::new(passphrase.as_ref().to_vec()),
        }
    }

    /// The cipher. Default: [`KeyCipher::Aes256Cbc`].
    pub fn cipher(mut self, cipher: KeyCipher) -> Protect {
        self.cipher = cipher;
        self
    }

    /// How often the passphrase is hashed, from 1 to 10,000,000 times. Default:
    /// 100,000. The traditional form of keys knows no such number and hashes once.
    #[doc(alias = "iter")]
    pub fn iterations(mut self, iterations: u32) -> Protect {
        self.iterations = iterations;
        self
    }

    /// Its parts, if they can be used.
    pub(super) fn parts(&self) -> Result<(KeyCipher, u32, &[u8]), ConfigError> {
        let error = |kind, detail| Err(ConfigError::new(kind, "private key", detail));
        passphrase::check(&self.passphrase, "private key")?;
        if self.passphrase.is_empty() {
            return error(ConfigErrorKind::BadPassphrase, "the passphrase is empty");
        }
        if !(1..=ITERATIONS_MAX).contains(&self.iterations) {
            let detail = "the number of iterations is not within 1 to 10,000,000";
            return error(ConfigErrorKind::BadValue, detail);
        }
        Ok((self.cipher, self.iterations, &self.passphrase))
    }
}

/// Shows all but the passphrase.
impl fmt::Debug for Protect {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Protect")
            .field("cipher", &self.cipher)
            .field("iterations", &self.iterations)
            .finish_non_exhaustive()
    }
}
