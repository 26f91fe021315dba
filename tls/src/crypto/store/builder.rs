//! What a store is made of.

use std::ffi::c_int;
use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use openssl::error::ErrorStack;
use openssl::x509::X509;
use openssl::x509::store::{X509StoreBuilder, X509StoreBuilderRef};
use openssl::x509::verify::X509VerifyParam;

use super::source::{self, Source};
use super::{Purpose, Shared, TrustStore, VerifyFlags, sys};
use crate::config_error::{ConfigError, ConfigErrorKind};
use crate::crypto::call::call;
use crate::crypto::cert::Cert;
use crate::crypto::crl::{self, Crl};
use crate::error::Error;

/// As in a context.
const DEPTH: u32 = 10;
const SECURITY_LEVEL: u32 = 2;

/// Collects what a [`TrustStore`] is made of.
///
/// Nothing is read or checked before [`build`](TrustStoreBuilder::build).
///
/// # Scheduling
///
/// Never switches, except where a method says so.
#[doc(alias = "X509Store")]
#[derive(Clone)]
#[must_use = "a builder does nothing until `build`"]
pub struct TrustStoreBuilder {
    sources: Vec<Source>,
    crls: Vec<CrlSource>,
    flags: VerifyFlags,
    purpose: Option<Purpose>,
    depth: u32,
    security_level: u32,
}

#[derive(Clone)]
enum CrlSource {
    List(Crl),
    Pem(Vec<u8>),
    File(PathBuf),
}

impl Default for TrustStoreBuilder {
    fn default() -> TrustStoreBuilder {
        TrustStoreBuilder {
            sources: Vec::new(),
            crls: Vec::new(),
            flags: VerifyFlags::default(),
            purpose: None,
            depth: DEPTH,
            security_level: SECURITY_LEVEL,
        }
    }
}

impl TrustStoreBuilder {
    /// Trusts a certificate.
    #[doc(alias = "X509Store.add_cert")]
    #[doc(alias = "X509_STORE_add_cert")]
    pub fn add_cert(self, certificate: Cert) -> TrustStoreBuilder {
        self.source(Source::Certificate(certificate.into()))
    }

    /// Trusts certificates.
    pub fn add_certs(self, certificates: impl IntoIterator<Item = Cert>) -> TrustStoreBuilder {
        certificates.into_iter().fold(self, Self::add_cert)
    }

    /// Trusts certificates in PEM form; there must be one at least.
    pub fn add_pem(self, pem: impl Into<Vec<u8>>) -> TrustStoreBuilder {
        self.source(Source::Pem(pem.into()))
    }

    /// Trusts the certificates of a PEM file; there must be one at least.
    #[doc(alias = "X509Store.load_locations")]
    #[doc(alias = "X509_STORE_load_locations")]
    #[doc(alias = "X509_STORE_load_file")]
    pub fn add_file(self, path: impl AsRef<Path>) -> TrustStoreBuilder {
        self.source(Source::File(path.as_ref().to_owned()))
    }

    /// Trusts the certificates of a directory that `openssl rehash` (or `c_rehash`) has
    /// prepared, and uses the revocation lists there.
    ///
    /// It is searched when a chain needs it; what was found is kept, and a newer list
    /// is found when it gets there.
    #[doc(alias = "X509Store.load_locations")]
    #[doc(alias = "X509_LOOKUP_hash_dir")]
    #[doc(alias = "X509_STORE_load_path")]
    pub fn add_hash_dir(self, path: impl AsRef<Path>) -> TrustStoreBuilder {
        self.source(Source::Dir(path.as_ref().to_owned()))
    }

    /// Trusts the public authorities that the system trusts.
    ///
    /// `SSL_CERT_FILE` and `SSL_CERT_DIR` in the environment name other places for them.
    #[doc(alias = "X509_STORE_set_default_paths")]
    pub fn add_system_roots(self) -> TrustStoreBuilder {
        self.source(Source::System)
    }

    /// Looks certificates up in this revocation list: from now on each must be in no
    /// list of its issuer, and there must be one that is in force. To look up
    /// every certificate of a chain takes [`VerifyFlags::CRL_CHECK_ALL`].
    ///
    /// A list is found by its issuer's name. Whether it is signed by the issuer is
    /// checked when it is used.
    #[doc(alias = "X509Store.add_crl")]
    #[doc(alias = "X509_STORE_add_crl")]
    pub fn add_crl(self, list: Crl) -> TrustStoreBuilder {
        self.crl(CrlSource::List(list))
    }

    /// As [`add_crl`](TrustStoreBuilder::add_crl), with all lists of a PEM text.
    pub fn add_crl_pem(self, pem: impl Into<Vec<u8>>) -> TrustStoreBuilder {
        self.crl(CrlSource::Pem(pem.into()))
    }

    /// As [`add_crl`](TrustStoreBuilder::add_crl), with all lists of a PEM file.
    #[doc(alias = "X509_load_crl_file")]
    pub fn add_crl_file(self, path: impl AsRef<Path>) -> TrustStoreBuilder {
        self.crl(CrlSource::File(path.as_ref().to_owned()))
    }

