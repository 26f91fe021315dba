//! The attributes that names are made of.

use std::borrow::Cow;
use std::str::FromStr;

use crate::config_error::{ConfigError, ConfigErrorKind};
use crate::crypto::ext::Oid;
use crate::error::Error;

/// An attribute of a [`Name`](super::Name), such as `commonName` (RFC 4519, RFC 5280,
/// appendix A).
///
/// Parses from its short or long name or from an object identifier in digits; the
/// names are those of OpenSSL.
///
/// # Scheduling
///
/// Never switches, except where a method says so.
///
/// # Examples
///
/// ```
/// use greenling_tls::crypto::Attr;
///
/// assert_eq!("CN".parse::<Attr>()?, Attr::CommonName);
/// assert_eq!("2.5.4.10".parse::<Attr>()?, Attr::Organization);
/// assert_eq!(Attr::StateOrProvince.long_name(), "stateOrProvinceName");
/// # Ok::<(), greenling_tls::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Attr {
    /// `CN`, at most 64 characters.
    #[doc(alias = "CN")]
    #[doc(alias = "NID_commonName")]
    CommonName,
    /// `C`: two letters (ISO 3166).
    #[doc(alias = "C")]
    #[doc(alias = "NID_countryName")]
    Country,
    /// `ST`.
    #[doc(alias = "ST")]
    #[doc(alias = "NID_stateOrProvinceName")]
    StateOrProvince,
    /// `L`.
    #[doc(alias = "L")]
    #[doc(alias = "NID_localityName")]
    Locality,
    /// `O`.
    #[doc(alias = "O")]
    #[doc(alias = "NID_organizationName")]
    Organization,
    /// `OU`.
    #[doc(alias = "OU")]
    #[doc(alias = "NID_organizationalUnitName")]
    OrganizationalUnit,
    /// `emailAddress`, in ASCII.
    #[doc(alias = "NID_pkcs9_emailAddress")]
    EmailAddress,
    /// `serialNumber`: a number of the person or device, not of the certificate.
    SerialNumber,
    /// `DC`: one label of a domain's name.
    #[doc(alias = "DC")]
    DomainComponent,
    /// `UID`.
    #[doc(alias = "UID")]
    UserId,
    /// `GN`.
    #[doc(alias = "GN")]
    GivenName,
    /// `SN`.
    #[doc(alias = "SN")]
    Surname,
    /// `initials`.
    Initials,
    /// `title`.
    Title,
    /// `pseudonym`.
    Pseudonym,
    /// `generationQualifier`, such as `Jr.`.
    GenerationQualifier,
    /// `dnQualifier`, which tells names apart that would be the same.
    DnQualifier,
    /// `name`.
    Name,
    /// `description`.
    Description,
    /// `street`.
    StreetAddress,
    /// `postalCode`.
    PostalCode,
    /// `businessCategory`.
    BusinessCategory,
    /// `organizationIdentifier` (ETSI EN 319 412-1).
    OrganizationIdentifier,
    /// Any other.
    Other(Oid),
}

struct Known {
    attr: Attr,
    short: &'static str,
    long: &'static str,
    /// The content of the object identifier in DER form.
    oid: &'static [u8],
}

const fn known(attr: Attr, short: &'static str, long: &'static str, oid: &'static [u8]) -> Known {
    Known {
        attr,
        short,
        long,
        oid,
    }
}

