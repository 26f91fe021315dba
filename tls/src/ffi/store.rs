//! Calls on stores of trusted certificates, and on lists of revoked ones.

use std::ffi::{c_char, c_int, c_long};

use openssl_sys::{BIO, X509_CRL, X509_STORE, X509_STORE_CTX, X509_VERIFY_PARAM};

unsafe extern "C" {
    pub(crate) fn X509_STORE_add_crl(store: *mut X509_STORE, crl: *mut X509_CRL) -> c_int;
    pub(crate) fn X509_STORE_load_locations(
        store: *mut X509_STORE,
        file: *const c_char,
        dir: *const c_char,
    ) -> c_int;
    pub(crate) fn X509_STORE_CTX_get0_param(ctx: *const X509_STORE_CTX) -> *mut X509_VERIFY_PARAM;
    pub(crate) fn X509_VERIFY_PARAM_set_trust(param: *mut X509_VERIFY_PARAM, trust: c_int)
    -> c_int;
    pub(crate) fn X509_CRL_print(bio: *mut BIO, crl: *mut X509_CRL) -> c_int;
    pub(crate) fn X509_CRL_get_version(crl: *const X509_CRL) -> c_long;
}
