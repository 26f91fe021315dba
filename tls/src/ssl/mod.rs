//! One wrapper for every SSL call.
//!
//! OpenSSL reports through a queue of errors that belongs to the OS thread, and
//! `SSL_get_error(3)` is only right if that queue was empty before the call. So
//! each call here, in this order: clears the queue if it is not empty, runs,
//! asks for the outcome, turns the queue into a value, and leaves it empty. One
//! stale entry would turn "wants to read" into a fatal error.
//!
//! All of that happens on the OS thread's own stack, where no tasklet switch is
//! possible: another tasklet could otherwise enter the same SSL object or clear
//! the queue in the middle, and a kill would unwind C frames.

use std::ffi::c_int;
use std::mem::ManuallyDrop;
use std::ptr;

use foreign_types::ForeignType;
use openssl::error::ErrorStack;
use openssl::ssl::{Ssl, SslRef};
use openssl_sys::SSL;

use crate::error::{Alert, Error, VerifyError};
use crate::{ffi, panics};

mod decisions;
mod hello;
mod io;
mod lookup;
mod observed;
mod queries;
mod raw;
mod requests;
mod session;
mod settings;
mod slots;

#[cfg(feature = "aws-lc")]
pub(crate) use crate::ffi::missing;
pub(crate) use lookup::{alert_reason, index_of_rdn};
pub(crate) use observed::stop_after_message;
pub(crate) use queries::signature_digest;
pub(crate) use session::SessionView;

pub(crate) use decisions::{ask_verify_again, peer_authorities};
pub(crate) use hello::{HelloFixed, hello_extension, hello_extension_types};
pub(crate) use settings::use_certificate;
pub(crate) use slots::slot;

/// The most that one call of [`Connection::write`] takes: one record.
pub(crate) const RECORD_MAX: usize = 16 * 1024;

/// What a call came to.
#[derive(Debug)]
pub(crate) enum Outcome<T> {
    Done(T),
    WantRead,
    WantWrite,
    WantApp(Deferral),
    /// The peer sent `close_notify`.
    Closed,
    Failed(Error),
}

/// What OpenSSL waits for the application to decide.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Deferral {
    /// The client-hello callback asked to be called again
    /// (`SSL_CTX_set_client_hello_cb(3)`).
    ClientHello,
    /// The certificate callback asked to be called again (`SSL_CTX_set_cert_cb(3)`).
    Certificate,
    /// The verify callback asked to be called again (`SSL_set_retry_verify(3)`).
    Verify,
    /// The handshake is done, and nothing more happens before the client has been
    /// approved of; see
    /// [`ContextBuilder::approve_peer`](crate::ContextBuilder::approve_peer).
    Approve,
    /// An ASYNC engine paused its job (`SSL_MODE_ASYNC`).
    Async,
}

/// An SSL object. What is read-only goes through [`Connection::get`].
#[derive(Debug)]
pub(crate) struct Connection {
    ssl: ManuallyDrop<Ssl>,
    /// Foreign code owns the object now.
    #[cfg(feature = "aws-lc")]
    given_away: bool,
}

/// Runs `f` where C code has all the stack it wants and no tasklet can switch.
#[cfg(feature = "greenling")]
pub(crate) fn on_system_stack<R>(f: impl FnOnce() -> R) -> R {
    greenling::on_system_stack(f)
}

/// Without the scheduler the caller is on such a stack already, or, in a `may`
/// coroutine, answers for its size.
#[cfg(not(feature = "greenling"))]
pub(crate) fn on_system_stack<R>(f: impl FnOnce() -> R) -> R {
    f()
}

impl Connection {
    /// Takes over a configured object. Sets the two modes the engine relies on:
    /// one record per write, and a write that may be repeated from elsewhere.
    pub(crate) fn new(ssl: Ssl) -> Connection {
        // SAFETY: the object is alive and the command takes flags, no pointer.
        unsafe {
            ffi::SSL_ctrl(
                ssl.as_ptr(),
                ffi::SSL_CTRL_MODE,
                ffi::ENGINE_MODES,
                ptr::null_mut(),
            )
        };
        Connection {
            ssl: ManuallyDrop::new(ssl),
            #[cfg(feature = "aws-lc")]
            given_away: false,
        }
    }

    /// The object, for calls that only look.
    pub(crate) fn get(&self) -> &SslRef {
        &self.ssl
    }

    /// The object, for what hangs on it.
    pub(crate) fn get_mut(&mut self) -> &mut SslRef {
        &mut self.ssl
    }

    pub(crate) fn as_ptr(&self) -> *mut SSL {
        self.ssl.as_ptr()
    }

