//! OpenSSL's structure for a signed key, alive for one call.

use std::ffi::{c_int, c_long};
use std::ptr::{self, NonNull};

use foreign_types::ForeignTypeRef;
use openssl::error::ErrorStack;
use openssl::hash::MessageDigest;
use openssl::pkey::{PKeyRef, Private, Public};

use crate::ffi;

/// Ours alone; freed when dropped, also when what comes after fails.
pub(super) struct Spki(NonNull<ffi::NETSCAPE_SPKI>);

impl Spki {
    pub(super) fn from_der(der: &[u8]) -> Result<Spki, ErrorStack> {
        // Inputs are far smaller (`check_size`), so that none is cut short by this.
        let length = c_long::try_from(der.len()).unwrap_or(0);
        let mut next = der.as_ptr();
        // SAFETY: `length` bytes can be read there; a null first argument asks for a new
        // object, which is the caller's.
        let made = unsafe { ffi::d2i_NETSCAPE_SPKI(ptr::null_mut(), &mut next, length) };
        NonNull::new(made).map(Spki).ok_or_else(ErrorStack::get)
    }

    pub(super) fn to_der(&self) -> Result<Vec<u8>, ErrorStack> {
        // SAFETY: the object is alive; without a place to write to this only measures.
        let length = unsafe { ffi::i2d_NETSCAPE_SPKI(self.0.as_ptr(), ptr::null_mut()) };
        let mut der = vec![0; usize::try_from(length).map_err(|_| ErrorStack::get())?];
        let mut next = der.as_mut_ptr();
        // SAFETY: the buffer has the length that was just asked for.
        let written = unsafe { ffi::i2d_NETSCAPE_SPKI(self.0.as_ptr(), &mut next) };
        if written == length {
            Ok(der)
        } else {
            Err(ErrorStack::get())
        }
    }

    /// Without a digest for keys that have one of their own.
    pub(super) fn sign(
        &mut self,
        key: &PKeyRef<Private>,
        digest: Option<MessageDigest>,
    ) -> Result<(), ErrorStack> {
        let digest = digest.map_or(ptr::null(), |digest| digest.as_ptr());
        // SAFETY: both are alive, and the object is ours alone.
        let length = unsafe { ffi::NETSCAPE_SPKI_sign(self.0.as_ptr(), key.as_ptr(), digest) };
        if length > 0 {
            Ok(())
        } else {
            Err(ErrorStack::get())
        }
    }

    pub(super) fn verify(&self, key: &PKeyRef<Public>) -> Result<bool, ErrorStack> {
        // SAFETY: both are alive; OpenSSL takes them as they are and changes neither.
        let answer: c_int = unsafe { ffi::NETSCAPE_SPKI_verify(self.0.as_ptr(), key.as_ptr()) };
        if answer < 0 {
            return Err(ErrorStack::get());
        }
        Ok(answer == 1)
    }
}

impl Drop for Spki {
    fn drop(&mut self) {
        // SAFETY: it is ours, and this is the last use.
        unsafe { ffi::NETSCAPE_SPKI_free(self.0.as_ptr()) };
    }
}
