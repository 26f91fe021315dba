//! Calls on sessions.

use std::ffi::c_int;

use openssl_sys::SSL_SESSION;

unsafe extern "C" {
    pub(crate) fn SSL_SESSION_is_resumable(session: *const SSL_SESSION) -> c_int;
}
