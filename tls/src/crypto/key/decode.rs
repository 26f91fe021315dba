//! Private keys, from bytes that may be anything.

use openssl::error::ErrorStack;
use openssl::pkey::{PKey, Private};

use super::{PrivateKey, call};
use crate::config_error::{ConfigError, ConfigErrorKind};
use crate::crypto::encoding::Encoding;
use crate::crypto::object::Kind;
use crate::crypto::passphrase::Passphrase;
use crate::crypto::pbe::{Work, is_unsupported};
use crate::crypto::{der, pem};
#[cfg(not(feature = "aws-lc"))]
use crate::crypto::{library, sealed};
use crate::error::Error;

const LABELS: &[&str] = &[
    "PRIVATE KEY",
    "ENCRYPTED PRIVATE KEY",
    "RSA PRIVATE KEY",
    "EC PRIVATE KEY",
    "DSA PRIVATE KEY",
];

impl PrivateKey {
    /// Reads a key in the form of PKCS #8 or in the traditional one of its kind.
    ///
    /// Both may be encrypted, which is when `passphrase` is used. In PEM form, text
    /// and other objects around the key are skipped, so a file may hold certificates
    /// as well; of several keys the first is read. In DER form nothing may follow it.
    ///
    /// # Scheduling
    ///
    /// Never switches, unless the function of a [`Passphrase::Ask`] does. An encrypted
    /// key takes as long as whoever wrote it has asked for, usually some milliseconds.
    ///
    /// # Errors
    ///
    /// [`Error::Config`] of one of these kinds:
    ///
    /// * [`WrongObject`](ConfigErrorKind::WrongObject): there is another object, which
    ///   the message names, such as a certificate or a public key.
    /// * [`EncryptedKey`](ConfigErrorKind::EncryptedKey): there is no passphrase.
    /// * [`WrongPassphrase`](ConfigErrorKind::WrongPassphrase): it opens nothing, or
    ///   what is inside is damaged, which cannot be told apart.
    /// * [`BadPassphrase`](ConfigErrorKind::BadPassphrase): it contains a NUL byte, is
    ///   longer than 1024 bytes, or the function that was asked has failed.
    /// * [`UnsupportedLegacyAlgorithm`](ConfigErrorKind::UnsupportedLegacyAlgorithm):
    ///   it is encrypted by what OpenSSL 3 has put aside, such as RC2 and single DES,
    ///   and its legacy provider is not installed.
    /// * [`Rejected`](ConfigErrorKind::Rejected): opening it takes more than 10,000,000
    ///   rounds of hashing.
    /// * [`Malformed`](ConfigErrorKind::Malformed), [`TooLarge`](ConfigErrorKind::TooLarge).
    ///
    /// # Panics
    ///
    /// With the panic of a function that is asked for the passphrase.
    #[doc(alias = "load_privatekey")]
    #[doc(alias = "PEM_read_bio_PrivateKey")]
    #[doc(alias = "d2i_AutoPrivateKey")]
    #[doc(alias = "d2i_PKCS8PrivateKey_bio")]
    pub fn decode<'p>(
        encoding: Encoding,
        bytes: &[u8],
        passphrase: impl Into<Passphrase<'p>>,
    ) -> Result<PrivateKey, Error> {
        let input = KeyInput {
            name: "private key",
            encoding,
            bytes,
        };
        input.decode(passphrase.into())
    }
}

/// Bytes that should be a private key, and what messages call them.
pub(crate) struct KeyInput<'a> {
    pub(crate) name: &'a str,
    pub(crate) encoding: Encoding,
    pub(crate) bytes: &'a [u8],
}

