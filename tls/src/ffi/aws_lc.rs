//! AWS-LC in the shape of OpenSSL: what it names or types in another way, and
//! stand-ins that answer failure for what it lacks, so that callers are the same.
//!
//! Its symbols of libcrypto carry a prefix, so all come from `openssl-sys`.

use std::ffi::{CStr, c_char, c_int, c_long, c_uchar, c_ulong, c_void};
use std::ptr;

use openssl::ssl::{SslMode, SslOptions};
use openssl_sys::{
    BIO, SSL, SSL_CTX, SSL_SESSION, X509_NAME, stack_st_SSL_CIPHER, stack_st_X509_NAME,
};
pub(crate) use openssl_sys::{
    BIO_free, BIO_meth_set_ctrl, BIO_meth_set_destroy, BIO_meth_set_read, BIO_meth_set_write,
    BIO_method_type, BIO_new_bio_pair, BIO_number_read, BIO_test_flags, BIO_up_ref, ERR_set_mark,
    HMAC_CTX as TicketMac, NETSCAPE_SPKI, NETSCAPE_SPKI_free, NETSCAPE_SPKI_sign,
    NETSCAPE_SPKI_verify, PEM_read_bio_X509_AUX, SSL_CTX_get_ciphers, SSL_CTX_get_verify_depth,
    SSL_CTX_set_cert_cb, SSL_CTX_set_cert_verify_callback, SSL_CTX_set_info_callback,
    SSL_CTX_set_msg_callback, SSL_CTX_set_tlsext_ticket_key_cb as SSL_CTX_set_ticket_key_callback,
    SSL_CTX_use_cert_and_key, SSL_CTX_use_psk_identity_hint, SSL_SESSION_get0_cipher,
    SSL_SESSION_get0_peer, SSL_SESSION_has_ticket, SSL_SESSION_is_resumable, SSL_get_ciphers,
    SSL_get_client_ciphers, SSL_get_peer_signature_type_nid, SSL_get_verify_result,
    SSL_has_pending, SSL_key_update, SSL_renegotiate, SSL_set_info_callback, SSL_set_verify_depth,
    SSL_set0_rbio, SSL_use_cert_and_key, SSL_verify_client_post_handshake, SSL_want,
    X509_CRL_get_version, X509_CRL_get0_extensions, X509_CRL_print, X509_NAME_ENTRY_set,
    X509_STORE_CTX_get0_param, X509_STORE_add_crl, X509_STORE_load_locations,
    X509_VERIFY_PARAM_set_trust, X509_get_signature_info, d2i_NETSCAPE_SPKI, i2d_NETSCAPE_SPKI,
};

pub(crate) const BIO_C_SHUTDOWN_WR: c_int = openssl_sys::BIO_C_SHUTDOWN_WR;
pub(crate) const BIO_CTRL_PENDING: c_int = openssl_sys::BIO_CTRL_PENDING;
pub(crate) const BIO_TYPE_BIO: c_int = 19 | 0x0400;
pub(crate) const BIO_FLAGS_SHOULD_RETRY: c_int = openssl_sys::BIO_FLAGS_SHOULD_RETRY;
pub(crate) const BIO_C_GET_WRITE_BUF_SIZE: c_int = openssl_sys::BIO_C_GET_WRITE_BUF_SIZE;
pub(crate) const BIO_C_GET_WRITE_GUARANTEE: c_int = openssl_sys::BIO_C_GET_WRITE_GUARANTEE;
pub(crate) const BIO_C_GET_READ_REQUEST: c_int = openssl_sys::BIO_C_GET_READ_REQUEST;

pub(crate) const ERR_LIB_SSL: c_int = openssl_sys::ERR_LIB_SSL;
/// AWS-LC has no such error; none of its numbers is negative.
pub(crate) const SSL_ERROR_WANT_ASYNC: c_int = -2;
pub(crate) const SSL_ERROR_WANT_RETRY_VERIFY: c_int =
    openssl_sys::SSL_ERROR_WANT_CERTIFICATE_VERIFY;
