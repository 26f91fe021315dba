//! OpenSSL's callbacks that suspend a handshake until its question is answered.
//!
//! | question | asked by | suspends with |
//! |---|---|---|
//! | which context | `SSL_CTX_set_client_hello_cb(3)` | `SSL_ERROR_WANT_CLIENT_HELLO_CB` |
//! | which identity | `SSL_CTX_set_cert_cb(3)` | `SSL_ERROR_WANT_X509_LOOKUP` |
//! | is the server's chain approved | `SSL_CTX_set_cert_verify_callback(3)` | `SSL_ERROR_WANT_RETRY_VERIFY` |
//!
//! The last exists for clients only: a server that asks to retry is taken to have
//! verified the chain. A server's question about its client is asked by the engine,
//! after the handshake and before anything is read or written.
//!
//! AWS-LC cannot suspend from two of them. There the first question is asked by
//! `SSL_CTX_set_select_certificate_cb`, which runs right after the other and chooses no
//! alert; and about its server a client asks as a server does.

use std::ffi::{c_int, c_void};
use std::ptr;
use std::sync::Arc;

use foreign_types::ForeignTypeRef;
use openssl::error::ErrorStack;
use openssl::ssl::{SslContextBuilder, SslRef};
use openssl::x509::{X509, X509Ref, X509StoreContext, X509StoreContextRef, X509VerifyResult};
use openssl_sys::{SSL, X509_STORE_CTX};

#[cfg(feature = "aws-lc")]
use super::attached;
use super::question::Stage;
use super::{ClientHello, Hooks, IdentityRequest, PeerChain, attached_mut};
#[cfg(feature = "aws-lc")]
use crate::context::bind_sessions;
use crate::engine::Role;
use crate::error::Alert;
use crate::ffi;
use crate::panics::guard_callback;
use crate::ssl::{HelloFixed, ask_verify_again, use_certificate};

/// Makes OpenSSL call back for the deferred hooks that are set.
pub(super) fn install(hooks: &Hooks, role: Role, context: &mut SslContextBuilder) {
    // With AWS-LC, sessions are bound to names there.
    if (hooks.resolve.is_some() || cfg!(feature = "aws-lc")) && role == Role::Server {
        // SAFETY: the callback is a function for ever, and finds its data by the
        // connection.
        unsafe {
            openssl_sys::SSL_CTX_set_client_hello_cb(
                context.as_ptr(),
                Some(client_hello),
                ptr::null_mut(),
            );
        }
    }
    #[cfg(feature = "aws-lc")]
    if hooks.resolve.is_some() && role == Role::Server {
        // SAFETY: as above.
        unsafe {
            openssl_sys::SSL_CTX_set_select_certificate_cb(context.as_ptr(), Some(ask_for_context));
        }
    }
    if hooks.supply.is_some() {
        // SAFETY: as above.
        unsafe {
            ffi::SSL_CTX_set_cert_cb(context.as_ptr(), Some(certificate), ptr::null_mut());
        }
    }
    if hooks.approve.is_some() && role == Role::Client {
        // SAFETY: as above.
        unsafe {
            ffi::SSL_CTX_set_cert_verify_callback(
                context.as_ptr(),
                Some(verify_chain),
                ptr::null_mut(),
            );
        }
    }
}

/// Answers as `SSL_CTX_set_client_hello_cb(3)` says.
unsafe extern "C" fn client_hello(
    ssl: *mut SSL,
    alert: *mut c_int,
    _argument: *mut c_void,
) -> c_int {
    let mut refused = Alert::INTERNAL_ERROR;
    let answer = guard_callback(openssl_sys::SSL_CLIENT_HELLO_ERROR, || {
        // SAFETY: OpenSSL passes the connection that it works on, alive for the call,
        // and looks at nothing of it meanwhile.
        let ssl = unsafe { SslRef::from_ptr_mut(ssl) };
        match resolve(ssl) {
            Ok(answer) => answer,
            Err(alert) => {
                refused = alert;
                openssl_sys::SSL_CLIENT_HELLO_ERROR
            }
        }
    });
    // SAFETY: an out parameter, ours for the call.
    unsafe { *alert = c_int::from(refused.code()) };
    answer
}

