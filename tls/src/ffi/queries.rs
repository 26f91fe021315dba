//! Questions about one connection or session, and settings of one connection.

use std::ffi::{c_char, c_int, c_long, c_uchar, c_ulong};

use openssl_sys::{
    EVP_PKEY, SSL, SSL_SESSION, X509, stack_st_SSL_CIPHER, stack_st_X509, stack_st_X509_NAME,
};

/// `SSL_CTRL_GET_TOTAL_RENEGOTIATIONS`.
pub(crate) const SSL_CTRL_GET_TOTAL_RENEGOTIATIONS: c_int = 12;
/// `SSL_CTRL_GET_RI_SUPPORT`: whether the peer knows RFC 5746.
pub(crate) const SSL_CTRL_GET_RI_SUPPORT: c_int = 76;
/// `SSL_CTRL_GET_PEER_SIGNATURE_NID`: the digest of the peer's signature.
pub(crate) const SSL_CTRL_GET_PEER_SIGNATURE_NID: c_int = 108;
/// `SSL_CTRL_SET_CURRENT_CERT`.
pub(crate) const SSL_CTRL_SET_CURRENT_CERT: c_int = 117;
/// `SSL_CERT_SET_FIRST`.
pub(crate) const SSL_CERT_SET_FIRST: c_long = 1;
/// `SSL_CERT_SET_NEXT`.
pub(crate) const SSL_CERT_SET_NEXT: c_long = 2;
/// `SSL_CTRL_GET_SIGNATURE_NID`: the digest of our signature.
pub(crate) const SSL_CTRL_GET_SIGNATURE_NID: c_int = 132;
/// `SSL_CTRL_GET_NEGOTIATED_GROUP`.
pub(crate) const SSL_CTRL_GET_NEGOTIATED_GROUP: c_int = 134;
/// `SSL_READING`, an answer of `SSL_want(3)`.
pub(crate) const SSL_READING: c_int = 3;

unsafe extern "C" {
    pub(crate) fn SSL_get_ciphers(ssl: *const SSL) -> *mut stack_st_SSL_CIPHER;
    pub(crate) fn SSL_get_client_ciphers(ssl: *const SSL) -> *mut stack_st_SSL_CIPHER;
    pub(crate) fn SSL_get1_supported_ciphers(ssl: *mut SSL) -> *mut stack_st_SSL_CIPHER;
    pub(crate) fn SSL_group_to_name(ssl: *mut SSL, id: c_int) -> *const c_char;
    pub(crate) fn SSL_get_peer_signature_type_nid(ssl: *const SSL, nid: *mut c_int) -> c_int;
    pub(crate) fn SSL_get_signature_type_nid(ssl: *const SSL, nid: *mut c_int) -> c_int;
    pub(crate) fn SSL_get0_peer_CA_list(ssl: *const SSL) -> *const stack_st_X509_NAME;
    pub(crate) fn SSL_in_before(ssl: *const SSL) -> c_int;
    pub(crate) fn SSL_want(ssl: *const SSL) -> c_int;
    pub(crate) fn SSL_renegotiate_pending(ssl: *const SSL) -> c_int;
    pub(crate) fn SSL_get_options(ssl: *const SSL) -> u64;
    pub(crate) fn SSL_clear_options(ssl: *mut SSL, options: u64) -> u64;
    pub(crate) fn SSL_set_verify_depth(ssl: *mut SSL, depth: c_int);
    pub(crate) fn SSL_use_cert_and_key(
        ssl: *mut SSL,
        certificate: *mut X509,
        key: *mut EVP_PKEY,
        chain: *mut stack_st_X509,
        replace: c_int,
    ) -> c_int;
    pub(crate) fn X509_get_signature_info(
        certificate: *mut X509,
        digest: *mut c_int,
        key: *mut c_int,
        security_bits: *mut c_int,
        flags: *mut u32,
    ) -> c_int;
    pub(crate) fn SSL_SESSION_get_ticket_lifetime_hint(session: *const SSL_SESSION) -> c_ulong;
    pub(crate) fn SSL_SESSION_has_ticket(session: *const SSL_SESSION) -> c_int;
    pub(crate) fn SSL_SESSION_is_resumable(session: *const SSL_SESSION) -> c_int;
    pub(crate) fn SSL_SESSION_get0_cipher(
        session: *const SSL_SESSION,
    ) -> *const openssl_sys::SSL_CIPHER;
    pub(crate) fn SSL_SESSION_get0_alpn_selected(
        session: *const SSL_SESSION,
        protocol: *mut *const c_uchar,
        len: *mut usize,
    );
}