pub(crate) const SSL_ERROR_WANT_CLIENT_HELLO_CB: c_int = openssl_sys::SSL_ERROR_PENDING_CERTIFICATE;
pub(crate) const SSL_R_HTTPS_PROXY_REQUEST: c_int = openssl_sys::SSL_R_HTTPS_PROXY_REQUEST;
pub(crate) const SSL_R_HTTP_REQUEST: c_int = openssl_sys::SSL_R_HTTP_REQUEST;
pub(crate) const SSL_R_CERTIFICATE_VERIFY_FAILED: c_int =
    openssl_sys::SSL_R_CERTIFICATE_VERIFY_FAILED;
/// What the end of input leaves in a handshake, and nothing else does; it leaves no
/// error at all afterwards.
pub(crate) const SSL_R_UNEXPECTED_EOF_WHILE_READING: c_int =
    openssl_sys::SSL_R_SSL_HANDSHAKE_FAILURE;
pub(crate) const SSL_AD_REASON_OFFSET: c_int = openssl_sys::SSL_AD_REASON_OFFSET;
pub(crate) const SSL_KEY_UPDATE_NOT_REQUESTED: c_int = openssl_sys::SSL_KEY_UPDATE_NOT_REQUESTED;
pub(crate) const SSL_KEY_UPDATE_REQUESTED: c_int = openssl_sys::SSL_KEY_UPDATE_REQUESTED;
pub(crate) const SSL_READING: c_int = openssl_sys::SSL_READING;

pub(crate) const SSL_CB_LOOP: c_int = openssl_sys::SSL_CB_LOOP;
pub(crate) const SSL_CB_EXIT: c_int = openssl_sys::SSL_CB_EXIT;
pub(crate) const SSL_CB_READ: c_int = openssl_sys::SSL_CB_READ;
pub(crate) const SSL_CB_HANDSHAKE_START: c_int = openssl_sys::SSL_CB_HANDSHAKE_START;
pub(crate) const SSL_CB_HANDSHAKE_DONE: c_int = openssl_sys::SSL_CB_HANDSHAKE_DONE;
pub(crate) const SSL_CB_ALERT: c_int = openssl_sys::SSL_CB_ALERT;
pub(crate) const SSL3_RT_HANDSHAKE: c_int = openssl_sys::SSL3_RT_HANDSHAKE;

/// What the commands of [`SSL_ctrl`] and [`SSL_CTX_ctrl`] are called in OpenSSL, with
/// its numbers: AWS-LC has functions in place of commands.
pub(crate) const SSL_CTRL_GET_TOTAL_RENEGOTIATIONS: c_int = 12;
pub(crate) const SSL_CTRL_MODE: c_int = 33;
pub(crate) const SSL_CTRL_SET_MAX_SEND_FRAGMENT: c_int = 52;
pub(crate) const SSL_CTRL_SET_TLSEXT_HOSTNAME: c_int = 55;
pub(crate) const SSL_CTRL_SET_TLSEXT_STATUS_REQ_TYPE: c_int = 65;
pub(crate) const SSL_CTRL_GET_RI_SUPPORT: c_int = 76;
pub(crate) const SSL_CTRL_CLEAR_MODE: c_int = 78;
pub(crate) const SSL_CTRL_GET_PEER_SIGNATURE_NID: c_int = 108;
pub(crate) const SSL_CTRL_SET_CURRENT_CERT: c_int = 117;
pub(crate) const SSL_CTRL_SET_DH_AUTO: c_int = 118;
pub(crate) const SSL_CTRL_GET_SIGNATURE_NID: c_int = 132;
pub(crate) const SSL_CTRL_GET_NEGOTIATED_GROUP: c_int = 134;
pub(crate) const SSL_CTRL_SET_RETRY_VERIFY: c_int = 136;
pub(crate) const SSL_CERT_SET_FIRST: c_long = 1;
pub(crate) const SSL_CERT_SET_NEXT: c_long = 2;

