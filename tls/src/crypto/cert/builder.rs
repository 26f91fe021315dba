//! Making certificates.

use std::time::Duration;

use openssl::asn1::{Asn1Integer, Asn1Time};
use openssl::error::ErrorStack;
use openssl::hash::MessageDigest;
use openssl::x509::{X509, X509Extension};

use super::{Cert, KIND};
use crate::config_error::{ConfigError, ConfigErrorKind};
use crate::crypto::call::call;
use crate::crypto::csr::Csr;
use crate::crypto::digest::Digest;
use crate::crypto::ext::{Ext, ExtKind, Oid};
use crate::crypto::key::{PrivateKey, PublicKey};
use crate::crypto::name::Name;
use crate::crypto::serial::Serial;
use crate::crypto::time::Timestamp;
use crate::error::Error;

/// Version 3, counted from 0: the only one with extensions.
const VERSION_3: i32 = 2;

/// Makes a [`Cert`].
///
/// A subject and the time in which it is valid must be given. It gets version 3 and a
/// random serial number, unless it is told otherwise, and is signed by its own key,
/// unless there is an issuer. What makes no sense is found by [`CertBuilder::sign`].
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
/// use greenling_tls::crypto::{Cert, Digest, Ext, GeneralName, TestCa, Timestamp};
/// use greenling_tls::crypto::{Curve, KeyAlg, PrivateKey};
///
/// let ca = TestCa::new("example")?;
/// let key = PrivateKey::generate(KeyAlg::Ec(Curve::P256))?;
/// let cert = Cert::builder()
///     .subject("/O=Example/CN=www".parse()?)
///     .public_key(&key.public_key())
///     .valid_for(Timestamp::now(), Duration::from_secs(90 * 24 * 3600))
///     .ext(Ext::subject_alt_name([GeneralName::parse("www.example.com")?])?)
///     .issued_by(ca.root())
///     .sign(ca.key(), Digest::Sha256)?;
/// assert!(cert.matches_host("www.example.com"));
/// # Ok::<(), greenling_tls::Error>(())
/// ```
#[doc(alias = "X509")]
#[derive(Debug, Clone)]
#[must_use = "a builder does nothing until `sign`"]
pub struct CertBuilder {
    version: i32,
    serial: Option<Serial>,
    subject: Option<Name>,
    issuer: Issuer,
    not_before: Option<Timestamp>,
    not_after: Option<Timestamp>,
    key: Option<PublicKey>,
    exts: Vec<Ext>,
}

/// Who signs.
#[derive(Debug, Clone)]
enum Issuer {
    Itself,
    Named(Name),
    Above(Cert),
}

impl Cert {
    /// Starts a new certificate.
    #[doc(alias = "X509_new")]
    pub fn builder() -> CertBuilder {
        CertBuilder {
            version: VERSION_3,
            serial: None,
            subject: None,
            issuer: Issuer::Itself,
            not_before: None,
            not_after: None,
            key: None,
            exts: Vec::new(),
        }
    }

    /// Starts from a copy of all that this certificate says, the serial number and the
    /// issuer's name too; only the signature is missing.
    ///
    /// # Errors
    ///
    /// [`Error::Config`] when its public key cannot be read.
    #[doc(alias = "X509_dup")]
    pub fn edit(&self) -> Result<CertBuilder, Error> {
        Ok(CertBuilder {
            version: self.version(),
            serial: Some(self.serial()),
            subject: Some(self.subject()),
            issuer: Issuer::Named(self.issuer()),
            // A time that cannot be read has to be given anew.
            not_before: Timestamp::from_asn1(self.0.not_before()).ok(),
            not_after: Timestamp::from_asn1(self.0.not_after()).ok(),
            key: Some(self.public_key()?),
            exts: self.extensions()?,
        })
    }
}

impl CertBuilder {
    /// Whom it is about.
    #[doc(alias = "set_subject")]
    #[doc(alias = "X509_set_subject_name")]
    pub fn subject(mut self, name: Name) -> CertBuilder {
        self.subject = Some(name);
        self
    }

    /// The name of who signs it. [`CertBuilder::issued_by`] is better, if there is a
    /// certificate of theirs.
    #[doc(alias = "set_issuer")]
    #[doc(alias = "X509_set_issuer_name")]
    pub fn issuer(mut self, name: Name) -> CertBuilder {
        self.issuer = Issuer::Named(name);
        self
    }

    /// Who signs it: the name and, as authorityKeyIdentifier, which of their keys it is.
    pub fn issued_by(mut self, issuer: &Cert) -> CertBuilder {
        self.issuer = Issuer::Above(issuer.clone());
        self
    }

