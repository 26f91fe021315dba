//! Lists of revoked certificates (RFC 5280, section 5).

mod builder;
mod pem;
mod reason;
#[allow(unsafe_code, reason = "calls on X509_CRL that the openssl crate lacks")]
mod sys;

use std::fmt;
use std::sync::Arc;

use openssl::error::ErrorStack;
use openssl::x509::{CrlNumber, CrlStatus, ReasonCode, X509Crl, X509CrlRef, X509RevokedRef};

pub use builder::CrlBuilder;
pub(crate) use pem::{read_all, read_file};
pub use reason::RevokedReason;

use super::call::call;
use super::cert::Cert;
use super::digest::Digest;
use super::encoding::Encoding;
use super::key::PublicKey;
use super::name::Name;
use super::object::Kind;
use super::serial::Serial;
use super::time::Timestamp;
use crate::config_error::{ConfigError, ConfigErrorKind};
use crate::error::Error;
#[cfg(feature = "aws-lc")]
use crate::ssl::missing::Asn1EnumeratedRefExt;

const KIND: Kind<'_> = Kind {
    subject: "revocation list",
    labels: &["X509 CRL"],
};

/// A list of revoked certificates (RFC 5280, section 5).
///
/// Cheap to clone: a counted reference to what never changes.
///
/// # Scheduling
///
/// Never switches, except where a method says so.
///
/// # Examples
///
/// ```
/// use std::time::Duration;
///
/// use greenling_tls::crypto::{Crl, Digest, RevokedReason, TestCa, Timestamp};
///
/// let ca = TestCa::new("my tests")?;
/// let stolen = ca.issue(&["example.com"])?.certificate();
/// let now = Timestamp::now();
/// let list = Crl::builder()
///     .issued_by(ca.root())
///     .next_update(now + Duration::from_secs(7 * 24 * 3600))
///     .revoke(stolen.serial(), now, Some(RevokedReason::KeyCompromise))
///     .sign(ca.key(), Digest::Sha256)?;
/// let entry = list.find(&stolen)?.expect("revoked");
/// assert_eq!(entry.reason, Some(RevokedReason::KeyCompromise));
/// # Ok::<(), greenling_tls::Error>(())
/// ```
#[doc(alias = "CRL")]
#[doc(alias = "X509_CRL")]
#[derive(Clone)]
pub struct Crl(Arc<X509Crl>);

/// A certificate that is in a list of revoked ones.
///
/// # Scheduling
///
/// Never switches.
#[doc(alias = "X509_REVOKED")]
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub struct Revoked {
    /// The certificate's serial number.
    #[doc(alias = "get_serial")]
    pub serial: Serial,
    /// Since when it is revoked.
    #[doc(alias = "get_rev_date")]
    pub date: Timestamp,
    /// Why, when the list says so in a way that is known.
    #[doc(alias = "get_reason")]
    pub reason: Option<RevokedReason>,
}

impl Crl {
    /// Begins a new list.
    #[doc(alias = "X509_CRL_new")]
    pub fn builder() -> CrlBuilder {
        CrlBuilder::default()
    }

    /// Reads one from its PEM or DER form. In PEM form text and other objects
    /// before it are skipped; in DER form nothing may follow it.
    ///
    /// # Errors
    ///
    /// [`Error::Config`] of kind `WrongObject`, `Malformed` or `TooLarge`.
    #[doc(alias = "load_crl")]
    #[doc(alias = "d2i_X509_CRL")]
    #[doc(alias = "PEM_read_bio_X509_CRL")]
    pub fn decode(encoding: Encoding, bytes: &[u8]) -> Result<Crl, Error> {
        match encoding {
            Encoding::Pem => Ok(pem::read_first(bytes)?),
            Encoding::Der => Ok(pem::read_der(&KIND, bytes)?),
        }
    }

