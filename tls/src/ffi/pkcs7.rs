//! What PKCS #7 structures are made of.

use std::ffi::{c_char, c_int, c_long};

use openssl_sys::{PKCS7, X509_CRL};

/// `PKCS7_OP_SET_DETACHED_SIGNATURE`: the content is left out.
pub(crate) const PKCS7_OP_SET_DETACHED_SIGNATURE: c_int = 1;

unsafe extern "C" {
    pub(crate) fn PKCS7_ctrl(
        structure: *mut PKCS7,
        command: c_int,
        value: c_long,
        pointer: *mut c_char,
    ) -> c_long;
    pub(crate) fn PKCS7_add_crl(structure: *mut PKCS7, list: *mut X509_CRL) -> c_int;
}