    /// Its number; without this, 159 random bits.
    #[doc(alias = "set_serial_number")]
    #[doc(alias = "X509_set_serialNumber")]
    pub fn serial(mut self, serial: Serial) -> CertBuilder {
        self.serial = Some(serial);
        self
    }

    /// Its version, counted from 0; without this, 2, which is version 3.
    #[doc(alias = "set_version")]
    #[doc(alias = "X509_set_version")]
    pub fn version(mut self, version: i32) -> CertBuilder {
        self.version = version;
        self
    }

    /// The first second in which it is valid.
    #[doc(alias = "set_notBefore")]
    #[doc(alias = "gmtime_adj_notBefore")]
    #[doc(alias = "X509_set1_notBefore")]
    pub fn not_before(mut self, time: Timestamp) -> CertBuilder {
        self.not_before = Some(time);
        self
    }

    /// The last second in which it is valid.
    #[doc(alias = "set_notAfter")]
    #[doc(alias = "gmtime_adj_notAfter")]
    #[doc(alias = "X509_set1_notAfter")]
    pub fn not_after(mut self, time: Timestamp) -> CertBuilder {
        self.not_after = Some(time);
        self
    }

    /// Valid from `from` until so much later.
    #[doc(alias = "gmtime_adj_notBefore")]
    #[doc(alias = "gmtime_adj_notAfter")]
    #[doc(alias = "X509_gmtime_adj")]
    pub fn valid_for(self, from: Timestamp, duration: Duration) -> CertBuilder {
        self.not_before(from).not_after(from + duration)
    }

    /// The key that it is about; without this, and without an issuer, that of whoever
    /// signs it.
    #[doc(alias = "set_pubkey")]
    #[doc(alias = "X509_set_pubkey")]
    pub fn public_key(mut self, key: &PublicKey) -> CertBuilder {
        self.key = Some(key.clone());
        self
    }

    /// An extension. It takes the place of one of the same kind, since there may be one
    /// of each only (RFC 5280, section 4.2).
    #[doc(alias = "X509_add_ext")]
    pub fn ext(mut self, ext: Ext) -> CertBuilder {
        match self.exts.iter_mut().find(|known| known.oid() == ext.oid()) {
            Some(known) => *known = ext,
            None => self.exts.push(ext),
        }
        self
    }

    /// Several extensions, as [`CertBuilder::ext`].
    #[doc(alias = "add_extensions")]
    pub fn exts(self, exts: impl IntoIterator<Item = Ext>) -> CertBuilder {
        exts.into_iter().fold(self, CertBuilder::ext)
    }

    /// Takes an extension out, if it is there.
    #[doc(alias = "X509_delete_ext")]
    pub fn without_ext(mut self, oid: &Oid) -> CertBuilder {
        self.exts.retain(|ext| ext.oid() != oid);
        self
    }

    /// What a request asks for: its subject, its key and its subjectAltName.
    ///
    /// Other extensions that it asks for are left out, since with them the asker could
    /// make an authority of itself; [`Csr::extensions`] has them for who wants to look
    /// and decide.
    ///
    /// # Errors
    ///
    /// [`Error::Config`] of the kind [`BadSignature`](ConfigErrorKind::BadSignature) when
    /// the request was not signed with its key, so that the asker need not have it, or
    /// of the kind [`Malformed`](ConfigErrorKind::Malformed) when it is damaged; also
    /// when one of the names is not what it should be.
    pub fn request(self, request: &Csr) -> Result<CertBuilder, Error> {
        request.verify()?;
        let subject = request.subject();
        let key = request.public_key()?;
        let mut builder = self;
        for ext in request.extensions()? {
            if let ExtKind::SubjectAltName(names) = ext.kind() {
                // Critical where nothing else says who it is (RFC 5280, section 4.2.1.6).
                let names = Ext::subject_alt_name(names)?.critical(subject.is_empty());
                builder = builder.ext(names);
            }
        }
        Ok(builder.subject(subject).public_key(&key))
    }

