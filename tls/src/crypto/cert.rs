//! An X.509 certificate (RFC 5280).

use openssl::x509::{X509, X509Ref};

use super::call::call;
use super::digest::Digest;
use super::encoding::Encoding;
use super::object::Kind;
use crate::error::Error;

const KIND: Kind = Kind {
    subject: "certificate",
    labels: &["CERTIFICATE", "X509 CERTIFICATE", "TRUSTED CERTIFICATE"],
};

/// An X.509 certificate (RFC 5280).
///
/// Cheap to clone: a counted reference to what never changes.
///
/// # Scheduling
///
/// Never switches, except where a method says so.
#[derive(Clone, Debug)]
pub struct Cert(X509);

impl Cert {
    /// Reads one from its PEM or DER form. In PEM form text and other objects
    /// before it are skipped; in DER form nothing may follow it.
    ///
    /// # Errors
    ///
    /// [`Error::Config`] of kind `WrongObject`, `Malformed` or `TooLarge`.
    pub fn decode(encoding: Encoding, bytes: &[u8]) -> Result<Cert, Error> {
        Ok(Cert(KIND.decode(
            encoding,
            bytes,
            X509::from_pem,
            X509::from_der,
        )?))
    }

    /// Writes it in PEM or DER form.
    ///
    /// # Errors
    ///
    /// [`Error::Ssl`] when OpenSSL is out of memory.
    pub fn encode(&self, encoding: Encoding) -> Result<Vec<u8>, Error> {
        Ok(call(|| match encoding {
            Encoding::Pem => self.0.to_pem(),
            Encoding::Der => self.0.to_der(),
        })?)
    }

    /// The digest of its DER form.
    ///
    /// # Errors
    ///
    /// [`Error::Ssl`] when this build of OpenSSL lacks the digest.
    #[doc(alias = "X509_digest")]
    pub fn fingerprint(&self, digest: Digest) -> Result<Vec<u8>, Error> {
        Ok(call(|| self.0.digest(digest.openssl()))?.to_vec())
    }

    /// The same as a type of the crate `openssl`.
    pub fn as_x509(&self) -> &X509Ref {
        &self.0
    }
}

impl From<X509> for Cert {
    fn from(inner: X509) -> Cert {
        Cert(inner)
    }
}

impl From<Cert> for X509 {
    fn from(outer: Cert) -> X509 {
        outer.0
    }
}
