//! Objects from files, in whichever form they are.

use std::path::Path;

use greenling_tls::Error;
use greenling_tls::crypto::{Cert, Crl, Csr, Encoding, PrivateKey};

use crate::failure::{Failure, Outcome};
use crate::files;
use crate::passphrase::{self, Source};

/// PEM, if a line begins a block; else DER.
pub(crate) fn encoding(content: &[u8]) -> Encoding {
    let mut lines = content.split(|byte| *byte == b'\n');
    match lines.any(|line| line.starts_with(b"-----BEGIN ")) {
        true => Encoding::Pem,
        false => Encoding::Der,
    }
}

fn decode<T>(path: &Path, decode: impl FnOnce(Encoding, &[u8]) -> Result<T, Error>) -> Outcome<T> {
    let content = files::read(path)?;
    decode(encoding(&content), &content).map_err(|error| Failure::about(path, &error))
}

/// The first certificate of a file.
pub(crate) fn cert(path: &Path) -> Outcome<Cert> {
    decode(path, Cert::decode)
}

/// All certificates of a file; there is at least one.
pub(crate) fn chain(path: &Path) -> Outcome<Vec<Cert>> {
    decode(path, |encoding, content| match encoding {
        Encoding::Der => Ok(vec![Cert::decode(encoding, content)?]),
        Encoding::Pem => Cert::chain_from_pem(content),
    })
}

/// A request.
pub(crate) fn csr(path: &Path) -> Outcome<Csr> {
    decode(path, Csr::decode)
}

/// A revocation list.
pub(crate) fn crl(path: &Path) -> Outcome<Crl> {
    decode(path, Crl::decode)
}

/// A private key; `option` is the one that has given the source of its passphrase.
pub(crate) fn key(path: &Path, source: Option<Source>, option: &str) -> Outcome<PrivateKey> {
    let content = zeroize::Zeroizing::new(files::read(path)?);
    PrivateKey::decode(encoding(&content), &content, passphrase::asked(source))
        .map_err(|error| Failure::locked(path, &error, option))
}
