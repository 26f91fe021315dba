//! Calls on sessions.

use foreign_types::ForeignTypeRef;
use openssl::ssl::SslSessionRef;

use crate::ffi;

/// `SSL_SESSION_is_resumable(3)`: whether there is something to offer, and no
/// connection that used the session has ended with a fatal alert.
pub(crate) fn is_resumable(session: &SslSessionRef) -> bool {
    // SAFETY: the session is alive; this only looks.
    unsafe { ffi::SSL_SESSION_is_resumable(session.as_ptr()) == 1 }
}