#[cfg(not(feature = "aws-lc"))]
fn resolve(ssl: &mut SslRef) -> Result<c_int, Alert> {
    let attached = attached_mut(ssl).map_err(|_| Alert::INTERNAL_ERROR)?;
    match &attached.hello {
        Stage::Answered(Ok(())) => return Ok(openssl_sys::SSL_CLIENT_HELLO_SUCCESS),
        Stage::Answered(Err(rejection)) => {
            attached.rejection = Some(rejection.clone());
            return Err(rejection.alert());
        }
        Stage::Open(_) => {}
        Stage::Unasked => {
            let question = Arc::new(ClientHello::of(ssl, HelloFixed::of(ssl)));
            let attached = attached_mut(ssl).map_err(|_| Alert::INTERNAL_ERROR)?;
            attached.hello = Stage::Open(question);
        }
    }
    Ok(openssl_sys::SSL_CLIENT_HELLO_RETRY)
}

/// Refuses, or leaves the rest to [`ask_for_context`].
#[cfg(feature = "aws-lc")]
fn resolve(ssl: &mut SslRef) -> Result<c_int, Alert> {
    bind_sessions(ssl).map_err(|_| Alert::INTERNAL_ERROR)?;
    let refused = match attached(ssl).map(|attached| &attached.hello) {
        Some(Stage::Answered(Err(rejection))) => rejection.clone(),
        _ => return Ok(openssl_sys::SSL_CLIENT_HELLO_SUCCESS),
    };
    let alert = refused.alert();
    let attached = attached_mut(ssl).map_err(|_| Alert::INTERNAL_ERROR)?;
    attached.rejection = Some(refused);
    Err(alert)
}

/// Answers as `SSL_CTX_set_select_certificate_cb` says.
#[cfg(feature = "aws-lc")]
unsafe extern "C" fn ask_for_context(
    hello: *const openssl_sys::SSL_CLIENT_HELLO,
) -> openssl_sys::ssl_select_cert_result_t {
    guard_callback(
        openssl_sys::ssl_select_cert_result_t_ssl_select_cert_error,
        || {
            // SAFETY: AWS-LC passes the ClientHello that it processes, alive for the call.
            let hello = unsafe { &*hello };
            // SAFETY: and its connection, at nothing of which it looks meanwhile.
            let ssl = unsafe { SslRef::from_ptr_mut(hello.ssl) };
            match attached(ssl).map(|attached| &attached.hello) {
                Some(Stage::Answered(_)) => {
                    return openssl_sys::ssl_select_cert_result_t_ssl_select_cert_success;
                }
                Some(Stage::Open(_)) => {}
                Some(Stage::Unasked) | None => {
                    let question = Arc::new(ClientHello::of(ssl, HelloFixed::of(hello)));
                    let Ok(attached) = attached_mut(ssl) else {
                        return openssl_sys::ssl_select_cert_result_t_ssl_select_cert_error;
                    };
                    attached.hello = Stage::Open(question);
                }
            }
            openssl_sys::ssl_select_cert_result_t_ssl_select_cert_retry
        },
    )
}

/// Answers 1 to go on, 0 to fail, -1 to suspend.
unsafe extern "C" fn certificate(ssl: *mut SSL, _argument: *mut c_void) -> c_int {
    guard_callback(0, || {
        // SAFETY: OpenSSL passes the connection that it works on, alive for the call,
        // and looks at nothing of it meanwhile.
        let ssl = unsafe { SslRef::from_ptr_mut(ssl) };
        supply(ssl).unwrap_or(0)
    })
}