    /// Reads all lists of a PEM text; there must be one at least.
    ///
    /// # Errors
    ///
    /// As [`decode`](Crl::decode).
    pub fn list_from_pem(text: &[u8]) -> Result<Vec<Crl>, Error> {
        Ok(pem::read_all(KIND.subject, text)?)
    }

    /// Writes it in PEM or DER form.
    ///
    /// # Errors
    ///
    /// [`Error::Ssl`] when OpenSSL is out of memory.
    #[doc(alias = "dump_crl")]
    #[doc(alias = "CRL.export")]
    #[doc(alias = "i2d_X509_CRL")]
    pub fn encode(&self, encoding: Encoding) -> Result<Vec<u8>, Error> {
        Ok(call(|| match encoding {
            Encoding::Pem => self.0.to_pem(),
            Encoding::Der => self.0.to_der(),
        })?)
    }

    /// What it says, for people: the text of `openssl crl -text`.
    ///
    /// # Errors
    ///
    /// [`Error::Ssl`] when OpenSSL is out of memory.
    #[doc(alias = "X509_CRL_print")]
    pub fn to_text(&self) -> Result<String, Error> {
        let text = call(|| sys::text(&*self.copy()?))?;
        Ok(String::from_utf8_lossy(&text).into_owned())
    }

    /// Who has issued it.
    #[doc(alias = "get_issuer")]
    #[doc(alias = "X509_CRL_get_issuer")]
    pub fn issuer(&self) -> Name {
        Name::copy_of(self.0.issuer_name())
    }

    /// The version, counted from 0: lists of today have 1.
    #[doc(alias = "X509_CRL_get_version")]
    pub fn version(&self) -> i32 {
        sys::version(&self.0)
    }

    /// Since when it is in force.
    ///
    /// # Errors
    ///
    /// [`Error::Config`] when it is damaged there.
    #[doc(alias = "X509_CRL_get0_lastUpdate")]
    #[doc(alias = "thisUpdate")]
    pub fn last_update(&self) -> Result<Timestamp, Error> {
        Timestamp::from_asn1(self.0.last_update()).map_err(bad_time)
    }

    /// When there will be another one, and this one is out of force.
    ///
    /// # Errors
    ///
    /// [`Error::Config`] when it is damaged there.
    #[doc(alias = "X509_CRL_get0_nextUpdate")]
    pub fn next_update(&self) -> Result<Option<Timestamp>, Error> {
        let time = self.0.next_update();
        time.map(|time| Timestamp::from_asn1(time).map_err(bad_time))
            .transpose()
    }

    /// Its number among those of its issuer (RFC 5280, section 5.2.3), unless it has
    /// none or a damaged one.
    #[doc(alias = "crlNumber")]
    pub fn number(&self) -> Option<Serial> {
        let found = call(|| self.0.extension::<CrlNumber>()).ok()?;
        found.map(|(_, number)| Serial::from_asn1(&number))
    }

    /// All entries, in the order of the list.
    ///
    /// # Errors
    ///
    /// [`Error::Config`] when an entry is damaged.
    #[doc(alias = "get_revoked")]
    #[doc(alias = "X509_CRL_get_REVOKED")]
    pub fn revoked(&self) -> Result<Vec<Revoked>, Error> {
        let copy = call(|| self.copy())?;
        let entries = copy.get_revoked().into_iter().flatten();
        entries.map(Revoked::read).collect()
    }

    /// The entry of `certificate`, when this list says that it is revoked.
    ///
    /// Looks at issuer and serial number only: neither at the signature of the list nor
    /// at whether it is in force. A [`TrustStore`](super::TrustStore) does.
    ///
    /// # Errors
    ///
    /// [`Error::Config`] when the entry is damaged.
    #[doc(alias = "X509_CRL_get0_by_cert")]
    pub fn find(&self, certificate: &Cert) -> Result<Option<Revoked>, Error> {
        let certificate = certificate.as_x509().to_owned();
        self.entry(self.0.get_by_cert(&certificate))
    }