/// How a key is packed, with what OpenSSL is given of the input.
enum Form<'a> {
    PlainPem(&'a [u8]),
    PlainDer(&'a [u8]),
    /// Encrypted by the header of RFC 1421.
    Traditional(&'a [u8]),
    /// An `EncryptedPrivateKeyInfo`.
    Pkcs8(Vec<u8>),
}

impl KeyInput<'_> {
    pub(crate) fn decode(&self, passphrase: Passphrase<'_>) -> Result<PrivateKey, Error> {
        let form = self.form()?;
        let encrypted = matches!(form, Form::Traditional(_) | Form::Pkcs8(_));
        let given = passphrase.obtain(encrypted, self.name)?;
        let given = given.bytes();
        if encrypted && given.is_none() {
            let kind = ConfigErrorKind::EncryptedKey;
            let detail = "the private key is encrypted and no passphrase was given";
            return Err(self.error(kind, detail).into());
        }
        let mut asked = false;
        let answer = |buffer: &mut [u8]| {
            asked = true;
            let given = given.filter(|given| given.len() <= buffer.len());
            let given = given.ok_or_else(ErrorStack::get)?;
            buffer[..given.len()].copy_from_slice(given);
            Ok(given.len())
        };
        let parsed = call(|| match &form {
            Form::PlainPem(text) | Form::Traditional(text) => {
                PKey::private_key_from_pem_callback(text, answer)
            }
            Form::Pkcs8(der) => PKey::private_key_from_pkcs8_callback(der, answer)
                .or_else(|stack| with_legacy(stack, der, given)),
            Form::PlainDer(der) => PKey::private_key_from_der(der),
        });
        match parsed {
            Ok(key) => Ok(PrivateKey::from(key)),
            Err(stack) => Err(self.refusal(encrypted && asked, stack).into()),
        }
    }

    fn form(&self) -> Result<Form<'_>, ConfigError> {
        self.kind().check_form(self.encoding, self.bytes)?;
        let sealed = match self.encoding {
            Encoding::Der if !der::is_encrypted_key(self.bytes) => {
                return Ok(Form::PlainDer(self.bytes));
            }
            Encoding::Der => self.bytes.to_vec(),
            Encoding::Pem => {
                let mut keys = pem::blocks(self.bytes).filter(|b| LABELS.contains(&b.label));
                let Some(key) = keys.next() else {
                    return Err(self.damaged(ErrorStack::get()));
                };
                if key.has_encryption_header() {
                    return Ok(Form::Traditional(key.text));
                }
                if key.label != "ENCRYPTED PRIVATE KEY" {
                    return Ok(Form::PlainPem(key.text));
                }
                call(|| key.der()).map_err(|stack| self.damaged(stack))?
            }
        };
        let work = Work::default().add_sealed_key(&sealed);
        work.map_err(|refused| refused.explain(self.name))?;
        Ok(Form::Pkcs8(sealed))
    }

    /// What OpenSSL's refusal means, when it had `opened` the input or not.
    fn refusal(&self, opened: bool, stack: ErrorStack) -> ConfigError {
        if opened && is_unsupported(&stack) {
            let detail =
                "is encrypted with algorithms that OpenSSL 3 only has in its legacy provider";
            self.error(ConfigErrorKind::UnsupportedLegacyAlgorithm, detail)
                .because_ssl(stack)
        } else if opened {
            let detail = "the passphrase does not open the private key";
            self.error(ConfigErrorKind::WrongPassphrase, detail)
                .because_ssl(stack)
        } else {
            self.damaged(stack)
        }
    }

    fn damaged(&self, stack: ErrorStack) -> ConfigError {
        self.kind().damaged(self.encoding, self.bytes, stack)
    }

    fn kind(&self) -> Kind<'_> {
        Kind {
            subject: self.name,
            labels: LABELS,
        }
    }

    fn error(&self, kind: ConfigErrorKind, detail: &str) -> ConfigError {
        ConfigError::new(kind, self.name, detail)
    }
}

/// Another attempt with the legacy provider, where that may help; else the reasons of
/// the first one.
#[cfg(not(feature = "aws-lc"))]
fn with_legacy(
    stack: ErrorStack,
    sealed: &[u8],
    passphrase: Option<&[u8]>,
) -> Result<PKey<Private>, ErrorStack> {
    match passphrase {
        Some(passphrase) if is_unsupported(&stack) && library::with_legacy().is_ok() => {
            sealed::open_with_legacy(sealed, passphrase)
        }
        _ => Err(stack),
    }
}

/// AWS-LC has no such provider.
#[cfg(feature = "aws-lc")]
fn with_legacy(
    stack: ErrorStack,
    _sealed: &[u8],
    _passphrase: Option<&[u8]>,
) -> Result<PKey<Private>, ErrorStack> {
    Err(stack)
}
