//! The lists of extensions that objects of OpenSSL have, and OpenSSL's text for one, both
//! ways.

use std::ffi::{CStr, c_char, c_ulong};
use std::mem::MaybeUninit;
use std::ptr;

use foreign_types::{ForeignType, ForeignTypeRef};
use openssl::error::ErrorStack;
use openssl::stack::StackRef;
use openssl::x509::{X509CrlRef, X509Extension, X509ExtensionRef, X509Ref};
use openssl_sys::{BIO, stack_st_X509_EXTENSION};

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
    let out = MemoryBio::new()?;
    // SAFETY: both are alive; this writes to the first and only looks at the other.
    let written =
        unsafe { openssl_sys::X509V3_EXT_print(out.0, extension.as_ptr(), DUMP_UNKNOWN, 0) };
    let stack = ErrorStack::get();
    // An empty value is shown as nothing, without a reason.
    if written <= 0 && !stack.errors().is_empty() {
        return Err(stack);
    }
    Ok(out.bytes())
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

/// A BIO that keeps what is written to it.
struct MemoryBio(*mut BIO);

impl MemoryBio {
    fn new() -> Result<MemoryBio, ErrorStack> {
        // SAFETY: a constant of OpenSSL.
        let method = unsafe { openssl_sys::BIO_s_mem() };
        // SAFETY: the method is static.
        let bio = unsafe { openssl_sys::BIO_new(method) };
        if bio.is_null() {
            return Err(ErrorStack::get());
        }
        Ok(MemoryBio(bio))
    }

    fn bytes(&self) -> Vec<u8> {
        let mut start: *mut c_char = ptr::null_mut();
        // SAFETY: the BIO is alive; the other is an out parameter.
        let length = unsafe { openssl_sys::BIO_get_mem_data(self.0, &mut start) };
        let length = usize::try_from(length).unwrap_or(0);
        if start.is_null() || length == 0 {
            return Vec::new();
        }
        #[allow(clippy::disallowed_methods, reason = "checked for null just above")]
        // SAFETY: so many bytes, which belong to the BIO and are copied at once.
        unsafe { std::slice::from_raw_parts(start.cast::<u8>(), length) }.to_vec()
    }
}

impl Drop for MemoryBio {
    fn drop(&mut self) {
        // SAFETY: it is ours, and this is the last use.
        unsafe { openssl_sys::BIO_free_all(self.0) };
    }
}
