//! OpenSSL's callbacks that watch a connection.
//!
//! Both functions of C answer nothing, so none of them can refuse: the engine ends
//! a connection whose observer has panicked, once the call has returned.

use std::ffi::{c_int, c_long, c_void};
use std::ptr;

use foreign_types::ForeignTypeRef;
use openssl::ssl::{SslContextBuilder, SslRef, SslVerifyMode};
use openssl::x509::{X509StoreContext, X509StoreContextRef, X509VerifyResult};
use openssl_sys::{SSL, X509_STORE_CTX};

use super::deferred::verify_code;
use super::limits;
use super::verify::{Answer, judge};
use super::{
    AlertLevel, ConnectionView, Direction, Event, Hooks, KeyUpdateLimit, Message, attached,
};
use crate::error::{Alert, VerifyError};
use crate::ffi;
use crate::panics::guard_callback;

/// Makes OpenSSL call back for the observers that are set.
pub(super) fn install(hooks: &Hooks, context: &mut SslContextBuilder) {
    if hooks.on_event.is_some() {
        // SAFETY: the callback is a function for ever, and finds its data by the
        // connection.
        unsafe { ffi::SSL_CTX_set_info_callback(context.as_ptr(), Some(info)) };
    }
    install_verify(context);
    let on_message: ffi::MessageCallback = match hooks {
        Hooks {
            on_message: Some(_),
            ..
        } => message,
        Hooks {
            key_update_limit: KeyUpdateLimit(Some(_)),
            ..
        } if cfg!(not(feature = "aws-lc")) => handshake_message,
        _ => return,
    };
    // SAFETY: as above.
    unsafe { ffi::SSL_CTX_set_msg_callback(context.as_ptr(), Some(on_message)) };
}

/// Makes OpenSSL call back for each step in the check of a chain, and end the
/// connection when a step fails. Without `SSL_VERIFY_PEER` the context's mode would
/// make it overlook that.
fn install_verify(context: &mut SslContextBuilder) {
    // SAFETY: the context is alive; this only looks.
    let mode = unsafe { openssl_sys::SSL_CTX_get_verify_mode(context.as_ptr()) };
    if mode & openssl_sys::SSL_VERIFY_PEER != 0 {
        // SAFETY: the callback is a function for ever, and finds its data by the
        // connection.
        unsafe { openssl_sys::SSL_CTX_set_verify(context.as_ptr(), mode, Some(verify)) };
    }
}

/// Changes what one connection checks, and makes OpenSSL call back for it.
pub(crate) fn set_verify_mode(ssl: &mut SslRef, mode: SslVerifyMode) {
    // SAFETY: as for the context; `&mut` keeps others out.
    unsafe { openssl_sys::SSL_set_verify(ssl.as_ptr(), mode.bits(), Some(verify)) };
}

/// `SSL_CTX_set_verify(3)`: answers 1 to go on, 0 to refuse.
extern "C" fn verify(preverified: c_int, store: *mut X509_STORE_CTX) -> c_int {
    guard_callback(0, || {
        // SAFETY: OpenSSL passes the check that it is making, ours for the call.
        let store = unsafe { X509StoreContextRef::from_ptr_mut(store) };
        let ssl = X509StoreContext::ssl_idx()
            .ok()
            .and_then(|index| store.ex_data(index))
            .map(SslRef::as_ptr);
        let Some(ssl) = ssl else {
            return 0;
        };
        // SAFETY: the connection that the check is for is alive for the call, and is
        // not the object that `store` borrows.
        let ssl = unsafe { SslRef::from_ptr_mut(ssl) };
        let error = (preverified == 0).then(|| VerifyError::from(store.error()));
        let answer = judge(ssl, store.current_cert(), error, store.error_depth());
        match answer {
            Answer::GoOn => {
                if preverified == 0 {
                    store.set_error(X509VerifyResult::OK);
                }
                1
            }
            Answer::Fault => 0,
            Answer::Refuse(alert) => {
                // SAFETY: any number is allowed.
                store.set_error(unsafe { X509VerifyResult::from_raw(verify_code(alert)) });
                0
            }
        }
    })
}

