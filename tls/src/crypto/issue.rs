//! Certificates with a key of their own, for development and tests: what they say, and
//! who signs them.

use std::ops::Range;
use std::time::Duration;

use super::cert::Cert;
use super::digest::Digest;
use super::ext::{BasicConstraints, Ext, GeneralName, KeyPurpose, KeyUsage};
use super::key::{Curve, KeyAlg, PrivateKey};
use super::name::{Attr, Name};
use super::time::Timestamp;
use crate::config_error::{ConfigError, ConfigErrorKind};
use crate::error::Error;

/// From yesterday and for 365 days in all, in days from now.
const VALID_DAYS: Range<i64> = -1..364;

/// What a certificate is good for.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Server,
    Client,
    Authority,
}

/// Who signs.
pub(super) enum Issuer<'a> {
    Itself,
    Authority(&'a Cert, &'a PrivateKey),
}

/// A certificate to be made.
pub(super) struct Request {
    kind: Kind,
    common_name: String,
    names: Vec<GeneralName>,
    valid_days: Range<i64>,
}

impl Request {
    /// For a server or client that goes by `names`.
    pub(super) fn new(kind: Kind, names: &[&str]) -> Result<Request, Error> {
        let names = names
            .iter()
            .map(|name| parse(name))
            .collect::<Result<Vec<_>, _>>()?;
        if names.is_empty() {
            let detail = "needs at least one name";
            return Err(ConfigError::new(ConfigErrorKind::Missing, "certificate", detail).into());
        }
        // The subject is for people; peers look at the names only.
        Ok(Request {
            kind,
            common_name: "Greenling local certificate".to_owned(),
            names,
            valid_days: VALID_DAYS,
        })
    }

    /// For an authority.
    pub(super) fn authority(common_name: &str) -> Request {
        Request {
            kind: Kind::Authority,
            common_name: common_name.to_owned(),
            names: Vec::new(),
            valid_days: VALID_DAYS,
        }
    }

    /// Valid from and until so many days from now.
    #[cfg(test)]
    pub(super) fn valid_days(mut self, days: Range<i64>) -> Request {
        self.valid_days = days;
        self
    }

    /// Makes the key and the certificate.
    pub(super) fn issue(&self, issuer: Issuer<'_>) -> Result<(Cert, PrivateKey), Error> {
        let key = PrivateKey::generate(KeyAlg::Ec(Curve::P256))?;
        let public = key.public_key();
        let subject = Name::builder().add(Attr::CommonName, &self.common_name);
        let mut builder = Cert::builder()
            .subject(subject.build()?)
            .public_key(&public)
            .not_before(days_from_now(self.valid_days.start))
            .not_after(days_from_now(self.valid_days.end))
            .exts(self.usage()?)
            .ext(Ext::subject_key_id(&public)?);
        if !self.names.is_empty() {
            builder = builder.ext(Ext::subject_alt_name(self.names.clone())?);
        }
        let certificate = match issuer {
            Issuer::Itself => builder.sign(&key, Digest::Sha256)?,
            Issuer::Authority(above, signer) => {
                builder.issued_by(above).sign(signer, Digest::Sha256)?
            }
        };
        Ok((certificate, key))
    }

    fn usage(&self) -> Result<Vec<Ext>, Error> {
        let purpose = match self.kind {
            Kind::Server => KeyPurpose::ServerAuth,
            Kind::Client => KeyPurpose::ClientAuth,
            Kind::Authority => {
                return Ok(vec![
                    Ext::basic_constraints(BasicConstraints::AUTHORITY)?,
                    Ext::key_usage(KeyUsage::KEY_CERT_SIGN | KeyUsage::CRL_SIGN)?,
                ]);
            }
        };
        Ok(vec![
            Ext::basic_constraints(BasicConstraints::LEAF)?,
            Ext::key_usage(KeyUsage::DIGITAL_SIGNATURE)?,
            Ext::extended_key_usage([purpose])?,
        ])
    }
}

/// Hosts and addresses only: mailboxes and URIs are not what a TLS peer is found by.
fn parse(name: &str) -> Result<GeneralName, Error> {
    match GeneralName::parse(name)? {
        name @ (GeneralName::Dns(_) | GeneralName::Ip(_)) => Ok(name),
        _ => Err(ConfigError::new(
            ConfigErrorKind::ServerName,
            format!("{name:?}"),
            "is neither a DNS name nor an IP address",
        )
        .into()),
    }
}

fn days_from_now(days: i64) -> Timestamp {
    let distance = Duration::from_secs(days.unsigned_abs() * 24 * 3600);
    match days {
        0.. => Timestamp::now() + distance,
        _ => Timestamp::now() - distance,
    }
}
