//! Under which policies a certificate was issued.

use super::Oid;
use super::check::uri_fault;
use super::general_name::{ia5, shown};
use crate::config_error::{ConfigError, ConfigErrorKind};
use crate::crypto::der::{self, Item, Reader};

/// A policy that a certificate was issued under (RFC 5280, section 4.2.1.4).
#[doc(alias = "POLICYINFO")]
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Policy {
    /// Which policy.
    pub id: Oid,
    /// URIs of the statement of practice.
    #[doc(alias = "CPS")]
    pub practices: Vec<String>,
    /// Texts to be shown to whoever relies on the certificate.
    #[doc(alias = "userNotice")]
    #[doc(alias = "explicitText")]
    pub notices: Vec<String>,
}

impl From<Oid> for Policy {
    fn from(id: Oid) -> Policy {
        Policy {
            id,
            practices: Vec::new(),
            notices: Vec::new(),
        }
    }
}

const PRACTICE: &[u8] = b"\x2b\x06\x01\x05\x05\x07\x02\x01";
const NOTICE: &[u8] = b"\x2b\x06\x01\x05\x05\x07\x02\x02";

const UTF8_STRING: u8 = 0x0c;
const IA5_STRING: u8 = 0x16;
const VISIBLE_STRING: u8 = 0x1a;

/// The characters that a text may have.
const NOTICE_MAX: usize = 200;

impl Policy {
    pub(super) fn check(&self) -> Result<(), ConfigError> {
        for uri in &self.practices {
            if let Some(fault) = uri_fault(uri) {
                let kind = ConfigErrorKind::BadValue;
                return Err(ConfigError::new(kind, shown(uri), fault));
            }
        }
        for text in &self.notices {
            let is_plain = !text.chars().any(char::is_control);
            if !is_plain || !(1..=NOTICE_MAX).contains(&text.chars().count()) {
                let what = format!("is not a text of 1 to {NOTICE_MAX} characters");
                let kind = ConfigErrorKind::BadValue;
                return Err(ConfigError::new(kind, shown(text), what));
            }
        }
        Ok(())
    }

    pub(super) fn to_der(&self) -> Vec<u8> {
        let qualifier = |kind: &'static [u8], value: Vec<u8>| {
            der::parts(der::SEQUENCE, [Oid::known(kind).to_der(), value])
        };
        let practices = self
            .practices
            .iter()
            .map(|uri| qualifier(PRACTICE, der::value(IA5_STRING, uri)));
        let notices = self.notices.iter().map(|text| {
            let text = der::value(UTF8_STRING, text);
            qualifier(NOTICE, der::value(der::SEQUENCE, text))
        });
        let qualifiers: Vec<_> = practices.chain(notices).collect();
        let mut parts = vec![self.id.to_der()];
        if !qualifiers.is_empty() {
            parts.push(der::parts(der::SEQUENCE, qualifiers));
        }
        der::parts(der::SEQUENCE, parts)
    }

    pub(super) fn read(list: &mut Reader<'_>) -> Option<Policy> {
        let mut parts = list.sequence()?;
        let mut policy = Policy::from(Oid::from_content(parts.take(der::OID)?)?);
        if let Some(content) = parts.maybe(der::SEQUENCE)? {
            let mut qualifiers = Reader::new(content);
            while !qualifiers.is_empty() {
                policy.read_qualifier(qualifiers.sequence()?)?;
            }
        }
        parts.end()?;
        Some(policy)
    }

    fn read_qualifier(&mut self, mut parts: Reader<'_>) -> Option<()> {
        let kind = parts.take(der::OID)?;
        let value = parts.next()?;
        parts.end()?;
        match (kind, value.tag) {
            (PRACTICE, IA5_STRING) => self.practices.push(ia5(value.content)?),
            (NOTICE, der::SEQUENCE) => {
                let mut inside = Reader::new(value.content);
                self.notices.push(text(&inside.next()?)?);
                inside.end()?;
            }
            _ => return None,
        }
        Some(())
    }
}

fn text(item: &Item<'_>) -> Option<String> {
    match item.tag {
        UTF8_STRING => str::from_utf8(item.content).ok().map(str::to_owned),
        IA5_STRING | VISIBLE_STRING => ia5(item.content),
        _ => None,
    }
}
