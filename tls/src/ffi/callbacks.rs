//! Callbacks that suspend a handshake.

use std::ffi::{c_int, c_void};

use openssl_sys::{SSL, SSL_CTX, X509_STORE_CTX};

/// The command of `SSL_set_retry_verify(3)`, a macro.
pub(crate) const SSL_CTRL_SET_RETRY_VERIFY: c_int = 136;

/// The argument of `SSL_CTX_set_cert_cb(3)`.
pub(crate) type CertificateCallback = unsafe extern "C" fn(*mut SSL, *mut c_void) -> c_int;

/// The argument of `SSL_CTX_set_cert_verify_callback(3)`.
pub(crate) type VerifyChainCallback =
    unsafe extern "C" fn(*mut X509_STORE_CTX, *mut c_void) -> c_int;

unsafe extern "C" {
    pub(crate) fn SSL_CTX_set_cert_cb(
        ctx: *mut SSL_CTX,
        callback: Option<CertificateCallback>,
        argument: *mut c_void,
    );
    pub(crate) fn SSL_CTX_set_cert_verify_callback(
        ctx: *mut SSL_CTX,
        callback: Option<VerifyChainCallback>,
        argument: *mut c_void,
    );
}
