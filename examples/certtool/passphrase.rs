//! Where passphrases come from: never from the command line, which every user of the
//! machine can read while the program runs.

use std::ffi::{OsStr, OsString};
use std::io::{self, Read};
use std::os::unix::ffi::OsStrExt;
use std::path::PathBuf;

use greenling_tls::crypto::{Passphrase, Protect};
use zeroize::Zeroizing;

use crate::failure::{Failure, Outcome};

/// More than any passphrase has.
const LENGTH_MAX: usize = 4096;

/// What `--help` says of options that take one.
pub(crate) const HELP: &str = "fd:N, file:PATH or env:NAME";

/// One of the places.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Source {
    /// The next line of an open file descriptor.
    Descriptor(u32),
    /// The first line of a file.
    File(PathBuf),
    /// An environment variable.
    Environment(OsString),
}

impl Source {
    /// What `option` was given. The text is not repeated in messages: somebody may have
    /// tried the passphrase itself.
    pub(crate) fn parse(option: &str, text: &OsStr) -> Outcome<Source> {
        let bytes = text.as_bytes();
        let after = |scheme: &str| bytes.strip_prefix(scheme.as_bytes()).map(OsStr::from_bytes);
        let source = if let Some(number) = after("fd:") {
            let number = number.to_str().and_then(|text| text.parse().ok());
            number.map(Source::Descriptor)
        } else if let Some(path) = after("file:") {
            Some(Source::File(path.into()))
        } else {
            after("env:").map(|name| Source::Environment(name.to_owned()))
        };
        source.ok_or_else(|| {
            Failure::Usage(format!(
                "{option}: takes {HELP}; a passphrase itself has no place on a command line"
            ))
        })
    }

    /// Reads it.
    pub(crate) fn read(&self) -> io::Result<Zeroizing<Vec<u8>>> {
        self.read_anonymous()
            .map_err(|error| io::Error::new(error.kind(), format!("{self}: {error}")))
    }

    fn read_anonymous(&self) -> io::Result<Zeroizing<Vec<u8>>> {
        match self {
            Source::Descriptor(number) => line(std::fs::File::open(format!("/dev/fd/{number}"))?),
            Source::File(path) => line(std::fs::File::open(path)?),
            Source::Environment(name) => match std::env::var_os(name) {
                Some(value) => Ok(Zeroizing::new(value.into_encoded_bytes())),
                None => Err(io::Error::other("there is no such environment variable")),
            },
        }
    }
}

impl std::fmt::Display for Source {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Source::Descriptor(number) => write!(f, "fd:{number}"),
            Source::File(path) => write!(f, "file:{}", path.display()),
            Source::Environment(name) => write!(f, "env:{}", name.display()),
        }
    }
}

/// One line without its end. Byte by byte, so that the next line is there for the next
/// who reads from the same pipe, and so that no buffer keeps a copy.
fn line(mut source: impl Read) -> io::Result<Zeroizing<Vec<u8>>> {
    let mut line = Zeroizing::new(Vec::with_capacity(LENGTH_MAX));
    let mut byte = [0];
    while source.read(&mut byte)? == 1 && byte[0] != b'\n' {
        if line.len() == LENGTH_MAX {
            return Err(io::Error::other(
                "has a first line that is too long for a passphrase",
            ));
        }
        line.push(byte[0]);
    }
    if line.last() == Some(&b'\r') {
        line.pop();
    }
    Ok(line)
}

/// The source of an option that may be missing.
pub(crate) fn source(option: &str, given: Option<&OsString>) -> Outcome<Option<Source>> {
    given.map(|text| Source::parse(option, text)).transpose()
}

/// For what may turn out to be encrypted.
pub(crate) fn asked(source: Option<Source>) -> Passphrase<'static> {
    match source {
        None => Passphrase::None,
        Some(source) => Passphrase::ask(move || source.read()),
    }
}

/// For what is to be encrypted.
pub(crate) fn obtain(source: &Source) -> Outcome<Zeroizing<Vec<u8>>> {
    let passphrase = source.read();
    let passphrase = passphrase.map_err(|error| Failure::Unusable(error.to_string()))?;
    if passphrase.is_empty() {
        return Err(Failure::Unusable(format!(
            "{source}: is empty, which protects nothing"
        )));
    }
    Ok(passphrase)
}

/// What a new key is encrypted with, if anything.
pub(crate) fn protect(source: Option<&Source>) -> Outcome<Option<Protect>> {
    let passphrase = source.map(obtain).transpose()?;
    Ok(passphrase.map(|passphrase| Protect::new(&*passphrase)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sources_are_told_apart_and_never_repeated() {
        let parse = |text: &str| Source::parse("--pass", OsStr::new(text));
        assert_eq!(parse("fd:3").unwrap(), Source::Descriptor(3));
        assert_eq!(parse("file:a:b").unwrap(), Source::File("a:b".into()));
        assert_eq!(parse("env:X").unwrap(), Source::Environment("X".into()));
        for bad in ["secret", "pass:secret", "fd:secret", "fd:-1", "fd:"] {
            let error = parse(bad).unwrap_err();
            assert_eq!(error.exit_code(), 2);
            assert!(!error.to_string().contains("secret"), "{error}");
        }
    }

    #[test]
    fn lines_are_read_one_by_one() {
        let mut text = &b"one\r\ntwo\n\nthree"[..];
        for expected in [&b"one"[..], b"two", b"", b"three", b""] {
            assert_eq!(*line(&mut text).unwrap(), expected);
        }
        assert!(line(&vec![b'a'; LENGTH_MAX + 1][..]).is_err());
    }
}
