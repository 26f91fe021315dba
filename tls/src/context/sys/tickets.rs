//! Session tickets: the callbacks that seal and open them with a context's keys.

#[cfg(not(feature = "aws-lc"))]
use std::ffi::c_void;
use std::ffi::{c_int, c_uchar};
use std::ptr;
use std::sync::OnceLock;
use std::time::Instant;

use foreign_types::ForeignTypeRef;
use openssl::cipher::Cipher;
use openssl::cipher_ctx::CipherCtxRef;
use openssl::error::ErrorStack;
use openssl::ex_data::Index;
use openssl::rand::rand_bytes;
#[cfg(not(feature = "aws-lc"))]
use openssl::ssl::SslSessionRef;
use openssl::ssl::{SslContext, SslContextBuilder, SslRef, SslVersion};
#[cfg(not(feature = "aws-lc"))]
use openssl_sys::SSL_SESSION;
use openssl_sys::{EVP_CIPHER_CTX, SSL};

use super::check;
#[cfg(not(feature = "aws-lc"))]
use super::names;
use crate::context::ticket_keys::TicketKeys;
use crate::context::tickets::{KeyRing, NAME_LEN, TicketKey};
use crate::ffi;
use crate::panics::guard_callback;
use crate::ssl::slot;

/// The IV of AES-256-CBC.
const IV_LEN: usize = 16;

/// Seals and opens the context's tickets with `keys`, and refuses to
/// resume a session under another server name than it was made for.
pub(in crate::context) fn install_tickets(
    context: &mut SslContextBuilder,
    keys: TicketKeys,
) -> Result<(), ErrorStack> {
    context.set_ex_data(keys_index()?, keys);
    // SAFETY: the callback is a function for ever, and finds its data through ex_data.
    check(unsafe { ffi::SSL_CTX_set_ticket_key_callback(context.as_ptr(), Some(ticket_key)) })?;
    // With AWS-LC the session itself knows who may resume it.
    #[cfg(not(feature = "aws-lc"))]
    // SAFETY: as above; there is no argument.
    check(unsafe {
        ffi::SSL_CTX_set_session_ticket_cb(
            context.as_ptr(),
            None,
            Some(ticket_opened),
            ptr::null_mut(),
        )
    })?;
    Ok(())
}

fn keys_index() -> Result<Index<SslContext, TicketKeys>, ErrorStack> {
    static INDEX: OnceLock<Index<SslContext, TicketKeys>> = OnceLock::new();
    slot(&INDEX, SslContext::new_ex_index)
}

/// `SSL_CTX_set_tlsext_ticket_key_evp_cb(3)`: answers 1 to use the key, 2 to use
/// it and send a new ticket, 0 when the key is unknown (a full handshake
/// follows), -1 to fail.
unsafe extern "C" fn ticket_key(
    ssl: *mut SSL,
    name: *mut c_uchar,
    iv: *mut c_uchar,
    cipher: *mut EVP_CIPHER_CTX,
    mac: *mut ffi::TicketMac,
    sealing: c_int,
) -> c_int {
    guard_callback(-1, || {
        // SAFETY: OpenSSL passes the connection it works on, alive for the call.
        let ssl = unsafe { SslRef::from_ptr(ssl) };
        // SAFETY: the buffer of the key's name has 16 bytes and is ours for the call.
        let name = unsafe { &mut *name.cast::<[u8; NAME_LEN]>() };
        // SAFETY: the buffer of the IV has EVP_MAX_IV_LENGTH = 16 bytes, likewise.
        let iv = unsafe { &mut *iv.cast::<[u8; IV_LEN]>() };
        // SAFETY: a fresh cipher context, ours for the call.
        let cipher = unsafe { CipherCtxRef::from_ptr_mut(cipher) };
        let done = if sealing != 0 {
            seal(ssl, name, iv, cipher, mac)
        } else {
            open(ssl, name, iv, cipher, mac)
        };
        done.unwrap_or_else(|stack| {
            log::error!("session tickets: {stack}");
            -1
        })
    })
}

fn seal(
    ssl: &SslRef,
    name: &mut [u8; NAME_LEN],
    iv: &mut [u8; IV_LEN],
    cipher: &mut CipherCtxRef,
    mac: *mut ffi::TicketMac,
) -> Result<c_int, ErrorStack> {
    with_keys(ssl, -1, |ring, now| {
        let key = ring.sealing(now)?;
        rand_bytes(iv)?;
        *name = key.name;
        cipher.encrypt_init(Some(Cipher::aes_256_cbc()), Some(&key.aes), Some(iv))?;
        init_mac(mac, key)?;
        Ok(1)
    })
}

