//! Callbacks that watch a connection, and what goes with shared keys.

use std::ffi::{c_char, c_int, c_void};

pub(crate) use openssl_sys::SSL_CTRL_SET_TLSEXT_STATUS_REQ_TYPE;
use openssl_sys::{BIO, SSL, SSL_CTX};

/// `SSL_CB_*` of `SSL_CTX_set_info_callback(3)`: bits of the second argument.
pub(crate) const SSL_CB_LOOP: c_int = 0x01;
pub(crate) const SSL_CB_EXIT: c_int = 0x02;
pub(crate) const SSL_CB_READ: c_int = 0x04;
pub(crate) const SSL_CB_HANDSHAKE_START: c_int = 0x10;
pub(crate) const SSL_CB_HANDSHAKE_DONE: c_int = 0x20;
pub(crate) const SSL_CB_ALERT: c_int = 0x4000;

/// `SSL3_RT_HANDSHAKE`.
pub(crate) const SSL3_RT_HANDSHAKE: c_int = 22;
/// `SSL_CTRL_CLEAR_MODE`.
pub(crate) const SSL_CTRL_CLEAR_MODE: c_int = 78;

pub(crate) type InfoCallback = unsafe extern "C" fn(*const SSL, c_int, c_int);

pub(crate) type MessageCallback =
    unsafe extern "C" fn(c_int, c_int, c_int, *const c_void, usize, *mut SSL, *mut c_void);

unsafe extern "C" {
    pub(crate) fn SSL_CTX_set_info_callback(ctx: *mut SSL_CTX, callback: Option<InfoCallback>);
    pub(crate) fn SSL_set_info_callback(ssl: *mut SSL, callback: Option<InfoCallback>);
    pub(crate) fn SSL_CTX_set_msg_callback(ctx: *mut SSL_CTX, callback: Option<MessageCallback>);
    pub(crate) fn SSL_CTX_use_psk_identity_hint(ctx: *mut SSL_CTX, hint: *const c_char) -> c_int;
    pub(crate) fn SSL_set0_rbio(ssl: *mut SSL, bio: *mut BIO);
}
