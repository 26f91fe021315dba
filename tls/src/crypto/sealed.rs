//! Encrypted private keys (PKCS #8, RFC 5958), by themselves and in archives.
//!
//! Decryption happens in a library context of the caller's choice; the key is made
//! from the outcome in the default one.

use std::ffi::c_long;
use std::ptr::{self, NonNull};

use foreign_types::{ForeignType, ForeignTypeRef};
use openssl::error::ErrorStack;
use openssl::lib_ctx::LibCtxRef;
use openssl::pkey::{PKey, Private};
use openssl_sys::{OSSL_LIB_CTX, X509_ALGOR};

use super::library;
use super::pkcs12::PassphraseText as Text;
use crate::ffi;

/// Opens an `EncryptedPrivateKeyInfo` in DER form whose algorithm only the legacy
/// provider has. On the system stack.
pub(super) fn open_with_legacy(
    sealed: &[u8],
    passphrase: &[u8],
) -> Result<PKey<Private>, ErrorStack> {
    let library = library::with_legacy()?;
    let passphrase = Text::new(passphrase)?;
    EncryptedKey::decode(sealed)?.decrypt(&passphrase, Some(library))
}

/// An `EncryptedPrivateKeyInfo` (RFC 5958, section 3).
struct EncryptedKey(NonNull<ffi::X509_SIG>);

impl EncryptedKey {
    fn decode(bytes: &[u8]) -> Result<EncryptedKey, ErrorStack> {
        let length = c_long::try_from(bytes.len()).map_err(|_| ErrorStack::get())?;
        let mut next = bytes.as_ptr();
        // SAFETY: `next` has `length` bytes; a new object is made.
        let read = unsafe { ffi::d2i_X509_SIG(ptr::null_mut(), &mut next, length) };
        NonNull::new(read)
            .map(EncryptedKey)
            .ok_or_else(ErrorStack::get)
    }

    /// Decrypts it in `library`, or else in the default library context.
    fn decrypt(
        &self,
        passphrase: &Text,
        library: Option<&'static LibCtxRef>,
    ) -> Result<PKey<Private>, ErrorStack> {
        // SAFETY: the key is alive.
        unsafe { decrypt_key(self.0, Some(passphrase), library) }
    }
}

impl Drop for EncryptedKey {
    fn drop(&mut self) {
        // SAFETY: the key is ours.
        unsafe { ffi::X509_SIG_free(self.0.as_ptr()) }
    }
}

/// What C gets for a library context: null for the default one.
pub(super) fn pointer(library: Option<&'static LibCtxRef>) -> *mut OSSL_LIB_CTX {
    library.map_or(ptr::null_mut(), ForeignTypeRef::as_ptr)
}

/// # Safety
///
/// The key must be alive.
pub(super) unsafe fn encryption(key: NonNull<ffi::X509_SIG>) -> Result<Vec<u8>, ErrorStack> {
    let (mut algorithm, mut content) = (ptr::null(), ptr::null());
    // SAFETY: alive by the caller's word; the others are out parameters.
    unsafe { ffi::X509_SIG_get0(key.as_ptr(), &mut algorithm, &mut content) };
    let algorithm = NonNull::new(algorithm.cast_mut()).ok_or_else(ErrorStack::get)?;
    // SAFETY: it belongs to the key.
    unsafe { der(algorithm) }
}

/// # Safety
///
/// The key must be alive.
pub(super) unsafe fn decrypt_key(
    key: NonNull<ffi::X509_SIG>,
    passphrase: Option<&Text>,
    library: Option<&'static LibCtxRef>,
) -> Result<PKey<Private>, ErrorStack> {
    let (text, length) = Text::parts(passphrase);
    // SAFETY: alive by the caller's word; the text has that length or is null; the
    // library context lives as long as the process.
    let info =
        unsafe { ffi::PKCS8_decrypt_ex(key.as_ptr(), text, length, pointer(library), ptr::null()) };
    let info = NonNull::new(info).ok_or_else(ErrorStack::get)?;
    // SAFETY: just made, and freed below.
    let parsed = unsafe { parse_key(info) };
    // SAFETY: made above; this wipes the key in it.
    unsafe { openssl_sys::PKCS8_PRIV_KEY_INFO_free(info.as_ptr()) };
    parsed
}

/// # Safety
///
/// The key must be alive.
pub(super) unsafe fn parse_key(
    info: NonNull<openssl_sys::PKCS8_PRIV_KEY_INFO>,
) -> Result<PKey<Private>, ErrorStack> {
    // SAFETY: alive by the caller's word.
    let key = unsafe { openssl_sys::EVP_PKCS82PKEY(info.as_ptr()) };
    if key.is_null() {
        return Err(ErrorStack::get());
    }
    // SAFETY: a private key that is ours to free.
    Ok(unsafe { PKey::from_ptr(key) })
}

/// # Safety
///
/// The algorithm must be alive.
pub(super) unsafe fn der(algorithm: NonNull<X509_ALGOR>) -> Result<Vec<u8>, ErrorStack> {
    // SAFETY: alive by the caller's word; without a buffer it only counts.
    let length = unsafe { ffi::i2d_X509_ALGOR(algorithm.as_ptr(), ptr::null_mut()) };
    let length = usize::try_from(length).map_err(|_| ErrorStack::get())?;
    let mut bytes = vec![0; length];
    // SAFETY: alive by the caller's word; the buffer has the length it asked for.
    unsafe { ffi::i2d_X509_ALGOR(algorithm.as_ptr(), &mut bytes.as_mut_ptr()) };
    Ok(bytes)
}
