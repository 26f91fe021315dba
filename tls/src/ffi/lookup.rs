//! What OpenSSL knows apart from any connection.

use std::ffi::c_int;

use openssl_sys::X509_NAME_ENTRY;

unsafe extern "C" {
    pub(crate) fn X509_NAME_ENTRY_set(entry: *const X509_NAME_ENTRY) -> c_int;
}
