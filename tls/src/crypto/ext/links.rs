//! Where more about a certificate is found: revocation lists, OCSP responders, the
//! certificate of the issuer.

use super::kind::{fault, not_empty};
use super::{GeneralName, Oid};
use crate::config_error::ConfigError;
use crate::crypto::der::{self, Reader};

/// Where a revocation list is found (RFC 5280, section 4.2.1.13), for all reasons there
/// are to revoke.
#[doc(alias = "DIST_POINT")]
#[derive(Debug, Clone, PartialEq, Eq, Hash, Default)]
pub struct DistributionPoint {
    /// Names of the same list, mostly one URI.
    #[doc(alias = "fullName")]
    pub names: Vec<GeneralName>,
    /// Who signs it, unless it is the issuer of the certificate.
    #[doc(alias = "cRLIssuer")]
    pub issuer: Vec<GeneralName>,
}

/// One name, and signed by the issuer of the certificate.
impl From<GeneralName> for DistributionPoint {
    fn from(name: GeneralName) -> DistributionPoint {
        DistributionPoint {
            names: vec![name],
            issuer: Vec::new(),
        }
    }
}

const NAME: u8 = der::context_of_parts(0);
const FULL_NAME: u8 = der::context_of_parts(0);
const ISSUER: u8 = der::context_of_parts(2);

impl DistributionPoint {
    pub(super) fn check(&self) -> Result<(), ConfigError> {
        if self.names.is_empty() && self.issuer.is_empty() {
            return Err(fault("has a distribution point without a name"));
        }
        let mut all = self.names.iter().chain(&self.issuer);
        all.try_for_each(GeneralName::check)
    }

    pub(super) fn to_der(&self) -> Vec<u8> {
        let mut parts = Vec::new();
        if !self.names.is_empty() {
            let names = GeneralName::all_to_der(FULL_NAME, &self.names);
            parts.push(der::value(NAME, names));
        }
        if !self.issuer.is_empty() {
            parts.push(GeneralName::all_to_der(ISSUER, &self.issuer));
        }
        der::parts(der::SEQUENCE, parts)
    }

    pub(super) fn read(list: &mut Reader<'_>) -> Option<DistributionPoint> {
        let mut parts = list.sequence()?;
        let names = match parts.maybe(NAME)? {
            Some(content) => {
                let mut inside = Reader::new(content);
                let names = GeneralName::read_all(inside.take(FULL_NAME)?)?;
                inside.end()?;
                names
            }
            None => Vec::new(),
        };
        let issuer = match parts.maybe(ISSUER)? {
            Some(content) => GeneralName::read_all(content)?,
            None => Vec::new(),
        };
        parts.end()?;
        Some(DistributionPoint { names, issuer })
    }
}

/// What an [`AccessDescription`] leads to.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum AccessMethod {
    /// An OCSP responder.
    #[doc(alias = "OCSP")]
    Ocsp,
    /// The certificate of the issuer.
    #[doc(alias = "caIssuers")]
    CaIssuers,
    /// Something else.
    Other(Oid),
}

const OCSP: &[u8] = b"\x2b\x06\x01\x05\x05\x07\x30\x01";
const CA_ISSUERS: &[u8] = b"\x2b\x06\x01\x05\x05\x07\x30\x02";

/// Where a service for the certificate is found (RFC 5280, section 4.2.2.1).
#[doc(alias = "ACCESS_DESCRIPTION")]
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct AccessDescription {
    /// What is there.
    pub method: AccessMethod,
    /// Where it is, mostly a URI.
    pub location: GeneralName,
}

impl AccessDescription {
    pub(super) fn check(&self) -> Result<(), ConfigError> {
        self.location.check()
    }

    pub(super) fn to_der(&self) -> Vec<u8> {
        let method = match &self.method {
            AccessMethod::Ocsp => Oid::known(OCSP),
            AccessMethod::CaIssuers => Oid::known(CA_ISSUERS),
            AccessMethod::Other(oid) => oid.clone(),
        };
        der::parts(der::SEQUENCE, [method.to_der(), self.location.to_der()])
    }

    pub(super) fn read(list: &mut Reader<'_>) -> Option<AccessDescription> {
        let mut parts = list.sequence()?;
        let method = match parts.take(der::OID)? {
            OCSP => AccessMethod::Ocsp,
            CA_ISSUERS => AccessMethod::CaIssuers,
            other => AccessMethod::Other(Oid::from_content(other)?),
        };
        let location = GeneralName::read(&mut parts)?;
        parts.end()?;
        Some(AccessDescription { method, location })
    }
}

/// Checks each of a list that may not be empty.
pub(super) fn check_all<T>(
    list: &[T],
    of: &str,
    check: impl Fn(&T) -> Result<(), ConfigError>,
) -> Result<(), ConfigError> {
    not_empty(list, of)?;
    list.iter().try_for_each(check)
}
