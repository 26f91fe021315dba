//! Making a request.

use openssl::stack::Stack;
use openssl::x509::X509Req;
use zeroize::Zeroizing;

use super::{Csr, KIND, sys};
use crate::config_error::{ConfigError, ConfigErrorKind};
use crate::crypto::call::call;
use crate::crypto::digest::Digest;
use crate::crypto::ext::Ext;
use crate::crypto::key::{PrivateKey, PublicKey};
use crate::crypto::name::Name;
use crate::error::Error;

/// The bytes that a password may have (RFC 2985, section 5.4.1).
const PASSWORD_MAX: usize = 255;

/// Makes a [`Csr`], from [`Csr::builder`].
///
/// # Scheduling
///
/// Never switches, except where a method says so.
#[doc(alias = "X509Req")]
#[derive(Clone, Default)]
#[must_use]
pub struct CsrBuilder {
    subject: Option<Name>,
    version: i32,
    public_key: Option<PublicKey>,
    extensions: Vec<Ext>,
    password: Option<Zeroizing<Vec<u8>>>,
}

impl CsrBuilder {
    /// Whom the certificate is to be about. Without it the name is empty, as for
    /// servers that have a subjectAltName.
    #[doc(alias = "X509Req.get_subject")]
    #[doc(alias = "X509_REQ_set_subject_name")]
    pub fn subject(mut self, subject: Name) -> CsrBuilder {
        self.subject = Some(subject);
        self
    }

    /// The version less one. There is one version, so this is 0, as it is by itself.
    #[doc(alias = "X509Req.set_version")]
    #[doc(alias = "X509_REQ_set_version")]
    pub fn version(mut self, version: i32) -> CsrBuilder {
        self.version = version;
        self
    }

    /// The key that the certificate is to be for: that of the private key which signs,
    /// as it is by itself.
    #[doc(alias = "set_pubkey")]
    #[doc(alias = "X509_REQ_set_pubkey")]
    pub fn public_key(mut self, key: &PublicKey) -> CsrBuilder {
        self.public_key = Some(key.clone());
        self
    }

    /// Asks for an extension.
    #[doc(alias = "add_extensions")]
    #[doc(alias = "X509_REQ_add_extensions")]
    pub fn ext(mut self, ext: Ext) -> CsrBuilder {
        self.extensions.push(ext);
        self
    }

    /// Asks for extensions.
    pub fn exts(mut self, exts: impl IntoIterator<Item = Ext>) -> CsrBuilder {
        self.extensions.extend(exts);
        self
    }

    /// A password by which its sender can later be told from others. It stands in the
    /// request for everybody to read.
    #[doc(alias = "challengePassword")]
    pub fn challenge_password(mut self, password: impl AsRef<[u8]>) -> CsrBuilder {
        self.password = Some(Zeroizing::new(password.as_ref().to_vec()));
        self
    }

    /// Signs it, which proves that its sender has the private key.
    ///
    /// Ed25519 has a digest of its own, whatever `digest` is.
    ///
    /// # Errors
    ///
    /// [`Error::Config`] of kind [`KeyMismatch`] when `key` does not belong to the
    /// public key that was set, of kind [`BadValue`] for another version, two extensions
    /// of one kind, or a password that is not 1 to 255 bytes of UTF-8, and of kind
    /// [`Rejected`] for MD5 and SHA-1 without the feature `legacy`.
    /// [`Error::Unsupported`] for keys that do not sign.
    ///
    /// [`KeyMismatch`]: ConfigErrorKind::KeyMismatch
    /// [`BadValue`]: ConfigErrorKind::BadValue
    /// [`Rejected`]: ConfigErrorKind::Rejected
    #[doc(alias = "X509Req.sign")]
    #[doc(alias = "X509_REQ_sign")]
    pub fn sign(self, key: &PrivateKey, digest: Digest) -> Result<Csr, Error> {
        self.check(key)?;
        let digest = digest.for_signing(key)?;
        let extensions = self
            .extensions
            .iter()
            .map(Ext::to_openssl)
            .collect::<Result<Vec<_>, Error>>()?;
        let request = call(|| {
            let mut builder = X509Req::builder()?;
            builder.set_version(self.version)?;
            if let Some(subject) = &self.subject {
                builder.set_subject_name(subject.as_x509_name())?;
            }
            builder.set_pubkey(key.as_pkey())?;
            if !extensions.is_empty() {
                let mut list = Stack::new()?;
                for extension in extensions {
                    list.push(extension)?;
                }
                builder.add_extensions(&list)?;
            }
            let request = builder.build();
            if let Some(password) = &self.password {
                sys::add_challenge_password(&request, password)?;
            }
            sys::sign(&request, key.as_pkey(), digest)?;
            Ok(request)
        })?;
        Ok(request.into())
    }

    fn check(&self, key: &PrivateKey) -> Result<(), ConfigError> {
        let fault = |kind, detail: String| Err(ConfigError::new(kind, KIND.subject, detail));
        if self.version != 0 {
            let detail = format!("has no version {}: the only one is 0", self.version);
            return fault(ConfigErrorKind::BadValue, detail);
        }
        let other = self.public_key.as_ref();
        if other.is_some_and(|other| *other != key.public_key()) {
            let detail = "is to be signed with a key that does not belong to its own";
            return fault(ConfigErrorKind::KeyMismatch, detail.to_owned());
        }
        for (index, ext) in self.extensions.iter().enumerate() {
            let before = &self.extensions[..index];
            if before.iter().any(|before| before.oid() == ext.oid()) {
                let detail = format!("asks for {} twice", ext.short_name());
                return fault(ConfigErrorKind::BadValue, detail);
            }
        }
        let is_good = |password: &Zeroizing<Vec<u8>>| {
            (1..=PASSWORD_MAX).contains(&password.len()) && str::from_utf8(password).is_ok()
        };
        if !self.password.as_ref().is_none_or(is_good) {
            let detail = format!("needs a password of 1 to {PASSWORD_MAX} bytes of UTF-8");
            return fault(ConfigErrorKind::BadValue, detail);
        }
        Ok(())
    }
}

/// Shows all but the password.
impl std::fmt::Debug for CsrBuilder {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("CsrBuilder")
            .field("subject", &self.subject)
            .field("extensions", &self.extensions)
            .finish_non_exhaustive()
    }
}