    /// Signs it. Keys that bring their own digest, such as Ed25519, ignore `digest`.
    ///
    /// # Errors
    ///
    /// [`Error::Config`] of the kind
    /// - [`Missing`](ConfigErrorKind::Missing) without a subject or a time, or without
    ///   a public key where the issuer is another;
    /// - [`BadValue`](ConfigErrorKind::BadValue) for a serial number that is not in
    ///   1 to 20 octets, a version that there is not or that has no extensions, an
    ///   issuer without a name, or an end before the beginning;
    /// - [`KeyMismatch`](ConfigErrorKind::KeyMismatch) when `key` is not the issuer's;
    /// - [`Rejected`](ConfigErrorKind::Rejected) for MD5 and SHA-1, unless the feature
    ///   `legacy` is on.
    ///
    /// [`Error::Unsupported`] for keys that do not sign.
    #[doc(alias = "X509.sign")]
    #[doc(alias = "X509_sign")]
    pub fn sign(self, key: &PrivateKey, digest: Digest) -> Result<Cert, Error> {
        let digest = digest.for_signing(key)?;
        let missing = |what: &str| fault(ConfigErrorKind::Missing, what);
        let subject = self.subject.ok_or_else(|| missing("needs a subject"))?;
        let not_before = self
            .not_before
            .ok_or_else(|| missing("needs a first time"))?;
        let not_after = self.not_after.ok_or_else(|| missing("needs a last time"))?;
        if not_before > not_after {
            let detail = format!("ends at {not_after}, before it begins at {not_before}");
            return Err(fault(ConfigErrorKind::BadValue, detail).into());
        }
        let serial = match self.serial {
            Some(serial) => serial,
            None => Serial::random()?,
        };
        serial.check_for_use()?;
        let public = match (self.key, &self.issuer) {
            (Some(public), _) => public,
            (None, Issuer::Itself) => key.public_key(),
            (None, _) => return Err(missing("needs a public key").into()),
        };
        check_signer(key, &self.issuer, &public)?;
        let mut exts = self.exts;
        let issuer = match self.issuer {
            Issuer::Itself => subject.clone(),
            Issuer::Named(name) => name,
            Issuer::Above(above) => {
                let which = Ext::authority_key_id(&above)?;
                if exts.iter().all(|ext| ext.oid() != which.oid()) {
                    exts.push(which);
                }
                above.subject()
            }
        };
        if issuer.is_empty() {
            return Err(fault(ConfigErrorKind::BadValue, "has an issuer without a name").into());
        }
        check_version(self.version, &exts)?;
        let parts = Parts {
            version: self.version,
            serial: serial.to_asn1()?,
            subject,
            issuer,
            not_before: not_before.to_asn1()?,
            not_after: not_after.to_asn1()?,
            public,
            exts: exts.iter().map(Ext::to_openssl).collect::<Result<_, _>>()?,
        };
        Ok(Cert(call(|| parts.sign(key, digest))?))
    }
}

/// All fields in OpenSSL's form.
struct Parts {
    version: i32,
    serial: Asn1Integer,
    subject: Name,
    issuer: Name,
    not_before: Asn1Time,
    not_after: Asn1Time,
    public: PublicKey,
    exts: Vec<X509Extension>,
}

impl Parts {
    fn sign(self, key: &PrivateKey, digest: Option<MessageDigest>) -> Result<X509, ErrorStack> {
        let mut builder = X509::builder()?;
        builder.set_version(self.version)?;
        builder.set_serial_number(&self.serial)?;
        builder.set_subject_name(self.subject.as_x509_name())?;
        builder.set_issuer_name(self.issuer.as_x509_name())?;
        builder.set_not_before(&self.not_before)?;
        builder.set_not_after(&self.not_after)?;
        builder.set_pubkey(self.public.as_pkey())?;
        for ext in &self.exts {
            builder.append_extension2(ext)?;
        }
        // Keys with a digest of their own want the empty one.
        builder.sign(key.as_pkey(), digest.unwrap_or_else(MessageDigest::null))?;
        Ok(builder.build())
    }
}

fn fault(kind: ConfigErrorKind, detail: impl Into<String>) -> ConfigError {
    ConfigError::new(kind, KIND.subject, detail)
}

/// Whether the issuer, as far as it is known, has this key.
fn check_signer(key: &PrivateKey, issuer: &Issuer, own: &PublicKey) -> Result<(), Error> {
    let (whose, expected) = match issuer {
        Issuer::Itself => ("itself", own.clone()),
        Issuer::Above(above) => ("its issuer", above.public_key()?),
        Issuer::Named(_) => return Ok(()),
    };
    if key.public_key() == expected {
        return Ok(());
    }
    let detail = format!("is to be signed by {whose}, but with another key");
    Err(fault(ConfigErrorKind::KeyMismatch, detail).into())
}

fn check_version(version: i32, exts: &[Ext]) -> Result<(), ConfigError> {
    let detail = if !(0..=VERSION_3).contains(&version) {
        format!("cannot have version {version}, counted from 0")
    } else if version != VERSION_3 && !exts.is_empty() {
        format!("has extensions, which need version 2, not {version}, counted from 0")
    } else {
        return Ok(());
    };
    Err(fault(ConfigErrorKind::BadValue, detail))
}
