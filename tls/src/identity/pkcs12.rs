//! Identities from PKCS #12 archives (RFC 7292), which browsers and Windows export.

use std::ffi::CStr;
use std::path::Path;

use openssl::error::ErrorStack;
use openssl::pkcs12::Pkcs12;
use zeroize::Zeroizing;

use super::files::{SIZE_MAX, check_key_perms, read};
use super::source::Source;
use super::{Encoding, Identity, sys};
use crate::config_error::{ConfigError, ConfigErrorKind};
use crate::crypto::check_passphrase;
use crate::error::Error;
use crate::ssl::on_system_stack;

/// `PKCS12_R_MAC_VERIFY_FAILURE`.
const MAC_VERIFY_FAILURE: i32 = 113;
/// `ERR_LIB_PKCS12`.
const LIB_PKCS12: i32 = 35;

impl Identity {
    /// Reads a PKCS #12 archive with a certificate, its chain and its key. The
    /// passphrase may be empty.
    ///
    /// # Errors
    ///
    /// [`Error::Config`]: it is damaged or lacks the certificate or the key, the
    /// passphrase is wrong or contains a NUL, or it is encrypted with algorithms
    /// that OpenSSL 3 no longer has by default, as archives made before 2020 often
    /// are (export it again, or convert it with `openssl pkcs12 -legacy`).
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
    let error = |kind, detail: &str| ConfigError::new(kind, name, detail);
    check_passphrase(passphrase.as_bytes(), name)?;
    // Made as large as needed: a vector that grows leaves copies behind.
    let mut with_nul = Zeroizing::new(Vec::with_capacity(passphrase.len() + 1));
    with_nul.extend_from_slice(passphrase.as_bytes());
    with_nul.push(0);
    let passphrase = CStr::from_bytes_with_nul(&with_nul).expect("checked just above");
    on_system_stack(|| {
        let archive = Pkcs12::from_der(der).map_err(|stack| {
            error(ConfigErrorKind::Malformed, "is no PKCS #12 archive").because_ssl(stack)
        })?;
        let parts = sys::parse_pkcs12(&archive, passphrase).map_err(|stack| {
            let (kind, detail) = reason(&stack);
            error(kind, detail).because_ssl(stack)
        })?;
        let missing = |what| error(ConfigErrorKind::Malformed, what);
        let leaf = parts
            .leaf
            .ok_or_else(|| missing("holds no certificate with a key"))?;
        let key = parts.key.ok_or_else(|| missing("holds no private key"))?;
        let mut chain = vec![leaf];
        chain.extend(parts.others.into_iter().flatten());
        let source = Source {
            chain_name: name,
            key_name: name,
            encoding: Encoding::Der,
        };
        source.join(chain, key)
    })
}

fn reason(stack: &ErrorStack) -> (ConfigErrorKind, &'static str) {
    let is_mac = |e: &openssl::error::Error| {
        e.library_code() == LIB_PKCS12 && e.reason_code() == MAC_VERIFY_FAILURE
    };
    if stack.errors().iter().any(is_mac) {
        return (
            ConfigErrorKind::WrongPassphrase,
            "the passphrase does not open the archive",
        );
    }
    if stack
        .errors()
        .iter()
        .any(|e| e.reason() == Some("unsupported"))
    {
        let detail = "is encrypted with algorithms that OpenSSL 3 only has in its legacy provider";
        return (ConfigErrorKind::Rejected, detail);
    }
    (ConfigErrorKind::Malformed, "is damaged")
}
