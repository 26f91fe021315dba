//! Making one.

use super::sys::Spki;
use super::{IA5_STRING, SUBJECT, Spkac};
use crate::config_error::{ConfigError, ConfigErrorKind};
use crate::crypto::call::call;
use crate::crypto::der;
use crate::crypto::digest::Digest;
use crate::crypto::key::{PrivateKey, PublicKey};
use crate::error::Error;

/// Makes a [`Spkac`].
///
/// # Scheduling
///
/// Never switches, except where a method says so.
#[doc(alias = "NetscapeSPKI")]
#[derive(Debug, Clone, Default)]
#[must_use]
pub struct SpkacBuilder {
    public_key: Option<PublicKey>,
    challenge: String,
}

impl SpkacBuilder {
    /// Without a challenge.
    pub fn new() -> SpkacBuilder {
        SpkacBuilder::default()
    }

    /// The key that a certificate is to be made for: that of the private key which
    /// signs, as it is by itself.
    #[doc(alias = "set_pubkey")]
    #[doc(alias = "NETSCAPE_SPKI_set_pubkey")]
    pub fn public_key(mut self, key: &PublicKey) -> SpkacBuilder {
        self.public_key = Some(key.clone());
        self
    }

    /// What the server asked to be signed: ASCII.
    pub fn challenge(mut self, challenge: &str) -> SpkacBuilder {
        self.challenge = challenge.to_owned();
        self
    }

    /// Signs it, which proves that its sender has the private key.
    ///
    /// # Errors
    ///
    /// [`Error::Config`] of kind [`KeyMismatch`] when `key` does not belong to the
    /// public key that was set, of kind [`BadValue`] when the challenge is not ASCII
    /// without NUL, and of kind [`Rejected`] for MD5 and SHA-1 without the feature
    /// `legacy`. [`Error::Unsupported`] for keys that do not sign.
    ///
    /// [`KeyMismatch`]: ConfigErrorKind::KeyMismatch
    /// [`BadValue`]: ConfigErrorKind::BadValue
    /// [`Rejected`]: ConfigErrorKind::Rejected
    #[doc(alias = "NetscapeSPKI.sign")]
    #[doc(alias = "NETSCAPE_SPKI_sign")]
    pub fn sign(self, key: &PrivateKey, digest: Digest) -> Result<Spkac, Error> {
        let fault = |kind, detail| Err(ConfigError::new(kind, SUBJECT, detail).into());
        let own = key.public_key();
        if self.public_key.is_some_and(|other| other != own) {
            let detail = "is to be signed with a key that does not belong to its own";
            return fault(ConfigErrorKind::KeyMismatch, detail);
        }
        // OpenSSL would end its text at a NUL.
        if !self.challenge.is_ascii() || self.challenge.contains('\0') {
            let detail = "has a challenge that is not ASCII";
            return fault(ConfigErrorKind::BadValue, detail);
        }
        let digest = digest.for_signing(key)?;
        let key_der = call(|| own.as_pkey().public_key_to_der())?;
        let der = call(|| {
            let unsigned = unsigned(&key_der, &self.challenge);
            let mut spki = Spki::from_der(&unsigned)?;
            spki.sign(key.as_pkey(), digest)?;
            spki.to_der()
        })?;
        Spkac::from_der(&der)
    }
}

/// All that is signed, with a signature yet to be made. It is given to OpenSSL whole, so
/// the key is in it before anything is signed.
fn unsigned(key: &[u8], challenge: &str) -> Vec<u8> {
    let challenge = der::value(IA5_STRING, challenge);
    let signed = der::parts(der::SEQUENCE, [key, &challenge]);
    // OpenSSL writes its own algorithm and bits over these.
    let no_algorithm = der::value(der::SEQUENCE, der::value(der::OID, [0]));
    let no_bits = der::value(der::BIT_STRING, [0]);
    der::parts(der::SEQUENCE, [signed, no_algorithm, no_bits])
}
