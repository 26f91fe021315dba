//! The authority that signs: its certificate and its key.

use std::ffi::OsString;
use std::path::{Path, PathBuf};

use clap::Args;
use greenling_tls::crypto::{Cert, ExtKind, KeyUsage, PrivateKey, Timestamp};

use crate::failure::{Failure, Outcome};
use crate::{files, input, passphrase};

/// Which authority.
#[derive(Debug, Args)]
pub(crate) struct AuthorityOptions {
    /// Certificate of the authority
    #[arg(long, value_name = "FILE")]
    pub(crate) ca: PathBuf,

    #[command(flatten)]
    pub(crate) key: AuthorityKey,
}

/// Where its key is.
#[derive(Debug, Args)]
pub(crate) struct AuthorityKey {
    /// Its key [default: the name of the certificate, ending in .key]
    #[arg(long, value_name = "FILE", requires = "ca")]
    ca_key: Option<PathBuf>,

    /// The passphrase of its key: fd:N, file:PATH or env:NAME
    #[arg(long, value_name = "SOURCE", requires = "ca")]
    ca_pass: Option<OsString>,
}

/// Who signs.
#[derive(Debug)]
pub(crate) struct Authority {
    pub(crate) cert: Cert,
    pub(crate) key: PrivateKey,
}

impl AuthorityOptions {
    pub(crate) fn load(&self) -> Outcome<Authority> {
        self.key.load(&self.ca)
    }
}

impl AuthorityKey {
    /// Reads certificate and key, and makes sure that they may sign.
    pub(crate) fn load(&self, ca: &Path) -> Outcome<Authority> {
        let pass = passphrase::source("--ca-pass", self.ca_pass.as_ref())?;
        let cert = input::cert(ca)?;
        if !is_authority(&cert)? {
            return Err(Failure::file(ca, "is not the certificate of an authority"));
        }
        let path = match &self.ca_key {
            Some(path) => path.clone(),
            None => ca.with_extension("key"),
        };
        let key = input::key(&path, pass, "--ca-pass")?;
        if !key.matches(&cert) {
            let what = format!("is not the key of {}", ca.display());
            return Err(Failure::file(&path, what));
        }
        if !cert.is_valid_at(Timestamp::now()) {
            files::note(format_args!(
                "{}: warning: the authority itself is not valid now",
                ca.display()
            ));
        }
        Ok(Authority { cert, key })
    }
}

/// Whether its extensions let it sign certificates (RFC 5280, section 6.1.4).
pub(crate) fn is_authority(cert: &Cert) -> Outcome<bool> {
    let mut is_ca = false;
    let mut may_sign = true;
    for ext in cert.extensions()? {
        match ext.kind() {
            ExtKind::BasicConstraints(constraints) => is_ca = constraints.ca,
            ExtKind::KeyUsage(usage) => may_sign = usage.contains(KeyUsage::KEY_CERT_SIGN),
            _ => {}
        }
    }
    Ok(is_ca && may_sign)
}
