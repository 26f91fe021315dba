//! A certificate authority for development and tests.

use std::fmt;

use super::issue::{Issuer, Kind, Request};
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
/// use greenling_tls::{ClientAuth, ContextBuilder, crypto::LocalCa};
///
/// let ca = LocalCa::new("my tests")?;
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
pub struct LocalCa {
    root: Identity,
}

impl LocalCa {
    /// A new authority with a key of its own, called `name`.
    ///
    /// # Errors
    ///
    /// [`Error::Ssl`] when `name` is empty or longer than 64 characters.
    pub fn new(name: &str) -> Result<LocalCa, Error> {
        Ok(LocalCa {
            root: Request::authority(name).issue(Issuer::Itself)?,
        })
    }

    /// Issues a server's certificate for DNS names and IP addresses.
    ///
    /// # Errors
    ///
    /// As [`self_signed`](super::self_signed).
    pub fn issue(&self, names: &[&str]) -> Result<Identity, Error> {
        Request::new(Kind::Server, names)?.issue(Issuer::Authority(&self.root))
    }

    /// Issues a client's certificate that names it `name`.
    ///
    /// # Errors
    ///
    /// As [`self_signed`](super::self_signed).
    pub fn issue_client(&self, name: &str) -> Result<Identity, Error> {
        Request::new(Kind::Client, &[name])?.issue(Issuer::Authority(&self.root))
    }

    /// As [`LocalCa::issue`], valid between two days counted from now.
    #[cfg(test)]
    pub(crate) fn issue_valid(
        &self,
        names: &[&str],
        days: std::ops::Range<i64>,
    ) -> Result<Identity, Error> {
        Request::new(Kind::Server, names)?
            .valid_days(days)
            .issue(Issuer::Authority(&self.root))
    }

    /// The root's certificate in PEM form, for
    /// [`trust_pem`](crate::ContextBuilder::trust_pem).
    ///
    /// # Errors
    ///
    /// [`Error::Ssl`] when OpenSSL is out of memory.
    pub fn root_pem(&self) -> Result<Vec<u8>, Error> {
        self.root.chain_pem()
    }
}

impl fmt::Debug for LocalCa {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("LocalCa")
            .field("root", self.root.leaf())
            .finish_non_exhaustive()
    }
}
