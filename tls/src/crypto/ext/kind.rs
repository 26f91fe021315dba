//! What an extension says: one variant per extension that is known here.

use super::links::check_all;
use super::usage::{purposes_to_der, read_purposes};
use super::{
    AccessDescription, AuthorityKeyId, BasicConstraints, DistributionPoint, Ext, GeneralName,
    KeyPurpose, KeyUsage, NameConstraints, Oid, Policy,
};
use crate::config_error::{ConfigError, ConfigErrorKind};
use crate::crypto::der::{self, Reader};
use crate::crypto::serial::Serial;
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
    /// The names that an authority may put into certificates (section 4.2.1.10).
    NameConstraints(NameConstraints),
    /// Where revocation lists are found (section 4.2.1.13).
    CrlDistributionPoints(Vec<DistributionPoint>),
    /// Where services for the certificate are found (section 4.2.2.1).
    AuthorityInfoAccess(Vec<AccessDescription>),
    /// Under which policies it was issued (section 4.2.1.4).
    CertificatePolicies(Vec<Policy>),
    /// The TLS extensions that a server with this certificate must answer (RFC 7633).
    TlsFeature(Vec<u16>),
    /// The number of a revocation list (RFC 5280, section 5.2.3).
    CrlNumber(Serial),
    /// One of no known kind, or a damaged one: see [`Ext::value`].
    Raw,
}

pub(super) const SUBJECT_KEY_ID: &[u8] = b"\x55\x1d\x0e";
const KEY_USAGE: &[u8] = b"\x55\x1d\x0f";
const SUBJECT_ALT_NAME: &[u8] = b"\x55\x1d\x11";
const ISSUER_ALT_NAME: &[u8] = b"\x55\x1d\x12";
const BASIC_CONSTRAINTS: &[u8] = b"\x55\x1d\x13";
const AUTHORITY_KEY_ID: &[u8] = b"\x55\x1d\x23";
const EXTENDED_KEY_USAGE: &[u8] = b"\x55\x1d\x25";
const CRL_NUMBER: &[u8] = b"\x55\x1d\x14";
const NAME_CONSTRAINTS: &[u8] = b"\x55\x1d\x1e";
const CRL_DISTRIBUTION_POINTS: &[u8] = b"\x55\x1d\x1f";
const CERTIFICATE_POLICIES: &[u8] = b"\x55\x1d\x20";
const AUTHORITY_INFO_ACCESS: &[u8] = b"\x2b\x06\x01\x05\x05\x07\x01\x01";
pub(super) const TLS_FEATURE: &[u8] = b"\x2b\x06\x01\x05\x05\x07\x01\x18";

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
            ExtKind::NameConstraints(constraints) => constraints.check(),
            ExtKind::CrlDistributionPoints(points) => {
                check_all(points, "distribution points", DistributionPoint::check)
            }
            ExtKind::AuthorityInfoAccess(places) => {
                check_all(places, "services", AccessDescription::check)
            }
            ExtKind::CertificatePolicies(policies) => {
                check_all(policies, "policies", Policy::check)
            }
            ExtKind::TlsFeature(features) => not_empty(features, "features"),
            ExtKind::CrlNumber(number) if number.is_negative() => {
                Err(fault("has a negative number"))
            }
            ExtKind::Raw => Err(fault("has no value; make it with `Ext::raw`")),
            ExtKind::KeyUsage(_) | ExtKind::CrlNumber(_) => Ok(()),
        }
    }

    /// The identifier and the value.
    fn encode(&self) -> Option<(&'static [u8], Vec<u8>)> {
        let list = |parts: Vec<Vec<u8>>| der::parts(der::SEQUENCE, parts);
        Some(match self {
            ExtKind::SubjectAltName(names) => (
                SUBJECT_ALT_NAME,
                GeneralName::all_to_der(der::SEQUENCE, names),
            ),
            ExtKind::IssuerAltName(names) => (
                ISSUER_ALT_NAME,
                GeneralName::all_to_der(der::SEQUENCE, names),
            ),
            ExtKind::BasicConstraints(constraints) => (BASIC_CONSTRAINTS, constraints.to_der()),
            ExtKind::KeyUsage(usage) => (KEY_USAGE, usage.to_der()),
            ExtKind::ExtendedKeyUsage(purposes) => (EXTENDED_KEY_USAGE, purposes_to_der(purposes)),
            ExtKind::SubjectKeyId(id) => (SUBJECT_KEY_ID, der::value(der::OCTET_STRING, id)),
            ExtKind::AuthorityKeyId(id) => (AUTHORITY_KEY_ID, id.to_der()),
            ExtKind::NameConstraints(constraints) => (NAME_CONSTRAINTS, constraints.to_der()),
            ExtKind::CrlDistributionPoints(points) => (
                CRL_DISTRIBUTION_POINTS,
                list(points.iter().map(DistributionPoint::to_der).collect()),
            ),
            ExtKind::AuthorityInfoAccess(places) => (
                AUTHORITY_INFO_ACCESS,
                list(places.iter().map(AccessDescription::to_der).collect()),
            ),
            ExtKind::CertificatePolicies(policies) => (
                CERTIFICATE_POLICIES,
                list(policies.iter().map(Policy::to_der).collect()),
            ),
            ExtKind::TlsFeature(features) => {
                let number = |feature: &u16| der::integer(&feature.to_be_bytes());
                (TLS_FEATURE, list(features.iter().map(number).collect()))
            }
            ExtKind::CrlNumber(number) => (CRL_NUMBER, der::integer(number.as_bytes())),
            ExtKind::Raw => return None,
        })
    }

    /// What RFC 5280 says of it.
    fn is_critical(&self) -> bool {
        matches!(
            self,
            ExtKind::BasicConstraints(_) | ExtKind::KeyUsage(_) | ExtKind::NameConstraints(_)
        )
    }
}

