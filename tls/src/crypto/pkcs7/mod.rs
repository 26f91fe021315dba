//! PKCS #7 structures (RFC 2315): signed or encrypted data, and bundles of
//! certificates. CMS (RFC 5652) has succeeded it; what old readers understand of that
//! is the same.

mod flags;
mod make;
mod smime;
#[allow(unsafe_code, reason = "looks into OpenSSL's structures")]
mod sys;
mod verify;

use std::fmt;
use std::sync::Arc;

use openssl::error::ErrorStack;
use openssl::nid::Nid;
use openssl::pkcs7;

pub use flags::Pkcs7Flags;

use super::call::{call, check_size, look};
use super::cert::Cert;
use super::crl::Crl;
use super::encoding::Encoding;
use super::object::Kind;
use super::{der, pem};
use crate::config_error::{ConfigError, ConfigErrorKind};
use crate::error::Error;

const SUBJECT: &str = "PKCS #7 structure";

const KIND: Kind<'_> = Kind {
    subject: SUBJECT,
    labels: &["PKCS7", "PKCS #7 SIGNED DATA", "CMS"],
};

/// A PKCS #7 structure (RFC 2315).
///
/// It never changes, and clones share it. Two are equal when their bytes are.
///
/// # Scheduling
///
/// Never switches, except where a method says so.
///
/// # Examples
///
/// ```
/// use greenling_tls::Encoding;
/// use greenling_tls::crypto::{Pkcs7, TestCa};
///
/// let ca = TestCa::new("my tests")?;
/// let bundle = Pkcs7::certs_only(&[ca.root().clone()], &[])?;
/// let read = Pkcs7::decode(Encoding::Pem, &bundle.encode(Encoding::Pem))?;
/// assert!(read.is_signed());
/// assert_eq!(read.certificates(), [ca.root().clone()]);
/// # Ok::<(), greenling_tls::Error>(())
/// ```
#[doc(alias = "PKCS7")]
#[doc(alias = "PKCS7Type")]
#[derive(Clone)]
pub struct Pkcs7 {
    shared: Arc<Shared>,
}

struct Shared {
    /// For looking at. OpenSSL changes a structure that it verifies or decrypts, so
    /// for that there is a new one each time.
    structure: pkcs7::Pkcs7,
    der: Vec<u8>,
}

/// What kind of content a [`Pkcs7`] has (RFC 2315, section 14).
///
/// # Scheduling
///
/// Never switches.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Pkcs7Kind {
    /// Plain bytes.
    #[doc(alias = "NID_pkcs7_data")]
    Data,
    /// Signed data, or a bundle of certificates that nobody has signed.
    #[doc(alias = "NID_pkcs7_signed")]
    Signed,
    /// Data that the owners of some keys can decrypt.
    #[doc(alias = "NID_pkcs7_enveloped")]
    Enveloped,
    /// Both at once.
    #[doc(alias = "NID_pkcs7_signedAndEnveloped")]
    SignedAndEnveloped,
    /// Data with its digest.
    #[doc(alias = "NID_pkcs7_digest")]
    Digested,
    /// Data encrypted with a key that has been agreed upon elsewhere.
    #[doc(alias = "NID_pkcs7_encrypted")]
    Encrypted,
    /// Something that RFC 2315 does not know.
    Other,
}

impl Pkcs7 {
    /// Reads one from its PEM or DER form.
    ///
    /// In PEM form text and other objects before it are skipped; in DER form (or BER,
    /// which some programs write) nothing may follow it. Nothing is verified.
    ///
    /// # Errors
    ///
    /// [`Error::Config`] of kind `WrongObject`, `Malformed` or `TooLarge`.
    #[doc(alias = "load_pkcs7_data")]
    #[doc(alias = "PEM_read_bio_PKCS7")]
    #[doc(alias = "d2i_PKCS7")]
    pub fn decode(encoding: Encoding, bytes: &[u8]) -> Result<Pkcs7, Error> {
        match encoding {
            Encoding::Der => Pkcs7::from_der(bytes),
            Encoding::Pem => {
                KIND.check_form(encoding, bytes)?;
                let mut blocks = pem::blocks(bytes);
                let block = blocks.find(|block| KIND.labels.contains(&block.label));
                let der = block.map(|block| call(|| block.der()));
                let damaged = |stack| KIND.damaged(encoding, bytes, stack);
                let der = der.unwrap_or_else(|| Err(ErrorStack::get()));
                Pkcs7::from_der(&der.map_err(damaged)?)
            }
        }
    }

    fn from_der(bytes: &[u8]) -> Result<Pkcs7, Error> {
        check_size(SUBJECT, bytes)?;
        let malformed = |detail: &str| fault(ConfigErrorKind::Malformed, detail);
        if bytes.starts_with(b"-----BEGIN ") {
            return Err(malformed("is in PEM form, where DER is expected").into());
        }
        if bytes.is_empty() {
            return Err(malformed("is empty").into());
        }
        let (structure, rest) = call(|| sys::decode(bytes)).map_err(|stack| {
            if der::is_cut_short(bytes) {
                malformed("is cut short")
            } else {
                KIND.damaged(Encoding::Der, bytes, stack)
            }
        })?;
        if rest > 0 {
            return Err(malformed(&format!("is followed by {rest} more bytes")).into());
        }
        Ok(Pkcs7 {
            shared: Arc::new(Shared {
                structure,
                der: bytes.to_vec(),
            }),
        })
    }

