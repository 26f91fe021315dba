//! Sessions are bound to the server name that they were made under (RFC 6066,
//! section 3), or one name's client could resume as another's (the kind of
//! CVE-2025-23419).

use std::ffi::CStr;

use foreign_types::ForeignTypeRef;
use openssl::ssl::{SslRef, SslSessionRef};

use crate::callbacks::hello_server_name;
use crate::ffi;

/// Whether the client whose ClientHello is being processed asks for the server
/// that `session` was made with.
pub(super) fn is_same_server(ssl: &SslRef, session: &SslSessionRef) -> bool {
    // SAFETY: the session is alive; this only looks.
    let made_for = unsafe { ffi::SSL_SESSION_get0_hostname(session.as_ptr()) };
    let made_for = if made_for.is_null() {
        None
    } else {
        // SAFETY: a C string that belongs to the session, which nobody changes.
        Some(unsafe { CStr::from_ptr(made_for) }.to_bytes())
    };
    match (made_for, hello_server_name(ssl)) {
        (None, Ok(None)) => true,
        (Some(made_for), Ok(Some(asked_for))) => made_for.eq_ignore_ascii_case(asked_for),
        _ => false,
    }
}
