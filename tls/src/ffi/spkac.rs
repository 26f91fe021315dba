//! Signed public keys and challenges: `NETSCAPE_SPKI` is not looked into from here.

use std::ffi::{c_int, c_long, c_uchar};

use openssl_sys::{EVP_MD, EVP_PKEY};

#[allow(non_camel_case_types, reason = "the name is OpenSSL's")]
pub(crate) enum NETSCAPE_SPKI {}

unsafe extern "C" {
    pub(crate) fn d2i_NETSCAPE_SPKI(
        out: *mut *mut NETSCAPE_SPKI,
        der: *mut *const c_uchar,
        length: c_long,
    ) -> *mut NETSCAPE_SPKI;
    pub(crate) fn i2d_NETSCAPE_SPKI(spki: *const NETSCAPE_SPKI, out: *mut *mut c_uchar) -> c_int;
    pub(crate) fn NETSCAPE_SPKI_free(spki: *mut NETSCAPE_SPKI);
    pub(crate) fn NETSCAPE_SPKI_sign(
        spki: *mut NETSCAPE_SPKI,
        key: *mut EVP_PKEY,
        digest: *const EVP_MD,
    ) -> c_int;
    pub(crate) fn NETSCAPE_SPKI_verify(spki: *mut NETSCAPE_SPKI, key: *mut EVP_PKEY) -> c_int;
}
