//! Random bytes: the module `rand` of pyOpenSSL's manual.
//!
//! OpenSSL's generator seeds itself from the kernel and does so again by itself, also
//! in the child after a fork. So programs need [`fill`] and nothing else here; the
//! rest is for those that were written for a time when there was no such kernel, and
//! does what it did. The generator has a state per OS thread, so tasklets need no lock.
//!
//! Nothing here switches. Files are read and written by blocking system calls.

mod file;
#[allow(unsafe_code, reason = "calls functions of libcrypto")]
mod sys;

use std::ffi::c_int;
use std::path::Path;

use openssl::error::ErrorStack;

pub use file::{load_file, write_file};

use crate::crypto::{call, look};
use crate::error::Error;

/// The C functions count bytes by an `int`.
const PIECE_MAX: usize = c_int::MAX as usize;

/// Fills `buffer` with random bytes that others may see, such as nonces.
///
/// # Scheduling
///
/// Never switches.
///
/// # Errors
///
/// [`Error::Ssl`] when the generator could not be seeded. There is nothing in the
/// buffer then that may be used.
///
/// # Examples
///
/// ```
/// let mut nonce = [0; 16];
/// greenling_tls::rand::fill(&mut nonce)?;
/// assert_ne!(nonce, [0; 16]);
/// # Ok::<(), greenling_tls::Error>(())
/// ```
#[doc(alias = "bytes")]
#[doc(alias = "RAND_bytes")]
pub fn fill(buffer: &mut [u8]) -> Result<(), Error> {
    in_pieces(buffer, openssl::rand::rand_bytes)
}

/// Fills `buffer` with random bytes that must stay secret, such as keys: from a
/// generator of its own, so that no weakness of the other could betray them.
///
/// # Scheduling
///
/// Never switches.
///
/// # Errors
///
/// As [`fill`].
#[doc(alias = "RAND_priv_bytes")]
pub fn fill_private(buffer: &mut [u8]) -> Result<(), Error> {
    #[cfg(not(feature = "aws-lc"))]
    return in_pieces(buffer, openssl::rand::rand_priv_bytes);
    // AWS-LC has one generator for both.
    #[cfg(feature = "aws-lc")]
    in_pieces(buffer, openssl::rand::rand_bytes)
}

fn in_pieces(
    buffer: &mut [u8],
    fill: fn(&mut [u8]) -> Result<(), ErrorStack>,
) -> Result<(), Error> {
    let mut pieces = buffer.chunks_mut(PIECE_MAX);
    Ok(pieces.try_for_each(|piece| call(|| fill(piece)))?)
}

/// Mixes `bytes` into the state of the generator.
///
/// They never make it worse, whoever chose them. `entropy`, the number of bytes of
/// true randomness in them, is not believed: the generator is seeded from the kernel
/// all the same.
///
/// # Scheduling
///
/// Never switches.
#[doc(alias = "RAND_add")]
pub fn add(bytes: &[u8], entropy: f64) {
    for piece in bytes.chunks(PIECE_MAX) {
        look(|| sys::add(piece, entropy));
    }
}

/// As [`add`], for bytes that are random throughout.
///
/// # Scheduling
///
/// Never switches.
#[doc(alias = "RAND_seed")]
pub fn seed(bytes: &[u8]) {
    add(bytes, bytes.len() as f64);
}

/// Whether the generator has been seeded; tries to, if it has not.
///
/// # Scheduling
///
/// Never switches.
#[doc(alias = "status")]
#[doc(alias = "RAND_status")]
pub fn is_seeded() -> bool {
    look(sys::status)
}

/// Asks an entropy gathering daemon, which no system has any more.
///
/// # Scheduling
///
/// Never switches.
///
/// # Errors
///
/// Always [`Error::Unsupported`]: OpenSSL is built without it, since the kernel seeds
/// the generator.
#[doc(alias = "RAND_egd")]
#[doc(alias = "RAND_egd_bytes")]
pub fn egd(path: impl AsRef<Path>, bytes: Option<usize>) -> Result<usize, Error> {
    let _ = (path.as_ref(), bytes);
    let detail = "there are no entropy gathering daemons any more: the kernel seeds the generator";
    Err(Error::unsupported(detail))
}

/// Takes randomness from the screen, as Windows once could.
///
/// # Scheduling
///
/// Never switches.
///
/// # Errors
///
/// Always [`Error::Unsupported`]: OpenSSL 3 has it nowhere.
#[doc(alias = "RAND_screen")]
pub fn screen() -> Result<(), Error> {
    let detail = "the screen is no source of randomness: the kernel seeds the generator";
    Err(Error::unsupported(detail))
}
