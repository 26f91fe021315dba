//! Calls to the generator that the `openssl` crate lacks.

use std::ffi::c_int;

/// `bytes` must not be longer than a C `int` can say; what is beyond is left out.
pub(super) fn add(bytes: &[u8], entropy: f64) {
    let length = c_int::try_from(bytes.len()).unwrap_or(c_int::MAX);
    // SAFETY: the bytes are borrowed for the call, and there are `length` of them.
    unsafe { openssl_sys::RAND_add(bytes.as_ptr().cast(), length, entropy) };
}

pub(super) fn status() -> bool {
    // SAFETY: it takes nothing, and locks what it looks at.
    unsafe { openssl_sys::RAND_status() == 1 }
}
