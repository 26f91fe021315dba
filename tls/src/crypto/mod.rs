//! Keys and certificates made on the spot, for development and tests.
//!
//! [`self_signed`] is one call from nothing to a server; [`LocalCa`] issues
//! certificates that a client can verify, also for clients.

mod ca;
mod issue;

#[cfg(test)]
pub(crate) use issue::p256;

pub use ca::LocalCa;

use crate::error::Error;
use crate::identity::Identity;
use issue::{Issuer, Kind, Request};

/// Makes a new P-256 key and a certificate for `names`, signed by itself.
///
/// Names may be DNS names, also with a leading `*.`, and IP addresses; they become
/// the subjectAltName. The certificate is valid from yesterday, so that clocks
/// may differ, and for 365 days in all, since browsers refuse what lasts much longer.
/// Its serial number has 159 random bits.
///
/// A client trusts it by name through
/// [`trust_pem`](crate::ContextBuilder::trust_pem) with
/// [`Identity::chain_pem`].
///
/// # Scheduling
///
/// Never switches.
///
/// # Errors
///
/// [`Error::Config`] when there is no name or one is neither a DNS name nor an
/// IP address.
///
/// # Examples
///
/// ```
/// use greenling_tls::crypto;
///
/// let identity = crypto::self_signed(&["localhost", "127.0.0.1", "::1"])?;
/// std::fs::write("/dev/null", identity.chain_pem()?).expect("writable");
/// # Ok::<(), greenling_tls::Error>(())
/// ```
#[doc(alias = "X509.sign")]
pub fn self_signed(names: &[&str]) -> Result<Identity, Error> {
    Request::new(Kind::Server, names)?.issue(Issuer::Itself)
}

/// A leaf for `leaf.test` with its key, the authority that signed it, the one that
/// signed that, and their root.
#[cfg(test)]
pub(crate) fn chain_of_four() -> (Identity, Vec<openssl::x509::X509>) {
    let mut above = Request::authority("root")
        .issue(Issuer::Itself)
        .expect("a certificate");
    let mut chain = vec![above.leaf().clone()];
    for name in ["upper", "lower"] {
        let request = Request::authority(name);
        above = request
            .issue(Issuer::Authority(&above))
            .expect("a certificate");
        chain.insert(0, above.leaf().clone());
    }
    let request = Request::new(Kind::Server, &["leaf.test"]).expect("a name");
    let leaf = request
        .issue(Issuer::Authority(&above))
        .expect("a certificate");
    chain.insert(0, leaf.leaf().clone());
    (leaf, chain)
}