/// The names are those of OpenSSL's table of objects.
static KNOWN: [Known; 23] = [
    known(Attr::CommonName, "CN", "commonName", b"\x55\x04\x03"),
    known(Attr::Country, "C", "countryName", b"\x55\x04\x06"),
    known(
        Attr::StateOrProvince,
        "ST",
        "stateOrProvinceName",
        b"\x55\x04\x08",
    ),
    known(Attr::Locality, "L", "localityName", b"\x55\x04\x07"),
    known(Attr::Organization, "O", "organizationName", b"\x55\x04\x0a"),
    known(
        Attr::OrganizationalUnit,
        "OU",
        "organizationalUnitName",
        b"\x55\x04\x0b",
    ),
    known(
        Attr::EmailAddress,
        "emailAddress",
        "emailAddress",
        b"\x2a\x86\x48\x86\xf7\x0d\x01\x09\x01",
    ),
    known(
        Attr::SerialNumber,
        "serialNumber",
        "serialNumber",
        b"\x55\x04\x05",
    ),
    known(
        Attr::DomainComponent,
        "DC",
        "domainComponent",
        b"\x09\x92\x26\x89\x93\xf2\x2c\x64\x01\x19",
    ),
    known(
        Attr::UserId,
        "UID",
        "userId",
        b"\x09\x92\x26\x89\x93\xf2\x2c\x64\x01\x01",
    ),
    known(Attr::GivenName, "GN", "givenName", b"\x55\x04\x2a"),
    known(Attr::Surname, "SN", "surname", b"\x55\x04\x04"),
    known(Attr::Initials, "initials", "initials", b"\x55\x04\x2b"),
    known(Attr::Title, "title", "title", b"\x55\x04\x0c"),
    known(Attr::Pseudonym, "pseudonym", "pseudonym", b"\x55\x04\x41"),
    known(
        Attr::GenerationQualifier,
        "generationQualifier",
        "generationQualifier",
        b"\x55\x04\x2c",
    ),
    known(
        Attr::DnQualifier,
        "dnQualifier",
        "dnQualifier",
        b"\x55\x04\x2e",
    ),
    known(Attr::Name, "name", "name", b"\x55\x04\x29"),
    known(
        Attr::Description,
        "description",
        "description",
        b"\x55\x04\x0d",
    ),
    known(
        Attr::StreetAddress,
        "street",
        "streetAddress",
        b"\x55\x04\x09",
    ),
    known(
        Attr::PostalCode,
        "postalCode",
        "postalCode",
        b"\x55\x04\x11",
    ),
    known(
        Attr::BusinessCategory,
        "businessCategory",
        "businessCategory",
        b"\x55\x04\x0f",
    ),
    known(
        Attr::OrganizationIdentifier,
        "organizationIdentifier",
        "organizationIdentifier",
        b"\x55\x04\x61",
    ),
];

impl Attr {
    /// The short name, such as `CN`; of others the object identifier.
    #[doc(alias = "OBJ_nid2sn")]
    pub fn short_name(&self) -> Cow<'static, str> {
        self.name(|known| known.short)
    }

    /// The long name, such as `commonName`; of others the object identifier.
    #[doc(alias = "OBJ_nid2ln")]
    pub fn long_name(&self) -> Cow<'static, str> {
        self.name(|known| known.long)
    }

    fn name(&self, which: impl FnOnce(&Known) -> &'static str) -> Cow<'static, str> {
        match self {
            Attr::Other(oid) => Cow::Owned(oid.to_string()),
            attr => Cow::Borrowed(attr.known().map_or("", which)),
        }
    }

    /// The object identifier, such as `2.5.4.3`.
    #[doc(alias = "OBJ_nid2obj")]
    pub fn oid(&self) -> Oid {
        match (self, self.known()) {
            (Attr::Other(oid), _) => oid.clone(),
            (_, Some(known)) => Oid::known(known.oid),
            (_, None) => unreachable!("the table has all others"),
        }
    }

    fn known(&self) -> Option<&'static Known> {
        KNOWN.iter().find(|known| known.attr == *self)
    }
}

impl From<Oid> for Attr {
    fn from(oid: Oid) -> Attr {
        match KNOWN.iter().find(|known| known.oid == oid.content()) {
            Some(known) => known.attr.clone(),
            None => Attr::Other(oid),
        }
    }
}

/// From `CN`, `commonName` or `2.5.4.3`; upper and lower case are told apart.
impl FromStr for Attr {
    type Err = Error;

    fn from_str(text: &str) -> Result<Attr, Error> {
        let mut named = KNOWN.iter();
        if let Some(known) = named.find(|known| known.short == text || known.long == text) {
            return Ok(known.attr.clone());
        }
        let oid = Oid::by_name(text).or_else(|| text.parse().ok());
        let oid = oid.ok_or_else(|| {
            let shown: String = text.chars().take(64).collect();
            ConfigError::new(
                ConfigErrorKind::BadValue,
                format!("attribute {shown:?}"),
                "is neither a name that OpenSSL knows nor an object identifier",
            )
        })?;
        Ok(Attr::from(oid))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    #[cfg_attr(feature = "aws-lc", ignore = "AWS-LC knows fewer names")]
    fn names_and_numbers_are_those_of_openssl() {
        for known in &KNOWN {
            let oid = known.attr.oid();
            assert_eq!(oid.short_name().as_deref(), Some(known.short));
            assert_eq!(oid.long_name().as_deref(), Some(known.long));
            for text in [known.short, known.long, &oid.to_string()] {
                assert_eq!(text.parse::<Attr>().expect("an attribute"), known.attr);
            }
        }
    }
}
