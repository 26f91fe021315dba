//! The table: the order here is the order of the header, for ever.

use std::ffi::{c_char, c_int};

use openssl_sys::{BIO, SSL};

use super::answer::ErrorRecord;
use super::connection::{self, RawConnection};
use super::context::{self, RawContext, RawOptions};
use super::{VERSION, ciphertext};

macro_rules! table {
    ($($module:ident::$name:ident($($argument:ty),*) $(-> $answer:ty)?;)*) => {
        /// `struct greenling_tls_api`: what [`greenling_tls_api`] answers with. Its
        /// fields are for C code.
        ///
        /// [`greenling_tls_api`]: super::greenling_tls_api
        #[repr(C)]
        #[allow(dead_code, reason = "C code reads them")]
        pub struct Table {
            struct_size: usize,
            api_version: u32,
            reserved: u32,
            $($name: unsafe extern "C" fn($($argument),*) $(-> $answer)?,)*
        }

        pub(super) static TABLE: Table = Table {
            struct_size: size_of::<Table>(),
            api_version: VERSION,
            reserved: 0,
            $($name: $module::$name,)*
        };
    };
}

table! {
    connection::status_text(c_int) -> *const c_char;
    context::openssl_version() -> u64;

    context::options_new(c_int) -> *mut RawOptions;
    context::options_free(*mut RawOptions);
    context::options_identity_files(
        *mut RawOptions, *const c_char, *const c_char, *const c_char, *mut ErrorRecord
    ) -> c_int;
    context::options_identity_pem(
        *mut RawOptions, *const u8, usize, *const u8, usize, *const c_char, *mut ErrorRecord
    ) -> c_int;
    context::options_trust_file(*mut RawOptions, *const c_char, *mut ErrorRecord) -> c_int;
    context::options_trust_dir(*mut RawOptions, *const c_char, *mut ErrorRecord) -> c_int;
    context::options_trust_pem(*mut RawOptions, *const u8, usize, *mut ErrorRecord) -> c_int;
    context::options_trust_system(*mut RawOptions, *mut ErrorRecord) -> c_int;
    context::options_client_auth(*mut RawOptions, c_int, *mut ErrorRecord) -> c_int;
    context::options_versions(*mut RawOptions, c_int, c_int, *mut ErrorRecord) -> c_int;
    context::options_ciphers(
        *mut RawOptions, *const c_char, *const c_char, *mut ErrorRecord
    ) -> c_int;
    context::options_groups(*mut RawOptions, *const c_char, *mut ErrorRecord) -> c_int;
    context::options_alpn(*mut RawOptions, *const u8, usize, *mut ErrorRecord) -> c_int;
    context::options_dangerous_no_verify(*mut RawOptions, *mut ErrorRecord) -> c_int;

    context::context_build(*mut RawOptions, *mut *mut RawContext, *mut ErrorRecord) -> c_int;
    context::context_retain(*mut RawContext) -> c_int;
    context::context_release(*mut RawContext);
    context::context_role(*const RawContext) -> c_int;

    connection::connection_new(
        *const RawContext, *const c_char, usize, usize, *mut *mut RawConnection, *mut ErrorRecord
    ) -> c_int;
    connection::connection_free(*mut RawConnection) -> c_int;

    connection::handshake(*mut RawConnection) -> c_int;
    connection::decide(*mut RawConnection) -> c_int;
    connection::read(*mut RawConnection, *mut u8, usize, *mut usize) -> c_int;
    connection::peek(*mut RawConnection, *mut u8, usize, *mut usize) -> c_int;
    connection::write(*mut RawConnection, *const u8, usize, *mut usize) -> c_int;
    connection::shutdown(*mut RawConnection) -> c_int;
    connection::pending(*const RawConnection) -> usize;
    connection::state(*const RawConnection) -> c_int;
    connection::last_error(*const RawConnection, *mut ErrorRecord) -> c_int;

    ciphertext::feed(*mut RawConnection, *const u8, usize, *mut usize) -> c_int;
    ciphertext::in_space(*mut RawConnection, *mut *mut u8, *mut usize) -> c_int;
    ciphertext::commit_in(*mut RawConnection, usize) -> c_int;
    ciphertext::close_in(*mut RawConnection) -> c_int;
    ciphertext::in_pending(*const RawConnection) -> usize;
    ciphertext::drain(*mut RawConnection, *mut u8, usize, *mut usize) -> c_int;
    ciphertext::out_data(*mut RawConnection, *mut *const u8, *mut usize) -> c_int;
    ciphertext::consume_out(*mut RawConnection, usize) -> c_int;
    ciphertext::out_pending(*const RawConnection) -> usize;
    ciphertext::take_unread(*mut RawConnection, *mut u8, usize, *mut usize) -> c_int;

    connection::alpn(*mut RawConnection, *mut u8, usize, *mut usize) -> c_int;
    connection::version(*const RawConnection) -> c_int;
    connection::cipher(*const RawConnection) -> *const c_char;
    connection::peer_certificate(*mut RawConnection, *mut u8, usize, *mut usize) -> c_int;

    connection::ssl_pointer(*mut RawConnection) -> *mut SSL;
    connection::network_bio_pointer(*mut RawConnection) -> *mut BIO;
    connection::connection_into_raw(*mut RawConnection, *mut *mut SSL, *mut *mut BIO) -> c_int;
    connection::connection_from_raw(
        *mut SSL, *mut BIO, *mut *mut RawConnection, *mut ErrorRecord
    ) -> c_int;
}

impl std::fmt::Debug for Table {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Table")
            .field("struct_size", &self.struct_size)
            .field("version", &self.api_version)
            .finish_non_exhaustive()
    }
}
