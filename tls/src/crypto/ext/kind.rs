//! What an extension says: one variant per extension that is known here.

use super::usage::{purposes_to_der, read_purposes};
use super::{AuthorityKeyId, BasicConstraints, Ext, GeneralName, KeyPurpose, KeyUsage, Oid};
use crate::config_error::{ConfigError, ConfigErrorKind};
use crate::crypto::der::{self, Reader};
use crate::error::Error;

/// What an extension says, from [`Ext::kind`].
///
/// The other way round, `Ext::try_from` checks and encodes it.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum ExtKind {
    /// Names of the subject (RFC 5280, section 4.2.1.6).
    SubjectAltName(Vec<GeneralName>),
    /// Names of the issuer (section 4.2.1.7).
    IssuerAltName(Vec<GeneralName>),
    /// Whether the subject is an authority (section 4.2.1.9).
    BasicConstraints(BasicConstraints),
    /// What the key may be used for (section 4.2.1.3).
    KeyUsage(KeyUsage),
    /// What the certificate may be used for (section 4.2.1.12).
    ExtendedKeyUsage(Vec<KeyPurpose>),
    /// By what others know the subject's key (section 4.2.1.2).
    SubjectKeyId(Vec<u8>),
    /// Which key has signed (section 4.2.1.1).
    AuthorityKeyId(AuthorityKeyId),
    /// One of no known kind, or a damaged one: see [`Ext::value`].
    Raw,
}

const SUBJECT_KEY_ID: &[u8] = b"\x55\x1d\x0e";
const KEY_USAGE: &[u8] = b"\x55\x1d\x0f";
pub(super) const SUBJECT_ALT_NAME: &[u8] = b"\x55\x1d\x11";
const ISSUER_ALT_NAME: &[u8] = b"\x55\x1d\x12";
const BASIC_CONSTRAINTS: &[u8] = b"\x55\x1d\x13";
const AUTHORITY_KEY_ID: &[u8] = b"\x55\x1d\x23";
const EXTENDED_KEY_USAGE: &[u8] = b"\x55\x1d\x25";

impl ExtKind {
    pub(super) fn read(ext: &Ext) -> ExtKind {
        decode(ext.oid().content(), ext.value()).unwrap_or(ExtKind::Raw)
    }

    /// Refuses what must not stand in a certificate. What others have put there is read
    /// all the same.
    fn check(&self) -> Result<(), ConfigError> {
        match self {
            ExtKind::SubjectAltName(names) | ExtKind::IssuerAltName(names) => {
                not_empty(names, "names")?;
                names.iter().try_for_each(GeneralName::check)
            }
            ExtKind::BasicConstraints(constraints) => {
                if constraints.path_len.is_some() && !constraints.ca {
                    return Err(fault("has a length of paths for what is no authority"));
                }
                Ok(())
            }
            ExtKind::KeyUsage(usage) if usage.is_empty() => Err(fault("allows no use of the key")),
            ExtKind::ExtendedKeyUsage(purposes) => not_empty(purposes, "purposes"),
            ExtKind::SubjectKeyId(id) => not_empty(id, "octets"),
            ExtKind::AuthorityKeyId(id) => id.check(),
            ExtKind::Raw => Err(fault("has no value; make it with `Ext::raw`")),
            ExtKind::KeyUsage(_) => Ok(()),
        }
    }

    fn encode(&self) -> Result<(&'static [u8], Vec<u8>), Error> {
        Ok(match self {
            ExtKind::SubjectAltName(names) => (
                SUBJECT_ALT_NAME,
                GeneralName::all_to_der(der::SEQUENCE, names)?,
            ),
            ExtKind::IssuerAltName(names) => (
                ISSUER_ALT_NAME,
                GeneralName::all_to_der(der::SEQUENCE, names)?,
            ),
            ExtKind::BasicConstraints(constraints) => (BASIC_CONSTRAINTS, constraints.to_der()),
            ExtKind::KeyUsage(usage) => (KEY_USAGE, usage.to_der()),
            ExtKind::ExtendedKeyUsage(purposes) => (EXTENDED_KEY_USAGE, purposes_to_der(purposes)),
            ExtKind::SubjectKeyId(id) => (SUBJECT_KEY_ID, der::value(der::OCTET_STRING, id)),
            ExtKind::AuthorityKeyId(id) => (AUTHORITY_KEY_ID, id.to_der()?),
            ExtKind::Raw => return Err(fault("has no value").into()),
        })
    }

    /// What RFC 5280 says of it.
    fn is_critical(&self) -> bool {
        matches!(self, ExtKind::BasicConstraints(_) | ExtKind::KeyUsage(_))
    }
}

/// Checks and encodes it.
impl TryFrom<ExtKind> for Ext {
    type Error = Error;

    fn try_from(kind: ExtKind) -> Result<Ext, Error> {
        kind.check()?;
        let (oid, value) = kind.encode()?;
        Ext::raw(Oid::known(oid), kind.is_critical(), value)
    }
}

fn decode(oid: &[u8], value: &[u8]) -> Option<ExtKind> {
    Some(match oid {
        SUBJECT_ALT_NAME => ExtKind::SubjectAltName(names(value)?),
        ISSUER_ALT_NAME => ExtKind::IssuerAltName(names(value)?),
        BASIC_CONSTRAINTS => ExtKind::BasicConstraints(BasicConstraints::read(value)?),
        KEY_USAGE => ExtKind::KeyUsage(KeyUsage::read(value)?),
        EXTENDED_KEY_USAGE => ExtKind::ExtendedKeyUsage(read_purposes(value)?),
        SUBJECT_KEY_ID => {
            let mut reader = Reader::new(value);
            let id = reader.take(der::OCTET_STRING)?.to_vec();
            reader.end()?;
            ExtKind::SubjectKeyId(id)
        }
        AUTHORITY_KEY_ID => ExtKind::AuthorityKeyId(AuthorityKeyId::read(value)?),
        _ => return None,
    })
}

fn names(value: &[u8]) -> Option<Vec<GeneralName>> {
    Reader::only(value, der::SEQUENCE)?.all(GeneralName::read)
}

/// A list that may not be empty (RFC 5280: `SIZE (1..MAX)`).
pub(super) fn not_empty<T>(list: &[T], of: &str) -> Result<(), ConfigError> {
    if list.is_empty() {
        let what = format!("needs {of}: there is none");
        return Err(ConfigError::new(
            ConfigErrorKind::Missing,
            "extension",
            what,
        ));
    }
    Ok(())
}

pub(super) fn fault(detail: &str) -> ConfigError {
    ConfigError::new(ConfigErrorKind::BadValue, "extension", detail)
}
