//! Calls on an `SSL_CTX`, and the callbacks it takes.

use std::ffi::{c_char, c_int, c_long, c_uchar, c_void};

use openssl_sys::{
    EVP_CIPHER_CTX, EVP_MAC_CTX, EVP_PKEY, OSSL_PARAM, SSL, SSL_CTX, SSL_SESSION, X509,
    stack_st_SSL_CIPHER, stack_st_X509,
};

/// `SSL_TICKET_*` and `SSL_TICKET_RETURN_*` of `SSL_CTX_set_session_ticket_cb(3)`.
pub(crate) const SSL_TICKET_SUCCESS: c_int = 5;
pub(crate) const SSL_TICKET_SUCCESS_RENEW: c_int = 6;
pub(crate) const SSL_TICKET_RETURN_IGNORE_RENEW: c_int = 2;
pub(crate) const SSL_TICKET_RETURN_USE: c_int = 3;
pub(crate) const SSL_TICKET_RETURN_USE_RENEW: c_int = 4;

/// `SSL_CTX_set_max_send_fragment(3)`.
pub(crate) const SSL_CTRL_SET_MAX_SEND_FRAGMENT: c_int = 52;
/// `SSL_CTX_set_dh_auto(3)`.
pub(crate) const SSL_CTRL_SET_DH_AUTO: c_int = 118;

/// `OPENSSL_init_crypto(3)`.
pub(crate) const OPENSSL_INIT_NO_LOAD_CONFIG: u64 = 0x80;

pub(crate) type TicketKeyCallback = unsafe extern "C" fn(
    *mut SSL,
    *mut c_uchar,
    *mut c_uchar,
    *mut EVP_CIPHER_CTX,
    *mut EVP_MAC_CTX,
    c_int,
) -> c_int;

pub(crate) type OpenedTicketCallback = unsafe extern "C" fn(
    *mut SSL,
    *mut SSL_SESSION,
    *const c_uchar,
    usize,
    c_int,
    *mut c_void,
) -> c_int;

/// What a ticket is authenticated with.
pub(crate) type TicketMac = EVP_MAC_CTX;

unsafe extern "C" {
    pub(crate) fn SSL_CTX_use_cert_and_key(
        ctx: *mut SSL_CTX,
        certificate: *mut X509,
        key: *mut EVP_PKEY,
        chain: *mut stack_st_X509,
        replace: c_int,
    ) -> c_int;
    pub(crate) fn SSL_CTX_get_ciphers(ctx: *const SSL_CTX) -> *mut stack_st_SSL_CIPHER;
    pub(crate) fn SSL_CTX_get_verify_depth(ctx: *const SSL_CTX) -> c_int;
    pub(crate) fn SSL_CTX_get_timeout(ctx: *const SSL_CTX) -> c_long;
    pub(crate) fn SSL_CTX_set_timeout(ctx: *mut SSL_CTX, seconds: c_long) -> c_long;
    #[link_name = "SSL_CTX_set_tlsext_ticket_key_evp_cb"]
    pub(crate) fn SSL_CTX_set_ticket_key_callback(
        ctx: *mut SSL_CTX,
        callback: Option<TicketKeyCallback>,
    ) -> c_int;
    pub(crate) fn SSL_CTX_set_session_ticket_cb(
        ctx: *mut SSL_CTX,
        made: Option<unsafe extern "C" fn(*mut SSL, *mut c_void) -> c_int>,
        opened: Option<OpenedTicketCallback>,
        argument: *mut c_void,
    ) -> c_int;
    pub(crate) fn SSL_CTX_set_tlsext_max_fragment_length(ctx: *mut SSL_CTX, mode: u8) -> c_int;
    pub(crate) fn SSL_CTX_set_block_padding(ctx: *mut SSL_CTX, block_size: usize) -> c_int;
    pub(crate) fn SSL_SESSION_get0_peer(session: *mut SSL_SESSION) -> *mut X509;
    pub(crate) fn SSL_SESSION_get0_hostname(session: *const SSL_SESSION) -> *const c_char;
    pub(crate) fn OSSL_PARAM_construct_utf8_string(
        key: *const c_char,
        value: *mut c_char,
        length: usize,
    ) -> OSSL_PARAM;
}
