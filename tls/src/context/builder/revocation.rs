//! Certificate revocation lists (RFC 5280, section 5).

use std::path::{Path, PathBuf};

use openssl::ssl::SslContextBuilder;
use openssl::x509::X509Crl;
use openssl::x509::verify::X509VerifyFlags;

use super::ContextBuilder;
use crate::config_error::{ConfigError, ConfigErrorKind};
use crate::context::sys;
use crate::error::Error;
use crate::identity;

/// Lists of large authorities have some megabytes.
const FILE_SIZE_MAX: usize = 64 << 20;

const BEGIN: &[u8] = b"-----BEGIN X509 CRL-----";

#[derive(Default)]
pub(super) struct Revocation {
    sources: Vec<CrlSource>,
    whole_chain: bool,
}

enum CrlSource {
    File(PathBuf),
    Pem(Vec<u8>),
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
    /// Returns the lists, which decide about sessions too.
    pub(super) fn apply(&self, context: &mut SslContextBuilder) -> Result<Vec<X509Crl>, Error> {
        let mut lists = Vec::new();
        for source in &self.sources {
            match source {
                CrlSource::File(path) => {
                    let pem = identity::read(path, FILE_SIZE_MAX, |_| Ok(()))?;
                    lists.extend(parse(&path.display().to_string(), &pem)?);
                }
                CrlSource::Pem(pem) => lists.extend(parse("revocation lists", pem)?),
            }
        }
        for list in &lists {
            sys::add_crl(context, list).map_err(|stack| {
                ConfigError::rejected("revocation lists", "cannot be stored", stack)
            })?;
        }
        let mut flags = X509VerifyFlags::empty();
        if !lists.is_empty() || self.whole_chain {
            flags |= X509VerifyFlags::CRL_CHECK;
        }
        if self.whole_chain {
            flags |= X509VerifyFlags::CRL_CHECK_ALL;
        }
        context.verify_param_mut().set_flags(flags)?;
        Ok(lists)
    }
}

/// The `openssl` crate reads one list only.
fn parse(subject: &str, pem: &[u8]) -> Result<Vec<X509Crl>, ConfigError> {
    let malformed = |detail| ConfigError::new(ConfigErrorKind::Malformed, subject, detail);
    let starts: Vec<usize> = pem
        .windows(BEGIN.len())
        .enumerate()
        .filter(|(_, window)| *window == BEGIN)
        .map(|(index, _)| index)
        .collect();
    if starts.is_empty() {
        return Err(malformed("holds no revocation list in PEM form"));
    }
    starts
        .into_iter()
        .map(|start| {
            X509Crl::from_pem(&pem[start..])
                .map_err(|stack| malformed("holds a damaged revocation list").because_ssl(stack))
        })
        .collect()
}
