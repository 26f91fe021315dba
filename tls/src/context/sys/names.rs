//! Sessions are bound to the server name that they were made under (RFC 6066,
//! section 3), or one name's client could resume as another's (the kind of
//! CVE-2025-23419). And they are bound to what they were asked to show: who resumes
//! a session is not asked for a certificate again.

use std::ffi::CStr;

use foreign_types::ForeignTypeRef;
use openssl::ssl::{SslRef, SslSessionRef, SslVerifyMode};

use crate::callbacks::{forget_psk, hello_server_name};
use crate::ffi;

/// Whether the client whose ClientHello is being processed may resume `session`.
pub(super) fn may_resume(ssl: &mut SslRef, session: &SslSessionRef) -> bool {
    // Whatever it named before this was not taken.
    forget_psk(ssl);
    is_same_server(ssl, session) && shows_what_is_demanded(ssl, session)
}

/// Contexts with different demands take none of each other's sessions, but one
/// connection may demand more than its context.
fn shows_what_is_demanded(ssl: &SslRef, session: &SslSessionRef) -> bool {
    // SAFETY: the session is alive; this only looks.
    let certificate = unsafe { ffi::SSL_SESSION_get0_peer(session.as_ptr()) };
    !certificate.is_null()
        || !ssl
            .verify_mode()
            .contains(SslVerifyMode::FAIL_IF_NO_PEER_CERT)
}

/// Whether that client asks for the server that `session` was made with.
fn is_same_server(ssl: &SslRef, session: &SslSessionRef) -> bool {
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
