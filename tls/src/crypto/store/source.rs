//! Where trusted certificates come from.

use std::ffi::CString;
use std::path::{Path, PathBuf};

use openssl::x509::X509;
use openssl::x509::store::X509StoreBuilderRef;

use super::{TrustStore, sys};
use crate::config_error::{ConfigError, ConfigErrorKind};
use crate::crypto::cert::Cert;
use crate::error::Error;
use crate::identity;

/// Large enough for every public root of every store in one file.
const FILE_SIZE_MAX: usize = 16 << 20;

/// One place where trusted certificates come from.
#[derive(Clone)]
pub(crate) enum Source {
    System,
    File(PathBuf),
    Dir(PathBuf),
    Pem(Vec<u8>),
    Certificate(X509),
    /// Everything that another store has.
    Store(TrustStore),
}

impl Source {
    /// Whether the public authorities of the system are in it.
    pub(crate) fn is_public(&self) -> bool {
        match self {
            Source::System => true,
            Source::Store(store) => store.directories().any(Source::is_public),
            _ => false,
        }
    }

    /// What is searched when a chain needs it.
    pub(crate) fn paths(&self) -> Vec<&Path> {
        match self {
            Source::Dir(path) => vec![path],
            Source::Store(store) => store.directories().flat_map(Source::paths).collect(),
            _ => Vec::new(),
        }
    }
}

/// Adds the certificates of `sources` to a store and returns those that are known by
/// now; a directory is searched later, when a chain needs it.
pub(crate) fn load<'a>(
    sources: impl IntoIterator<Item = &'a Source>,
    store: &mut X509StoreBuilderRef,
) -> Result<Vec<X509>, ConfigError> {
    let mut anchors = Vec::new();
    for source in sources {
        match source {
            Source::System => load_system(store)?,
            Source::File(path) => anchors.extend(read_file(path)?),
            Source::Pem(pem) => anchors.extend(parse("trust anchors", pem)?),
            Source::Dir(path) => load_dir(path, store)?,
            Source::Certificate(certificate) => anchors.push(certificate.clone()),
            Source::Store(other) => {
                anchors.extend(other.anchors().iter().cloned());
                load(other.directories(), store)?;
            }
        }
    }
    for anchor in &anchors {
        store
            .add_cert(anchor.clone())
            .map_err(|stack| ConfigError::rejected("trust anchors", "cannot be stored", stack))?;
    }
    Ok(anchors)
}

/// All certificates of a PEM file.
pub(crate) fn read_file(path: &Path) -> Result<Vec<X509>, ConfigError> {
    let pem = identity::read(path, FILE_SIZE_MAX, |_| Ok(()))?;
    parse(&path.display().to_string(), &pem)
}

fn parse(subject: &str, pem: &[u8]) -> Result<Vec<X509>, ConfigError> {
    let certificates = Cert::chain_from_pem(pem).map_err(|error| {
        let kind = match &error {
            Error::Config(fault) => fault.kind(),
            _ => ConfigErrorKind::Malformed,
        };
        let detail = "holds no certificates in PEM form that can be read";
        ConfigError::new(kind, subject, detail).because(error)
    })?;
    Ok(certificates.into_iter().map(X509::from).collect())
}

/// OpenSSL ignores a directory that is missing or has no hashed names, and the
/// first connection then fails for want of an issuer; so look beforehand.
fn load_dir(path: &Path, store: &mut X509StoreBuilderRef) -> Result<(), ConfigError> {
    let subject = path.display().to_string();
    let entries = std::fs::read_dir(path).map_err(|e| ConfigError::unreadable(path, e))?;
    if !entries
        .filter_map(Result::ok)
        .any(|entry| is_hashed_name(&entry.file_name()))
    {
        return Err(ConfigError::new(
            ConfigErrorKind::Missing,
            subject,
            "holds no certificate under its hash; run `openssl rehash` on it",
        ));
    }
    let Some(text) = c_path(path) else {
        return Err(ConfigError::new(
            ConfigErrorKind::BadValue,
            subject,
            "OpenSSL takes only directories whose names are UTF-8 and have no colon",
        ));
    };
    sys::add_dir(store, &text)
        .map_err(|stack| ConfigError::rejected(subject, "cannot be used", stack))
}

/// A path as OpenSSL takes it: in a list of directories a colon separates two.
fn c_path(path: &Path) -> Option<CString> {
    let text = path.to_str().filter(|text| !text.contains(':'))?;
    CString::new(text).ok()
}

/// Eight hexadecimal digits, a dot and a number (`openssl-rehash(1)`).
fn is_hashed_name(name: &std::ffi::OsStr) -> bool {
    let name = name.as_encoded_bytes();
    let Some((hash, [b'.', number @ ..])) = name.split_at_checked(8) else {
        return false;
    };
    hash.iter().all(u8::is_ascii_hexdigit)
        && !number.is_empty()
        && number.iter().all(u8::is_ascii_digit)
}

#[cfg(not(any(feature = "vendored", feature = "aws-lc")))]
fn load_system(store: &mut X509StoreBuilderRef) -> Result<(), ConfigError> {
    store
        .set_default_paths()
        .map_err(|stack| ConfigError::rejected("system trust roots", "cannot be loaded", stack))
}

/// A vendored OpenSSL looks in the directory of its own build, which does not exist.
#[cfg(any(feature = "vendored", feature = "aws-lc"))]
fn load_system(store: &mut X509StoreBuilderRef) -> Result<(), ConfigError> {
    let found = openssl_probe::probe();
    let rejected = |stack| ConfigError::rejected("system trust roots", "cannot be loaded", stack);
    if let Some(file) = found.cert_file.as_deref().and_then(c_path) {
        sys::add_file(store, &file).map_err(rejected)?;
    }
    for directory in found.cert_dir.iter().filter_map(|path| c_path(path)) {
        sys::add_dir(store, &directory).map_err(rejected)?;
    }
    if found.cert_file.is_none() && found.cert_dir.is_empty() {
        log::warn!("no system trust roots found: every server certificate will be refused");
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hashed_names_are_recognised() {
        for (name, hashed) in [
            ("ce275665.0", true),
            ("CE275665.12", true),
            ("ce275665.r0", false),
            ("ce275665", false),
            ("ce275665.", false),
            ("ca.pem", false),
            ("ce27566x.0", false),
        ] {
            assert_eq!(is_hashed_name(name.as_ref()), hashed, "{name}");
        }
    }
}
