//! Calls on requests that the `openssl` crate lacks, or has for some keys only.

use std::ffi::c_int;
use std::ptr;

use foreign_types::{ForeignType, ForeignTypeRef};
use openssl::error::ErrorStack;
use openssl::hash::MessageDigest;
use openssl::nid::Nid;
use openssl::pkey::{PKeyRef, Private};
use openssl::x509::X509Req;

/// `MBSTRING_UTF8`: a text that becomes a string of the narrowest kind that holds it.
const UTF8: c_int = 0x1000;

/// Adds a password, in UTF-8, to a request that is nobody else's yet.
pub(super) fn add_challenge_password(request: &X509Req, text: &[u8]) -> Result<(), ErrorStack> {
    let length = c_int::try_from(text.len()).unwrap_or(c_int::MAX);
    // SAFETY: the request is alive and not shared; it copies so many bytes.
    let added = unsafe {
        openssl_sys::X509_REQ_add1_attr_by_NID(
            request.as_ptr(),
            Nid::PKCS9_CHALLENGEPASSWORD.as_raw(),
            UTF8,
            text.as_ptr(),
            length,
        )
    };
    check(added)
}

/// Signs a request that is nobody else's yet; without a digest for keys that have one of
/// their own.
pub(super) fn sign(
    request: &X509Req,
    key: &PKeyRef<Private>,
    digest: Option<MessageDigest>,
) -> Result<(), ErrorStack> {
    let digest = digest.map_or(ptr::null(), |digest| digest.as_ptr());
    // SAFETY: request and key are alive, the request is not shared, and null stands for
    // the digest of the key itself.
    check(unsafe { openssl_sys::X509_REQ_sign(request.as_ptr(), key.as_ptr(), digest) })
}

/// Both answer 0 or less when they fail; signing, the length of the signature.
fn check(done: c_int) -> Result<(), ErrorStack> {
    if done > 0 {
        Ok(())
    } else {
        Err(ErrorStack::get())
    }
}
