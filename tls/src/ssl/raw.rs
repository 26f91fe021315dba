//! SSL objects that come from foreign code and go to it.

use std::ptr::NonNull;

use foreign_types::ForeignType;
use openssl::ssl::Ssl;
use openssl_sys::{BIO, SSL};

use super::Connection;
use crate::ffi;

/// The `close_notify` alerts that have gone by.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Ends {
    pub(crate) sent: bool,
    pub(crate) received: bool,
}

impl Connection {
    /// The reference to the object, for foreign code to own: AWS-LC counts none.
    #[cfg(feature = "aws-lc")]
    pub(crate) fn share(&mut self) -> *mut SSL {
        self.given_away = true;
        self.as_ptr()
    }

    /// A new reference to the object, for foreign code to own.
    #[cfg(not(feature = "aws-lc"))]
    pub(crate) fn share(&mut self) -> *mut SSL {
        // SAFETY: our reference keeps the object alive during the call.
        let done = unsafe { ffi::SSL_up_ref(self.as_ptr()) };
        assert_eq!(done, 1, "SSL_up_ref only fails when the count overflows");
        self.as_ptr()
    }

    /// Takes over one reference to an object that was in use already.
    ///
    /// # Safety
    ///
    /// The object is alive, the reference is the caller's, and nobody else uses the
    /// object while the result lives.
    pub(crate) unsafe fn from_raw(ssl: NonNull<SSL>) -> Connection {
        // SAFETY: the caller gives the reference to the wrapper.
        Connection::new(unsafe { Ssl::from_ptr(ssl.as_ptr()) })
    }

    /// The BIO that the object both reads and writes; `None` when there is none, or
    /// they are two.
    pub(crate) fn bio(&self) -> Option<NonNull<BIO>> {
        // SAFETY: the object is alive; this only looks.
        let reading = unsafe { openssl_sys::SSL_get_rbio(self.as_ptr()) };
        // SAFETY: as above.
        let writing = unsafe { openssl_sys::SSL_get_wbio(self.as_ptr()) };
        NonNull::new(reading).filter(|_| reading == writing)
    }

    /// Which sides have said goodbye (`SSL_get_shutdown(3)`).
    pub(crate) fn ends(&self) -> Ends {
        // SAFETY: the object is alive; this only looks.
        let flags = unsafe { openssl_sys::SSL_get_shutdown(self.as_ptr()) };
        Ends {
            sent: flags & openssl_sys::SSL_SENT_SHUTDOWN != 0,
            received: flags & openssl_sys::SSL_RECEIVED_SHUTDOWN != 0,
        }
    }

    /// Whether the BIO that the object reads has carried anything yet.
    pub(crate) fn has_read(&self) -> bool {
        // SAFETY: the object is alive; this only looks.
        let bio = unsafe { openssl_sys::SSL_get_rbio(self.as_ptr()) };
        // SAFETY: null is answered by zero, anything else is alive with the object.
        unsafe { ffi::BIO_number_read(bio) > 0 }
    }
}
