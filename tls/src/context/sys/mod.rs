//! The calls on an `SSL_CTX` that the `openssl` crate lacks.
//!
//! Who owns what: what a callback finds (the ring of ticket keys) is owned by the
//! `SSL_CTX`, in an ex_data slot, and freed with it. The callbacks find it through
//! the connection they are called for, so they hold no pointer of their own. They
//! run inside an OpenSSL call: they must not wait, and a panic in one is kept
//! by [`guard_callback`](crate::panics::guard_callback) until that call has
//! returned.

mod names;
mod sessions;
mod tickets;

use std::ffi::{c_int, c_long};
use std::ptr;
use std::time::Duration;

use foreign_types::{ForeignType, ForeignTypeRef};
use openssl::error::ErrorStack;
use openssl::ssl::{SslCipher, SslContextBuilder, SslContextRef};
use openssl::stack::{Stack, StackRef};

#[cfg(feature = "aws-lc")]
pub(crate) use names::bind as bind_sessions;
#[cfg(feature = "aws-lc")]
pub(super) use names::id_index;
pub(super) use sessions::install_store;
pub(super) use tickets::install_tickets;

use crate::engine::Cipher;
use crate::ffi;
use crate::identity::Identity;

/// Installs a certificate, its chain and its key in one step, in a slot of
/// their key type. Fails when that slot is taken or the security level refuses
/// one of them.
pub(super) fn add_identity(
    context: &mut SslContextBuilder,
    identity: &Identity,
) -> Result<(), ErrorStack> {
    let mut chain = Stack::new()?;
    for certificate in identity.intermediates() {
        chain.push(certificate.clone())?;
    }
    // An empty chain would count as one that must not be completed.
    let above = if chain.is_empty() {
        ptr::null_mut()
    } else {
        chain.as_ptr()
    };
    let (leaf, key) = (identity.leaf().as_ptr(), identity.key().as_ptr());
    // SAFETY: all four are alive for the call, or null where that means none, and
    // OpenSSL takes references of its own to what it keeps.
    let done = unsafe { ffi::SSL_CTX_use_cert_and_key(context.as_ptr(), leaf, key, above, 0) };
    check(done)
}

/// How long a session can be resumed; also the hint in its tickets.
pub(super) fn set_session_lifetime(context: &mut SslContextBuilder, lifetime: Duration) {
    let seconds = c_long::try_from(lifetime.as_secs()).unwrap_or(c_long::MAX);
    // SAFETY: the context is alive and not yet shared.
    unsafe { ffi::SSL_CTX_set_timeout(context.as_ptr(), seconds) };
}

/// The most plaintext in a record; says whether OpenSSL accepts the number.
pub(super) fn set_max_send_fragment(context: &mut SslContextBuilder, bytes: usize) -> bool {
    let Ok(bytes) = c_long::try_from(bytes) else {
        return false;
    };
    control(context, ffi::SSL_CTRL_SET_MAX_SEND_FRAGMENT, bytes) == 1
}

/// `code` is one of `TLSEXT_max_fragment_length_*`.
pub(super) fn set_max_fragment_length(context: &mut SslContextBuilder, code: u8) -> bool {
    // SAFETY: the context is alive and not yet shared; any code is allowed.
    unsafe { ffi::SSL_CTX_set_tlsext_max_fragment_length(context.as_ptr(), code) == 1 }
}

/// Pads records of TLS 1.3; says whether OpenSSL accepts the number.
pub(super) fn set_block_padding(context: &mut SslContextBuilder, block: usize) -> bool {
    // SAFETY: as above.
    unsafe { ffi::SSL_CTX_set_block_padding(context.as_ptr(), block) == 1 }
}

/// Parameters for Diffie-Hellman as strong as the key that signs them.
pub(super) fn set_dh_auto(context: &mut SslContextBuilder) {
    control(context, ffi::SSL_CTRL_SET_DH_AUTO, 1);
}

/// The suites, in order of preference.
pub(super) fn ciphers(context: &SslContextRef) -> Vec<Cipher> {
    // SAFETY: the context is alive; this only looks.
    let list = unsafe { ffi::SSL_CTX_get_ciphers(context.as_ptr()) };
    if list.is_null() {
        return Vec::new();
    }
    // SAFETY: the list belongs to the context, which nobody changes any more.
    let list: &StackRef<SslCipher> = unsafe { StackRef::from_ptr(list) };
    list.iter().map(Cipher::of).collect()
}

pub(super) fn options(context: &SslContextRef) -> u64 {
    // SAFETY: the context is alive; this only looks.
    unsafe { ffi::SSL_CTX_get_options(context.as_ptr()) }
}

pub(super) fn verify_depth(context: &SslContextRef) -> u32 {
    // SAFETY: the context is alive; this only looks.
    let depth = unsafe { ffi::SSL_CTX_get_verify_depth(context.as_ptr()) };
    u32::try_from(depth).unwrap_or(0)
}

pub(super) fn session_lifetime(context: &SslContextRef) -> Duration {
    // SAFETY: the context is alive; this only looks.
    let seconds = unsafe { ffi::SSL_CTX_get_timeout(context.as_ptr()) };
    Duration::from_secs(u64::try_from(seconds).unwrap_or(0))
}

/// Initialises OpenSSL without its configuration file, if it was not initialised.
pub(super) fn skip_config_file() -> Result<(), ErrorStack> {
    // SAFETY: no settings are passed; any thread may do this at any time.
    check(unsafe { openssl_sys::OPENSSL_init_ssl(ffi::OPENSSL_INIT_NO_LOAD_CONFIG, ptr::null()) })
}

/// One of the counters of `SSL_CTX_sess_number(3)`.
pub(super) fn session_counter(context: &SslContextRef, command: c_int) -> u64 {
    // SAFETY: the context is alive; the commands read one number, and OpenSSL
    // counts with atomic operations.
    let count = unsafe { ffi::SSL_CTX_ctrl(context.as_ptr(), command, 0, ptr::null_mut()) };
    u64::try_from(count).unwrap_or(0)
}

/// `SSL_CTX_ctrl(3)` with a command that takes a number and no pointer.
fn control(context: &mut SslContextBuilder, command: c_int, number: c_long) -> c_long {
    // SAFETY: the context is alive and not yet shared; callers pass commands
    // that do not look at the pointer.
    unsafe { ffi::SSL_CTX_ctrl(context.as_ptr(), command, number, ptr::null_mut()) }
}

fn check(done: c_int) -> Result<(), ErrorStack> {
    if done > 0 {
        Ok(())
    } else {
        Err(ErrorStack::get())
    }
}
