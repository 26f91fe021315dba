//! Calls on names that the `openssl` crate lacks.

use std::ffi::c_int;
use std::ptr;

use foreign_types::{ForeignType, ForeignTypeRef};
use openssl::asn1::Asn1StringRef;
use openssl::error::ErrorStack;
use openssl::x509::{X509Name, X509NameEntryRef, X509NameRef};

use crate::ffi;

/// The hash of the canonical form, which `c_rehash` names files by.
pub(super) fn hash(name: &X509NameRef) -> u32 {
    // SAFETY: the name is alive and has its encodings, so this only reads; without a
    // library context the default one is used, and the outcome is not asked for.
    let hash = unsafe {
        ffi::X509_NAME_hash_ex(name.as_ptr(), ptr::null_mut(), ptr::null(), ptr::null_mut())
    };
    hash as u32
}

/// The hash that OpenSSL before 1.0 named files by.
pub(super) fn hash_old(name: &X509NameRef) -> u32 {
    // SAFETY: the name is alive and has its encodings, so this only reads.
    let hash = unsafe { ffi::X509_NAME_hash_old(name.as_ptr()) };
    hash as u32
}

/// The ASN.1 type of a value, as a tag of DER.
pub(super) fn tag(value: &Asn1StringRef) -> c_int {
    // SAFETY: the string is alive; this only looks.
    unsafe { openssl_sys::ASN1_STRING_type(value.as_ptr()) }
}

/// A name of these entries; `true` stands by those that belong to the same relative
/// name as the one before them.
pub(super) fn assemble(entries: &[(&X509NameEntryRef, bool)]) -> Result<X509Name, ErrorStack> {
    // SAFETY: makes an empty name.
    let empty = unsafe { openssl_sys::X509_NAME_new() };
    if empty.is_null() {
        return Err(ErrorStack::get());
    }
    // SAFETY: it is ours to free.
    let name = unsafe { X509Name::from_ptr(empty) };
    for (entry, joined) in entries {
        let set = if *joined { -1 } else { 0 };
        // SAFETY: the name is ours alone; the entry is alive and copied.
        let done =
            unsafe { openssl_sys::X509_NAME_add_entry(name.as_ptr(), entry.as_ptr(), -1, set) };
        if done != 1 {
            return Err(ErrorStack::get());
        }
    }
    // A name that was changed is encoded at its first use, which would be a data race
    // among those who share it; one that was parsed never changes again.
    X509Name::from_der(&name.to_der()?)
}
