//! What can be set on one connection, in place of what its context says.

use std::ffi::{c_int, c_long};
use std::ptr;

use foreign_types::{ForeignType, ForeignTypeRef};
use openssl::error::ErrorStack;
use openssl::pkey::{PKeyRef, Private};
use openssl::ssl::SslRef;
use openssl::stack::Stack;
use openssl::x509::{X509, X509Ref};

use super::{Connection, clear_error_queue, on_system_stack};
use crate::error::Error;
use crate::ffi;

impl Connection {
    /// Changes something through the `openssl` crate.
    pub(crate) fn tell<R>(
        &mut self,
        f: impl FnOnce(&mut SslRef) -> Result<R, ErrorStack>,
    ) -> Result<R, Error> {
        let ssl = self.get_mut();
        on_system_stack(|| {
            clear_error_queue();
            let done = f(ssl).map_err(Error::from);
            clear_error_queue();
            done
        })
    }

    /// Presents a certificate in place of one of the same type of key
    /// (`SSL_use_cert_and_key(3)`).
    pub(crate) fn use_certificate(
        &mut self,
        leaf: &X509Ref,
        intermediates: &[X509],
        key: &PKeyRef<Private>,
    ) -> Result<(), Error> {
        self.tell(|ssl| use_certificate(ssl, leaf, intermediates, key))
    }

    /// `SSL_set_options(3)`.
    pub(crate) fn set_options(&mut self, options: u64) {
        // SAFETY: the object is alive and `&mut self` keeps others out.
        unsafe { ffi::SSL_set_options(self.as_ptr(), options) };
    }

    /// `SSL_clear_options(3)`.
    pub(crate) fn clear_options(&mut self, options: u64) {
        // SAFETY: the object is alive and `&mut self` keeps others out.
        unsafe { ffi::SSL_clear_options(self.as_ptr(), options) };
    }

    /// `SSL_set_verify_depth(3)`.
    pub(crate) fn set_verify_depth(&mut self, depth: i32) {
        // SAFETY: the object is alive and `&mut self` keeps others out.
        unsafe { ffi::SSL_set_verify_depth(self.as_ptr(), depth) };
    }

    /// Counts a direction as ended, or leaves it as it is (`SSL_set_shutdown(3)`).
    pub(crate) fn set_ends(&mut self, sent: bool, received: bool) {
        let ends = self.ends();
        let bit = |set: bool, bit: c_int| if set { bit } else { 0 };
        let bits = bit(ends.sent || sent, openssl_sys::SSL_SENT_SHUTDOWN)
            | bit(
                ends.received || received,
                openssl_sys::SSL_RECEIVED_SHUTDOWN,
            );
        // SAFETY: the object is alive and `&mut self` keeps others out.
        unsafe { openssl_sys::SSL_set_shutdown(self.as_ptr(), bits) };
    }

    /// Offers no session.
    pub(crate) fn forget_session(&mut self) -> Result<(), Error> {
        self.tell(|ssl| {
            // SAFETY: the object is borrowed for changes; null is no session.
            match unsafe { openssl_sys::SSL_set_session(ssl.as_ptr(), ptr::null_mut()) } {
                1 => Ok(()),
                _ => Err(ErrorStack::get()),
            }
        })
    }

    /// Takes back the server's name: what is sent, what is looked for in the
    /// certificate, and the session, by which another name was verified.
    pub(crate) fn forget_name(&mut self) -> Result<(), Error> {
        const TLSEXT_NAMETYPE_HOST_NAME: c_long = 0;
        self.tell(|ssl| {
            // SAFETY: the object is borrowed for changes; null removes the name.
            let unsent = unsafe {
                ffi::SSL_ctrl(
                    ssl.as_ptr(),
                    ffi::SSL_CTRL_SET_TLSEXT_HOSTNAME,
                    TLSEXT_NAMETYPE_HOST_NAME,
                    ptr::null_mut(),
                )
            };
            let param = ssl.param_mut().as_ptr();
            // SAFETY: the parameters belong to the object; null removes the name.
            let no_host =
                unsafe { openssl_sys::X509_VERIFY_PARAM_set1_host(param, ptr::null(), 0) };
            // SAFETY: likewise, for the address.
            let no_ip = unsafe { openssl_sys::X509_VERIFY_PARAM_set1_ip(param, ptr::null(), 0) };
            if [unsent, no_host.into(), no_ip.into()] == [1; 3] {
                Ok(())
            } else {
                Err(ErrorStack::get())
            }
        })?;
        self.forget_session()
    }
}

/// Presents a certificate on this connection, in place of one of the same type of
/// key (`SSL_use_cert_and_key(3)`).
pub(crate) fn use_certificate(
    ssl: &mut SslRef,
    leaf: &X509Ref,
    intermediates: &[X509],
    key: &PKeyRef<Private>,
) -> Result<(), ErrorStack> {
    let mut chain = Stack::new()?;
    for certificate in intermediates {
        chain.push(certificate.clone())?;
    }
    let (leaf, key) = (leaf.as_ptr(), key.as_ptr());
    // SAFETY: all five are alive for the call, `ssl` is borrowed for changes, and
    // OpenSSL takes references of its own to what it keeps.
    let done = unsafe { ffi::SSL_use_cert_and_key(ssl.as_ptr(), leaf, key, chain.as_ptr(), 1) };
    if done == 1 {
        Ok(())
    } else {
        Err(ErrorStack::get())
    }
}
