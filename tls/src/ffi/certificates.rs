//! Certificates and the names in them.

use std::ffi::{c_char, c_int, c_ulong, c_void};

use openssl_sys::{BIO, X509, X509_NAME};

/// What is asked for the passphrase of an encrypted PEM object.
pub(crate) type PemPassword = unsafe extern "C" fn(*mut c_char, c_int, c_int, *mut c_void) -> c_int;

unsafe extern "C" {
    pub(crate) fn X509_NAME_hash_ex(
        name: *const X509_NAME,
        library: *mut c_void,
        properties: *const c_char,
        ok: *mut c_int,
    ) -> c_ulong;
    pub(crate) fn X509_NAME_hash_old(name: *const X509_NAME) -> c_ulong;
    pub(crate) fn PEM_read_bio_X509_AUX(
        bio: *mut BIO,
        out: *mut *mut X509,
        password: Option<PemPassword>,
        data: *mut c_void,
    ) -> *mut X509;
}
