//! The calls on revocation lists that the `openssl` crate lacks.

use foreign_types::ForeignTypeRef;
use openssl::error::ErrorStack;
use openssl::x509::{X509CrlRef, X509ExtensionRef, X509RevokedRef};

use crate::crypto::print::printed;
use crate::ffi;

/// The list as text.
pub(super) fn text(list: &X509CrlRef) -> Result<Vec<u8>, ErrorStack> {
    // SAFETY: both are alive, and callers have the list to themselves, whose entries are
    // walked over.
    printed(|bio| unsafe { ffi::X509_CRL_print(bio, list.as_ptr()) })
}

/// Counts from 0.
pub(super) fn version(list: &X509CrlRef) -> i32 {
    // SAFETY: the list is alive; this only looks.
    let version = unsafe { ffi::X509_CRL_get_version(list.as_ptr()) };
    i32::try_from(version).unwrap_or(0)
}

/// Adds an extension to an entry.
pub(super) fn add_extension(
    entry: &mut X509RevokedRef,
    extension: &X509ExtensionRef,
) -> Result<(), ErrorStack> {
    // SAFETY: both are alive, the entry is ours alone, and the extension is copied.
    let done = unsafe { openssl_sys::X509_REVOKED_add_ext(entry.as_ptr(), extension.as_ptr(), -1) };
    check(done)
}

fn check(done: std::ffi::c_int) -> Result<(), ErrorStack> {
    if done > 0 {
        Ok(())
    } else {
        Err(ErrorStack::get())
    }
}
