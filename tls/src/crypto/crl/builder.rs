//! Making lists.

use openssl::asn1::{Asn1Integer, Asn1Time};
use openssl::error::ErrorStack;
use openssl::hash::MessageDigest;
use openssl::x509::{X509Crl, X509CrlBuilder, X509Extension, X509RevokedBuilder};

use super::{Crl, KIND, RevokedReason, sys};
use crate::config_error::{ConfigError, ConfigErrorKind};
use crate::crypto::call::call;
use crate::crypto::cert::Cert;
use crate::crypto::der;
use crate::crypto::digest::Digest;
use crate::crypto::ext::{AuthorityKeyId, Ext, ExtKind, Oid};
use crate::crypto::key::PrivateKey;
use crate::crypto::name::Name;
use crate::crypto::serial::Serial;
use crate::crypto::time::Timestamp;
use crate::error::Error;

/// `id-ce-cRLNumber`, `id-ce-cRLReasons` (RFC 5280, appendix A.2).
const CRL_NUMBER: &[u8] = b"\x55\x1d\x14";
const REASON: &[u8] = b"\x55\x1d\x15";

/// The tag of an ENUMERATED, which a reason is.
const ENUMERATED: u8 = 0x0a;

/// RFC 5280, section 5.2.3.
const NUMBER_OCTETS_MAX: usize = 20;

/// Makes a [`Crl`] of version 2.
///
/// An issuer and the time of the next list must be given. What makes no sense is found
/// by [`CrlBuilder::sign`].
///
/// # Scheduling
///
/// Never switches, except where a method says so.
#[doc(alias = "CRL")]
#[derive(Debug, Clone, Default)]
#[must_use = "a builder does nothing until `sign`"]
pub struct CrlBuilder {
    issuer: Option<Issuer>,
    last_update: Option<Timestamp>,
    next_update: Option<Timestamp>,
    number: Option<Serial>,
    entries: Vec<(Serial, Timestamp, Option<RevokedReason>)>,
    exts: Vec<Ext>,
}

#[derive(Debug, Clone)]
enum Issuer {
    Named(Name),
    Known(Cert),
}

impl CrlBuilder {
    /// Who issues it: the name and, as authorityKeyIdentifier, which of their keys it is.
    pub fn issued_by(mut self, issuer: &Cert) -> CrlBuilder {
        self.issuer = Some(Issuer::Known(issuer.clone()));
        self
    }

    /// The name of who issues it. [`CrlBuilder::issued_by`] is better, if there is a
    /// certificate of theirs.
    #[doc(alias = "set_issuer")]
    #[doc(alias = "X509_CRL_set_issuer_name")]
    pub fn issuer(mut self, name: Name) -> CrlBuilder {
        self.issuer = Some(Issuer::Named(name));
        self
    }

    /// Since when it is in force. Default: now.
    #[doc(alias = "set_lastUpdate")]
    #[doc(alias = "X509_CRL_set1_lastUpdate")]
    pub fn last_update(mut self, time: Timestamp) -> CrlBuilder {
        self.last_update = Some(time);
        self
    }

    /// When there will be another one at the latest, and this one is out of force.
    #[doc(alias = "set_nextUpdate")]
    #[doc(alias = "X509_CRL_set1_nextUpdate")]
    pub fn next_update(mut self, time: Timestamp) -> CrlBuilder {
        self.next_update = Some(time);
        self
    }

    /// Its number; the next list must have a higher one (RFC 5280, section 5.2.3).
    /// Default: the seconds from 1970 to [`last_update`](CrlBuilder::last_update).
    #[doc(alias = "crlNumber")]
    pub fn number(mut self, number: Serial) -> CrlBuilder {
        self.number = Some(number);
        self
    }

    /// Revokes the certificate with this serial number.
    #[doc(alias = "add_revoked")]
    #[doc(alias = "set_serial")]
    #[doc(alias = "set_rev_date")]
    #[doc(alias = "set_reason")]
    #[doc(alias = "X509_CRL_add0_revoked")]
    pub fn revoke(
        mut self,
        serial: Serial,
        date: Timestamp,
        reason: Option<RevokedReason>,
    ) -> CrlBuilder {
        self.entries.push((serial, date, reason));
        self
    }

    /// An extension of the list. It takes the place of one of the same kind.
    #[doc(alias = "X509_CRL_add_ext")]
    pub fn ext(mut self, ext: Ext) -> CrlBuilder {
        self.exts.retain(|known| known.oid() != ext.oid());
        self.exts.push(ext);
        self
    }

