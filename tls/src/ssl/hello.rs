//! The ClientHello that a connection is processing.

use std::ffi::{c_int, c_uint, c_void};
use std::ptr;

use foreign_types::ForeignTypeRef;
use openssl::ssl::SslRef;

/// What every ClientHello has, as the client wrote it.
#[derive(Default)]
pub(crate) struct HelloFixed<'a> {
    pub(crate) legacy_version: u16,
    pub(crate) random: &'a [u8],
    pub(crate) session_id: &'a [u8],
    pub(crate) ciphers: &'a [u8],
}

impl HelloFixed<'_> {
    /// The fixed part of the ClientHello that `ssl` is processing.
    #[cfg(not(feature = "aws-lc"))]
    pub(crate) fn of(ssl: &SslRef) -> HelloFixed<'_> {
        HelloFixed {
            legacy_version: ssl.client_hello_legacy_version().map_or(0, wire_version),
            random: ssl.client_hello_random().unwrap_or_default(),
            session_id: ssl.client_hello_session_id().unwrap_or_default(),
            ciphers: ssl.client_hello_ciphers().unwrap_or_default(),
        }
    }

    /// The fixed part of a ClientHello that AWS-LC shows.
    #[cfg(feature = "aws-lc")]
    pub(crate) fn of(hello: &openssl_sys::SSL_CLIENT_HELLO) -> HelloFixed<'_> {
        let bytes = |start: *const u8, length: usize| {
            if start.is_null() {
                return &[][..];
            }
            #[allow(clippy::disallowed_methods, reason = "checked for null just above")]
            // SAFETY: AWS-LC shows `length` bytes that live as long as the ClientHello.
            unsafe {
                std::slice::from_raw_parts(start, length)
            }
        };
        HelloFixed {
            legacy_version: hello.version,
            random: bytes(hello.random, hello.random_len),
            session_id: bytes(hello.session_id, hello.session_id_len),
            ciphers: bytes(hello.cipher_suites, hello.cipher_suites_len),
        }
    }
}

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

#[cfg(not(feature = "aws-lc"))]
fn wire_version(version: openssl::ssl::SslVersion) -> u16 {
    use openssl::ssl::SslVersion;
    match version {
        SslVersion::SSL3 => 0x0300,
        SslVersion::TLS1 => 0x0301,
        SslVersion::TLS1_1 => 0x0302,
        SslVersion::TLS1_2 => 0x0303,
        SslVersion::TLS1_3 => 0x0304,
        _ => 0,
    }
}
