//! New keys.

use openssl::ec::{EcGroup, EcKey};
use openssl::error::ErrorStack;
use openssl::pkey::{PKey, Private};
use openssl::rsa::Rsa;

use super::{KeyAlg, PrivateKey, offload};
use crate::config_error::{ConfigError, ConfigErrorKind};
use crate::error::Error;

/// Shorter ones can be broken; the feature `legacy` has them for old devices.
const RSA_MIN: u32 = if cfg!(feature = "legacy") { 1024 } else { 2048 };

/// OpenSSL's own bound for use (`OPENSSL_RSA_MAX_MODULUS_BITS`).
const RSA_MAX: u32 = 16384;

impl PrivateKey {
    /// Makes a new key.
    ///
    /// [`KeyAlg::Ec`] on [`Curve::P256`](super::Curve::P256) suits most purposes. RSA has 2048 to
    /// 16384 bits, with the feature `legacy` also 1024; it takes 0.1 s for 2048 bits
    /// on a machine of today, 1 s for 4096, minutes for the longest, and varies.
    ///
    /// # Scheduling
    ///
    /// Switches for RSA, which is made by a thread of the pool of
    /// `greenling::offload`, while other tasklets run. Where the caller cannot wait,
    /// as while it unwinds, it is made on the spot.
    ///
    /// # Cancellation
    ///
    /// A kill or timeout ends the wait. The key is then dropped when it is done.
    ///
    /// # Errors
    ///
    /// [`Error::Config`] of kind [`BadValue`](ConfigErrorKind::BadValue) for other
    /// sizes. [`Error::Unsupported`] for [`KeyAlg::Dsa`], which
    /// [`legacy::generate_dsa`](crate::crypto::legacy::generate_dsa) makes, and
    /// [`KeyAlg::Other`]. [`Error::TimedOut`] or [`Error::Io`] when the wait is ended.
    #[doc(alias = "generate_key")]
    #[doc(alias = "PKey.generate_key")]
    #[doc(alias = "EVP_PKEY_generate")]
    #[doc(alias = "EVP_PKEY_Q_keygen")]
    pub fn generate(algorithm: KeyAlg) -> Result<PrivateKey, Error> {
        let key = match algorithm {
            KeyAlg::Rsa(bits) => {
                check_size("RSA key", bits, RSA_MIN, RSA_MAX)?;
                offload::run(move || Rsa::generate(bits).and_then(PKey::from_rsa))?
            }
            KeyAlg::Ec(curve) => super::call(|| ec(curve))?,
            KeyAlg::Ed25519 => super::call(PKey::generate_ed25519)?,
            KeyAlg::X25519 => super::call(PKey::generate_x25519)?,
            KeyAlg::Dsa(_) | KeyAlg::Other(_) => {
                let detail = format!("new {algorithm} keys are not made here");
                return Err(Error::unsupported(detail));
            }
        };
        Ok(PrivateKey::from(key))
    }
}

fn ec(curve: super::Curve) -> Result<PKey<Private>, ErrorStack> {
    let group = EcGroup::from_curve_name(curve.nid())?;
    PKey::from_ec_key(EcKey::generate(&group)?)
}

/// Refuses sizes that are of no use, or that take for ever.
fn check_size(subject: &str, bits: u32, min: u32, max: u32) -> Result<(), ConfigError> {
    if (min..=max).contains(&bits) {
        return Ok(());
    }
    let detail = format!("{bits} bits are not within {min} to {max}");
    Err(ConfigError::new(ConfigErrorKind::BadValue, subject, detail))
}