    /// The same in DER form, as OpenSSL has made it.
    fn from_openssl(structure: &pkcs7::Pkcs7Ref) -> Result<Pkcs7, Error> {
        Pkcs7::from_der(&call(|| structure.to_der())?)
    }

    /// Writes it in PEM form, or as the bytes that were read.
    #[doc(alias = "PEM_write_bio_PKCS7")]
    #[doc(alias = "i2d_PKCS7")]
    pub fn encode(&self, encoding: Encoding) -> Vec<u8> {
        match encoding {
            Encoding::Pem => pem::write("PKCS7", &self.shared.der),
            Encoding::Der => self.shared.der.clone(),
        }
    }

    /// What kind of content it has.
    pub fn kind(&self) -> Pkcs7Kind {
        match self.nid() {
            Nid::PKCS7_DATA => Pkcs7Kind::Data,
            Nid::PKCS7_SIGNED => Pkcs7Kind::Signed,
            Nid::PKCS7_ENVELOPED => Pkcs7Kind::Enveloped,
            Nid::PKCS7_SIGNEDANDENVELOPED => Pkcs7Kind::SignedAndEnveloped,
            Nid::PKCS7_DIGEST => Pkcs7Kind::Digested,
            Nid::PKCS7_ENCRYPTED => Pkcs7Kind::Encrypted,
            _ => Pkcs7Kind::Other,
        }
    }

    fn nid(&self) -> Nid {
        let kind = look(|| self.shared.structure.type_().map(|kind| kind.nid()));
        kind.unwrap_or(Nid::UNDEF)
    }

    /// Whether it is [`Pkcs7Kind::Signed`].
    #[doc(alias = "type_is_signed")]
    #[doc(alias = "PKCS7_type_is_signed")]
    pub fn is_signed(&self) -> bool {
        self.kind() == Pkcs7Kind::Signed
    }

    /// Whether it is [`Pkcs7Kind::Enveloped`].
    #[doc(alias = "type_is_enveloped")]
    #[doc(alias = "PKCS7_type_is_enveloped")]
    pub fn is_enveloped(&self) -> bool {
        self.kind() == Pkcs7Kind::Enveloped
    }

    /// Whether it is [`Pkcs7Kind::SignedAndEnveloped`].
    #[doc(alias = "type_is_signedAndEnveloped")]
    #[doc(alias = "PKCS7_type_is_signedAndEnveloped")]
    pub fn is_signed_and_enveloped(&self) -> bool {
        self.kind() == Pkcs7Kind::SignedAndEnveloped
    }

    /// Whether it is [`Pkcs7Kind::Data`].
    #[doc(alias = "type_is_data")]
    #[doc(alias = "PKCS7_type_is_data")]
    pub fn is_data(&self) -> bool {
        self.kind() == Pkcs7Kind::Data
    }

    /// OpenSSL's short name of the kind, such as `pkcs7-signedData`; its number, such
    /// as `1.2.840.113549.1.9.16.1.9`, if OpenSSL has no name for it.
    #[doc(alias = "get_type_name")]
    pub fn type_name(&self) -> String {
        let name = look(|| {
            let kind = self.shared.structure.type_()?;
            Some(match kind.nid() {
                Nid::UNDEF => kind.to_string(),
                known => known.short_name().unwrap_or_default().to_owned(),
            })
        });
        name.unwrap_or_default()
    }

    /// The certificates of signed data, in their order. Nothing says that they are
    /// good for anything.
    pub fn certificates(&self) -> Vec<Cert> {
        let found = look(|| sys::certificates(&self.shared.structure));
        found.into_iter().map(Cert::from).collect()
    }

    /// The revocation lists of signed data, in their order.
    ///
    /// # Errors
    ///
    /// [`Error::Ssl`] when OpenSSL is out of memory.
    pub fn crls(&self) -> Result<Vec<Crl>, Error> {
        let found = call(|| sys::crls(&self.shared.structure))?;
        Ok(found.into_iter().map(Crl::from).collect())
    }

    /// How many have signed it.
    #[doc(alias = "PKCS7_get_signer_info")]
    pub fn signer_count(&self) -> usize {
        look(|| sys::signer_count(&self.shared.structure))
    }

    /// Whether the content of signed data is not in it.
    #[doc(alias = "PKCS7_is_detached")]
    pub fn is_detached(&self) -> bool {
        self.is_signed() && look(|| sys::is_detached(&self.shared.structure))
    }

    /// The bytes of [`Pkcs7Kind::Data`]. Those of signed data are what verifying
    /// returns.
    pub fn data(&self) -> Option<Vec<u8>> {
        look(|| sys::data(&self.shared.structure))
    }
}

/// The bytes are the same.
impl PartialEq for Pkcs7 {
    fn eq(&self, other: &Pkcs7) -> bool {
        self.shared.der == other.shared.der
    }
}

impl Eq for Pkcs7 {}

impl fmt::Debug for Pkcs7 {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Pkcs7")
            .field("kind", &self.kind())
            .field("bytes", &self.shared.der.len())
            .finish_non_exhaustive()
    }
}

fn fault(kind: ConfigErrorKind, detail: &str) -> ConfigError {
    ConfigError::new(kind, SUBJECT, detail)
}