/// There is no configuration file to leave out.
pub(crate) const OPENSSL_INIT_NO_LOAD_CONFIG: u64 = 0;

/// One record per write, and a write that may be repeated from elsewhere.
pub(crate) const ENGINE_MODES: c_long = (openssl_sys::SSL_MODE_ENABLE_PARTIAL_WRITE
    | openssl_sys::SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER)
    as c_long;
/// AWS-LC always goes on to the next message.
pub(crate) const SSL_MODE_AUTO_RETRY: c_long = 0;

pub(crate) type MessageCallback =
    unsafe extern "C" fn(c_int, c_int, c_int, *const c_void, usize, *mut SSL, *mut c_void);

/// `SSL_ctrl(3)` of OpenSSL, for the commands that this crate uses.
pub(crate) unsafe fn SSL_ctrl(
    ssl: *mut SSL,
    command: c_int,
    number: c_long,
    pointer: *mut c_void,
) -> c_long {
    let modes = || u32::try_from(number).unwrap_or(0);
    let answer: c_int = match command {
        // SAFETY: the caller vouches for the object, here and below.
        SSL_CTRL_MODE => (unsafe { openssl_sys::SSL_set_mode(ssl, modes()) }) as c_int,
        // SAFETY: as above.
        SSL_CTRL_CLEAR_MODE => (unsafe { openssl_sys::SSL_clear_mode(ssl, modes()) }) as c_int,
        SSL_CTRL_SET_TLSEXT_HOSTNAME => {
            // SAFETY: as above; the pointer is null or a C string.
            unsafe { openssl_sys::SSL_set_tlsext_host_name(ssl, pointer.cast()) }
        }
        SSL_CTRL_GET_TOTAL_RENEGOTIATIONS => {
            // SAFETY: as above.
            unsafe { openssl_sys::SSL_total_renegotiations(ssl) }
        }
        SSL_CTRL_GET_RI_SUPPORT => {
            // SAFETY: as above.
            unsafe { openssl_sys::SSL_get_secure_renegotiation_support(ssl) }
        }
        SSL_CTRL_GET_PEER_SIGNATURE_NID => {
            // SAFETY: as above; the pointer is one to an int.
            unsafe { openssl_sys::SSL_get_peer_signature_nid(ssl, pointer.cast()) }
        }
        SSL_CTRL_GET_NEGOTIATED_GROUP => {
            // SAFETY: as above.
            c_int::from(unsafe { openssl_sys::SSL_get_group_id(ssl) })
        }
        _ => 0,
    };
    c_long::from(answer)
}

/// `SSL_CTX_ctrl(3)` of OpenSSL, likewise; with the counters of `SSL_CTX_sess_number(3)`.
pub(crate) unsafe fn SSL_CTX_ctrl(
    context: *mut SSL_CTX,
    command: c_int,
    number: c_long,
    _pointer: *mut c_void,
) -> c_long {
    match command {
        SSL_CTRL_SET_MAX_SEND_FRAGMENT => {
            let bytes = usize::try_from(number).unwrap_or(0);
            // SAFETY: the caller vouches for the context.
            let done = unsafe { openssl_sys::SSL_CTX_set_max_send_fragment(context, bytes) };
            c_long::from(done)
        }
        SSL_CTRL_SET_TLSEXT_STATUS_REQ_TYPE => {
            // SAFETY: as above.
            unsafe { openssl_sys::SSL_CTX_enable_ocsp_stapling(context) };
            1
        }
        // SAFETY: as above, here and below.
        21 => c_long::from(unsafe { openssl_sys::SSL_CTX_sess_connect(context) }),
        // SAFETY: as above.
        22 => c_long::from(unsafe { openssl_sys::SSL_CTX_sess_connect_good(context) }),
        // SAFETY: as above.
        24 => c_long::from(unsafe { openssl_sys::SSL_CTX_sess_accept(context) }),
        // SAFETY: as above.
        25 => c_long::from(unsafe { openssl_sys::SSL_CTX_sess_accept_good(context) }),
        // SAFETY: as above.
        27 => c_long::from(unsafe { openssl_sys::SSL_CTX_sess_hits(context) }),
        // SAFETY: as above.
        28 => c_long::from(unsafe { openssl_sys::SSL_CTX_sess_cb_hits(context) }),
        _ => 0,
    }
}

