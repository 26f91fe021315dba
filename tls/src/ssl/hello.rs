//! The ClientHello that a connection is processing.

use std::ffi::{c_int, c_uint, c_void};
use std::ptr;

use foreign_types::ForeignTypeRef;
use openssl::ssl::SslRef;

/// An extension's content, while `ssl` processes a ClientHello that has it.
///
/// This reads what the client sent: the extension itself, before OpenSSL has parsed
/// it.
pub(crate) fn hello_extension(ssl: &SslRef, kind: u16) -> Option<&[u8]> {
    let mut data = ptr::null();
    let mut length = 0;
    // SAFETY: `ssl` is alive, the other two are out parameters; without a ClientHello
    // OpenSSL answers 0.
    let found = unsafe {
        openssl_sys::SSL_client_hello_get0_ext(
            ssl.as_ptr(),
            c_uint::from(kind),
            &mut data,
            &mut length,
        )
    };
    if found == 0 || data.is_null() {
        return None;
    }
    #[allow(clippy::disallowed_methods, reason = "checked for null just above")]
    // SAFETY: OpenSSL reports `length` bytes at `data`, which live as long as the
    // ClientHello; it goes away in a later call on `ssl`, which needs it mutably.
    Some(unsafe { std::slice::from_raw_parts(data, length) })
}

/// The types of the ClientHello's extensions in the client's order, as far as
/// OpenSSL knows them.
pub(crate) fn hello_extension_types(ssl: &SslRef) -> Vec<u16> {
    let mut types: *mut c_int = ptr::null_mut();
    let mut length = 0;
    // SAFETY: `ssl` is alive, the other two are out parameters; without a ClientHello
    // OpenSSL answers 0.
    let found = unsafe {
        openssl_sys::SSL_client_hello_get1_extensions_present(ssl.as_ptr(), &mut types, &mut length)
    };
    if found != 1 || types.is_null() {
        return Vec::new();
    }
    #[allow(clippy::disallowed_methods, reason = "checked for null just above")]
    // SAFETY: OpenSSL made an array of `length` numbers for us.
    let slice = unsafe { std::slice::from_raw_parts(types, length) };
    let copy = slice
        .iter()
        .filter_map(|n| u16::try_from(*n).ok())
        .collect();
    // SAFETY: the array is ours to free, once, and is not used again.
    unsafe { openssl_sys::OPENSSL_free(types.cast::<c_void>()) };
    copy
}
