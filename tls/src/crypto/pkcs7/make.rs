//! New structures: signed, encrypted, or a bundle of certificates.

use openssl::error::ErrorStack;
use openssl::pkcs7;
use openssl::stack::Stack;
use openssl::symm::Cipher;
use openssl::x509::{X509, X509Ref};

use super::{Pkcs7, Pkcs7Flags, Pkcs7Kind, fault, sys};
use crate::config_error::ConfigErrorKind;
use crate::crypto::call::{call, check_size};
use crate::crypto::cert::Cert;
use crate::crypto::crl::Crl;
use crate::crypto::key::{KeyAlg, PrivateKey};
use crate::error::Error;

impl Pkcs7 {
    /// Signs `content` with a key and its certificate, by SHA-256.
    ///
    /// The certificate goes along, and `chain` with it, so that readers can build a
    /// path to a root that they trust.
    ///
    /// # Errors
    ///
    /// [`Error::Config`] of kind `KeyMismatch` or `TooLarge`. [`Error::Unsupported`] for
    /// Ed25519 and X25519 keys, for which PKCS #7 has no signatures.
    #[doc(alias = "PKCS7_sign")]
    pub fn sign(
        cert: &Cert,
        key: &PrivateKey,
        chain: &[Cert],
        content: &[u8],
        flags: Pkcs7Flags,
    ) -> Result<Pkcs7, Error> {
        check_size("content", content)?;
        if !key.matches(cert) {
            let detail = "would be signed with a key that does not belong to the certificate";
            return Err(fault(ConfigErrorKind::KeyMismatch, detail).into());
        }
        let algorithm = key.algorithm();
        if matches!(algorithm, KeyAlg::Ed25519 | KeyAlg::X25519) {
            let what = format!("{algorithm} keys do not sign PKCS #7");
            return Err(Error::unsupported(what));
        }
        let signed = call(|| {
            let chain = stack(chain)?;
            let (cert, key) = (cert.as_x509(), key.as_pkey());
            pkcs7::Pkcs7::sign(cert, key, &chain, content, flags.openssl())
        })?;
        Pkcs7::from_openssl(&signed)
    }

    /// A bundle of certificates and revocation lists, which nobody signs.
    ///
    /// # Errors
    ///
    /// [`Error::Ssl`] when OpenSSL refuses it, as when the same certificate is in it
    /// twice.
    #[doc(alias = "crl2pkcs7")]
    #[doc(alias = "PKCS7_add_certificate")]
    #[doc(alias = "PKCS7_add_crl")]
    pub fn certs_only(certs: &[Cert], crls: &[Crl]) -> Result<Pkcs7, Error> {
        let certs: Vec<&X509Ref> = certs.iter().map(Cert::as_x509).collect();
        let crls: Vec<_> = crls.iter().map(Crl::as_x509_crl).collect();
        let bundle = call(|| sys::degenerate(&certs, &crls))?;
        Pkcs7::from_openssl(&bundle)
    }

    /// Encrypts `content` with AES-256 in CBC mode so that the owner of each of these
    /// certificates can decrypt it.
    ///
    /// It is not protected against changes: sign it first.
    ///
    /// # Errors
    ///
    /// [`Error::Config`] of kind `Missing` (there is no recipient) or `TooLarge`.
    /// [`Error::Unsupported`] for certificates with other keys than RSA ones.
    #[doc(alias = "PKCS7_encrypt")]
    pub fn encrypt(recipients: &[Cert], content: &[u8]) -> Result<Pkcs7, Error> {
        check_size("content", content)?;
        if recipients.is_empty() {
            let detail = "would be encrypted for nobody";
            return Err(fault(ConfigErrorKind::Missing, detail).into());
        }
        for recipient in recipients {
            let algorithm = recipient.public_key()?.algorithm();
            if !matches!(algorithm, KeyAlg::Rsa(_)) {
                let what = format!("PKCS #7 is not encrypted for {algorithm} keys");
                return Err(Error::unsupported(what));
            }
        }
        let sealed = call(|| {
            let (recipients, flags) = (stack(recipients)?, Pkcs7Flags::default().openssl());
            pkcs7::Pkcs7::encrypt(&recipients, content, Cipher::aes_256_cbc(), flags)
        })?;
        Pkcs7::from_openssl(&sealed)
    }

    /// Decrypts it with the key of one of those for whom it was encrypted, and that
    /// key's certificate.
    ///
    /// What comes out may have been changed on its way.
    ///
    /// # Errors
    ///
    /// [`Error::Config`] of kind `WrongObject` (it is not enveloped) or `KeyMismatch`
    /// (it is not for this key, or is damaged; which of the two is not told).
    #[doc(alias = "PKCS7_decrypt")]
    pub fn decrypt(&self, cert: &Cert, key: &PrivateKey) -> Result<Vec<u8>, Error> {
        if self.kind() != Pkcs7Kind::Enveloped {
            return Err(self.wrong_kind("enveloped").into());
        }
        let opened = call(|| {
            let (structure, _) = sys::decode(&self.shared.der)?;
            let flags = Pkcs7Flags::default().openssl();
            structure.decrypt(key.as_pkey(), cert.as_x509(), flags)
        });
        opened.map_err(|stack| {
            let detail = "does not decrypt with this key";
            fault(ConfigErrorKind::KeyMismatch, detail)
                .because_ssl(stack)
                .into()
        })
    }
}

/// As OpenSSL wants certificates.
pub(super) fn stack(certs: &[Cert]) -> Result<Stack<X509>, ErrorStack> {
    let mut stack = Stack::new()?;
    for cert in certs {
        stack.push(X509Ref::to_owned(cert.as_x509()))?;
    }
    Ok(stack)
}