/// Checks and encodes it.
impl TryFrom<ExtKind> for Ext {
    type Error = Error;

    fn try_from(kind: ExtKind) -> Result<Ext, Error> {
        kind.check()?;
        let (oid, value) = kind.encode().ok_or_else(|| fault("has no value"))?;
        Ext::raw(Oid::known(oid), kind.is_critical(), value)
    }
}

fn decode(oid: &[u8], value: &[u8]) -> Option<ExtKind> {
    Some(match oid {
        SUBJECT_ALT_NAME => ExtKind::SubjectAltName(list(value, GeneralName::read)?),
        ISSUER_ALT_NAME => ExtKind::IssuerAltName(list(value, GeneralName::read)?),
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
        NAME_CONSTRAINTS => ExtKind::NameConstraints(NameConstraints::read(value)?),
        CRL_DISTRIBUTION_POINTS => {
            ExtKind::CrlDistributionPoints(list(value, DistributionPoint::read)?)
        }
        AUTHORITY_INFO_ACCESS => {
            ExtKind::AuthorityInfoAccess(list(value, AccessDescription::read)?)
        }
        CERTIFICATE_POLICIES => ExtKind::CertificatePolicies(list(value, Policy::read)?),
        TLS_FEATURE => ExtKind::TlsFeature(list(value, |reader| {
            u16::try_from(der::unsigned(reader.take(der::INTEGER)?)?).ok()
        })?),
        CRL_NUMBER => {
            let mut reader = Reader::new(value);
            let number = der::magnitude(reader.take(der::INTEGER)?)?;
            reader.end()?;
            ExtKind::CrlNumber(Serial::from_bytes(number))
        }
        _ => return None,
    })
}

/// All of a list, each read by `one`.
fn list<T>(value: &[u8], one: impl Fn(&mut Reader<'_>) -> Option<T>) -> Option<Vec<T>> {
    Reader::only(value, der::SEQUENCE)?.all(one)
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