pub(crate) unsafe fn SSL_CTX_get_timeout(context: *const SSL_CTX) -> c_long {
    // SAFETY: the caller vouches for the context.
    c_long::from(unsafe { openssl_sys::SSL_CTX_get_timeout(context) })
}

pub(crate) unsafe fn SSL_CTX_set_timeout(context: *mut SSL_CTX, seconds: c_long) -> c_long {
    let seconds = u32::try_from(seconds).unwrap_or(u32::MAX);
    // SAFETY: the caller vouches for the context. This is for TLS 1.3.
    unsafe { openssl_sys::SSL_CTX_set_session_psk_dhe_timeout(context, seconds) };
    // SAFETY: as above. This is for TLS 1.2.
    c_long::from(unsafe { openssl_sys::SSL_CTX_set_timeout(context, seconds) })
}

pub(crate) unsafe fn SSL_CTX_get_options(context: *const SSL_CTX) -> u64 {
    // SAFETY: the caller vouches for the context.
    u64::from(unsafe { openssl_sys::SSL_CTX_get_options(context) })
}

pub(crate) unsafe fn SSL_get_options(ssl: *const SSL) -> u64 {
    // SAFETY: the caller vouches for the object.
    u64::from(unsafe { openssl_sys::SSL_get_options(ssl) })
}

/// Bits beyond the 32 that AWS-LC has are none of its options.
pub(crate) unsafe fn SSL_set_options(ssl: *mut SSL, options: u64) -> u64 {
    // SAFETY: the caller vouches for the object.
    u64::from(unsafe { openssl_sys::SSL_set_options(ssl, options as u32) })
}

pub(crate) unsafe fn SSL_clear_options(ssl: *mut SSL, options: u64) -> u64 {
    // SAFETY: the caller vouches for the object.
    u64::from(unsafe { openssl_sys::SSL_clear_options(ssl, options as u32) })
}

pub(crate) unsafe fn SSL_renegotiate_pending(ssl: *const SSL) -> c_int {
    // SAFETY: the caller vouches for the object, which this only looks at.
    unsafe { openssl_sys::SSL_renegotiate_pending(ssl.cast_mut()) }
}

pub(crate) unsafe fn SSL_SESSION_get_ticket_lifetime_hint(session: *const SSL_SESSION) -> c_ulong {
    // SAFETY: the caller vouches for the session.
    c_ulong::from(unsafe { openssl_sys::SSL_SESSION_get_ticket_lifetime_hint(session) })
}

/// Of the client only: AWS-LC answers a server with its own list.
pub(crate) unsafe fn SSL_get0_peer_CA_list(ssl: *const SSL) -> *const stack_st_X509_NAME {
    // SAFETY: the caller vouches for the object.
    if unsafe { openssl_sys::SSL_is_server(ssl) } == 1 {
        return ptr::null();
    }
    // SAFETY: as above.
    unsafe { openssl_sys::SSL_get_client_CA_list(ssl) }
}

/// By the group's number in the registry of IANA.
pub(crate) unsafe fn SSL_group_to_name(_ssl: *mut SSL, id: c_int) -> *const c_char {
    // SAFETY: any number is allowed.
    unsafe { openssl_sys::SSL_get_group_name(u16::try_from(id).unwrap_or(0)) }
}