/// Makes a client ask for an OCSP response.
pub(super) fn request_ocsp(context: &mut SslContextBuilder) {
    let kind = c_long::from(openssl_sys::TLSEXT_STATUSTYPE_ocsp);
    // SAFETY: the context is alive and the command takes a number, no pointer.
    unsafe {
        ffi::SSL_CTX_ctrl(
            context.as_ptr(),
            ffi::SSL_CTRL_SET_TLSEXT_STATUS_REQ_TYPE,
            kind,
            ptr::null_mut(),
        );
    }
}

/// Makes OpenSSL call back for the events of one connection, in place of those of
/// its context.
pub(crate) fn watch(ssl: &mut SslRef) {
    // SAFETY: as for the context; `&mut` keeps others out.
    unsafe { ffi::SSL_set_info_callback(ssl.as_ptr(), Some(info)) };
}

/// `SSL_CTX_set_info_callback(3)`.
unsafe extern "C" fn info(ssl: *const SSL, what: c_int, value: c_int) {
    guard_callback((), || {
        // SAFETY: OpenSSL passes the connection that it works on, alive for the call.
        let ssl = unsafe { SslRef::from_ptr(ssl.cast_mut()) };
        let Some(event) = event(ssl, what, value) else {
            return;
        };
        let own = attached(ssl).and_then(|attached| attached.on_event.clone());
        let on_event = own.or_else(|| Hooks::of(ssl)?.on_event.clone());
        if let Some(on_event) = on_event {
            on_event(&ConnectionView::new(ssl), &event);
        }
    });
}

fn event(ssl: &SslRef, what: c_int, value: c_int) -> Option<Event> {
    let state = ssl.state_string_long();
    Some(if what & ffi::SSL_CB_ALERT != 0 {
        let [.., level, code] = value.to_be_bytes();
        Event::Alert {
            direction: if what & ffi::SSL_CB_READ != 0 {
                Direction::Received
            } else {
                Direction::Sent
            },
            level: match level {
                1 => AlertLevel::Warning,
                _ => AlertLevel::Fatal,
            },
            alert: Alert::from_code(code),
        }
    } else if what & ffi::SSL_CB_HANDSHAKE_START != 0 {
        Event::HandshakeStart
    } else if what & ffi::SSL_CB_HANDSHAKE_DONE != 0 {
        Event::HandshakeDone
    } else if what & ffi::SSL_CB_EXIT != 0 {
        Event::Exit {
            state,
            result: value,
        }
    } else if what & ffi::SSL_CB_LOOP != 0 {
        Event::State(state)
    } else {
        return None;
    })
}

/// `SSL_CTX_set_msg_callback(3)`, when nobody is shown anything: for the limits. Runs
/// twice for every record of a large transfer, so it leaves early.
unsafe extern "C" fn handshake_message(
    sent: c_int,
    version: c_int,
    content: c_int,
    bytes: *const c_void,
    length: usize,
    ssl: *mut SSL,
    argument: *mut c_void,
) {
    if content == ffi::SSL3_RT_HANDSHAKE && sent == 0 {
        // SAFETY: the arguments are OpenSSL's.
        unsafe { message(sent, version, content, bytes, length, ssl, argument) };
    }
}

/// `SSL_CTX_set_msg_callback(3)`.
unsafe extern "C" fn message(
    sent: c_int,
    version: c_int,
    content: c_int,
    bytes: *const c_void,
    length: usize,
    ssl: *mut SSL,
    _argument: *mut c_void,
) {
    guard_callback((), || {
        // SAFETY: OpenSSL passes the connection that it works on, alive for the call,
        // and looks at nothing that we change of it meanwhile.
        let ssl = unsafe { SslRef::from_ptr_mut(ssl) };
        let Some(hooks) = Hooks::of(ssl) else {
            return;
        };
        let bytes: &[u8] = if bytes.is_null() {
            &[]
        } else {
            #[allow(clippy::disallowed_methods, reason = "checked for null just above")]
            // SAFETY: OpenSSL passes `length` readable bytes, alive for the call.
            unsafe {
                std::slice::from_raw_parts(bytes.cast(), length)
            }
        };
        let direction = if sent == 0 {
            Direction::Received
        } else {
            Direction::Sent
        };
        let message = Message::new(direction, version, content, bytes);
        limits::count(ssl, &hooks, &message);
        if let Some(on_message) = &hooks.on_message {
            on_message(&ConnectionView::new(ssl), &message);
        }
    });
}
