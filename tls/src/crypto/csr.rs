//! A request for a certificate (RFC 2986, PKCS #10).

use std::sync::Arc;

use openssl::x509::{X509Req, X509ReqRef};

use super::call::call;
use super::encoding::Encoding;
use super::object::Kind;
use crate::error::Error;

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
#[derive(Clone)]
pub struct Csr(Arc<X509Req>);

impl Csr {
    /// Reads one from its PEM or DER form. In PEM form text and other objects
    /// before it are skipped; in DER form nothing may follow it.
    ///
    /// # Errors
    ///
    /// [`Error::Config`] of kind `WrongObject`, `Malformed` or `TooLarge`.
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
    pub fn encode(&self, encoding: Encoding) -> Result<Vec<u8>, Error> {
        Ok(call(|| match encoding {
            Encoding::Pem => self.0.to_pem(),
            Encoding::Der => self.0.to_der(),
        })?)
    }

    /// The same as a type of the crate `openssl`.
    pub fn as_x509_req(&self) -> &X509ReqRef {
        &self.0
    }
}

impl From<X509Req> for Csr {
    fn from(inner: X509Req) -> Csr {
        Csr(Arc::new(inner))
    }
}

impl std::fmt::Debug for Csr {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Csr").finish_non_exhaustive()
    }
}