    /// The entry with this serial number, when the list says that it is revoked.
    ///
    /// # Errors
    ///
    /// [`Error::Config`] when the entry is damaged, or for a number of more than 64 KiB.
    #[doc(alias = "X509_CRL_get0_by_serial")]
    pub fn find_serial(&self, serial: &Serial) -> Result<Option<Revoked>, Error> {
        let serial = serial.to_asn1()?;
        self.entry(self.0.get_by_serial(&serial))
    }

    fn entry(&self, status: CrlStatus<'_>) -> Result<Option<Revoked>, Error> {
        match status {
            CrlStatus::Revoked(entry) => Revoked::read(entry).map(Some),
            CrlStatus::NotRevoked | CrlStatus::RemoveFromCrl(_) => Ok(None),
        }
    }

    /// Whether the owner of `key` has signed it. Says nothing about whether the owner
    /// may.
    ///
    /// # Errors
    ///
    /// [`Error::Config`] of kind `BadSignature`.
    #[doc(alias = "X509_CRL_verify")]
    pub fn verify_signature(&self, key: &PublicKey) -> Result<(), Error> {
        let fault = ConfigError::new(
            ConfigErrorKind::BadSignature,
            KIND.subject,
            "is not signed by this key",
        );
        match call(|| self.0.verify(key.as_pkey())) {
            Ok(true) => Ok(()),
            Ok(false) => Err(fault.into()),
            Err(stack) => Err(fault.because_ssl(stack).into()),
        }
    }

    /// The digest of its DER form.
    ///
    /// # Errors
    ///
    /// [`Error::Ssl`] when this build of OpenSSL lacks the digest.
    #[doc(alias = "X509_CRL_digest")]
    pub fn fingerprint(&self, digest: Digest) -> Result<Vec<u8>, Error> {
        let der = self.encode(Encoding::Der)?;
        Ok(call(|| openssl::hash::hash(digest.openssl(), &der))?.to_vec())
    }

    /// The same as a type of the crate `openssl`.
    pub fn as_x509_crl(&self) -> &X509CrlRef {
        &self.0
    }

    /// One that nobody else has. The first lookup sorts the entries, so these are not
    /// walked over in one that others may look into; and a fresh one has the order of
    /// the list.
    fn copy(&self) -> Result<X509Crl, ErrorStack> {
        X509Crl::from_der(&self.0.to_der()?)
    }
}

impl Revoked {
    fn read(entry: &X509RevokedRef) -> Result<Revoked, Error> {
        // What is damaged gives no reason, but revokes all the same.
        let reason = call(|| entry.extension::<ReasonCode>()).ok().flatten();
        let number = reason.and_then(|(_, number)| number.get_i64().ok());
        Ok(Revoked {
            serial: Serial::from_asn1(entry.serial_number()),
            date: Timestamp::from_asn1(entry.revocation_date()).map_err(bad_time)?,
            reason: number.and_then(RevokedReason::from_number),
        })
    }
}

fn bad_time(stack: ErrorStack) -> Error {
    ConfigError::new(ConfigErrorKind::Malformed, KIND.subject, "has a bad time")
        .because_ssl(stack)
        .into()
}

impl From<X509Crl> for Crl {
    fn from(inner: X509Crl) -> Crl {
        // Sorts the entries, as the first lookup does, while nobody else has it.
        if let Ok(any) = call(|| openssl::asn1::Asn1Integer::from_bn(&*openssl::bn::BigNum::new()?))
        {
            inner.get_by_serial(&any);
        }
        Crl(Arc::new(inner))
    }
}

/// By their DER form.
impl PartialEq for Crl {
    fn eq(&self, other: &Crl) -> bool {
        Arc::ptr_eq(&self.0, &other.0)
            || matches!(
                (self.encode(Encoding::Der), other.encode(Encoding::Der)),
                (Ok(one), Ok(other)) if one == other
            )
    }
}

impl Eq for Crl {}

impl fmt::Debug for Crl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Crl")
            .field("issuer", &self.issuer())
            .field("number", &self.number())
            .finish_non_exhaustive()
    }
}
