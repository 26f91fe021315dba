//! What answers to deferred questions do to a connection, and what they are about.

use std::ptr;

use foreign_types::ForeignTypeRef;
use openssl::ssl::SslRef;
use openssl::stack::StackRef;
use openssl::x509::X509Name;

use crate::ffi;

/// Suspends the handshake once the callback that verifies the server's chain has
/// returned success (`SSL_set_retry_verify(3)`). Only for clients: a server would go
/// on as if the chain were verified.
pub(crate) fn ask_verify_again(ssl: &mut SslRef) {
    debug_assert!(!ssl.is_server());
    // SAFETY: the object is alive and the command takes no argument.
    unsafe {
        ffi::SSL_ctrl(
            ssl.as_ptr(),
            ffi::SSL_CTRL_SET_RETRY_VERIFY,
            0,
            ptr::null_mut(),
        )
    };
}

/// The names of authorities that the peer sent (`SSL_get0_peer_CA_list(3)`).
pub(crate) fn peer_authorities(ssl: &SslRef) -> Option<&StackRef<X509Name>> {
    // SAFETY: the object is alive; this only looks.
    let list = unsafe { ffi::SSL_get0_peer_CA_list(ssl.as_ptr()) };
    if list.is_null() {
        return None;
    }
    // SAFETY: the list belongs to the object, which only a handshake changes, and a
    // shared reference to it does not.
    Some(unsafe { StackRef::from_ptr(list.cast_mut()) })
}
