//! Declarations that `openssl-sys` lacks. All are exported by OpenSSL 3.0 and later.
//!
//! Declarations only: the modules that call them say why each call is sound.

use std::ffi::{c_char, c_int, c_long, c_ulong};

use openssl_sys::{BIO, SSL};

/// `BIO_C_SHUTDOWN_WR` (`BIO_s_bio(3)`): the other half reads end of file.
pub(crate) const BIO_C_SHUTDOWN_WR: c_int = 142;
/// `BIO_CTRL_PENDING`: bytes that can be read from this half.
pub(crate) const BIO_CTRL_PENDING: c_int = 10;
/// `BIO_C_GET_WRITE_GUARANTEE`: bytes that can be written to this half.
pub(crate) const BIO_C_GET_WRITE_GUARANTEE: c_int = 140;
/// `BIO_C_GET_READ_REQUEST`: bytes that the other half wanted and did not find.
pub(crate) const BIO_C_GET_READ_REQUEST: c_int = 141;

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
    pub(crate) fn BIO_new_bio_pair(
        bio1: *mut *mut BIO,
        writebuf1: usize,
        bio2: *mut *mut BIO,
        writebuf2: usize,
    ) -> c_int;
    pub(crate) fn BIO_nread0(bio: *mut BIO, buf: *mut *mut c_char) -> c_int;
    pub(crate) fn BIO_nread(bio: *mut BIO, buf: *mut *mut c_char, num: c_int) -> c_int;
    pub(crate) fn BIO_nwrite0(bio: *mut BIO, buf: *mut *mut c_char) -> c_int;
    pub(crate) fn BIO_nwrite(bio: *mut BIO, buf: *mut *mut c_char, num: c_int) -> c_int;
    pub(crate) fn BIO_free(bio: *mut BIO) -> c_int;
    pub(crate) fn BIO_up_ref(bio: *mut BIO) -> c_int;

    pub(crate) fn ERR_peek_error() -> c_ulong;

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
