//! What the `openssl` crate does not show of PKCS #7 structures.
//!
//! All of it is called on the system stack with an empty error queue.

use std::ffi::{c_int, c_long};
use std::ptr::{self, NonNull};

use foreign_types::{ForeignType, ForeignTypeRef};
use openssl::error::ErrorStack;
use openssl::nid::Nid;
use openssl::pkcs7::{Pkcs7, Pkcs7Ref};
use openssl::x509::{X509, X509Crl, X509CrlRef, X509Ref};
use openssl_sys::{ASN1_OCTET_STRING, PKCS7_SIGNED};

use crate::ffi;

/// Decodes the DER or BER form. Also returns how many bytes follow it.
pub(super) fn decode(bytes: &[u8]) -> Result<(Pkcs7, usize), ErrorStack> {
    let length = c_long::try_from(bytes.len()).map_err(|_| ErrorStack::get())?;
    let mut next = bytes.as_ptr();
    // SAFETY: `next` has `length` bytes; a new object is made.
    let read = unsafe { openssl_sys::d2i_PKCS7(ptr::null_mut(), &mut next, length) };
    if read.is_null() {
        return Err(ErrorStack::get());
    }
    // SAFETY: a structure that is ours to free.
    let structure = unsafe { Pkcs7::from_ptr(read) };
    Ok((
        structure,
        bytes.len() - (next.addr() - bytes.as_ptr().addr()),
    ))
}

/// The content of a structure of type `data`.
pub(super) fn data(structure: &Pkcs7Ref) -> Option<Vec<u8>> {
    if !is(structure, Nid::PKCS7_DATA) {
        return None;
    }
    // SAFETY: the structure is alive, and does not change meanwhile.
    let inner = unsafe { &*structure.as_ptr() };
    // SAFETY: by its type this member of the union is the one in use.
    octets(unsafe { inner.d.data })
}

/// Whether signed data has its content elsewhere. True of what is not signed.
pub(super) fn is_detached(structure: &Pkcs7Ref) -> bool {
    let Some(signed) = signed(structure) else {
        return true;
    };
    let Some(content) = NonNull::new(signed.contents) else {
        return true;
    };
    // SAFETY: the content belongs to the structure, which is alive and unchanged.
    let content = unsafe { content.as_ref() };
    // SAFETY: all members of the union are pointers.
    unsafe { content.d.ptr }.is_null()
}

/// How many signatures signed data has.
pub(super) fn signer_count(structure: &Pkcs7Ref) -> usize {
    let Some(signed) = signed(structure) else {
        return 0;
    };
    // SAFETY: the list belongs to the structure; a null one has -1 elements.
    let count = unsafe { openssl_sys::OPENSSL_sk_num(signed.signer_info.cast()) };
    usize::try_from(count).unwrap_or(0)
}

/// The revocation lists of signed data.
pub(super) fn crls(structure: &Pkcs7Ref) -> Result<Vec<X509Crl>, ErrorStack> {
    let Some(list) = signed(structure).and_then(|signed| NonNull::new(signed.crl)) else {
        return Ok(Vec::new());
    };
    let list = list.as_ptr().cast();
    // SAFETY: the list belongs to the structure, which is alive and unchanged.
    let count = unsafe { openssl_sys::OPENSSL_sk_num(list) };
    let mut found = Vec::new();
    for index in 0..count {
        // SAFETY: as above, and of that length.
        let element = unsafe { openssl_sys::OPENSSL_sk_value(list, index) };
        // SAFETY: the elements of this list are revocation lists.
        let element = unsafe { X509CrlRef::from_ptr(element.cast()) };
        found.push(X509Crl::from_der(&element.to_der()?)?);
    }
    Ok(found)
}

/// Signed data that nobody has signed: certificates and revocation lists on their way.
pub(super) fn degenerate(certs: &[&X509Ref], crls: &[&X509CrlRef]) -> Result<Pkcs7, ErrorStack> {
    // SAFETY: makes a new structure.
    let made = unsafe { openssl_sys::PKCS7_new() };
    if made.is_null() {
        return Err(ErrorStack::get());
    }
    // SAFETY: a structure that is ours to free.
    let structure = unsafe { Pkcs7::from_ptr(made) };
    // SAFETY: the structure is alive and nobody else's.
    check(unsafe { openssl_sys::PKCS7_set_type(made, Nid::PKCS7_SIGNED.as_raw()) })?;
    // SAFETY: as above.
    check(unsafe { openssl_sys::PKCS7_content_new(made, Nid::PKCS7_DATA.as_raw()) })?;
    // SAFETY: as above; the command takes no pointer.
    unsafe {
        ffi::PKCS7_ctrl(
            made,
            ffi::PKCS7_OP_SET_DETACHED_SIGNATURE,
            1,
            ptr::null_mut(),
        )
    };
    for cert in certs {
        // SAFETY: both are alive; the structure takes a reference of its own.
        check(unsafe { openssl_sys::PKCS7_add_certificate(made, cert.as_ptr()) })?;
    }
    for crl in crls {
        // SAFETY: both are alive; the structure takes a reference of its own.
        check(unsafe { ffi::PKCS7_add_crl(made, crl.as_ptr()) })?;
    }
    Ok(structure)
}

/// The certificates of signed data.
pub(super) fn certificates(structure: &Pkcs7Ref) -> Vec<X509> {
    let certificates = structure.signed().and_then(|signed| signed.certificates());
    let certificates = certificates.into_iter().flatten();
    certificates.map(X509Ref::to_owned).collect()
}

/// What is in signed data, unless it was left out.
fn signed(structure: &Pkcs7Ref) -> Option<&PKCS7_SIGNED> {
    if !is(structure, Nid::PKCS7_SIGNED) {
        return None;
    }
    // SAFETY: the structure is alive, and does not change meanwhile.
    let inner = unsafe { &*structure.as_ptr() };
    // SAFETY: by its type this member of the union is the one in use.
    let signed = NonNull::new(unsafe { inner.d.sign })?;
    // SAFETY: it belongs to the structure.
    Some(unsafe { signed.as_ref() })
}

fn is(structure: &Pkcs7Ref, kind: Nid) -> bool {
    structure.type_().is_some_and(|found| found.nid() == kind)
}

fn octets(string: *mut ASN1_OCTET_STRING) -> Option<Vec<u8>> {
    let string = NonNull::new(string)?;
    // SAFETY: the caller has it from a structure that is alive.
    let length = unsafe { openssl_sys::ASN1_STRING_length(string.as_ptr().cast()) };
    // SAFETY: as above.
    let start = unsafe { openssl_sys::ASN1_STRING_get0_data(string.as_ptr().cast()) };
    let length = usize::try_from(length).ok()?;
    if start.is_null() || length == 0 {
        return Some(Vec::new());
    }
    #[allow(clippy::disallowed_methods, reason = "checked for null just above")]
    // SAFETY: `length` bytes, copied at once.
    Some(unsafe { std::slice::from_raw_parts(start, length) }.to_vec())
}

fn check(done: c_int) -> Result<(), ErrorStack> {
    if done == 1 {
        Ok(())
    } else {
        Err(ErrorStack::get())
    }
}
