//! Identities from PKCS #12 archives (RFC 7292), which browsers and Windows export.

use std::path::Path;

use super::files::{SIZE_MAX, check_key_perms, read};
use super::source::Source;
use super::{Encoding, Identity};
use crate::config_error::{ConfigError, ConfigErrorKind};
use crate::crypto::{Passphrase, Pkcs12};
use crate::error::Error;

impl Identity {
    /// Reads a PKCS #12 archive with a certificate, its chain and its key. The
    /// passphrase may be empty. [`Pkcs12::open`] has the details.
    ///
    /// # Errors
    ///
    /// [`Error::Config`]: it is damaged or lacks the certificate or the key, the
    /// passphrase is wrong or contains a NUL, or it is encrypted with algorithms
    /// that OpenSSL 3 only has in its legacy provider, as archives made before 2020
    /// often are, and that provider is not installed (export it again, or convert it
    /// with `openssl pkcs12 -legacy` elsewhere).
    #[doc(alias = "load_pkcs12")]
    #[doc(alias = "PKCS12_parse")]
    pub fn from_pkcs12(der: &[u8], passphrase: &str) -> Result<Identity, Error> {
        open("PKCS #12 archive", der, passphrase)
    }

    /// As [`Identity::from_pkcs12`], from a file, whose permissions are judged as
    /// those of a key file.
    ///
    /// # Errors
    ///
    /// Also those of [`Identity::from_pem_files`] that concern files.
    #[doc(alias = "load_pkcs12")]
    pub fn from_pkcs12_file(path: impl AsRef<Path>, passphrase: &str) -> Result<Identity, Error> {
        let path = path.as_ref();
        let der = read(path, SIZE_MAX, |metadata| {
            check_key_perms(path, metadata, false)
        })?;
        open(&path.display().to_string(), &der, passphrase)
    }
}

fn open(name: &str, der: &[u8], passphrase: &str) -> Result<Identity, Error> {
    let archive = Pkcs12::open_named(name, der, Passphrase::from(passphrase))?;
    let missing = |what| ConfigError::new(ConfigErrorKind::Malformed, name, what);
    let key = archive.key.ok_or_else(|| missing("holds no private key"))?;
    let leaf = archive
        .cert
        .ok_or_else(|| missing("holds no certificate with a key"))?;
    let chain = std::iter::once(leaf).chain(archive.ca);
    let source = Source {
        chain_name: name,
        key_name: name,
        encoding: Encoding::Der,
    };
    source.assemble(chain.map(Into::into).collect(), key.into())
}
