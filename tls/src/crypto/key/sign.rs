//! Signatures of data.

use openssl::error::ErrorStack;
use openssl::md::Md;
use openssl::pkey::{PKey, Private};
use openssl::pkey_ctx::PkeyCtx;
use openssl::sign::{Signer, Verifier};

use super::{KeyAlg, PrivateKey, PublicKey, call, offload};
use crate::config_error::{ConfigError, ConfigErrorKind};
use crate::crypto::digest::Digest;
use crate::error::Error;

impl PrivateKey {
    /// Signs `data`.
    ///
    /// RSA signs as PKCS #1 v1.5 has it, ECDSA and DSA give two numbers in DER form.
    /// Ed25519 signs the data itself, whatever `digest` is.
    ///
    /// # Scheduling
    ///
    /// Switches for RSA, where a thread of the pool of `greenling::offload` signs the
    /// digest, which takes a millisecond or more, while other tasklets run. Where the
    /// caller cannot wait, as while it unwinds, it is done on the spot.
    ///
    /// # Cancellation
    ///
    /// A kill or timeout ends the wait, and the signature is lost.
    ///
    /// # Errors
    ///
    /// [`Error::Config`] of kind [`Rejected`](ConfigErrorKind::Rejected) for MD5 and
    /// SHA-1 without the feature `legacy`. [`Error::Unsupported`] for keys that do not
    /// sign, such as X25519. [`Error::Ssl`] when the key is damaged or too short for
    /// the digest. [`Error::TimedOut`] or [`Error::Io`] when the wait is ended.
    #[doc(alias = "crypto.sign")]
    #[doc(alias = "EVP_DigestSign")]
    pub fn sign(&self, digest: Digest, data: &[u8]) -> Result<Vec<u8>, Error> {
        let Some(first) = digest.for_signing(self)? else {
            return Ok(call(|| {
                Signer::new_without_digest(self.as_pkey())?.sign_oneshot_to_vec(data)
            })?);
        };
        let hashed = digest.hash(data)?;
        let key = PKey::from(self.clone());
        let sign = move || sign_digest(&key, first, &hashed);
        match self.algorithm() {
            KeyAlg::Rsa(_) | KeyAlg::Other(_) => offload::run(sign),
            _ => Ok(call(sign)?),
        }
    }
}

fn sign_digest(
    key: &PKey<Private>,
    digest: openssl::hash::MessageDigest,
    hashed: &[u8],
) -> Result<Vec<u8>, ErrorStack> {
    let mut context = PkeyCtx::new(key)?;
    context.sign_init()?;
    if let Some(digest) = Md::from_nid(digest.type_()) {
        context.set_signature_md(digest)?;
    }
    let mut signature = Vec::new();
    context.sign_to_vec(hashed, &mut signature)?;
    Ok(signature)
}

impl PublicKey {
    /// Checks that `signature` is one of the private key over `data`, made with
    /// `digest`, as [`PrivateKey::sign`] makes it.
    ///
    /// What MD5 and SHA-1 have signed can be checked, and proves little.
    ///
    /// # Errors
    ///
    /// [`Error::Config`] of kind [`BadSignature`](ConfigErrorKind::BadSignature) when
    /// it is not, or is not a signature at all. [`Error::Unsupported`] for keys that
    /// do not sign.
    #[doc(alias = "crypto.verify")]
    #[doc(alias = "EVP_DigestVerify")]
    pub fn verify(&self, digest: Digest, data: &[u8], signature: &[u8]) -> Result<(), Error> {
        let algorithm = self.algorithm();
        if !algorithm.signs() {
            return Err(Error::unsupported(format!("{algorithm} keys do not sign")));
        }
        let key = self.as_pkey();
        let verified = call(|| match digest.for_algorithm(algorithm) {
            Some(digest) => Verifier::new(digest, key)?.verify_oneshot(signature, data),
            None => Verifier::new_without_digest(key)?.verify_oneshot(signature, data),
        });
        let refused = ConfigError::new(
            ConfigErrorKind::BadSignature,
            "signature",
            format!("was not made by this {algorithm} key over this data"),
        );
        match verified {
            Ok(true) => Ok(()),
            Ok(false) => Err(refused.into()),
            Err(stack) => Err(refused.because_ssl(stack).into()),
        }
    }
}
