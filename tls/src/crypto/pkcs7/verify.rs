//! Signatures: whether they are good, and whether their makers are trusted.
//!
//! `PKCS7_verify(3)` does both, and tells of an untrusted signer in words only. So it
//! checks the signatures here, and the [`TrustStore`] the signers. Both find a signer
//! by issuer and serial number, the given certificates first, and so the same one.

use openssl::error::ErrorStack;
use openssl::pkcs7;
use openssl::x509::store::X509StoreBuilder;

use super::make::stack;
use super::{Pkcs7, Pkcs7Flags, fault, sys};
use crate::config_error::{ConfigError, ConfigErrorKind};
use crate::crypto::call::{call, check_size};
use crate::crypto::cert::Cert;
use crate::crypto::store::{Purpose, TrustStore, VerifyOptions};
use crate::error::Error;

/// More than anything has that people have signed. A chain is built for each.
const SIGNERS_MAX: usize = 100;

impl Pkcs7 {
    /// Verifies all signatures, and that a path leads from each signer to `store`, now
    /// and for signing electronic mail, which is what OpenSSL asks for. Returns the
    /// content.
    ///
    /// Signers and what is between them and the store are looked for in `certs` and
    /// then in the structure. `content` is for a structure that is
    /// [detached](Pkcs7::is_detached) from it. Revocation lists in the structure
    /// are not used.
    ///
    /// # Errors
    ///
    /// [`Error::Certificate`] when a signer is not trusted. [`Error::Config`] of kind
    /// `BadSignature`, `WrongObject` (it is not signed data), `Missing` (there is no
    /// signature, no content, or no certificate of a signer), `BadValue` (content was
    /// given for a structure that has its own), or `TooLarge` (more than 100 have
    /// signed it).
    #[doc(alias = "PKCS7_verify")]
    pub fn verify(
        &self,
        store: &TrustStore,
        certs: &[Cert],
        content: Option<&[u8]>,
        flags: Pkcs7Flags,
    ) -> Result<Vec<u8>, Error> {
        let options = VerifyOptions::new().purpose(Purpose::EmailSigning);
        self.verify_for(store, certs, content, flags, &options)
    }

    /// As [`verify`](Pkcs7::verify), at another time, for another purpose and more.
    ///
    /// # Errors
    ///
    /// Also those of [`TrustStore::verify_for`].
    #[doc(alias = "PKCS7_verify")]
    pub fn verify_for(
        &self,
        store: &TrustStore,
        certs: &[Cert],
        content: Option<&[u8]>,
        flags: Pkcs7Flags,
        options: &VerifyOptions,
    ) -> Result<Vec<u8>, Error> {
        let content = self.dangerous_verify_signatures(certs, content, flags)?;
        let mut chain = certs.to_vec();
        if !flags.contains(Pkcs7Flags::NO_CHAIN) {
            chain.extend(self.certificates());
        }
        for signer in self.signers(certs, flags)? {
            store.verify_for(&signer, &chain, options)?;
        }
        Ok(content)
    }

    /// Verifies all signatures and returns the content, no matter who has signed it.
    ///
    /// Dangerous: everybody can make a certificate and sign with it. Use
    /// [`signers`](Pkcs7::signers) to find out who did, and decide by that.
    ///
    /// # Errors
    ///
    /// [`Error::Config`] as [`verify`](Pkcs7::verify).
    #[doc(alias = "PKCS7_NOVERIFY")]
    pub fn dangerous_verify_signatures(
        &self,
        certs: &[Cert],
        content: Option<&[u8]>,
        flags: Pkcs7Flags,
    ) -> Result<Vec<u8>, Error> {
        self.check_signed()?;
        self.check_content(content)?;
        let verified = call(|| {
            let (structure, _) = sys::decode(&self.shared.der)?;
            let nobody = X509StoreBuilder::new()?.build();
            let flags = flags.openssl() | pkcs7::Pkcs7Flags::NOVERIFY;
            let (certs, mut out) = (stack(certs)?, Vec::new());
            structure.verify(&certs, &nobody, content, Some(&mut out), flags)?;
            Ok(out)
        });
        Ok(verified.map_err(reason)?)
    }

    /// The certificates of those who have signed it, in the order of their signatures:
    /// found in `certs` or else in the structure. Nothing is verified.
    ///
    /// # Errors
    ///
    /// [`Error::Config`] of kind `WrongObject`, `Missing` or `TooLarge`, as
    /// [`verify`](Pkcs7::verify).
    #[doc(alias = "PKCS7_get0_signers")]
    pub fn signers(&self, certs: &[Cert], flags: Pkcs7Flags) -> Result<Vec<Cert>, Error> {
        self.check_signed()?;
        let signers = call(|| {
            let (structure, _) = sys::decode(&self.shared.der)?;
            let certs = stack(certs)?;
            structure.signers(&certs, flags.openssl())
        });
        let signers = signers.map_err(reason)?;
        Ok(signers.into_iter().map(Cert::from).collect())
    }

    /// Content must be given if it is elsewhere, and only then.
    pub(super) fn check_content(&self, content: Option<&[u8]>) -> Result<(), ConfigError> {
        check_size("content", content.unwrap_or_default())?;
        match (self.is_detached(), content) {
            (true, None) => {
                let detail = "has its content elsewhere, and none was given";
                Err(fault(ConfigErrorKind::Missing, detail))
            }
            (false, Some(_)) => {
                let detail = "has its content inside, and another was given";
                Err(fault(ConfigErrorKind::BadValue, detail))
            }
            _ => Ok(()),
        }
    }

    fn check_signed(&self) -> Result<(), ConfigError> {
        if !self.is_signed() {
            return Err(self.wrong_kind("signed"));
        }
        match self.signer_count() {
            0 => Err(fault(
                ConfigErrorKind::Missing,
                "is a bundle of certificates that nobody has signed",
            )),
            1..=SIGNERS_MAX => Ok(()),
            _ => Err(fault(
                ConfigErrorKind::TooLarge,
                "has more than 100 signatures",
            )),
        }
    }

    pub(super) fn wrong_kind(&self, expected: &str) -> ConfigError {
        fault(
            ConfigErrorKind::WrongObject,
            &format!("is not {expected} but {}", self.type_name()),
        )
    }
}

/// What OpenSSL says of signatures.
fn reason(stack: ErrorStack) -> ConfigError {
    let says = |text| {
        let mut reasons = stack.errors().iter().filter_map(|error| error.reason());
        reasons.any(|reason| reason == text)
    };
    let (kind, detail) = if says("signer certificate not found") {
        (
            ConfigErrorKind::Missing,
            "has a signature whose certificate is neither in it nor was given",
        )
    } else if says("smime text error") {
        (ConfigErrorKind::Malformed, "holds no plain text")
    } else if says("digest failure") {
        (
            ConfigErrorKind::BadSignature,
            "has a signature over other content",
        )
    } else if says("signature failure") {
        (
            ConfigErrorKind::BadSignature,
            "has a signature that was not made with the key of its certificate",
        )
    } else {
        (
            ConfigErrorKind::BadSignature,
            "has a signature that cannot be checked",
        )
    };
    fault(kind, detail).because_ssl(stack)
}
