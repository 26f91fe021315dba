//! Calls on keys that the `openssl` crate lacks.

use std::mem;

use foreign_types::ForeignType;
use openssl::error::ErrorStack;
use openssl::pkey::{PKey, PKeyRef, Private, Public};
use openssl::pkey_ctx::PkeyCtx;

/// What `EVP_PKEY_check(3)` answers when it has no check for a kind of key.
const NO_CHECK: i32 = -2;

/// Whether the parts of a key belong together; `false` when OpenSSL cannot tell.
pub(super) fn check(key: &PKeyRef<Private>) -> Result<bool, ErrorStack> {
    let context = PkeyCtx::new(key)?;
    // SAFETY: the context is alive for the call, with its key.
    match unsafe { openssl_sys::EVP_PKEY_check(context.as_ptr()) } {
        1 => Ok(true),
        NO_CHECK => Ok(false),
        _ => Err(ErrorStack::get()),
    }
}

/// The same object, seen as a public key.
pub(super) fn share(key: &PKeyRef<Private>) -> PKey<Public> {
    let counted = key.to_owned();
    // SAFETY: the reference that `counted` has is given to the new owner.
    let public = unsafe { PKey::from_ptr(counted.as_ptr()) };
    mem::forget(counted);
    public
}
