//! What an established connection can be asked to do, and what a new one can offer.

use foreign_types::{ForeignType, ForeignTypeRef};
use openssl::ssl::{SslContextRef, SslSessionRef};

use super::{Connection, Outcome};
use crate::error::Error;
use crate::ffi;

impl Connection {
    /// `SSL_key_update(3)`: new keys with the next record written.
    pub(crate) fn key_update(&mut self, ask_peer: bool) -> Outcome<()> {
        let kind = if ask_peer {
            ffi::SSL_KEY_UPDATE_REQUESTED
        } else {
            ffi::SSL_KEY_UPDATE_NOT_REQUESTED
        };
        self.ask(|ssl| {
            // SAFETY: `ssl` is alive, and `&mut self` keeps others out.
            unsafe { ffi::SSL_key_update(ssl, kind) }
        })
    }

    /// `SSL_renegotiate(3)`: TLS 1.2 only.
    pub(crate) fn renegotiate(&mut self) -> Outcome<()> {
        self.ask(|ssl| {
            // SAFETY: `ssl` is alive, and `&mut self` keeps others out.
            unsafe { ffi::SSL_renegotiate(ssl) }
        })
    }

    /// `SSL_new_session_ticket(3)`: goes out with the next record written.
    pub(crate) fn new_session_ticket(&mut self) -> Outcome<()> {
        self.ask(|ssl| {
            // SAFETY: `ssl` is alive, and `&mut self` keeps others out.
            unsafe { ffi::SSL_new_session_ticket(ssl) }
        })
    }

    /// `SSL_verify_client_post_handshake(3)`: TLS 1.3 servers only.
    pub(crate) fn verify_client_post_handshake(&mut self) -> Outcome<()> {
        self.ask(|ssl| {
            // SAFETY: `ssl` is alive, and `&mut self` keeps others out.
            unsafe { ffi::SSL_verify_client_post_handshake(ssl) }
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
        // SSL_OP_IGNORE_UNEXPECTED_EOF, which AWS-LC does not have: the engine sees to it.
        let option = 1 << 7;
        if cfg!(not(feature = "aws-lc")) {
            // SAFETY: the object is alive and `&mut self` keeps others out.
            unsafe { ffi::SSL_set_options(self.ssl.as_ptr(), option) };
        }
    }

    /// Tells the server that it may ask for a certificate later.
    pub(crate) fn offer_post_handshake_auth(&mut self) {
        // SAFETY: the object is alive and `&mut self` keeps others out.
        unsafe { ffi::SSL_set_post_handshake_auth(self.ssl.as_ptr(), 1) };
    }

    /// Lets the session outlive a connection that ends without `close_notify`.
    /// OpenSSL would make it useless, as TLS 1.0 wanted; since TLS 1.1 it is not to
    /// (RFC 5246, section 7.2.1).
    pub(crate) fn spare_session(&mut self) {
        let both = openssl_sys::SSL_SENT_SHUTDOWN | openssl_sys::SSL_RECEIVED_SHUTDOWN;
        // SAFETY: the object is alive and `&mut self` keeps others out.
        unsafe { openssl_sys::SSL_set_shutdown(self.as_ptr(), both) };
    }
}
