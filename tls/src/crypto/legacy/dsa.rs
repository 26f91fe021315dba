//! DSA keys.

use openssl::dsa::Dsa;
use openssl::pkey::PKey;

use crate::config_error::{ConfigError, ConfigErrorKind};
use crate::crypto::key::{PrivateKey, offloaded};
use crate::error::Error;

/// The lengths that FIPS 186-4 allows; 1024 is too short by now.
const SIZES: [u32; 3] = [1024, 2048, 3072];

/// Makes a new DSA key with parameters of its own.
///
/// TLS 1.3 has no place for DSA, browsers refuse it, and FIPS 186-5 has withdrawn it.
/// `bits` is 1024, 2048 or 3072; the search for parameters takes seconds for the
/// longer ones.
///
/// # Scheduling
///
/// Switches: a thread of the pool of `greenling::offload` makes it, while other
/// tasklets run. Where the caller cannot wait, as while it unwinds, it is made on the
/// spot.
///
/// # Cancellation
///
/// A kill or timeout ends the wait. The key is then dropped when it is done.
///
/// # Errors
///
/// [`Error::Config`] of kind [`BadValue`](ConfigErrorKind::BadValue) for other sizes.
/// [`Error::TimedOut`] or [`Error::Io`] when the wait is ended.
#[doc(alias = "TYPE_DSA")]
#[doc(alias = "generate_key")]
#[doc(alias = "DSA_generate_parameters_ex")]
#[doc(alias = "DSA_generate_key")]
pub fn generate_dsa(bits: u32) -> Result<PrivateKey, Error> {
    if !SIZES.contains(&bits) {
        let detail = format!("{bits} bits are not one of 1024, 2048 and 3072");
        return Err(ConfigError::new(ConfigErrorKind::BadValue, "DSA key", detail).into());
    }
    let key = offloaded(move || Dsa::generate(bits).and_then(PKey::from_dsa))?;
    Ok(PrivateKey::from(key))
}
