//! Where trust anchors come from: the roots of the chains that a context accepts.

use std::path::{Path, PathBuf};

use openssl::ssl::SslContextBuilder;
use openssl::x509::X509;

use crate::config_error::{ConfigError, ConfigErrorKind};
use crate::identity;

/// Large enough for every public root of every store in one file.
const FILE_SIZE_MAX: usize = 16 << 20;

/// One place where trust anchors come from.
pub(super) enum TrustSource {
    System,
    File(PathBuf),
    Dir(PathBuf),
    Pem(Vec<u8>),
}

/// Adds the anchors of `sources` to the context's store and returns those that
/// are known by now; a directory is searched later, when a chain needs it.
pub(super) fn load(
    sources: &[TrustSource],
    context: &mut SslContextBuilder,
) -> Result<Vec<X509>, ConfigError> {
    let mut anchors = Vec::new();
    for source in sources {
        match source {
            TrustSource::System => load_system(context)?,
            TrustSource::File(path) => anchors.extend(read_file(path)?),
            TrustSource::Pem(pem) => anchors.extend(parse("trust anchors", pem)?),
            TrustSource::Dir(path) => load_dir(path, context)?,
        }
    }
    for anchor in &anchors {
        context
            .cert_store_mut()
            .add_cert(anchor.clone())
            .map_err(|stack| ConfigError::rejected("trust anchors", "cannot be stored", stack))?;
    }
    Ok(anchors)
}

/// All certificates of a PEM file.
pub(super) fn read_file(path: &Path) -> Result<Vec<X509>, ConfigError> {
    let pem = identity::read(path, FILE_SIZE_MAX, |_| Ok(()))?;
    parse(&path.display().to_string(), &pem)
}

fn parse(subject: &str, pem: &[u8]) -> Result<Vec<X509>, ConfigError> {
    let malformed = |detail| ConfigError::new(ConfigErrorKind::Malformed, subject, detail);
    let certificates = X509::stack_from_pem(pem)
        .map_err(|stack| malformed("holds a damaged certificate").because_ssl(stack))?;
    if certificates.is_empty() {
        return Err(malformed("holds no certificate in PEM form"));
    }
    Ok(certificates)
}

/// OpenSSL ignores a directory that is missing or has no hashed names, and the
/// first connection then fails for want of an issuer; so look beforehand.
fn load_dir(path: &Path, context: &mut SslContextBuilder) -> Result<(), ConfigError> {
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
    if path.to_str().is_none_or(|text| text.contains([':', '\0'])) {
        return Err(ConfigError::new(
            ConfigErrorKind::BadValue,
            subject,
            "OpenSSL takes only directories whose names are UTF-8 and have no colon",
        ));
    }
    context
        .load_verify_locations(None, Some(path))
        .map_err(|stack| ConfigError::rejected(subject, "cannot be used", stack))
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
fn load_system(context: &mut SslContextBuilder) -> Result<(), ConfigError> {
    context
        .set_default_verify_paths()
        .map_err(|stack| ConfigError::rejected("system trust roots", "cannot be loaded", stack))
}

/// A vendored OpenSSL looks in the directory of its own build, which does not exist.
#[cfg(any(feature = "vendored", feature = "aws-lc"))]
fn load_system(context: &mut SslContextBuilder) -> Result<(), ConfigError> {
    let found = openssl_probe::probe();
    let rejected = |stack| ConfigError::rejected("system trust roots", "cannot be loaded", stack);
    let usable = |path: &&PathBuf| path.to_str().is_some_and(|text| !text.contains('\0'));
    if let Some(file) = found.cert_file.as_ref().filter(usable) {
        context
            .load_verify_locations(Some(file), None)
            .map_err(rejected)?;
    }
    for directory in found.cert_dir.iter().filter(usable) {
        context
            .load_verify_locations(None, Some(directory))
            .map_err(rejected)?;
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
