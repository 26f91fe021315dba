//! Calls on one connection, and the codes they answer with.

use std::ffi::{c_char, c_int, c_long, c_ulong};

use openssl_sys::SSL;

/// `ERR_LIB_SSL`.
pub(crate) const ERR_LIB_SSL: c_int = 20;
/// `SSL_ERROR_WANT_ASYNC`.
pub(crate) const SSL_ERROR_WANT_ASYNC: c_int = 9;
/// `SSL_ERROR_WANT_RETRY_VERIFY`.
pub(crate) const SSL_ERROR_WANT_RETRY_VERIFY: c_int = 12;
/// `SSL_R_HTTPS_PROXY_REQUEST`: a `CONNECT` where a record was expected.
pub(crate) const SSL_R_HTTPS_PROXY_REQUEST: c_int = 155;
/// `SSL_R_HTTP_REQUEST`.
pub(crate) const SSL_R_HTTP_REQUEST: c_int = 156;
/// `SSL_R_CERTIFICATE_VERIFY_FAILED`.
pub(crate) const SSL_R_CERTIFICATE_VERIFY_FAILED: c_int = 134;
/// `SSL_R_UNEXPECTED_EOF_WHILE_READING`.
pub(crate) const SSL_R_UNEXPECTED_EOF_WHILE_READING: c_int = 294;
/// `SSL_AD_REASON_OFFSET`: reasons above it are alerts that the peer sent.
pub(crate) const SSL_AD_REASON_OFFSET: c_int = 1000;
/// `SSL_KEY_UPDATE_NOT_REQUESTED`.
pub(crate) const SSL_KEY_UPDATE_NOT_REQUESTED: c_int = 0;
/// `SSL_KEY_UPDATE_REQUESTED`.
pub(crate) const SSL_KEY_UPDATE_REQUESTED: c_int = 1;

unsafe extern "C" {
    pub(crate) fn ERR_peek_error() -> c_ulong;
    pub(crate) fn SSL_up_ref(ssl: *mut SSL) -> c_int;
    pub(crate) fn SSL_set_options(ssl: *mut SSL, options: u64) -> u64;
    pub(crate) fn SSL_free_buffers(ssl: *mut SSL) -> c_int;
    pub(crate) fn SSL_has_pending(ssl: *const SSL) -> c_int;
    pub(crate) fn SSL_rstate_string(ssl: *const SSL) -> *const c_char;
    pub(crate) fn SSL_key_update(ssl: *mut SSL, update_type: c_int) -> c_int;
    pub(crate) fn SSL_renegotiate(ssl: *mut SSL) -> c_int;
    pub(crate) fn SSL_verify_client_post_handshake(ssl: *mut SSL) -> c_int;
    pub(crate) fn SSL_set_post_handshake_auth(ssl: *mut SSL, allowed: c_int);
    pub(crate) fn SSL_new_session_ticket(ssl: *mut SSL) -> c_int;
    pub(crate) fn SSL_get_verify_result(ssl: *const SSL) -> c_long;
}
