//! A request for a certificate (RFC 2986, PKCS #10).
//!
//! What a request asks for is only a wish: whoever signs decides. It proves that its
//! sender has the private key, once [`Csr::verify`] has been called, and nothing else.

mod attributes;
mod builder;
#[allow(unsafe_code, reason = "adds an attribute to a request and signs it")]
mod sys;

use std::fmt;
use std::sync::Arc;

use openssl::error::ErrorStack;
use openssl::x509::{X509Req, X509ReqRef};

use super::call::{call, look};
use super::encoding::Encoding;
use super::key::PublicKey;
use super::name::Name;
use super::object::Kind;
use crate::config_error::{ConfigError, ConfigErrorKind};
use crate::error::Error;

pub use attributes::CsrAttribute;
pub use builder::CsrBuilder;

const KIND: Kind = Kind {
    subject: "certificate request",
    labels: &["CERTIFICATE REQUEST", "NEW CERTIFICATE REQUEST"],
};

/// A request for a certificate (RFC 2986, PKCS #10).
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
/// use greenling_tls::crypto::{Attr, Csr, Digest, Ext, GeneralName, KeyAlg, Name, PrivateKey};
///
/// let key = PrivateKey::generate(KeyAlg::Ed25519)?;
/// let request = Csr::builder()
///     .subject(Name::builder().set(Attr::CommonName, "my server").build()?)
///     .ext(Ext::subject_alt_name([GeneralName::parse("www.example")?])?)
///     .sign(&key, Digest::default())?;
/// request.verify()?;
/// assert_eq!(request.public_key()?, key.public_key());
/// assert_eq!(request.extensions()?[0].short_name(), "subjectAltName");
/// # Ok::<(), greenling_tls::Error>(())
/// ```
#[doc(alias = "X509Req")]
#[doc(alias = "X509ReqType")]
#[doc(alias = "X509_REQ")]
#[derive(Clone)]
pub struct Csr(Arc<X509Req>);

impl Csr {
    /// Starts a new one.
    #[doc(alias = "X509Req")]
    pub fn builder() -> CsrBuilder {
        CsrBuilder::default()
    }

    /// Reads one from its PEM or DER form. In PEM form text and other objects
    /// before it are skipped; in DER form nothing may follow it.
    ///
    /// The signature is not checked: [`Csr::verify`] does that.
    ///
    /// # Errors
    ///
    /// [`Error::Config`] of kind `WrongObject`, `Malformed` or `TooLarge`.
    #[doc(alias = "load_certificate_request")]
    #[doc(alias = "PEM_read_bio_X509_REQ")]
    #[doc(alias = "d2i_X509_REQ")]
    pub fn decode(encoding: Encoding, bytes: &[u8]) -> Result<Csr, Error> {
        Ok(KIND
            .decode(encoding, bytes, X509Req::from_pem, X509Req::from_der)?
            .into())
    }

    /// Writes it in PEM or DER form.
    ///
    /// # Errors
    ///
    /// [`Error::Ssl`] when OpenSSL is out of memory.
    #[doc(alias = "dump_certificate_request")]
    #[doc(alias = "PEM_write_bio_X509_REQ")]
    #[doc(alias = "i2d_X509_REQ")]
    pub fn encode(&self, encoding: Encoding) -> Result<Vec<u8>, Error> {
        Ok(call(|| match encoding {
            Encoding::Pem => self.0.to_pem(),
            Encoding::Der => self.0.to_der(),
        })?)
    }

    /// All of it for people, as `openssl req -text` prints it but for the subject.
    ///
    /// # Errors
    ///
    /// [`Error::Ssl`] when OpenSSL is out of memory.
    #[doc(alias = "X509_REQ_print")]
    pub fn to_text(&self) -> Result<String, Error> {
        let text = call(|| self.0.to_text())?;
        Ok(String::from_utf8_lossy(&text).into_owned())
    }

    /// Whom the certificate is to be about.
    #[doc(alias = "get_subject")]
    #[doc(alias = "X509_REQ_get_subject_name")]
    pub fn subject(&self) -> Name {
        Name::copy_of(self.0.subject_name())
    }

    /// The version less one: 0 in all that conform. A number that is none counts as -1.
    #[doc(alias = "get_version")]
    #[doc(alias = "X509_REQ_get_version")]
    pub fn version(&self) -> i32 {
        look(|| self.0.version())
    }

    /// The key that the certificate is to be for.
    ///
    /// # Errors
    ///
    /// [`Error::Config`] of kind [`Malformed`](ConfigErrorKind::Malformed) when the key
    /// is damaged or of a kind that OpenSSL does not know.
    #[doc(alias = "get_pubkey")]
    #[doc(alias = "X509_REQ_get_pubkey")]
    pub fn public_key(&self) -> Result<PublicKey, Error> {
        let key = call(|| self.0.public_key()).map_err(|stack| {
            malformed("has a public key that cannot be read").because_ssl(stack)
        })?;
        Ok(key.into())
    }

    /// Checks that it was signed with the private key of its own public key: whoever
    /// made it has that key.
    ///
    /// # Errors
    ///
    /// [`Error::Config`] of kind [`BadSignature`](ConfigErrorKind::BadSignature) when it
    /// was not, and as [`Csr::public_key`].
    #[doc(alias = "X509_REQ_verify")]
    pub fn verify(&self) -> Result<(), Error> {
        self.verify_with(&self.public_key()?)
    }

    /// Checks that it was signed with the private key of `key`.
    ///
    /// # Errors
    ///
    /// [`Error::Config`] of kind [`BadSignature`](ConfigErrorKind::BadSignature) when it
    /// was not.
    #[doc(alias = "X509Req.verify")]
    pub fn verify_with(&self, key: &PublicKey) -> Result<(), Error> {
        checked(KIND.subject, call(|| self.0.verify(key.as_pkey())))
    }

    /// The same as a type of the crate `openssl`.
    pub fn as_x509_req(&self) -> &X509ReqRef {
        &self.0
    }
}

/// What became of the check of a signature. OpenSSL fails, and does not say no, when
/// the signature is of another algorithm than the key.
pub(super) fn checked(subject: &str, result: Result<bool, ErrorStack>) -> Result<(), Error> {
    let refused = || {
        let what = "was not signed with this key, or was changed since";
        ConfigError::new(ConfigErrorKind::BadSignature, subject, what)
    };
    match result {
        Ok(true) => Ok(()),
        Ok(false) => Err(refused().into()),
        Err(stack) => Err(refused().because_ssl(stack).into()),
    }
}

fn malformed(detail: &str) -> ConfigError {
    ConfigError::new(ConfigErrorKind::Malformed, KIND.subject, detail)
}

impl From<X509Req> for Csr {
    fn from(inner: X509Req) -> Csr {
        Csr(Arc::new(inner))
    }
}

/// Shows the subject.
impl fmt::Debug for Csr {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Csr")
            .field("subject", &self.subject())
            .finish_non_exhaustive()
    }
}
