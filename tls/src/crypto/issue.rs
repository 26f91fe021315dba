//! One certificate: its fields, and who signs it.

use std::net::IpAddr;
use std::ops::Range;

use openssl::asn1::{Asn1Integer, Asn1Time};
use openssl::bn::{BigNum, MsbOption};
use openssl::error::ErrorStack;
use openssl::hash::MessageDigest;
use openssl::nid::Nid;
use openssl::pkey::{PKey, PKeyRef, Private};
use openssl::x509::extension::{
    AuthorityKeyIdentifier, BasicConstraints, ExtendedKeyUsage, KeyUsage, SubjectAlternativeName,
    SubjectKeyIdentifier,
};
use openssl::x509::{X509, X509Builder, X509Name, X509NameRef, X509Ref};

use super::call::call;
use super::cert::Cert;
use super::key::PrivateKey;
use crate::config_error::{ConfigError, ConfigErrorKind};
use crate::error::Error;

/// Random bits of a serial number: RFC 5280 allows 20 octets, and the sign takes one bit.
const SERIAL_BITS: i32 = 159;

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
    names: Vec<Name>,
    valid_days: Range<i64>,
}

enum Name {
    Dns(String),
    Ip(IpAddr),
}

impl Request {
    /// For a server or client that goes by `names`.
    pub(super) fn new(kind: Kind, names: &[&str]) -> Result<Request, ConfigError> {
        let names = names
            .iter()
            .map(|name| parse(name))
            .collect::<Result<Vec<_>, _>>()?;
        if names.is_empty() {
            return Err(ConfigError::new(
                ConfigErrorKind::Missing,
                "certificate",
                "needs at least one name",
            ));
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
        Ok(call(|| self.generate(issuer))?)
    }

    fn generate(&self, issuer: Issuer<'_>) -> Result<(Cert, PrivateKey), ErrorStack> {
        let key = p256()?;
        let subject = self.subject()?;
        let certificate = match issuer {
            Issuer::Itself => self.sign(&key, &subject, &subject, &key, None)?,
            Issuer::Authority(above, signer) => {
                let above = above.as_x509();
                self.sign(
                    &key,
                    &subject,
                    above.subject_name(),
                    signer.as_pkey(),
                    Some(above),
                )?
            }
        };
        Ok((certificate.into(), key.into()))
    }

    fn sign(
        &self,
        key: &PKeyRef<Private>,
        subject: &X509NameRef,
        issuer: &X509NameRef,
        signer: &PKeyRef<Private>,
        above: Option<&X509Ref>,
    ) -> Result<X509, ErrorStack> {
        let mut builder = X509::builder()?;
        builder.set_version(2)?; // counts from 0, so this is version 3
        builder.set_serial_number(&*serial()?)?;
        builder.set_subject_name(subject)?;
        builder.set_issuer_name(issuer)?;
        builder.set_pubkey(key)?;
        builder.set_not_before(&*days_from_now(self.valid_days.start)?)?;
        builder.set_not_after(&*days_from_now(self.valid_days.end)?)?;
        self.add_usage(&mut builder)?;
        let subject_key = {
            let context = builder.x509v3_context(above, None);
            SubjectKeyIdentifier::new().build(&context)?
        };
        builder.append_extension2(&subject_key)?;
        if above.is_some() {
            let authority_key = {
                let context = builder.x509v3_context(above, None);
                AuthorityKeyIdentifier::new().keyid(true).build(&context)?
            };
            builder.append_extension2(&authority_key)?;
        }
        if !self.names.is_empty() {
            let names = {
                let context = builder.x509v3_context(above, None);
                self.alternative_name().build(&context)?
            };
            builder.append_extension2(&names)?;
        }
        builder.sign(signer, MessageDigest::sha256())?;
        Ok(builder.build())
    }

    fn add_usage(&self, builder: &mut X509Builder) -> Result<(), ErrorStack> {
        let mut constraints = BasicConstraints::new();
        constraints.critical();
        let mut usage = KeyUsage::new();
        usage.critical();
        if self.kind == Kind::Authority {
            constraints.ca();
            usage.key_cert_sign().crl_sign();
        } else {
            usage.digital_signature();
        }
        builder.append_extension2(&*constraints.build()?)?;
        builder.append_extension2(&*usage.build()?)?;
        let mut purpose = ExtendedKeyUsage::new();
        match self.kind {
            Kind::Server => purpose.server_auth(),
            Kind::Client => purpose.client_auth(),
            Kind::Authority => return Ok(()),
        };
        builder.append_extension2(&*purpose.build()?)
    }

    fn subject(&self) -> Result<X509Name, ErrorStack> {
        let mut name = X509Name::builder()?;
        name.append_entry_by_nid(Nid::COMMONNAME, &self.common_name)?;
        Ok(name.build())
    }

    fn alternative_name(&self) -> SubjectAlternativeName {
        let mut extension = SubjectAlternativeName::new();
        for name in &self.names {
            match name {
                Name::Dns(name) => extension.dns(name),
                Name::Ip(ip) => extension.ip(&ip.to_string()),
            };
        }
        extension
    }
}

/// Names go through OpenSSL's text form for extensions, in which commas and
/// colons have a meaning, so only plain ones may pass.
fn parse(name: &str) -> Result<Name, ConfigError> {
    if let Ok(ip) = name.parse() {
        return Ok(Name::Ip(ip));
    }
    let host = name.strip_prefix("*.").unwrap_or(name);
    let plain = |b: u8| b.is_ascii_alphanumeric() || b == b'-' || b == b'_';
    let valid = host.len() <= 253
        && host
            .split('.')
            .all(|label| (1..=63).contains(&label.len()) && label.bytes().all(plain));
    if !valid {
        return Err(ConfigError::new(
            ConfigErrorKind::ServerName,
            format!("{name:?}"),
            "is neither a DNS name nor an IP address",
        ));
    }
    Ok(Name::Dns(name.to_owned()))
}

fn serial() -> Result<Asn1Integer, ErrorStack> {
    let mut serial = BigNum::new()?;
    serial.rand(SERIAL_BITS, MsbOption::MAYBE_ZERO, false)?;
    serial.to_asn1_integer()
}

fn days_from_now(days: i64) -> Result<Asn1Time, ErrorStack> {
    let now = std::time::SystemTime::now()
        .duration_since(std::time::UNIX_EPOCH)
        .map_or(0, |since| {
            i64::try_from(since.as_secs()).unwrap_or(i64::MAX / 2)
        });
    Asn1Time::from_unix(now + days * 24 * 3600)
}

#[cfg(not(feature = "aws-lc"))]
pub(crate) fn p256() -> Result<PKey<Private>, ErrorStack> {
    PKey::ec_gen("P-256")
}

#[cfg(feature = "aws-lc")]
pub(crate) fn p256() -> Result<PKey<Private>, ErrorStack> {
    use openssl::ec::{EcGroup, EcKey};
    let group = EcGroup::from_curve_name(openssl::nid::Nid::X9_62_PRIME256V1)?;
    PKey::from_ec_key(EcKey::generate(&group)?)
}