    /// Signs it. Keys that bring their own digest, such as Ed25519, ignore `digest`.
    ///
    /// # Errors
    ///
    /// [`Error::Config`] of the kind
    /// - [`Missing`](ConfigErrorKind::Missing) without an issuer or a time of the next
    ///   list;
    /// - [`BadValue`](ConfigErrorKind::BadValue) for a next list that is not after this
    ///   one, an issuer without a name, a number that is negative or longer than 20
    ///   octets, and a serial number that is listed twice;
    /// - [`KeyMismatch`](ConfigErrorKind::KeyMismatch) when `key` is not the issuer's;
    /// - [`Rejected`](ConfigErrorKind::Rejected) for MD5 and SHA-1, unless the feature
    ///   `legacy` is on.
    ///
    /// [`Error::Unsupported`] for keys that do not sign.
    #[doc(alias = "CRL.sign")]
    #[doc(alias = "X509_CRL_sign")]
    pub fn sign(self, key: &PrivateKey, digest: Digest) -> Result<Crl, Error> {
        let digest = digest.for_signing(key)?;
        self.check_entries()?;
        let missing = |what: &str| fault(ConfigErrorKind::Missing, what);
        let last_update = self.last_update.unwrap_or_else(Timestamp::now);
        let next_update = self
            .next_update
            .ok_or_else(|| missing("needs a time of the next list"))?;
        if next_update <= last_update {
            let detail = format!("begins at {last_update}, and the next one at {next_update}");
            return Err(fault(ConfigErrorKind::BadValue, detail).into());
        }
        let issuer = self.issuer.ok_or_else(|| missing("needs an issuer"))?;
        let (issuer, which_key) = issuer.identify(key)?;
        if issuer.is_empty() {
            return Err(fault(ConfigErrorKind::BadValue, "has an issuer without a name").into());
        }
        let mut exts = vec![which_key, number(self.number, last_update)?];
        for ext in self.exts {
            exts.retain(|known| known.oid() != ext.oid());
            exts.push(ext);
        }
        let parts = Parts {
            issuer,
            last_update: last_update.to_asn1()?,
            next_update: next_update.to_asn1()?,
            entries: self
                .entries
                .into_iter()
                .map(|(serial, date, reason)| Entry::new(&serial, date, reason))
                .collect::<Result<_, _>>()?,
            exts: exts.iter().map(Ext::to_openssl).collect::<Result<_, _>>()?,
        };
        Ok(call(|| parts.sign(key, digest))?.into())
    }

    /// A certificate is revoked once, and for one reason.
    fn check_entries(&self) -> Result<(), ConfigError> {
        let mut serials: Vec<&Serial> = self.entries.iter().map(|(serial, _, _)| serial).collect();
        serials.sort_unstable();
        match serials.windows(2).find(|pair| pair[0] == pair[1]) {
            Some(pair) => {
                let detail = format!("has the serial number {} twice", pair[0]);
                Err(fault(ConfigErrorKind::BadValue, detail))
            }
            None => Ok(()),
        }
    }
}

impl Issuer {
    /// The name, and by what others know `key`, which must be the issuer's.
    fn identify(self, key: &PrivateKey) -> Result<(Name, Ext), Error> {
        match self {
            Issuer::Known(issuer) => {
                let expected = issuer.public_key()?;
                if key.public_key() != expected {
                    let detail = "is to be signed by its issuer, but with another key";
                    return Err(fault(ConfigErrorKind::KeyMismatch, detail).into());
                }
                Ok((issuer.subject(), Ext::authority_key_id(&issuer)?))
            }
            Issuer::Named(name) => {
                let ExtKind::SubjectKeyId(id) = Ext::subject_key_id(&key.public_key())?.kind()
                else {
                    unreachable!("made as such");
                };
                let which = AuthorityKeyId {
                    key_id: Some(id),
                    ..AuthorityKeyId::default()
                };
                Ok((name, ExtKind::AuthorityKeyId(which).try_into()?))
            }
        }
    }
}

fn number(number: Option<Serial>, last_update: Timestamp) -> Result<Ext, Error> {
    let seconds = u64::try_from(last_update.as_unix()).unwrap_or(0);
    let number = number.unwrap_or_else(|| Serial::from(seconds));
    let value = der::integer(number.as_bytes());
    let octets = value.len() - 2; // without tag and length, as long as that is one octet
    if number.is_negative() || octets > NUMBER_OCTETS_MAX {
        let detail = "has a number that is negative or longer than 20 octets";
        return Err(fault(ConfigErrorKind::BadValue, detail).into());
    }
    Ext::raw(Oid::known(CRL_NUMBER), false, value)
}

/// One entry in OpenSSL's form.
struct Entry {
    serial: Asn1Integer,
    date: Asn1Time,
    reason: Option<X509Extension>,
}

impl Entry {
    fn new(
        serial: &Serial,
        date: Timestamp,
        reason: Option<RevokedReason>,
    ) -> Result<Entry, Error> {
        let reason = reason.map(|reason| {
            let value = der::value(ENUMERATED, [reason.number() as u8]);
            Ext::raw(Oid::known(REASON), false, value)?.to_openssl()
        });
        Ok(Entry {
            serial: serial.to_asn1()?,
            date: date.to_asn1()?,
            reason: reason.transpose()?,
        })
    }
}

/// All fields in OpenSSL's form.
struct Parts {
    issuer: Name,
    last_update: Asn1Time,
    next_update: Asn1Time,
    entries: Vec<Entry>,
    exts: Vec<X509Extension>,
}

impl Parts {
    fn sign(self, key: &PrivateKey, digest: Option<MessageDigest>) -> Result<X509Crl, ErrorStack> {
        let mut builder = X509CrlBuilder::new()?;
        builder.set_issuer_name(self.issuer.as_x509_name())?;
        builder.set_last_update(&self.last_update)?;
        builder.set_next_update(&self.next_update)?;
        for entry in &self.entries {
            let mut revoked = X509RevokedBuilder::new()?;
            revoked.set_serial_number(&entry.serial)?;
            revoked.set_revocation_date(&entry.date)?;
            let mut revoked = revoked.build();
            if let Some(reason) = &entry.reason {
                sys::add_extension(&mut revoked, reason)?;
            }
            builder.add_revoked(revoked)?;
        }
        for ext in &self.exts {
            builder.append_extension2(ext)?;
        }
        // Keys with a digest of their own want the empty one.
        builder.sign(key.as_pkey(), digest.unwrap_or_else(MessageDigest::null))?;
        // OpenSSL reads the extensions only when it decodes a list.
        X509Crl::from_der(&builder.build()?.to_der()?)
    }
}

fn fault(kind: ConfigErrorKind, detail: impl Into<String>) -> ConfigError {
    ConfigError::new(kind, KIND.subject, detail)
}
