//! Private and public keys: made, read, written, and what they sign.
//!
//! OpenSSL prompts for passphrases and runs on bytes that merely look like a key, so
//! what is given is looked at first: `decode.rs` finds the object, tells whether it
//! is encrypted and how much work its opening takes, and only then hands it over.

mod algorithm;
mod decode;
mod encode;
mod generate;
mod offload;
mod pbes2;
mod private;
mod protect;
mod public;
mod sign;
#[allow(unsafe_code, reason = "calls functions of libcrypto")]
mod sys;

pub use algorithm::{Curve, KeyAlg};
pub(crate) use decode::KeyInput;
pub(super) use offload::run as offloaded;
pub use private::PrivateKey;
pub use protect::{KeyCipher, Protect};
pub use public::PublicKey;

use openssl::pkey::{HasPublic, PKeyRef};

use super::call::{call, look};

/// The strength of a key in bits of a symmetric one.
#[cfg(not(feature = "aws-lc"))]
fn strength<T: HasPublic>(key: &PKeyRef<T>) -> u32 {
    size(key.security_bits())
}

/// AWS-LC has no such function; these are the numbers of NIST SP 800-57, part 1.
#[cfg(feature = "aws-lc")]
fn strength<T: HasPublic>(key: &PKeyRef<T>) -> u32 {
    match KeyAlg::of(key) {
        KeyAlg::Rsa(bits) | KeyAlg::Dsa(bits) => match bits {
            0..1024 => 0,
            1024..2048 => 80,
            2048..3072 => 112,
            3072..7680 => 128,
            7680..15360 => 192,
            _ => 256,
        },
        KeyAlg::Ed25519 | KeyAlg::X25519 => 128,
        _ => size(key.bits()) / 2,
    }
}

/// OpenSSL answers -1 for sizes that make no sense for a key.
fn size(bits: u32) -> u32 {
    i32::try_from(bits).map_or(0, |_| bits)
}
