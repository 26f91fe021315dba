//! The end of a connection that was observed to go wrong.

use std::ffi::{c_int, c_void};
use std::ptr;

use foreign_types::ForeignTypeRef;
use openssl::ssl::SslRef;

use super::Connection;
use crate::ffi;

/// A record of a type that no version of TLS has.
static NOT_A_RECORD: [u8; 6] = [0x50, 3, 3, 0, 1, 0];

/// Makes the call that OpenSSL is in return after the message at hand, as it does
/// without `SSL_MODE_AUTO_RETRY`. For callbacks that cannot refuse.
pub(crate) fn stop_after_message(ssl: &mut SslRef) {
    let mode = ffi::SSL_MODE_AUTO_RETRY;
    // SAFETY: the object is alive and the command takes flags, no pointer.
    unsafe {
        ffi::SSL_ctrl(
            ssl.as_ptr(),
            ffi::SSL_CTRL_CLEAR_MODE,
            mode,
            ptr::null_mut(),
        );
    }
}

impl Connection {
    /// Ends the connection with a fatal alert, of which OpenSSL lets nobody choose
    /// the kind: it is given something to read that is no record, and mostly answers
    /// `unexpected_message`. Does nothing if it has failed before.
    pub(crate) fn break_off(&mut self) {
        let length = c_int::try_from(NOT_A_RECORD.len()).expect("six");
        // SAFETY: the bytes live for ever, and such a BIO only reads them.
        let bio = unsafe { ffi::BIO_new_mem_buf(NOT_A_RECORD.as_ptr().cast::<c_void>(), length) };
        if bio.is_null() {
            return;
        }
        // SAFETY: the object takes over the BIO, and gives back the one it had for
        // reading; the one for writing stays.
        unsafe { ffi::SSL_set0_rbio(self.as_ptr(), bio) };
        let _ = self.read(&mut [0; 1]);
    }
}
