//! Files with several lists.

use std::path::Path;

use openssl::x509::X509Crl;

use super::Crl;
use crate::config_error::{ConfigError, ConfigErrorKind};
use crate::crypto::call::{SIZE_MAX, call, check_size};
use crate::identity;

const BEGIN: &[u8] = b"-----BEGIN X509 CRL-----";

/// All lists of a PEM file.
pub(crate) fn read_file(path: &Path) -> Result<Vec<Crl>, ConfigError> {
    let pem = identity::read(path, SIZE_MAX, |_| Ok(()))?;
    read_pem(&path.display().to_string(), &pem)
}

/// The `openssl` crate reads one list only.
pub(crate) fn read_pem(subject: &str, pem: &[u8]) -> Result<Vec<Crl>, ConfigError> {
    let malformed = |detail| ConfigError::new(ConfigErrorKind::Malformed, subject, detail);
    check_size(subject, pem)?;
    let starts: Vec<usize> = pem
        .windows(BEGIN.len())
        .enumerate()
        .filter(|(_, window)| *window == BEGIN)
        .map(|(index, _)| index)
        .collect();
    if starts.is_empty() {
        return Err(malformed("holds no revocation list in PEM form"));
    }
    let ends = starts.iter().skip(1).copied().chain([pem.len()]);
    starts
        .iter()
        .zip(ends)
        .map(|(&start, end)| {
            call(|| X509Crl::from_pem(&pem[start..end]))
                .map(Crl::from)
                .map_err(|stack| malformed("holds a damaged revocation list").because_ssl(stack))
        })
        .collect()
}
