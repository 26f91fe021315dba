//! Sessions are bound to the server name that they were made under (RFC 6066,
//! section 3), or one name's client could resume as another's (the kind of
//! CVE-2025-23419). And they are bound to what they were asked to show: who resumes
//! a session is not asked for a certificate again.
//!
//! Sessions of AWS-LC do not know the name. There both are made part of what it binds
//! sessions to by itself: the identifier of the connection's context.

use std::ffi::CStr;
#[cfg(feature = "aws-lc")]
use std::sync::OnceLock;

use foreign_types::ForeignTypeRef;
use openssl::ssl::{SslRef, SslSessionRef, SslVerifyMode};
#[cfg(feature = "aws-lc")]
use openssl::{error::ErrorStack, ex_data::Index, sha::Sha256, ssl::SslContext};

use crate::callbacks::{forget_psk, hello_server_name};
use crate::ffi;

/// Whether the client whose ClientHello is being processed may resume `session`.
pub(super) fn may_resume(ssl: &mut SslRef, session: &SslSessionRef) -> bool {
    // Whatever it named before this was not taken.
    forget_psk(ssl);
    // AWS-LC compares what `bind` has set.
    cfg!(feature = "aws-lc") || is_same_server(ssl, session) && shows_what_is_demanded(ssl, session)
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

/// Makes the sessions of this connection such that only others of the same name and
/// the same demands resume them. For callbacks that run before a session is looked for.
#[cfg(feature = "aws-lc")]
pub(crate) fn bind(ssl: &mut SslRef) -> Result<(), ErrorStack> {
    let mut hash = Sha256::new();
    if let Some(id) = ssl.ssl_context().ex_data(id_index()?) {
        hash.update(&openssl::sha::sha256(id));
    }
    hash.update(&[u8::from(
        ssl.verify_mode()
            .contains(SslVerifyMode::FAIL_IF_NO_PEER_CERT),
    )]);
    match hello_server_name(ssl) {
        Ok(Some(name)) => {
            hash.update(b"name");
            hash.update(&name.to_ascii_lowercase());
        }
        Ok(None) => {}
        // The handshake will fail by it.
        Err(_) => hash.update(b"none that can be read"),
    }
    let id = hash.finish();
    // SAFETY: the connection is alive, ours for the call, and copies the bytes.
    super::check(unsafe {
        openssl_sys::SSL_set_session_id_context(ssl.as_ptr(), id.as_ptr(), id.len())
    })
}

/// Where a context keeps the identifier that it was given.
#[cfg(feature = "aws-lc")]
pub(in crate::context) fn id_index() -> Result<Index<SslContext, Vec<u8>>, ErrorStack> {
    static INDEX: OnceLock<Index<SslContext, Vec<u8>>> = OnceLock::new();
    crate::ssl::slot(&INDEX, SslContext::new_ex_index)
}
