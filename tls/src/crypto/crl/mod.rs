//! A list of revoked certificates (RFC 5280, section 5).

mod pem;

use std::sync::Arc;

use openssl::x509::{X509Crl, X509CrlRef};

pub(crate) use pem::{read_file, read_pem};

use super::call::call;
use super::encoding::Encoding;
use super::object::Kind;
use crate::error::Error;

const KIND: Kind = Kind {
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
#[derive(Clone)]
pub struct Crl(Arc<X509Crl>);

impl Crl {
    /// Reads one from its PEM or DER form. In PEM form text and other objects
    /// before it are skipped; in DER form nothing may follow it.
    ///
    /// # Errors
    ///
    /// [`Error::Config`] of kind `WrongObject`, `Malformed` or `TooLarge`.
    pub fn decode(encoding: Encoding, bytes: &[u8]) -> Result<Crl, Error> {
        Ok(KIND
            .decode(encoding, bytes, X509Crl::from_pem, X509Crl::from_der)?
            .into())
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

    /// The same as a type of the crate `openssl`.
    pub fn as_x509_crl(&self) -> &X509CrlRef {
        &self.0
    }
}

impl From<X509Crl> for Crl {
    fn from(inner: X509Crl) -> Crl {
        Crl(Arc::new(inner))
    }
}

impl std::fmt::Debug for Crl {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Crl").finish_non_exhaustive()
    }
}
