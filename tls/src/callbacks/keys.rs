//! OpenSSL's callbacks for shared keys.
//!
//! What they answer is the length of the key. No length means that there is none,
//! with which TLS 1.3 goes on; so a refusal is a length that cannot be, which ends
//! the connection in every version.

use std::ffi::{CStr, c_char, c_uchar, c_uint};

use foreign_types::ForeignTypeRef;
use openssl::error::ErrorStack;
use openssl::ssl::{SslContextBuilder, SslRef};
use openssl_sys::SSL;

use super::Hooks;
use super::psk::{self, Found};
use crate::engine::Role;
use crate::ffi;
use crate::panics::guard_callback;

/// Longer than `PSK_MAX_PSK_LEN` in any release.
#[cfg(not(feature = "aws-lc"))]
const REFUSAL: c_uint = 4096;
/// AWS-LC has such keys for TLS 1.2 only, where to have none ends the connection; a
/// length that cannot be it does not check.
#[cfg(feature = "aws-lc")]
const REFUSAL: c_uint = 0;

/// Makes OpenSSL call back for the keys that are set.
pub(super) fn install(
    hooks: &Hooks,
    role: Role,
    context: &mut SslContextBuilder,
) -> Result<(), ErrorStack> {
    if role == Role::Client && hooks.psk.client.is_some() {
        // SAFETY: the callback is a function for ever, and finds its data by the
        // connection.
        unsafe { openssl_sys::SSL_CTX_set_psk_client_callback(context.as_ptr(), Some(client)) };
    }
    if role == Role::Server && hooks.psk.serves() {
        // SAFETY: as above.
        unsafe { openssl_sys::SSL_CTX_set_psk_server_callback(context.as_ptr(), Some(server)) };
    }
    if let (Role::Server, Some(hint)) = (role, &hooks.psk.hint) {
        // SAFETY: the context is alive, and copies the C string.
        let done = unsafe { ffi::SSL_CTX_use_psk_identity_hint(context.as_ptr(), hint.as_ptr()) };
        if done != 1 {
            return Err(ErrorStack::get());
        }
    }
    Ok(())
}

/// `SSL_CTX_set_psk_client_callback(3)`.
extern "C" fn client(
    ssl: *mut SSL,
    hint: *const c_char,
    identity: *mut c_char,
    identity_max: c_uint,
    key: *mut c_uchar,
    key_max: c_uint,
) -> c_uint {
    guard_callback(REFUSAL, || {
        // SAFETY: OpenSSL passes the connection that it works on, alive for the call,
        // and looks at nothing that we change of it meanwhile.
        let ssl = unsafe { SslRef::from_ptr_mut(ssl) };
        let hint = if hint.is_null() {
            None
        } else {
            // SAFETY: a C string that belongs to OpenSSL, alive for the call.
            Some(unsafe { CStr::from_ptr(hint) }.to_bytes())
        };
        let psk = match psk::client(ssl, hint) {
            Found::Key(psk) => psk,
            Found::None => return 0,
            Found::Refused => return REFUSAL,
        };
        // SAFETY: the buffer is ours for the call, and OpenSSL has zeroed it.
        let identity = unsafe { room(identity.cast(), identity_max) };
        // SAFETY: likewise; nobody reads the key's buffer before we answer.
        let key = unsafe { room(key, key_max) };
        // OpenSSL reads the identity as a C string.
        let terminated = [psk.identity(), &[0]].concat();
        if psk::put(&terminated, identity) && psk::put(psk.key(), key) {
            c_uint::try_from(psk.key().len()).unwrap_or(REFUSAL)
        } else {
            REFUSAL
        }
    })
}

/// `SSL_CTX_set_psk_server_callback(3)`.
extern "C" fn server(
    ssl: *mut SSL,
    identity: *const c_char,
    key: *mut c_uchar,
    key_max: c_uint,
) -> c_uint {
    guard_callback(REFUSAL, || {
        if identity.is_null() {
            return 0;
        }
        // SAFETY: OpenSSL passes the connection that it works on, alive for the call,
        // and looks at nothing that we change of it meanwhile.
        let ssl = unsafe { SslRef::from_ptr_mut(ssl) };
        // SAFETY: a C string that belongs to OpenSSL, alive for the call.
        let identity = unsafe { CStr::from_ptr(identity) }.to_bytes();
        let found = match psk::server(ssl, identity) {
            Found::Key(found) => found,
            Found::None => return 0,
            Found::Refused => return REFUSAL,
        };
        // SAFETY: the buffer is ours for the call, and nobody reads it before we answer.
        let key = unsafe { room(key, key_max) };
        match c_uint::try_from(found.len()) {
            Ok(length) if psk::put(&found, key) => length,
            _ => REFUSAL,
        }
    })
}

/// A buffer of OpenSSL, to be filled.
///
/// # Safety
///
/// There are `length` initialised bytes at `start`, or it is null, and they are the
/// caller's for the lifetime of the answer.
unsafe fn room<'a>(start: *mut c_uchar, length: c_uint) -> &'a mut [u8] {
    let length = usize::try_from(length).unwrap_or(0);
    if start.is_null() {
        return &mut [];
    }
    // SAFETY: the caller vouches for it, and null was excluded.
    unsafe { std::slice::from_raw_parts_mut(start, length) }
}
