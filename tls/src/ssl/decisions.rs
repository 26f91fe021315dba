//! What answers to deferred questions do to a connection, and what they are about.

use std::ptr;

use foreign_types::{ForeignType, ForeignTypeRef};
use openssl::error::ErrorStack;
use openssl::ssl::SslRef;
use openssl::stack::{Stack, StackRef};
use openssl::x509::X509Name;

use crate::ffi;
use crate::identity::Identity;

/// Presents `identity` on this connection, in place of the context's own of that
/// type of key.
pub(crate) fn use_identity(ssl: &mut SslRef, identity: &Identity) -> Result<(), ErrorStack> {
    let mut chain = Stack::new()?;
    for certificate in identity.intermediates() {
        chain.push(certificate.clone())?;
    }
    let (leaf, key) = (identity.leaf().as_ptr(), identity.key().as_ptr());
    // SAFETY: all are alive for the call, and OpenSSL takes references of its own to
    // what it keeps.
    let done = unsafe { ffi::SSL_use_cert_and_key(ssl.as_ptr(), leaf, key, chain.as_ptr(), 1) };
    if done == 1 {
        Ok(())
    } else {
        Err(ErrorStack::get())
    }
}

/// Suspends the handshake once the callback that verifies the server's chain has
/// returned success (`SSL_set_retry_verify(3)`). Only for clients: a server would go
/// on as if the chain were verified.
pub(crate) fn ask_verify_again(ssl: &mut SslRef) {
    debug_assert!(!ssl.is_server());
    // SAFETY: the object is alive and the command takes no argument.
    unsafe {
        openssl_sys::SSL_ctrl(
            ssl.as_ptr(),
            ffi::SSL_CTRL_SET_RETRY_VERIFY,
            0,
            ptr::null_mut(),
        )
    };
}

/// The names of the authorities that the peer accepts, in DER form.
pub(crate) fn peer_authorities(ssl: &SslRef) -> Vec<Vec<u8>> {
    // SAFETY: the object is alive; this only looks.
    let list = unsafe { ffi::SSL_get0_peer_CA_list(ssl.as_ptr()) };
    if list.is_null() {
        return Vec::new();
    }
    // SAFETY: the list belongs to the connection, which is borrowed meanwhile, and
    // nobody changes it.
    let names: &StackRef<X509Name> = unsafe { StackRef::from_ptr(list.cast_mut()) };
    names.iter().filter_map(|name| name.to_der().ok()).collect()
}
