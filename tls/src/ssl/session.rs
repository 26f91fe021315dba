//! What a session can be asked, beyond what the `openssl` crate asks.

use std::ffi::CStr;
use std::ptr;

use foreign_types::ForeignTypeRef;
use openssl::ssl::{SslCipherRef, SslSessionRef};

use crate::ffi;

/// A borrowed session. Sessions that are shared do not change.
#[derive(Clone, Copy)]
pub(crate) struct SessionView<'a>(&'a SslSessionRef);

impl<'a> SessionView<'a> {
    pub(crate) fn new(session: &'a SslSessionRef) -> SessionView<'a> {
        SessionView(session)
    }

    /// The name that was sent as SNI when it was made.
    pub(crate) fn server_name(self) -> Option<&'a str> {
        // SAFETY: the session is alive; this only looks.
        let name = unsafe { ffi::SSL_SESSION_get0_hostname(self.0.as_ptr()) };
        if name.is_null() {
            return None;
        }
        // SAFETY: a C string that lives as long as the borrowed session.
        unsafe { CStr::from_ptr(name) }.to_str().ok()
    }

    /// In seconds.
    pub(crate) fn ticket_lifetime_hint(self) -> u64 {
        // SAFETY: the session is alive; this only looks.
        let seconds = unsafe { ffi::SSL_SESSION_get_ticket_lifetime_hint(self.0.as_ptr()) };
        // `c_ulong` is 32 bits wide on some platforms.
        #[allow(clippy::useless_conversion, reason = "u64 on 64-bit Unix only")]
        u64::from(seconds)
    }

    pub(crate) fn has_ticket(self) -> bool {
        // SAFETY: the session is alive; this only looks.
        unsafe { ffi::SSL_SESSION_has_ticket(self.0.as_ptr()) == 1 }
    }

    /// Whether there is something to offer, and no connection that used the session
    /// has ended with a fatal alert.
    pub(crate) fn is_resumable(self) -> bool {
        // SAFETY: the session is alive; this only looks.
        unsafe { ffi::SSL_SESSION_is_resumable(self.0.as_ptr()) == 1 }
    }

    pub(crate) fn cipher(self) -> Option<&'a SslCipherRef> {
        // SAFETY: the session is alive; this only looks.
        let cipher = unsafe { ffi::SSL_SESSION_get0_cipher(self.0.as_ptr()) };
        if cipher.is_null() {
            return None;
        }
        // SAFETY: descriptions of ciphers are static.
        Some(unsafe { SslCipherRef::from_ptr(cipher.cast_mut()) })
    }

    pub(crate) fn alpn_protocol(self) -> Option<&'a [u8]> {
        let (mut protocol, mut len) = (ptr::null(), 0);
        // SAFETY: the session is alive; the others are out parameters.
        unsafe {
            ffi::SSL_SESSION_get0_alpn_selected(self.0.as_ptr(), &mut protocol, &mut len);
        }
        if protocol.is_null() {
            return None;
        }
        #[allow(clippy::disallowed_methods, reason = "checked for null just above")]
        // SAFETY: `len` bytes that live as long as the borrowed session.
        Some(unsafe { std::slice::from_raw_parts(protocol, len) })
    }
}
