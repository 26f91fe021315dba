//! X.509 certificates (RFC 5280): reading them, and asking what they say.
//!
//! A [`Cert`] never changes. Certificates come from strangers, so nothing that one may
//! hold makes a question about it panic; what is too damaged to be understood is said
//! to be so where somebody looks at it.

mod builder;
mod fields;
mod matching;
#[allow(unsafe_code, reason = "calls functions of libcrypto")]
mod sys;

use std::fmt;
use std::hash::{Hash, Hasher};

use openssl::error::ErrorStack;
use openssl::x509::{X509, X509Ref};

pub use builder::CertBuilder;

use super::call::{call, look};
use super::encoding::Encoding;
use super::object::Kind;
use crate::config_error::{ConfigError, ConfigErrorKind};
use crate::error::Error;

const KIND: Kind = Kind {
    subject: "certificate",
    labels: &["CERTIFICATE", "X509 CERTIFICATE", "TRUSTED CERTIFICATE"],
};

/// An X.509 certificate (RFC 5280).
///
/// Cheap to clone: a counted reference to what never changes. Two are equal when all
/// their bytes are.
///
/// # Scheduling
///
/// Never switches, except where a method says so.
///
/// # Examples
///
/// ```
/// use greenling_tls::crypto::{self, Cert, Digest, Encoding};
///
/// let (made, _key) = crypto::self_signed(&["localhost"])?;
/// let cert = Cert::decode(Encoding::Pem, &made.encode(Encoding::Pem)?)?;
/// assert!(cert.matches_host("localhost") && !cert.has_expired());
/// println!("{} {}", cert.subject(), cert.fingerprint_hex(Digest::Sha256)?);
/// # Ok::<(), greenling_tls::Error>(())
/// ```
#[doc(alias = "X509")]
#[doc(alias = "X509Type")]
#[derive(Clone)]
pub struct Cert(X509);

impl Cert {
    /// Reads one from its PEM or DER form.
    ///
    /// In PEM form text and other objects before it are skipped, and its label may be
    /// `CERTIFICATE`, `X509 CERTIFICATE` or OpenSSL's own `TRUSTED CERTIFICATE`. In DER
    /// form nothing may follow it.
    ///
    /// # Errors
    ///
    /// [`Error::Config`] of the kind [`WrongObject`](ConfigErrorKind::WrongObject),
    /// [`Malformed`](ConfigErrorKind::Malformed) or
    /// [`TooLarge`](ConfigErrorKind::TooLarge).
    #[doc(alias = "load_certificate")]
    #[doc(alias = "PEM_read_bio_X509")]
    #[doc(alias = "d2i_X509")]
    pub fn decode(encoding: Encoding, bytes: &[u8]) -> Result<Cert, Error> {
        let from_pem = |text: &[u8]| sys::PemReader::new(text)?.read();
        Ok(Cert(KIND.decode(
            encoding,
            bytes,
            from_pem,
            X509::from_der,
        )?))
    }

    /// Reads all certificates of a text in PEM form, in their order. Text and other
    /// objects between them are skipped.
    ///
    /// # Errors
    ///
    /// As [`Cert::decode`]; there must be one at least, and the message counts which
    /// one is damaged.
    #[doc(alias = "PEM_read_bio_X509")]
    pub fn chain_from_pem(text: &[u8]) -> Result<Vec<Cert>, Error> {
        KIND.check_form(Encoding::Pem, text)?;
        let mut chain = Vec::new();
        let end = call(|| {
            let mut reader = sys::PemReader::new(text)?;
            loop {
                match reader.read() {
                    Ok(cert) => chain.push(Cert(cert)),
                    Err(stack) => return Ok(stack),
                }
            }
        })?;
        if is_end_of_pem(&end) && !chain.is_empty() {
            return Ok(chain);
        }
        let subject = format!("{} {}", KIND.subject, chain.len() + 1);
        let error = ConfigError::new(ConfigErrorKind::Malformed, subject, "is damaged");
        Err(error.because_ssl(end).into())
    }

    /// Writes it in PEM or DER form.
    ///
    /// # Errors
    ///
    /// [`Error::Ssl`] when OpenSSL is out of memory.
    #[doc(alias = "dump_certificate")]
    #[doc(alias = "PEM_write_bio_X509")]
    #[doc(alias = "i2d_X509")]
    pub fn encode(&self, encoding: Encoding) -> Result<Vec<u8>, Error> {
        Ok(call(|| match encoding {
            Encoding::Pem => self.0.to_pem(),
            Encoding::Der => self.0.to_der(),
        })?)
    }

    /// What it says, for people: the text of `openssl x509 -text -nameopt compat`.
    ///
    /// # Errors
    ///
    /// [`Error::Ssl`] when OpenSSL cannot print a part that is damaged.
    #[doc(alias = "FILETYPE_TEXT")]
    #[doc(alias = "X509_print")]
    pub fn to_text(&self) -> Result<String, Error> {
        let text = call(|| self.0.to_text())?;
        Ok(String::from_utf8_lossy(&text).into_owned())
    }

    /// The same as a type of the crate `openssl`.
    pub fn as_x509(&self) -> &X509Ref {
        &self.0
    }
}

/// Whether OpenSSL has found no further BEGIN line.
fn is_end_of_pem(stack: &ErrorStack) -> bool {
    stack.errors().last().is_some_and(|error| {
        error.library_code() == openssl_sys::ERR_LIB_PEM
            && error.reason_code() == openssl_sys::PEM_R_NO_START_LINE
    })
}

impl From<X509> for Cert {
    fn from(inner: X509) -> Cert {
        Cert(inner)
    }
}

impl From<&X509Ref> for Cert {
    fn from(inner: &X509Ref) -> Cert {
        Cert(inner.to_owned())
    }
}

impl From<Cert> for X509 {
    fn from(outer: Cert) -> X509 {
        outer.0
    }
}

impl PartialEq for Cert {
    fn eq(&self, other: &Cert) -> bool {
        look(|| self.0 == other.0)
    }
}

impl Eq for Cert {}

impl Hash for Cert {
    fn hash<H: Hasher>(&self, state: &mut H) {
        // It depends on all the rest.
        self.0.signature().as_slice().hash(state);
    }
}

/// Tells the subject and the serial number.
impl fmt::Debug for Cert {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Cert")
            .field("subject", &self.subject())
            .field("serial", &self.serial())
            .finish_non_exhaustive()
    }
}
