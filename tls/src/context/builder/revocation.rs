//! Certificate revocation lists (RFC 5280, section 5).

use std::path::{Path, PathBuf};

use openssl::ssl::SslContextBuilder;
use openssl::x509::verify::X509VerifyFlags;

use super::ContextBuilder;
use crate::config_error::ConfigError;
use crate::crypto::{self, Crl};
use crate::error::Error;

#[derive(Default)]
pub(super) struct Revocation {
    sources: Vec<CrlSource>,
    whole_chain: bool,
}

enum CrlSource {
    File(PathBuf),
    Pem(Vec<u8>),
    /// Of a store, whose flags say what they are for.
    Store(Vec<Crl>),
}

impl ContextBuilder {
    /// Looks the peer's certificate up in the revocation lists of a PEM file.
    ///
    /// Then there must be a list of its issuer that is in force today: without
    /// one it is refused. The lists are read when the context is built; to use
    /// newer ones build another context.
    #[doc(alias = "add_crl")]
    #[doc(alias = "X509_STORE_add_crl")]
    #[doc(alias = "VERIFY_CRL_CHECK_LEAF")]
    #[doc(alias = "X509_V_FLAG_CRL_CHECK")]
    pub fn crl_file(mut self, path: impl AsRef<Path>) -> ContextBuilder {
        let path = path.as_ref().to_owned();
        self.revocation.sources.push(CrlSource::File(path));
        self
    }

    /// As [`crl_file`](ContextBuilder::crl_file), with lists in memory.
    #[doc(alias = "add_crl")]
    pub fn crl_pem(mut self, pem: impl Into<Vec<u8>>) -> ContextBuilder {
        self.revocation.sources.push(CrlSource::Pem(pem.into()));
        self
    }

    /// Looks up every certificate of the chain, not only the peer's own. There
    /// must be a list of every authority on the way, the root included.
    #[doc(alias = "VERIFY_CRL_CHECK_CHAIN")]
    #[doc(alias = "X509_V_FLAG_CRL_CHECK_ALL")]
    pub fn crl_check_chain(mut self) -> ContextBuilder {
        self.revocation.whole_chain = true;
        self
    }
}

impl Revocation {
    /// Adds the lists of a store, whose flags say what is looked up in them.
    pub(super) fn add_store(&mut self, lists: &[Crl]) {
        self.sources.push(CrlSource::Store(lists.to_vec()));
    }

    /// Returns the lists, which decide about sessions too.
    pub(super) fn apply(&self, context: &mut SslContextBuilder) -> Result<Vec<Crl>, Error> {
        let mut lists = Vec::new();
        let mut checked = self.whole_chain;
        for source in &self.sources {
            match source {
                CrlSource::File(path) => lists.extend(crypto::read_crl_file(path)?),
                CrlSource::Pem(pem) => lists.extend(crypto::read_crls("revocation lists", pem)?),
                CrlSource::Store(of_store) => lists.extend_from_slice(of_store),
            }
            checked |= !matches!(source, CrlSource::Store(_));
        }
        for list in &lists {
            let store = context.cert_store_mut();
            crypto::add_crl(store, list.as_x509_crl()).map_err(|stack| {
                ConfigError::rejected("revocation lists", "cannot be stored", stack)
            })?;
        }
        let mut flags = X509VerifyFlags::empty();
        if checked {
            flags |= X509VerifyFlags::CRL_CHECK;
        }
        if self.whole_chain {
            flags |= X509VerifyFlags::CRL_CHECK_ALL;
        }
        context.verify_param_mut().set_flags(flags)?;
        Ok(lists)
    }
}
