//! Certificates, requests, revocation lists, keys and the containers they travel in:
//! the module `crypto` of pyOpenSSL's manual.
//!
//! Objects never change once they are made, and clones share them; builders make new
//! ones. [`self_signed`] is one call from nothing to a certificate with its key;
//! [`TestCa`] issues certificates that a client can verify.

mod call;
mod cert;
mod chain;
mod crl;
mod csr;
mod der;
mod digest;
mod encoding;
mod ext;
mod issue;
mod key;
pub mod legacy;
#[cfg(not(feature = "aws-lc"))]
mod library;
mod name;
mod object;
mod passphrase;
mod pbe;
mod pem;
mod pkcs12;
#[cfg(not(feature = "aws-lc"))]
mod pkcs7;
#[allow(unsafe_code, reason = "owns a BIO that OpenSSL prints to")]
mod print;
#[cfg(not(feature = "aws-lc"))]
#[allow(unsafe_code, reason = "decrypts keys in another library context")]
mod sealed;
mod serial;
mod store;
mod test_ca;
mod time;

pub(crate) use call::{call, look};
pub(crate) use chain::in_order;
pub(crate) use der::items;
pub(crate) use key::KeyInput;
pub(crate) use pem::without_headers as pem_without_headers;

pub use cert::{Cert, CertBuilder};
pub use crl::{Crl, CrlBuilder, Revoked, RevokedReason};
pub(crate) use crl::{read_all as read_crls, read_file as read_crl_file};
pub use csr::{Csr, CsrAttribute, CsrBuilder};
pub use digest::Digest;
pub use encoding::Encoding;
pub use ext::{
    AccessDescription, AccessMethod, AuthorityKeyId, BasicConstraints, DistributionPoint, Ext,
    ExtContext, ExtKind, GeneralName, KeyPurpose, KeyUsage, NameConstraints, NameRange, Oid,
    Policy,
};
pub use key::{Curve, KeyAlg, KeyCipher, PrivateKey, Protect, PublicKey};
pub use name::{Attr, Name, NameBuilder};
pub use passphrase::Passphrase;
#[cfg(not(feature = "aws-lc"))]
pub use pkcs7::{Pkcs7, Pkcs7Flags, Pkcs7Kind};
pub use pkcs12::{Pkcs12, Pkcs12Builder};
pub use serial::Serial;
pub use store::{Purpose, TrustStore, TrustStoreBuilder, VerifyFlags, VerifyOptions};
pub(crate) use store::{
    Source as TrustSource, add_crl, load as load_trusted, read_file as read_certificates,
};
pub use test_ca::TestCa;
pub use time::Timestamp;

use crate::error::Error;
#[cfg(test)]
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
/// [`trust_pem`](crate::ContextBuilder::trust_pem). For a server's context
/// [`Identity::self_signed`](crate::Identity::self_signed) is shorter.
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
/// use greenling_tls::crypto::{self, Encoding};
///
/// let (certificate, _key) = crypto::self_signed(&["localhost", "127.0.0.1", "::1"])?;
/// assert!(certificate.encode(Encoding::Pem)?.starts_with(b"-----BEGIN CERTIFICATE"));
/// # Ok::<(), greenling_tls::Error>(())
/// ```
#[doc(alias = "X509.sign")]
pub fn self_signed(names: &[&str]) -> Result<(Cert, PrivateKey), Error> {
    Request::new(Kind::Server, names)?.issue(Issuer::Itself)
}

/// A leaf for `leaf.test` with its key, the authority that signed it, the one that
/// signed that, and their root.
#[cfg(test)]
pub(crate) fn chain_of_four() -> (Identity, Vec<openssl::x509::X509>) {
    let (mut above, mut key) = Request::authority("root")
        .issue(Issuer::Itself)
        .expect("a certificate");
    let mut chain = vec![above.clone()];
    for name in ["upper", "lower"] {
        let request = Request::authority(name);
        (above, key) = request
            .issue(Issuer::Authority(&above, &key))
            .expect("a certificate");
        chain.insert(0, above.clone());
    }
    let request = Request::new(Kind::Server, &["leaf.test"]).expect("a name");
    let (leaf, key) = request
        .issue(Issuer::Authority(&above, &key))
        .expect("a certificate");
    chain.insert(0, leaf.clone());
    let identity = Identity::new([leaf], key).expect("an identity");
    (identity, chain.into_iter().map(Into::into).collect())
}