fn open(
    ssl: &SslRef,
    name: &[u8; NAME_LEN],
    iv: &[u8; IV_LEN],
    cipher: &mut CipherCtxRef,
    mac: *mut ffi::TicketMac,
) -> Result<c_int, ErrorStack> {
    with_keys(ssl, 0, |ring, now| {
        let Some((key, renew)) = ring.opening(name, now) else {
            return Ok(0);
        };
        cipher.decrypt_init(Some(Cipher::aes_256_cbc()), Some(&key.aes), Some(iv))?;
        init_mac(mac, key)?;
        // A TLS 1.3 ticket should be used once only (RFC 8446, appendix C.4), so
        // the client needs another.
        let renew = renew || ssl.version2() == Some(SslVersion::TLS1_3);
        Ok(if renew { 2 } else { 1 })
    })
}

/// Calls `f` with the keys of the connection's context, or answers `without`.
fn with_keys(
    ssl: &SslRef,
    without: c_int,
    f: impl FnOnce(&mut KeyRing, Instant) -> Result<c_int, ErrorStack>,
) -> Result<c_int, ErrorStack> {
    match ssl.ssl_context().ex_data(keys_index()?) {
        Some(keys) => keys.with_ring(f),
        None => Ok(without),
    }
}

/// Keys AWS-LC's HMAC for one ticket.
#[cfg(feature = "aws-lc")]
fn init_mac(mac: *mut ffi::TicketMac, key: &TicketKey) -> Result<(), ErrorStack> {
    // SAFETY: no argument, no precondition.
    let digest = unsafe { openssl_sys::EVP_sha256() };
    // SAFETY: `mac` is the context that AWS-LC gave the callback we are in, and the
    // call copies the key.
    check(unsafe {
        openssl_sys::HMAC_Init_ex(
            mac,
            key.hmac.as_ptr().cast(),
            key.hmac.len(),
            digest,
            ptr::null_mut(),
        )
    })
}

/// Keys OpenSSL's HMAC for one ticket.
#[cfg(not(feature = "aws-lc"))]
fn init_mac(mac: *mut ffi::TicketMac, key: &TicketKey) -> Result<(), ErrorStack> {
    // SAFETY: both strings are static, and OpenSSL only reads through the second
    // pointer although it is declared mutable.
    let digest = unsafe {
        ffi::OSSL_PARAM_construct_utf8_string(
            c"digest".as_ptr(),
            c"SHA256".as_ptr().cast_mut(),
            0, // "use strlen"
        )
    };
    // SAFETY: builds the end marker; no argument.
    let end = unsafe { openssl_sys::OSSL_PARAM_construct_end() };
    let parameters = [digest, end];
    // SAFETY: `mac` is the context that OpenSSL gave the callback we are in; the
    // key and the terminated parameter list outlive the call, which copies them.
    check(unsafe {
        openssl_sys::EVP_MAC_init(mac, key.hmac.as_ptr(), key.hmac.len(), parameters.as_ptr())
    })
}

#[cfg(not(feature = "aws-lc"))]
/// `SSL_CTX_set_session_ticket_cb(3)`: decides about a ticket after it was
/// opened.
unsafe extern "C" fn ticket_opened(
    ssl: *mut SSL,
    session: *mut SSL_SESSION,
    _key_name: *const c_uchar,
    _key_name_length: usize,
    status: c_int,
    _argument: *mut c_void,
) -> c_int {
    guard_callback(ffi::SSL_TICKET_RETURN_IGNORE_RENEW, || {
        let answer = match status {
            ffi::SSL_TICKET_SUCCESS => ffi::SSL_TICKET_RETURN_USE,
            ffi::SSL_TICKET_SUCCESS_RENEW => ffi::SSL_TICKET_RETURN_USE_RENEW,
            _ => return ffi::SSL_TICKET_RETURN_IGNORE_RENEW,
        };
        // SAFETY: OpenSSL passes the connection whose ClientHello it processes, and
        // looks at nothing that we change of it meanwhile.
        let ssl = unsafe { SslRef::from_ptr_mut(ssl) };
        // SAFETY: with a status of success it passes the session that it read from
        // the ticket.
        let session = unsafe { SslSessionRef::from_ptr(session) };
        if names::may_resume(ssl, session) {
            answer
        } else {
            ffi::SSL_TICKET_RETURN_IGNORE_RENEW
        }
    })
}
