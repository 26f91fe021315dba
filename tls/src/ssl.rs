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

use std::ffi::{CStr, c_int, c_void};
use std::mem::ManuallyDrop;
use std::ptr;

use foreign_types::{ForeignType, ForeignTypeRef};
use openssl::error::ErrorStack;
use openssl::ssl::{Ssl, SslContextRef, SslOptions, SslRef, SslSessionRef};
use openssl_sys::SSL;

use crate::bio::BioPair;
use crate::error::{Alert, Error, VerifyError};
use crate::{ffi, panics};

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
    /// An ASYNC engine paused its job (`SSL_MODE_ASYNC`).
    Async,
}

/// An SSL object. What is read-only goes through [`Connection::get`].
#[derive(Debug)]
pub(crate) struct Connection {
    ssl: ManuallyDrop<Ssl>,
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
        const SSL_CTRL_MODE: c_int = 33;
        let modes = openssl_sys::SSL_MODE_ENABLE_PARTIAL_WRITE
            | openssl_sys::SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER
            | openssl_sys::SSL_MODE_AUTO_RETRY;
        // SAFETY: the object is alive and the command takes flags, no pointer.
        unsafe { openssl_sys::SSL_ctrl(ssl.as_ptr(), SSL_CTRL_MODE, modes, ptr::null_mut()) };
        Connection {
            ssl: ManuallyDrop::new(ssl),
        }
    }

    /// The object, for calls that only look.
    pub(crate) fn get(&self) -> &SslRef {
        &self.ssl
    }

    pub(crate) fn as_ptr(&self) -> *mut SSL {
        self.ssl.as_ptr()
    }

    /// `SSL_do_handshake(3)`.
    pub(crate) fn handshake(&mut self) -> Outcome<()> {
        self.call(|ssl| {
            // SAFETY: `ssl` is alive, and `&mut self` keeps others out.
            let ret = unsafe { openssl_sys::SSL_do_handshake(ssl) };
            (ret, ())
        })
    }

    /// `SSL_read_ex(3)`: at most one record.
    pub(crate) fn read(&mut self, buf: &mut [u8]) -> Outcome<usize> {
        self.call(|ssl| {
            let mut n = 0;
            // SAFETY: as for the handshake; `buf` is writable for its length.
            let ret = unsafe {
                openssl_sys::SSL_read_ex(ssl, buf.as_mut_ptr().cast::<c_void>(), buf.len(), &mut n)
            };
            (ret, n)
        })
    }

    /// `SSL_peek_ex(3)`.
    pub(crate) fn peek(&mut self, buf: &mut [u8]) -> Outcome<usize> {
        self.call(|ssl| {
            let mut n = 0;
            // SAFETY: as for `read`.
            let ret = unsafe {
                openssl_sys::SSL_peek_ex(ssl, buf.as_mut_ptr().cast::<c_void>(), buf.len(), &mut n)
            };
            (ret, n)
        })
    }

    /// `SSL_write_ex(3)`: one record of at most [`RECORD_MAX`] bytes.
    pub(crate) fn write(&mut self, data: &[u8]) -> Outcome<usize> {
        let data = &data[..data.len().min(RECORD_MAX)];
        self.call(|ssl| {
            let mut n = 0;
            // SAFETY: as for the handshake; `data` is readable for its length.
            let ret = unsafe {
                openssl_sys::SSL_write_ex(ssl, data.as_ptr().cast::<c_void>(), data.len(), &mut n)
            };
            (ret, n)
        })
    }

    /// `SSL_shutdown(3)`. Whether the peer's `close_notify` was seen too; "not
    /// yet" is no error, and `SSL_get_error` must not be asked about it.
    pub(crate) fn shutdown(&mut self) -> Outcome<bool> {
        self.call(|ssl| {
            // SAFETY: as for the handshake.
            let ret = unsafe { openssl_sys::SSL_shutdown(ssl) };
            if ret == 0 { (1, false) } else { (ret, true) }
        })
    }

    /// `SSL_key_update(3)`: new keys with the next record written.
    pub(crate) fn key_update(&mut self, ask_peer: bool) -> Outcome<()> {
        let kind = if ask_peer {
            ffi::SSL_KEY_UPDATE_REQUESTED
        } else {
            ffi::SSL_KEY_UPDATE_NOT_REQUESTED
        };
        self.call(|ssl| {
            // SAFETY: as for the handshake.
            let ret = unsafe { ffi::SSL_key_update(ssl, kind) };
            (ret, ())
        })
    }

    /// `SSL_renegotiate(3)`: TLS 1.2 only.
    pub(crate) fn renegotiate(&mut self) -> Outcome<()> {
        self.call(|ssl| {
            // SAFETY: as for the handshake.
            let ret = unsafe { ffi::SSL_renegotiate(ssl) };
            (ret, ())
        })
    }

    /// `SSL_new_session_ticket(3)`: goes out with the next record written.
    pub(crate) fn new_session_ticket(&mut self) -> Outcome<()> {
        self.call(|ssl| {
            // SAFETY: as for the handshake.
            let ret = unsafe { ffi::SSL_new_session_ticket(ssl) };
            (ret, ())
        })
    }

    /// `SSL_verify_client_post_handshake(3)`: TLS 1.3 servers only.
    pub(crate) fn verify_client_post_handshake(&mut self) -> Outcome<()> {
        self.call(|ssl| {
            // SAFETY: as for the handshake.
            let ret = unsafe { ffi::SSL_verify_client_post_handshake(ssl) };
            (ret, ())
        })
    }

    /// Offers `session`, which was made under `context`, for resumption.
    pub(crate) fn resume(
        &mut self,
        session: &SslSessionRef,
        context: &SslContextRef,
    ) -> Result<(), Error> {
        if self.ssl.ssl_context().as_ptr() != context.as_ptr() {
            return Err(Error::local("session belongs to another context"));
        }
        // SAFETY: the session was made under the same `SSL_CTX`, which the pair of
        // session and context at hand keeps from being freed and reused.
        unsafe { self.ssl.set_session(session) }.map_err(Error::from)
    }

    /// End of input counts as the peer's `close_notify` from now on.
    pub(crate) fn ignore_unexpected_eof(&mut self) {
        let option = SslOptions::IGNORE_UNEXPECTED_EOF.bits();
        // SAFETY: the object is alive and `&mut self` keeps others out.
        unsafe { ffi::SSL_set_options(self.ssl.as_ptr(), option) };
    }

    /// Tells the server that it may ask for a certificate later.
    pub(crate) fn offer_post_handshake_auth(&mut self) {
        // SAFETY: the object is alive and `&mut self` keeps others out.
        unsafe { ffi::SSL_set_post_handshake_auth(self.ssl.as_ptr(), 1) };
    }

    /// Connects the pair's internal half, or none.
    pub(crate) fn set_pair(&mut self, pair: Option<&BioPair>) {
        let half = pair.map_or(ptr::null_mut(), BioPair::share_internal);
        // SAFETY: the object takes over one reference to `half` for both directions
        // and gives back the one it had.
        unsafe { openssl_sys::SSL_set_bio(self.ssl.as_ptr(), half, half) };
    }

    /// Whether no handshake is under way (`SSL_is_init_finished(3)`).
    pub(crate) fn is_init_finished(&self) -> bool {
        // SAFETY: the object is alive; this only looks.
        unsafe { openssl_sys::SSL_is_init_finished(self.ssl.as_ptr()) == 1 }
    }

    /// Plaintext bytes of the current record that are ready (`SSL_pending(3)`).
    pub(crate) fn pending(&self) -> usize {
        // SAFETY: the object is alive; this only looks.
        let n = unsafe { openssl_sys::SSL_pending(self.ssl.as_ptr()) };
        usize::try_from(n).unwrap_or(0)
    }

    /// Gives back the record buffers if that is safe; says whether it was.
    ///
    /// Some releases free them although a record has begun to arrive, and then
    /// write to the freed memory (CVE-2024-4741). So OpenSSL must hold nothing
    /// and be about to read a record's header: `RH`.
    pub(crate) fn free_buffers(&mut self) -> bool {
        let ssl = self.ssl.as_ptr();
        // SAFETY: the object is alive; this only looks.
        if unsafe { ffi::SSL_has_pending(ssl) } == 1 {
            return false;
        }
        // SAFETY: the object is alive; this only looks.
        let state = unsafe { ffi::SSL_rstate_string(ssl) };
        // SAFETY: OpenSSL answers with a string constant.
        if unsafe { CStr::from_ptr(state) } != c"RH" {
            return false;
        }
        // SAFETY: the object is alive and `&mut self` keeps others out.
        unsafe { ffi::SSL_free_buffers(ssl) == 1 }
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
                openssl_sys::SSL_ERROR_WANT_CLIENT_HELLO_CB => {
                    Outcome::WantApp(Deferral::ClientHello)
                }
                ffi::SSL_ERROR_WANT_RETRY_VERIFY => Outcome::WantApp(Deferral::Verify),
                ffi::SSL_ERROR_WANT_ASYNC => Outcome::WantApp(Deferral::Async),
                _ => Outcome::Failed(self.failure(&ErrorStack::get())),
            }
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
        // SAFETY: the field is not used again.
        let ssl = unsafe { ManuallyDrop::take(&mut self.ssl) };
        on_system_stack(|| {
            drop(ssl);
            clear_error_queue();
        });
        panics::resume();
    }
}

/// Empties the thread's error queue. Looking costs a seventh of clearing.
pub(crate) fn clear_error_queue() {
    // SAFETY: no argument, no precondition.
    let first = unsafe { ffi::ERR_peek_error() };
    if first != 0 {
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
