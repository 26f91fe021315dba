//! A certificate authority for development and tests.

use std::fmt;

use super::cert::Cert;
use super::encoding::Encoding;
use super::issue::{Issuer, Kind, Request};
use super::key::PrivateKey;
use crate::error::Error;
use crate::identity::Identity;

/// A certificate authority that lives in memory, so that development and tests
/// need not switch verification off.
///
/// Its certificates are like those of [`self_signed`](super::self_signed), signed
/// by one root that both sides can trust.
///
/// # Scheduling
///
/// Never switches, except where a method says so.
///
/// # Examples
///
/// ```
/// use greenling_tls::{ClientAuth, ContextBuilder, crypto::TestCa};
///
/// let ca = TestCa::new("my tests")?;
/// let server = ContextBuilder::server()
///     .identity(ca.issue(&["localhost"])?)
///     .trust_pem(ca.root_pem()?)
///     .client_auth(ClientAuth::Required)
///     .build()?;
/// let client = ContextBuilder::client()
///     .identity(ca.issue_client("alice")?)
///     .trust_pem(ca.root_pem()?)
///     .build()?;
/// # Ok::<(), greenling_tls::Error>(())
/// ```
pub struct TestCa {
    root: Cert,
    key: PrivateKey,
}

impl TestCa {
    /// A new authority with a key of its own, called `name`.
    ///
    /// # Errors
    ///
    /// [`Error::Config`] when `name` is empty or longer than 64 characters.
    pub fn new(name: &str) -> Result<TestCa, Error> {
        let (root, key) = Request::authority(name).issue(Issuer::Itself)?;
        Ok(TestCa { root, key })
    }

    /// Issues a server's certificate for DNS names and IP addresses.
    ///
    /// # Errors
    ///
    /// As [`self_signed`](super::self_signed).
    pub fn issue(&self, names: &[&str]) -> Result<Identity, Error> {
        self.sign(&Request::new(Kind::Server, names)?)
    }

    /// Issues a client's certificate that names it `name`.
    ///
    /// # Errors
    ///
    /// As [`self_signed`](super::self_signed).
    pub fn issue_client(&self, name: &str) -> Result<Identity, Error> {
        self.sign(&Request::new(Kind::Client, &[name])?)
    }

    /// As [`TestCa::issue`], valid between two days counted from now.
    #[cfg(test)]
    pub(crate) fn issue_valid(
        &self,
        names: &[&str],
        days: std::ops::Range<i64>,
    ) -> Result<Identity, Error> {
        self.sign(&Request::new(Kind::Server, names)?.valid_days(days))
    }

    /// The root's certificate in PEM form, for
    /// [`trust_pem`](crate::ContextBuilder::trust_pem).
    ///
    /// # Errors
    ///
    /// [`Error::Ssl`] when OpenSSL is out of memory.
    pub fn root_pem(&self) -> Result<Vec<u8>, Error> {
        self.root.encode(Encoding::Pem)
    }

    /// The root's certificate.
    pub fn root(&self) -> &Cert {
        &self.root
    }

    /// The root's key, to sign what [`TestCa::issue`] does not make.
    pub fn key(&self) -> &PrivateKey {
        &self.key
    }

    fn sign(&self, request: &Request) -> Result<Identity, Error> {
        let (certificate, key) = request.issue(Issuer::Authority(&self.root, &self.key))?;
        Identity::new([certificate], key)
    }
}

impl fmt::Debug for TestCa {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TestCa")
            .field("root", &self.root)
            .finish_non_exhaustive()
    }
}