    /// Adds to how chains are judged.
    #[doc(alias = "X509Store.set_flags")]
    #[doc(alias = "X509_STORE_set_flags")]
    pub fn flags(mut self, flags: VerifyFlags) -> TrustStoreBuilder {
        self.flags |= flags;
        self
    }

    /// What certificates must be good for. Default: the key usage of authorities is
    /// looked at, the extended key usage is not.
    #[doc(alias = "X509_STORE_set_purpose")]
    pub fn purpose(mut self, purpose: Purpose) -> TrustStoreBuilder {
        self.purpose = Some(purpose);
        self
    }

    /// The number of intermediate certificates to allow in a chain. Default: 10.
    #[doc(alias = "X509_STORE_set_depth")]
    pub fn depth(mut self, intermediates: u32) -> TrustStoreBuilder {
        self.depth = intermediates;
        self
    }

    /// How strong keys and signatures must be: levels 0 to 5 are for at least 0, 80,
    /// 112, 128, 192 and 256 bits (`SSL_CTX_set_security_level(3)`). Default: 2, which
    /// refuses RSA keys of less than 2048 bits and signatures with SHA-1.
    ///
    /// The certificate's own signature and key count too, its anchor's signature does
    /// not.
    #[doc(alias = "X509_VERIFY_PARAM_set_auth_level")]
    pub fn security_level(mut self, level: u32) -> TrustStoreBuilder {
        self.security_level = level;
        self
    }

    /// Reads what has to be read, and makes the store.
    ///
    /// # Scheduling
    ///
    /// Never switches: it reads with blocking system calls.
    ///
    /// # Errors
    ///
    /// [`Error::Config`] that names the file or option at fault: it cannot be read, is
    /// too large, or holds no certificate, or no list, in PEM form.
    pub fn build(self) -> Result<TrustStore, Error> {
        let (depth, level) = (small(self.depth, "depth")?, self.security_level);
        if level > 5 {
            let detail = format!("is {level}, and levels end with 5");
            return Err(bad("security level", detail).into());
        }
        let crls = self.read_crls()?;
        let mut flags = self.flags;
        if !crls.is_empty() {
            flags |= VerifyFlags::CRL_CHECK;
        }
        let built = call(|| {
            let mut store = X509StoreBuilder::new()?;
            let anchors = match source::load(&self.sources, &mut store) {
                Ok(anchors) => anchors,
                Err(error) => return Ok(Err(error)),
            };
            let mut parameters = X509VerifyParam::new()?;
            parameters.set_flags(flags.as_openssl())?;
            parameters.set_depth(depth);
            #[cfg(not(feature = "aws-lc"))]
            parameters.set_auth_level(level as c_int);
            store.set_param(&parameters)?;
            add_crls(&crls, &mut store)?;
            Ok(Ok((store.build(), anchors)))
        })?;
        let (store, anchors): (_, Vec<X509>) = built?;
        Ok(TrustStore {
            shared: Arc::new(Shared {
                store,
                anchors,
                crls,
                directories: directories(&self.sources),
                flags,
                purpose: self.purpose,
            }),
        })
    }

    fn source(mut self, source: Source) -> TrustStoreBuilder {
        self.sources.push(source);
        self
    }

    fn crl(mut self, source: CrlSource) -> TrustStoreBuilder {
        self.crls.push(source);
        self
    }

    fn read_crls(&self) -> Result<Vec<Crl>, ConfigError> {
        let mut lists = Vec::new();
        for source in &self.crls {
            match source {
                CrlSource::List(list) => lists.push(list.clone()),
                CrlSource::Pem(pem) => lists.extend(crl::read_all("revocation lists", pem)?),
                CrlSource::File(path) => lists.extend(crl::read_file(path)?),
            }
        }
        Ok(lists)
    }
}

fn add_crls(lists: &[Crl], store: &mut X509StoreBuilderRef) -> Result<(), ErrorStack> {
    lists
        .iter()
        .try_for_each(|list| sys::add_crl(store, list.as_x509_crl()))
}

fn directories(sources: &[Source]) -> Vec<Source> {
    let searched = |source: &&Source| matches!(source, Source::System | Source::Dir(_));
    sources.iter().filter(searched).cloned().collect()
}

/// A number that OpenSSL takes as an `int`.
pub(super) fn small(number: u32, what: &str) -> Result<c_int, ConfigError> {
    c_int::try_from(number).map_err(|_| bad(what, format!("is {number}, which is too large")))
}

fn bad(what: &str, detail: String) -> ConfigError {
    ConfigError::new(ConfigErrorKind::BadValue, what, detail)
}

/// Shows how much has been asked for.
impl fmt::Debug for TrustStoreBuilder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TrustStoreBuilder")
            .field("sources", &self.sources.len())
            .field("crls", &self.crls.len())
            .field("flags", &self.flags)
            .field("purpose", &self.purpose)
            .finish_non_exhaustive()
    }
}