    /// Makes one call as the module's header says. `f` returns what the C
    /// function did and the result to use if that is success.
    fn call<T>(&mut self, f: impl FnOnce(*mut SSL) -> (c_int, T)) -> Outcome<T> {
        let ssl = self.as_ptr();
        let outcome = on_system_stack(|| {
            clear_error_queue();
            let (ret, value) = f(ssl);
            if ret > 0 {
                // A success may leave errors behind, met on the way to it.
                clear_error_queue();
                return Outcome::Done(value);
            }
            // SAFETY: asked on the same thread, right after the call it is about.
            let code = unsafe { openssl_sys::SSL_get_error(ssl, ret) };
            match code {
                openssl_sys::SSL_ERROR_WANT_READ => Outcome::WantRead,
                openssl_sys::SSL_ERROR_WANT_WRITE => Outcome::WantWrite,
                openssl_sys::SSL_ERROR_ZERO_RETURN => Outcome::Closed,
                openssl_sys::SSL_ERROR_WANT_X509_LOOKUP => Outcome::WantApp(Deferral::Certificate),
                ffi::SSL_ERROR_WANT_CLIENT_HELLO_CB => Outcome::WantApp(Deferral::ClientHello),
                ffi::SSL_ERROR_WANT_RETRY_VERIFY => Outcome::WantApp(Deferral::Verify),
                ffi::SSL_ERROR_WANT_ASYNC => Outcome::WantApp(Deferral::Async),
                _ => Outcome::Failed(self.failure(&ErrorStack::get())),
            }
        });
        panics::resume();
        outcome
    }

    /// Makes a call that only queues something and moves no bytes. The connection
    /// may have no rings then, and what `SSL_get_error(3)` says of the last
    /// transfer is no answer here: the outcome is `Done` or `Failed`.
    fn ask(&mut self, f: impl FnOnce(*mut SSL) -> c_int) -> Outcome<()> {
        let ssl = self.as_ptr();
        let outcome = on_system_stack(|| {
            clear_error_queue();
            if f(ssl) > 0 {
                clear_error_queue();
                return Outcome::Done(());
            }
            Outcome::Failed(self.failure(&ErrorStack::get()))
        });
        panics::resume();
        outcome
    }

    /// The meaning of a drained queue: the oldest entry that has one of its own.
    fn failure(&self, stack: &ErrorStack) -> Error {
        for error in stack.errors() {
            if error.library_code() != ffi::ERR_LIB_SSL {
                continue;
            }
            match error.reason_code() {
                ffi::SSL_R_UNEXPECTED_EOF_WHILE_READING => return Error::Truncated,
                ffi::SSL_R_HTTP_REQUEST | ffi::SSL_R_HTTPS_PROXY_REQUEST => {
                    return Error::PlainHttp;
                }
                ffi::SSL_R_CERTIFICATE_VERIFY_FAILED => {
                    // SAFETY: the object is alive; this only looks.
                    let code = unsafe { ffi::SSL_get_verify_result(self.ssl.as_ptr()) };
                    let code = i32::try_from(code).unwrap_or(openssl_sys::X509_V_ERR_UNSPECIFIED);
                    return Error::Certificate(VerifyError::from_code(code));
                }
                reason => {
                    if let Ok(alert) = u8::try_from(reason - ffi::SSL_AD_REASON_OFFSET) {
                        return Error::Peer(Alert::from_code(alert));
                    }
                }
            }
        }
        Error::from(stack.clone())
    }
}

impl Drop for Connection {
    fn drop(&mut self) {
        #[cfg(feature = "aws-lc")]
        if self.given_away {
            return;
        }
        // SAFETY: the field is not used again.
        let ssl = unsafe { ManuallyDrop::take(&mut self.ssl) };
        on_system_stack(|| {
            drop(ssl);
            clear_error_queue();
        });
        panics::resume_in_drop();
    }
}

/// Empties the thread's error queue. Looking costs a seventh of clearing, and least by
/// the call that marks the newest entry, if there is one.
pub(crate) fn clear_error_queue() {
    // SAFETY: no argument, no precondition.
    let entries = unsafe { ffi::ERR_set_mark() } != 0;
    if entries {
        // SAFETY: no argument, no precondition.
        unsafe { openssl_sys::ERR_clear_error() };
    }
}

/// OpenSSL's sentence for an `X509_V_ERR_*` code.
pub(crate) fn verify_error_string(code: i32) -> &'static str {
    // SAFETY: any integer is allowed; an unknown one has a string of its own.
    let result = unsafe { openssl::x509::X509VerifyResult::from_raw(code) };
    result.error_string()
}
