//! The extensions of a revocation list.

use openssl_sys::{X509_CRL, stack_st_X509_EXTENSION};

unsafe extern "C" {
    pub(crate) fn X509_CRL_get0_extensions(crl: *const X509_CRL) -> *const stack_st_X509_EXTENSION;
}
