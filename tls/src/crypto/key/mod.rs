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

use super::call::{call, look};

/// OpenSSL answers -1 for sizes that make no sense for a key.
fn size(bits: u32) -> u32 {
    i32::try_from(bits).map_or(0, |_| bits)
}