/// Whether nothing has been sent by a client, nor understood by a server.
pub(crate) unsafe fn SSL_in_before(ssl: *const SSL) -> c_int {
    let mut random = [0_u8; 32];
    // SAFETY: the caller vouches for the object; the buffer has that length.
    unsafe { openssl_sys::SSL_get_client_random(ssl, random.as_mut_ptr(), random.len()) };
    // SAFETY: as above.
    let initial = unsafe { openssl_sys::SSL_in_init(ssl) };
    c_int::from(initial == 1 && random == [0; 32])
}

/// The packed code of a reason of libssl.
pub(crate) fn ssl_error_code(reason: c_int) -> u32 {
    ((ERR_LIB_SSL as u32 & 0xff) << 24) | (reason as u32 & 0xfff)
}

pub(crate) unsafe fn BIO_new_mem_buf(data: *const c_void, length: c_int) -> *mut BIO {
    // SAFETY: the caller vouches for the bytes.
    unsafe { openssl_sys::BIO_new_mem_buf(data, length as _) }
}

/// AWS-LC gives its buffers back by itself, whenever they are empty.
pub(crate) unsafe fn SSL_free_buffers(_ssl: *mut SSL) -> c_int {
    1
}

pub(crate) unsafe fn SSL_rstate_string(_ssl: *const SSL) -> *const c_char {
    const HEADER: &CStr = c"RH";
    HEADER.as_ptr()
}

pub(crate) unsafe fn SSL_get1_supported_ciphers(_ssl: *mut SSL) -> *mut stack_st_SSL_CIPHER {
    ptr::null_mut()
}

pub(crate) unsafe fn SSL_get_signature_type_nid(_ssl: *const SSL, _nid: *mut c_int) -> c_int {
    0
}

pub(crate) unsafe fn SSL_SESSION_get0_hostname(_session: *const SSL_SESSION) -> *const c_char {
    ptr::null()
}

pub(crate) unsafe fn SSL_SESSION_get0_alpn_selected(
    _session: *const SSL_SESSION,
    _protocol: *mut *const c_uchar,
    _len: *mut usize,
) {
}

pub(crate) unsafe fn SSL_set_post_handshake_auth(_ssl: *mut SSL, _allowed: c_int) {}

pub(crate) unsafe fn SSL_new_session_ticket(_ssl: *mut SSL) -> c_int {
    0
}

pub(crate) unsafe fn SSL_CTX_set_tlsext_max_fragment_length(
    _context: *mut SSL_CTX,
    _mode: u8,
) -> c_int {
    0
}

pub(crate) unsafe fn SSL_CTX_set_block_padding(_context: *mut SSL_CTX, _block: usize) -> c_int {
    0
}

/// Bits beyond the 32 that AWS-LC has are none of its options.
pub(crate) fn option_bits(bits: u64) -> SslOptions {
    SslOptions::from_bits_retain(bits as u32)
}

pub(crate) fn mode_bits(bits: u32) -> SslMode {
    SslMode::from_bits_retain(bits.cast_signed())
}

/// # Safety
///
/// As `X509_NAME_hash_ex(3)`, of which only the name is used.
pub(crate) unsafe fn X509_NAME_hash_ex(
    name: *const X509_NAME,
    _library: *mut c_void,
    _properties: *const c_char,
    _ok: *mut c_int,
) -> c_ulong {
    // SAFETY: the caller's word; this only reads.
    c_ulong::from(unsafe { openssl_sys::X509_NAME_hash(name.cast_mut()) })
}

/// # Safety
///
/// As `X509_NAME_hash_old(3)`.
pub(crate) unsafe fn X509_NAME_hash_old(name: *const X509_NAME) -> c_ulong {
    // SAFETY: the caller's word; this only reads.
    c_ulong::from(unsafe { openssl_sys::X509_NAME_hash_old(name.cast_mut()) })
}
