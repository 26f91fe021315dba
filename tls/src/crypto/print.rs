//! What OpenSSL prints for people.

use std::ffi::{c_char, c_int};
use std::ptr;

use openssl::error::ErrorStack;
use openssl_sys::BIO;

/// What `print` writes to the BIO that it is given, which is alive for that call.
pub(super) fn printed(print: impl FnOnce(*mut BIO) -> c_int) -> Result<Vec<u8>, ErrorStack> {
    let out = MemoryBio::new()?;
    let written = print(out.0);
    let stack = ErrorStack::get();
    // What is empty is shown as nothing, without a reason.
    if written <= 0 && !stack.errors().is_empty() {
        return Err(stack);
    }
    Ok(out.bytes())
}

/// A BIO that keeps what is written to it.
struct MemoryBio(*mut BIO);

impl MemoryBio {
    fn new() -> Result<MemoryBio, ErrorStack> {
        // SAFETY: a constant of OpenSSL.
        let method = unsafe { openssl_sys::BIO_s_mem() };
        // SAFETY: the method is static.
        let bio = unsafe { openssl_sys::BIO_new(method) };
        if bio.is_null() {
            return Err(ErrorStack::get());
        }
        Ok(MemoryBio(bio))
    }

    fn bytes(&self) -> Vec<u8> {
        let mut start: *mut c_char = ptr::null_mut();
        // SAFETY: the BIO is alive; the other is an out parameter.
        let length = unsafe { openssl_sys::BIO_get_mem_data(self.0, &mut start) };
        let length = usize::try_from(length).unwrap_or(0);
        if start.is_null() || length == 0 {
            return Vec::new();
        }
        #[allow(clippy::disallowed_methods, reason = "checked for null just above")]
        // SAFETY: so many bytes, which belong to the BIO and are copied at once.
        unsafe { std::slice::from_raw_parts(start.cast::<u8>(), length) }.to_vec()
    }
}

impl Drop for MemoryBio {
    fn drop(&mut self) {
        // SAFETY: it is ours, and this is the last use.
        unsafe { openssl_sys::BIO_free_all(self.0) };
    }
}
