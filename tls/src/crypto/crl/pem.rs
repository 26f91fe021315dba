//! Lists in PEM form, of which a file may hold several.
//!
//! They are taken out of the file here. OpenSSL's reader would ask on the terminal for
//! the passphrase of a block that claims to be encrypted.

use std::path::Path;

use openssl::x509::X509Crl;

use super::{Crl, KIND};
use crate::config_error::{ConfigError, ConfigErrorKind};
use crate::crypto::call::SIZE_MAX;
use crate::crypto::encoding::Encoding;
use crate::crypto::object::Kind;
use crate::crypto::pem::{Block, blocks};
use crate::identity;

/// All lists of a PEM file.
pub(crate) fn read_file(path: &Path) -> Result<Vec<Crl>, ConfigError> {
    let text = identity::read(path, SIZE_MAX, |_| Ok(()))?;
    read_all(&path.display().to_string(), &text)
}

/// All lists of a text in PEM form, of which there must be one at least.
pub(crate) fn read_all(subject: &str, text: &[u8]) -> Result<Vec<Crl>, ConfigError> {
    let kind = Kind { subject, ..KIND };
    kind.check_form(Encoding::Pem, text)?;
    lists(&kind, text)
        .map(|block| read_block(&kind, &block))
        .collect()
}

pub(super) fn read_first(text: &[u8]) -> Result<Crl, ConfigError> {
    KIND.check_form(Encoding::Pem, text)?;
    let first = lists(&KIND, text).next();
    read_block(&KIND, &first.expect("checked to be there"))
}

pub(super) fn read_der(kind: &Kind<'_>, der: &[u8]) -> Result<Crl, ConfigError> {
    let list = kind.decode(Encoding::Der, der, X509Crl::from_pem, X509Crl::from_der)?;
    Ok(list.into())
}

fn lists<'a>(kind: &Kind<'_>, text: &'a [u8]) -> impl Iterator<Item = Block<'a>> {
    let labels = kind.labels;
    blocks(text).filter(|block| labels.contains(&block.label))
}

fn read_block(kind: &Kind<'_>, block: &Block<'_>) -> Result<Crl, ConfigError> {
    let der = block.der().map_err(|stack| {
        ConfigError::new(ConfigErrorKind::Malformed, kind.subject, "is damaged").because_ssl(stack)
    })?;
    read_der(kind, &der)
}
