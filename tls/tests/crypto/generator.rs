//! A look inside OpenSSL's random generator.

use std::ffi::{c_char, c_int, c_uint, c_void};
use std::ptr;

/// `OSSL_PARAM(3)`.
#[repr(C)]
struct Parameter {
    key: *const c_char,
    data_type: c_uint,
    data: *mut c_void,
    data_size: usize,
    return_size: usize,
}

const UNSIGNED_INTEGER: c_uint = 2;

// SAFETY: the declarations of openssl/rand.h and openssl/evp.h, version 3.0.
unsafe extern "C" {
    fn RAND_get0_primary(context: *mut c_void) -> *mut c_void;
    fn EVP_RAND_CTX_get_params(generator: *mut c_void, parameters: *mut Parameter) -> c_int;
}

/// How often the generator from which all others are seeded has been seeded itself.
pub(crate) fn reseeds() -> c_uint {
    let mut count: c_uint = 0;
    let mut parameters = [
        Parameter {
            key: c"reseed_counter".as_ptr(),
            data_type: UNSIGNED_INTEGER,
            data: (&raw mut count).cast(),
            data_size: size_of::<c_uint>(),
            return_size: 0,
        },
        Parameter {
            key: ptr::null(),
            data_type: 0,
            data: ptr::null_mut(),
            data_size: 0,
            return_size: 0,
        },
    ];
    // SAFETY: null is the default library context.
    let generator = unsafe { RAND_get0_primary(ptr::null_mut()) };
    // SAFETY: the generator lives as long as the process; the list has its end, and
    // `count` is alive for the call.
    let done = unsafe { EVP_RAND_CTX_get_params(generator, parameters.as_mut_ptr()) };
    assert_eq!(done, 1);
    count
}
