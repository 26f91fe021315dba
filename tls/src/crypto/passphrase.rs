//! Passphrases: who knows one, and what may be one.
//!
//! OpenSSL, left to itself, asks on the terminal and blocks the OS thread. Here a
//! passphrase is always obtained before OpenSSL sees what it opens, so whoever is
//! asked runs on the tasklet and may wait.

use std::fmt;
use std::io;

use zeroize::Zeroizing;

use crate::config_error::{ConfigError, ConfigErrorKind};

/// OpenSSL's buffer for a passphrase (`PEM_BUFSIZE`); a longer one would be cut.
const LENGTH_MAX: usize = 1024;

/// Where the passphrase of an encrypted key or archive comes from.
///
/// Made from a string or bytes by `into()`, or from a function by
/// [`Passphrase::ask`]. Nothing ever asks for one on the terminal: without one, what
/// is encrypted is an error.
///
/// # Scheduling
///
/// Never switches, except where a method says so.
///
/// # Examples
///
/// ```
/// use greenling_tls::crypto::{KeyAlg, Passphrase, PrivateKey, Protect};
/// use greenling_tls::{ConfigErrorKind, Encoding, Error};
///
/// let key = PrivateKey::generate(KeyAlg::Ed25519)?;
/// let file = key.encode(Encoding::Pem, Some(&Protect::new("sesame")))?;
/// assert_eq!(PrivateKey::decode(Encoding::Pem, &file, "sesame")?, key);
/// match PrivateKey::decode(Encoding::Pem, &file, Passphrase::None) {
///     Err(Error::Config(error)) => assert_eq!(error.kind(), ConfigErrorKind::EncryptedKey),
///     other => panic!("{other:?}"),
/// }
/// # Ok::<(), greenling_tls::Error>(())
/// ```
#[doc(alias = "set_passwd_cb")]
#[doc(alias = "pem_password_cb")]
#[derive(Default)]
#[non_exhaustive]
pub enum Passphrase<'a> {
    /// There is none: what is encrypted is an error.
    #[default]
    None,
    /// These bytes, which stay with the caller.
    Bytes(&'a [u8]),
    /// These bytes, wiped after use.
    Owned(Zeroizing<Vec<u8>>),
    /// What this function answers. It is called when the input turns out to be
    /// encrypted, before OpenSSL has seen it, on the calling tasklet. So it may wait,
    /// and its panics are its caller's.
    Ask(Box<dyn FnOnce() -> io::Result<Zeroizing<Vec<u8>>> + 'a>),
}

impl<'a> Passphrase<'a> {
    /// Asks `function` if a passphrase turns out to be needed: [`Passphrase::Ask`].
    #[doc(alias = "SSL_CTX_set_default_passwd_cb")]
    pub fn ask(function: impl FnOnce() -> io::Result<Zeroizing<Vec<u8>>> + 'a) -> Passphrase<'a> {
        Passphrase::Ask(Box::new(function))
    }

    /// The passphrase, if there is one: a function is asked if one is `needed`.
    ///
    /// `subject` is what it would open, for messages.
    pub(crate) fn obtain(self, needed: bool, subject: &str) -> Result<Given<'a>, ConfigError> {
        let given = match self {
            Passphrase::None => return Ok(Given::Nothing),
            Passphrase::Bytes(bytes) => Given::Lent(bytes),
            Passphrase::Owned(bytes) => Given::Owned(bytes),
            Passphrase::Ask(_) if !needed => return Ok(Given::Nothing),
            Passphrase::Ask(function) => Given::Owned(function().map_err(|error| {
                let kind = ConfigErrorKind::BadPassphrase;
                let detail = "no passphrase was given when asked for";
                ConfigError::new(kind, subject, detail).because(error)
            })?),
        };
        check(given.bytes().unwrap_or_default(), subject)?;
        Ok(given)
    }
}

/// A passphrase that was checked, or none.
pub(crate) enum Given<'a> {
    Nothing,
    Lent(&'a [u8]),
    Owned(Zeroizing<Vec<u8>>),
}

impl Given<'_> {
    /// The bytes, without a NUL among them.
    pub(crate) fn bytes(&self) -> Option<&[u8]> {
        match self {
            Given::Nothing => None,
            Given::Lent(bytes) => Some(bytes),
            Given::Owned(bytes) => Some(bytes),
        }
    }
}

/// Refuses what C's interfaces would silently cut.
pub(crate) fn check(passphrase: &[u8], subject: &str) -> Result<(), ConfigError> {
    let fault = if passphrase.contains(&0) {
        "the passphrase contains a NUL byte"
    } else if passphrase.len() > LENGTH_MAX {
        "the passphrase is longer than 1024 bytes"
    } else {
        return Ok(());
    };
    let kind = ConfigErrorKind::BadPassphrase;
    Err(ConfigError::new(kind, subject, fault))
}

/// Shows where it comes from, never the bytes.
impl fmt::Debug for Passphrase<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Passphrase::None => "Passphrase::None",
            Passphrase::Bytes(_) => "Passphrase::Bytes(..)",
            Passphrase::Owned(_) => "Passphrase::Owned(..)",
            Passphrase::Ask(_) => "Passphrase::Ask(..)",
        })
    }
}

impl<'a> From<&'a [u8]> for Passphrase<'a> {
    fn from(bytes: &'a [u8]) -> Passphrase<'a> {
        Passphrase::Bytes(bytes)
    }
}

impl<'a, const N: usize> From<&'a [u8; N]> for Passphrase<'a> {
    fn from(bytes: &'a [u8; N]) -> Passphrase<'a> {
        Passphrase::Bytes(bytes)
    }
}

impl<'a> From<&'a str> for Passphrase<'a> {
    fn from(text: &'a str) -> Passphrase<'a> {
        Passphrase::Bytes(text.as_bytes())
    }
}

impl From<Zeroizing<Vec<u8>>> for Passphrase<'_> {
    fn from(bytes: Zeroizing<Vec<u8>>) -> Self {
        Passphrase::Owned(bytes)
    }
}

impl<'a, P: Into<Passphrase<'a>>> From<Option<P>> for Passphrase<'a> {
    fn from(maybe: Option<P>) -> Passphrase<'a> {
        maybe.map_or(Passphrase::None, Into::into)
    }
}
