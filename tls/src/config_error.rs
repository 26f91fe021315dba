//! What is wrong with an input: the error of building a context, loading an identity,
//! and of all that reads or makes certificates and keys.
//!
//! Every message begins with the thing at fault (a file's path, an option), so
//! that the person who reads the log knows where to look.

use std::error::Error as StdError;
use std::fmt;
use std::io;
use std::path::Path;
use std::sync::Arc;

use openssl::error::ErrorStack;

use crate::error::Error;

/// A file, key, certificate, name or option that cannot be used, and why.
///
/// Carried by [`Error::Config`]. Its text names the file or option; it never
/// contains key material or passphrases.
///
/// # Scheduling
///
/// Never switches, except where a method says so.
#[derive(Debug, Clone)]
pub struct ConfigError {
    kind: ConfigErrorKind,
    subject: String,
    detail: String,
    source: Option<Arc<dyn StdError + Send + Sync>>,
}

/// The kinds of [`ConfigError`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum ConfigErrorKind {
    /// A file or directory cannot be read.
    Unreadable,
    /// A file cannot be written.
    Unwritable,
    /// A key file may be read or written by others.
    Permissions,
    /// A file exceeds the size that makes sense for it.
    TooLarge,
    /// The input holds no certificate or key, or a damaged one.
    Malformed,
    /// The input holds another kind of object than was expected, such as a private
    /// key in place of a certificate.
    WrongObject,
    /// The private key is encrypted and no passphrase was given.
    EncryptedKey,
    /// The passphrase does not open the private key.
    WrongPassphrase,
    /// The passphrase itself cannot be used: it contains a NUL or is too long, or
    /// whoever was asked for it had none.
    BadPassphrase,
    /// It is encrypted with algorithms that OpenSSL only has in its legacy provider,
    /// and that is not there.
    UnsupportedLegacyAlgorithm,
    /// The private key does not belong to the certificate.
    KeyMismatch,
    /// The signature is not one of that key over that content.
    BadSignature,
    /// OpenSSL refuses the key, the certificate or the option, for example
    /// because the key is too short for the security level.
    Rejected,
    /// Something required is missing: an identity, or trust anchors.
    Missing,
    /// An option has a value that makes no sense.
    BadValue,
    /// The server name is neither a DNS name nor an IP address, or is missing.
    ServerName,
}

impl ConfigError {
    pub(crate) fn new(
        kind: ConfigErrorKind,
        subject: impl Into<String>,
        detail: impl Into<String>,
    ) -> ConfigError {
        ConfigError {
            kind,
            subject: subject.into(),
            detail: detail.into(),
            source: None,
        }
    }

    pub(crate) fn unreadable(path: &Path, error: io::Error) -> ConfigError {
        ConfigError::new(
            ConfigErrorKind::Unreadable,
            path.display().to_string(),
            "cannot be read",
        )
        .because(error)
    }

    pub(crate) fn unwritable(path: &Path, error: io::Error) -> ConfigError {
        ConfigError::new(
            ConfigErrorKind::Unwritable,
            path.display().to_string(),
            "cannot be written",
        )
        .because(error)
    }

    pub(crate) fn rejected(
        subject: impl Into<String>,
        detail: impl Into<String>,
        stack: ErrorStack,
    ) -> ConfigError {
        ConfigError::new(ConfigErrorKind::Rejected, subject, detail).because_ssl(stack)
    }

    pub(crate) fn because(mut self, source: impl StdError + Send + Sync + 'static) -> ConfigError {
        self.source = Some(Arc::new(source));
        self
    }

    /// Keeps the reasons of OpenSSL's error queue.
    pub(crate) fn because_ssl(self, stack: ErrorStack) -> ConfigError {
        self.because(Error::from(stack))
    }

    /// What sort of fault it is.
    pub fn kind(&self) -> ConfigErrorKind {
        self.kind
    }

    /// The file or option at fault.
    pub fn subject(&self) -> &str {
        &self.subject
    }

    pub(crate) fn io_kind(&self) -> io::ErrorKind {
        self.source
            .as_ref()
            .and_then(|source| source.downcast_ref::<io::Error>())
            .map_or(io::ErrorKind::InvalidInput, io::Error::kind)
    }
}

impl fmt::Display for ConfigError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.subject, self.detail)?;
        match &self.source {
            Some(source) => write!(f, ": {source}"),
            None => Ok(()),
        }
    }
}

impl StdError for ConfigError {
    fn source(&self) -> Option<&(dyn StdError + 'static)> {
        self.source.as_deref().map(|source| source as _)
    }
}

impl From<ConfigError> for Error {
    fn from(error: ConfigError) -> Error {
        Error::Config(error)
    }
}
