//! The lists of extensions that objects of OpenSSL have, and OpenSSL's text for one, both
//! ways.

use std::ffi::{CStr, c_ulong};
use std::mem::MaybeUninit;
use std::ptr;

use foreign_types::{ForeignType, ForeignTypeRef};
use openssl::error::ErrorStack;
use openssl::stack::StackRef;
use openssl::x509::{X509CrlRef, X509Extension, X509ExtensionRef, X509Ref};
use openssl_sys::stack_st_X509_EXTENSION;

use crate::crypto::print::printed;
use crate::ffi;

/// `X509V3_EXT_DUMP_UNKNOWN`: what has no text is shown in hexadecimal.
const DUMP_UNKNOWN: c_ulong = 3 << 16;

pub(super) fn of_certificate(certificate: &X509Ref) -> Option<&StackRef<X509Extension>> {
    // SAFETY: the certificate is alive; this only looks.
    let list = unsafe { openssl_sys::X509_get0_extensions(certificate.as_ptr()) };
    // SAFETY: the list belongs to the certificate, which does not change.
    unsafe { list_at(list) }
}

pub(super) fn of_crl(crl: &X509CrlRef) -> Option<&StackRef<X509Extension>> {
    // SAFETY: the list is alive; this only looks.
    let list = unsafe { ffi::X509_CRL_get0_extensions(crl.as_ptr()) };
    // SAFETY: it belongs to the revocation list, which does not change.
    unsafe { list_at(list) }
}

/// # Safety
///
/// It is null, or lives and does not change for `'a`.
unsafe fn list_at<'a>(list: *const stack_st_X509_EXTENSION) -> Option<&'a StackRef<X509Extension>> {
    if list.is_null() {
        return None;
    }
    // SAFETY: the caller's word; nothing is changed through the reference.
    Some(unsafe { StackRef::from_ptr(list.cast_mut()) })
}

/// `X509V3_EXT_print(3)`, without the indentation.
pub(super) fn text(extension: &X509ExtensionRef) -> Result<Vec<u8>, ErrorStack> {
    printed(|bio| {
        // SAFETY: both are alive; this writes to the first and only looks at the other.
        unsafe { openssl_sys::X509V3_EXT_print(bio, extension.as_ptr(), DUMP_UNKNOWN, 0) }
    })
}

/// `X509V3_EXT_nconf(3)` without a configuration file. The subject may lose names
/// (`email:move`), so it must be nobody else's.
pub(super) fn from_text(
    name: &CStr,
    value: &CStr,
    subject: Option<&X509Ref>,
    issuer: Option<&X509Ref>,
) -> Result<X509Extension, ErrorStack> {
    let pointer =
        |certificate: Option<&X509Ref>| certificate.map_or(ptr::null_mut(), ForeignTypeRef::as_ptr);
    let mut context = MaybeUninit::zeroed();
    // SAFETY: a structure to be filled in, and certificates that are alive or not there.
    unsafe {
        openssl_sys::X509V3_set_ctx(
            context.as_mut_ptr(),
            pointer(issuer),
            pointer(subject),
            ptr::null_mut(),
            ptr::null_mut(),
            0,
        )
    };
    // SAFETY: all are alive for the call; without a file, what needs one fails.
    let made = unsafe {
        openssl_sys::X509V3_EXT_nconf(
            ptr::null_mut(),
            context.as_mut_ptr(),
            name.as_ptr(),
            value.as_ptr(),
        )
    };
    if made.is_null() {
        return Err(ErrorStack::get());
    }
    // SAFETY: a new extension, which is ours to free.
    Ok(unsafe { X509Extension::from_ptr(made) })
}
