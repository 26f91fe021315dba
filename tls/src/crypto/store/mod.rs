//! Certificates that are trusted, and chains that lead to them.
//!
//! Verifying is OpenSSL's (`X509_verify_cert(3)`). A store is not changed once it is
//! built: OpenSSL locks one that threads share, but a verification in the middle of
//! another thread's changes would judge by rules that nobody ever set.

mod builder;
mod flags;
mod options;
mod purpose;
mod source;
#[allow(
    unsafe_code,
    reason = "calls on X509_STORE that the openssl crate lacks"
)]
mod sys;
mod verify;

use std::fmt;
use std::sync::Arc;

use openssl::x509::X509;
use openssl::x509::store::X509Store;

pub use builder::TrustStoreBuilder;
pub use flags::VerifyFlags;
pub use options::VerifyOptions;
pub use purpose::Purpose;
pub(crate) use source::{Source, load, read_file};
pub(crate) use sys::add_crl;

use super::cert::Cert;
use super::crl::Crl;

/// Certificates that are trusted, lists of revoked ones, and the rules by which
/// chains are judged that lead to them.
///
/// It never changes, and clones share it. Any number of threads and tasklets may
/// verify with one at the same time.
///
/// By itself OpenSSL takes chains of up to 100 intermediates and keys of any size.
/// Here the defaults are those of a [`ContextBuilder`](crate::ContextBuilder): 10
/// intermediates, and security level 2, which has at least 112 bits. It differs in one
/// thing: only a root ends a chain, unless [`VerifyFlags::PARTIAL_CHAIN`] is set.
///
/// # Scheduling
///
/// Never switches, except where a method says so.
///
/// # Examples
///
/// ```
/// use greenling_tls::crypto::{TestCa, Timestamp, TrustStore, VerifyOptions};
/// use greenling_tls::{Error, Purpose};
///
/// let ca = TestCa::new("my tests")?;
/// let identity = ca.issue(&["example.com"])?;
/// let store = TrustStore::builder().add_cert(ca.root().clone()).build()?;
/// let path = store.verify(&identity.certificate(), &[], Timestamp::now())?;
/// assert_eq!(path.len(), 2);
///
/// let other = VerifyOptions::new().purpose(Purpose::Server).host("example.org");
/// match store.verify_for(&identity.certificate(), &[], &other) {
///     Err(Error::Certificate(why)) => assert_eq!(why.reason(), "hostname mismatch"),
///     other => panic!("{other:?}"),
/// }
/// # Ok::<(), Error>(())
/// ```
#[doc(alias = "X509Store")]
#[doc(alias = "X509StoreType")]
#[doc(alias = "X509_STORE")]
#[derive(Clone)]
pub struct TrustStore {
    shared: Arc<Shared>,
}

struct Shared {
    store: X509Store,
    /// All but those of directories.
    anchors: Vec<X509>,
    crls: Vec<Crl>,
    /// What is searched when a chain needs it.
    directories: Vec<Source>,
    flags: VerifyFlags,
    purpose: Option<Purpose>,
}

impl TrustStore {
    /// Begins with nothing that is trusted.
    #[doc(alias = "X509_STORE_new")]
    pub fn builder() -> TrustStoreBuilder {
        TrustStoreBuilder::default()
    }

    /// The trusted certificates that are known by now: not those of directories and of
    /// the system, which are read when a chain needs them.
    #[doc(alias = "X509_STORE_get1_all_certs")]
    pub fn certificates(&self) -> Vec<Cert> {
        self.anchors().iter().cloned().map(Cert::from).collect()
    }

    /// The lists of revoked certificates, but for those of directories.
    pub fn crls(&self) -> &[Crl] {
        &self.shared.crls
    }

    /// How chains are judged.
    pub fn flags(&self) -> VerifyFlags {
        self.shared.flags
    }

    pub(super) fn anchors(&self) -> &[X509] {
        &self.shared.anchors
    }

    pub(super) fn directories(&self) -> impl Iterator<Item = &Source> {
        self.shared.directories.iter()
    }
}

/// Shows how much is in it.
impl fmt::Debug for TrustStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TrustStore")
            .field("certificates", &self.shared.anchors.len())
            .field("crls", &self.shared.crls.len())
            .field("flags", &self.shared.flags)
            .field("purpose", &self.shared.purpose)
            .finish_non_exhaustive()
    }
}
