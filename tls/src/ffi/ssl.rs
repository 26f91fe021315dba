//! Calls on one connection, and the codes they answer with.

use std::ffi::{c_char, c_int, c_long, c_ulong};

use openssl::ssl::{SslMode, SslOptions};
use openssl_sys::SSL;
pub(crate) use openssl_sys::{
    BIO_new_mem_buf, SSL_CTX_ctrl, SSL_CTX_get_options, SSL_ERROR_WANT_CLIENT_HELLO_CB,
    SSL_MODE_AUTO_RETRY, SSL_ctrl,
};

/// One record per write, a write that may be repeated from elsewhere, and no return
/// for a message that is no data.
pub(crate) const ENGINE_MODES: c_long = openssl_sys::SSL_MODE_ENABLE_PARTIAL_WRITE
    | openssl_sys::SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER
    | SSL_MODE_AUTO_RETRY;
/// `SSL_CTRL_MODE`.
pub(crate) const SSL_CTRL_MODE: c_int = 33;
/// `SSL_CTRL_SET_TLSEXT_HOSTNAME`.
pub(crate) const SSL_CTRL_SET_TLSEXT_HOSTNAME: c_int = 55;

/// The packed code of a reason of libssl.
pub(crate) fn ssl_error_code(reason: c_int) -> c_ulong {
    openssl_sys::ERR_PACK(ERR_LIB_SSL, 0, reason)
}

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
    pub(crate) fn ERR_set_mark() -> c_int;
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

pub(crate) fn option_bits(bits: u64) -> SslOptions {
    SslOptions::from_bits_retain(bits)
}

pub(crate) fn mode_bits(bits: u32) -> SslMode {
    SslMode::from_bits_retain(bits.into())
}
