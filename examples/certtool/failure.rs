//! Why the program ends without having done what it was asked, and its exit code.

use std::fmt;
use std::path::Path;

use greenling_tls::{ConfigErrorKind, Error};

/// What a step has, or why it has nothing.
pub(crate) type Outcome<T> = Result<T, Failure>;

/// Why the program ends early.
#[derive(Debug)]
pub(crate) enum Failure {
    /// The question was understood, and the answer is no.
    No(String),
    /// The command line asks for what cannot be.
    Usage(String),
    /// Something cannot be read, used or written.
    Unusable(String),
}

impl Failure {
    /// As `--help` documents it.
    pub(crate) fn exit_code(&self) -> u8 {
        match self {
            Failure::No(_) => 1,
            Failure::Usage(_) => 2,
            Failure::Unusable(_) => 3,
        }
    }

    /// Something about the file at `path`.
    pub(crate) fn file(path: &Path, what: impl fmt::Display) -> Failure {
        Failure::Unusable(format!("{}: {what}", path.display()))
    }

    /// What the library says of the file at `path`; `option` would have given the
    /// passphrase for it.
    pub(crate) fn locked(path: &Path, error: &Error, option: &str) -> Failure {
        match error {
            Error::Config(fault) if fault.kind() == ConfigErrorKind::EncryptedKey => Failure::file(
                path,
                format!("is encrypted: {option} says where the passphrase is"),
            ),
            _ => Failure::about(path, error),
        }
    }

    /// What the library says of the file at `path`.
    pub(crate) fn about(path: &Path, error: &Error) -> Failure {
        Failure::file(path, plain(error))
    }
}

/// An error's text without the word that tells the library's kinds of errors apart.
pub(crate) fn plain(error: &Error) -> String {
    match error {
        Error::Config(fault) => fault.to_string(),
        _ => error.to_string(),
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Failure::No(text) | Failure::Usage(text) | Failure::Unusable(text) => f.write_str(text),
        }
    }
}

/// What the library refuses to make of what the command line asks for.
impl From<Error> for Failure {
    fn from(error: Error) -> Failure {
        Failure::Unusable(plain(&error))
    }
}
