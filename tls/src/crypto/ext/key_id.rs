//! By what keys are known: subjectKeyIdentifier and authorityKeyIdentifier.

use openssl::pkey::{HasPublic, PKeyRef};
use openssl::sha::sha1;
use openssl::x509::X509Ref;

use super::GeneralName;
use super::kind::{fault, not_empty};
use crate::config_error::ConfigError;
use crate::crypto::call::call;
use crate::crypto::der::{self, Reader};
use crate::crypto::serial::Serial;
use crate::error::Error;

/// Which key of which authority has signed (RFC 5280, section 4.2.1.1): by the digest
/// of the key, or by issuer and serial number of the certificate that holds it.
#[doc(alias = "AUTHORITY_KEYID")]
#[derive(Debug, Clone, PartialEq, Eq, Hash, Default)]
pub struct AuthorityKeyId {
    /// What the subjectKeyIdentifier of the authority's certificate says.
    #[doc(alias = "keyid")]
    pub key_id: Option<Vec<u8>>,
    /// Who has issued the authority's certificate.
    pub issuer: Vec<GeneralName>,
    /// The serial number of the authority's certificate.
    pub serial: Option<Serial>,
}

const KEY_ID: u8 = der::context(0);
const ISSUER: u8 = der::context_of_parts(1);
const SERIAL: u8 = der::context(2);

impl AuthorityKeyId {
    pub(super) fn check(&self) -> Result<(), ConfigError> {
        if self.issuer.is_empty() != self.serial.is_none() {
            return Err(fault("needs issuer and serial number together"));
        }
        if let Some(id) = &self.key_id {
            not_empty(id, "octets")?;
        }
        if self.serial.as_ref().is_some_and(Serial::is_negative) {
            return Err(fault("has a negative serial number"));
        }
        self.issuer.iter().try_for_each(GeneralName::check)
    }

    pub(super) fn to_der(&self) -> Vec<u8> {
        let mut parts = Vec::new();
        if let Some(id) = &self.key_id {
            parts.push(der::value(KEY_ID, id));
        }
        if !self.issuer.is_empty() {
            parts.push(GeneralName::all_to_der(ISSUER, &self.issuer));
        }
        if let Some(serial) = &self.serial {
            parts.push(der::value(SERIAL, der::integer_content(serial.as_bytes())));
        }
        der::parts(der::SEQUENCE, parts)
    }

    pub(super) fn read(bytes: &[u8]) -> Option<AuthorityKeyId> {
        let mut parts = Reader::only(bytes, der::SEQUENCE)?;
        let key_id = parts.maybe(KEY_ID)?.map(<[u8]>::to_vec);
        let issuer = match parts.maybe(ISSUER)? {
            Some(content) => GeneralName::read_all(content)?,
            None => Vec::new(),
        };
        let serial = match parts.maybe(SERIAL)? {
            Some(content) => Some(Serial::from_bytes(der::magnitude(content)?)),
            None => None,
        };
        parts.end()?;
        Some(AuthorityKeyId {
            key_id,
            issuer,
            serial,
        })
    }
}

/// The SHA-1 digest of the bits of a key, without the algorithm before them.
pub(super) fn of_key(key: &PKeyRef<impl HasPublic>) -> Result<Vec<u8>, Error> {
    let der = call(|| key.public_key_to_der())?;
    let bits = || {
        let mut parts = Reader::only(&der, der::SEQUENCE)?;
        parts.take(der::SEQUENCE)?;
        let bits = parts.take(der::BIT_STRING)?;
        parts.end()?;
        // The first octet counts the bits that are not used.
        bits.split_first().map(|(_, octets)| sha1(octets).to_vec())
    };
    bits().ok_or_else(|| super::malformed("is about a key that has no bits").into())
}

pub(super) fn of_issuer(issuer: &X509Ref) -> Result<AuthorityKeyId, Error> {
    let known = call(|| {
        Ok(issuer
            .subject_key_id()
            .map(|id| id.as_slice().to_vec())
            .filter(|id| !id.is_empty()))
    })?;
    let key_id = match known {
        Some(id) => id,
        None => {
            let key = call(|| issuer.public_key())?;
            of_key(&key)?
        }
    };
    Ok(AuthorityKeyId {
        key_id: Some(key_id),
        ..AuthorityKeyId::default()
    })
}