fn supply(ssl: &mut SslRef) -> Result<c_int, ErrorStack> {
    let is_server = ssl.is_server();
    let answer = match &attached_mut(ssl)?.identity {
        Stage::Open(_) => return Ok(-1),
        Stage::Unasked => {
            let request = Arc::new(IdentityRequest::of(ssl));
            attached_mut(ssl)?.identity = Stage::Open(request);
            return Ok(-1);
        }
        Stage::Answered(answer) => answer.clone(),
    };
    match answer {
        Ok(identity) => {
            if let Some(identity) = identity {
                use_certificate(
                    ssl,
                    identity.leaf(),
                    identity.intermediates(),
                    identity.key(),
                )?;
                attached_mut(ssl)?.staple = identity.staple();
            }
            if !is_server {
                // A server may ask again later, and for another one.
                attached_mut(ssl)?.identity = Stage::Unasked;
            }
            Ok(1)
        }
        Err(rejection) => {
            attached_mut(ssl)?.rejection = Some(rejection);
            Ok(0)
        }
    }
}

/// Verifies the server's chain as OpenSSL does, and then asks.
unsafe extern "C" fn verify_chain(store: *mut X509_STORE_CTX, _argument: *mut c_void) -> c_int {
    guard_callback(0, || {
        // SAFETY: OpenSSL passes the verification that it is about to make, ours for
        // the call.
        let store = unsafe { X509StoreContextRef::from_ptr_mut(store) };
        let good = judge(store).unwrap_or(false);
        c_int::from(good)
    })
}

fn judge(store: &mut X509StoreContextRef) -> Result<bool, ErrorStack> {
    let ssl = match store.ex_data(X509StoreContext::ssl_idx()?) {
        Some(ssl) => ssl.as_ptr(),
        None => return Ok(false),
    };
    // SAFETY: the connection that the verification is for is alive for the call, and
    // is not the object that `store` borrows.
    let ssl = unsafe { SslRef::from_ptr_mut(ssl) };
    let any_chain = Hooks::of(ssl).is_some_and(|hooks| hooks.any_chain);
    if !store.verify_cert()? {
        if !any_chain {
            return Ok(false);
        }
        store.set_error(X509VerifyResult::OK);
    }
    if cfg!(feature = "aws-lc") {
        // Asked after the handshake.
        return Ok(true);
    }
    match std::mem::take(&mut attached_mut(ssl)?.peer) {
        Stage::Answered(Ok(())) => return Ok(true),
        Stage::Answered(Err(rejection)) => {
            let code = verify_code(rejection.alert());
            // SAFETY: any number is allowed.
            store.set_error(unsafe { X509VerifyResult::from_raw(code) });
            attached_mut(ssl)?.rejection = Some(rejection);
            return Ok(false);
        }
        open @ Stage::Open(_) => attached_mut(ssl)?.peer = open,
        Stage::Unasked => {
            let chain = store
                .chain()
                .map(|chain| chain.iter().map(X509Ref::to_owned));
            let chain: Vec<X509> = chain.into_iter().flatten().collect();
            let question = Arc::new(PeerChain::new(ssl, chain));
            attached_mut(ssl)?.peer = Stage::Open(question);
        }
    }
    ask_verify_again(ssl);
    Ok(true)
}

/// The verification error for which OpenSSL sends `alert`; it chooses the alert by
/// the error, and only a few can be had.
pub(crate) fn verify_code(alert: Alert) -> c_int {
    match alert {
        Alert::BAD_CERTIFICATE => openssl_sys::X509_V_ERR_CERT_REJECTED,
        Alert::UNSUPPORTED_CERTIFICATE => openssl_sys::X509_V_ERR_INVALID_PURPOSE,
        Alert::CERTIFICATE_REVOKED => openssl_sys::X509_V_ERR_CERT_REVOKED,
        Alert::CERTIFICATE_EXPIRED => openssl_sys::X509_V_ERR_CERT_HAS_EXPIRED,
        Alert::UNKNOWN_CA => openssl_sys::X509_V_ERR_SELF_SIGNED_CERT_IN_CHAIN,
        Alert::DECRYPT_ERROR => openssl_sys::X509_V_ERR_CERT_SIGNATURE_FAILURE,
        Alert::INTERNAL_ERROR => openssl_sys::X509_V_ERR_UNSPECIFIED,
        Alert::HANDSHAKE_FAILURE => openssl_sys::X509_V_ERR_APPLICATION_VERIFICATION,
        _ => openssl_sys::X509_V_ERR_UNSUPPORTED_NAME_SYNTAX,
    }
}
