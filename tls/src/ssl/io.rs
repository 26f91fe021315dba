//! The handshake, the plaintext, and the rings.

use std::ffi::{CStr, c_void};
use std::ptr;

use super::{Connection, Outcome, RECORD_MAX};
use crate::bio::Rings;
use crate::ffi;

impl Connection {
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

    /// `SSL_write(3)` of an empty record, and of what waits in front of it.
    #[cfg(feature = "aws-lc")]
    pub(crate) fn write_nothing(&mut self) -> Outcome<()> {
        self.call(|ssl| {
            // SAFETY: as for the handshake; no byte is read.
            let ret = unsafe { openssl_sys::SSL_write(ssl, [0_u8; 1].as_ptr().cast(), 0) };
            (if ret == 0 { 1 } else { ret }, ())
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

    /// Connects the rings, or none.
    pub(crate) fn set_rings(&mut self, rings: Option<&Rings>) {
        let bio = rings.map_or(ptr::null_mut(), Rings::share);
        // SAFETY: the object takes over one reference to `bio` for both directions
        // and gives back the one it had.
        unsafe { openssl_sys::SSL_set_bio(self.as_ptr(), bio, bio) };
    }

    /// Whether no handshake is under way (`SSL_is_init_finished(3)`).
    pub(crate) fn is_init_finished(&self) -> bool {
        // SAFETY: the object is alive; this only looks.
        unsafe { openssl_sys::SSL_is_init_finished(self.as_ptr()) == 1 }
    }

    /// Plaintext bytes of the current record that are ready (`SSL_pending(3)`).
    pub(crate) fn pending(&self) -> usize {
        // SAFETY: the object is alive; this only looks.
        let n = unsafe { openssl_sys::SSL_pending(self.as_ptr()) };
        usize::try_from(n).unwrap_or(0)
    }

    /// Gives back the record buffers if that is safe; says whether it was.
    ///
    /// Some releases free them although a record has begun to arrive, and then
    /// write to the freed memory (CVE-2024-4741). So OpenSSL must hold nothing
    /// and be about to read a record's header: `RH`.
    pub(crate) fn free_buffers(&mut self) -> bool {
        let ssl = self.as_ptr();
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
}
