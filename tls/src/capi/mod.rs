//! The C API: configured contexts and connections for C and C++ code, which moves
//! the ciphertext itself.
//!
//! `include/greenling_tls.h` declares it and says what each function does;
//! `docs/capi.md` tells how to build and use it. All of it hangs on one symbol,
//! [`greenling_tls_api`], which answers with a table of functions. The table only
//! ever grows at its end, and its size is its first field, so programs compiled
//! against an older header go on working.
//!
//! ```text
//!   options --context_build--> context (counted) --connection_new--> connection
//!                                 ^                                    |     ^
//!   Rust: context_into_raw -------+            Rust: connection_into_raw / _from_raw
//!   C:                                         SSL* + BIO*: into_raw / from_raw
//! ```
//!
//! What holds for every function of the table:
//!
//! * No panic leaves it: it is caught, kept as text, and answered with a code.
//! * Null where it is not allowed, sizes that cannot be, and a connection that is
//!   used from inside one of its own calls, or by two threads at once, are answered
//!   with a code. That a pointer which is not null points to a live object of its
//!   type is the caller's duty.
//! * Errors belong to the connection or to the record that the caller passes, never
//!   to the thread.

mod answer;
mod arguments;
mod ciphertext;
mod connection;
mod context;
mod table;

use std::sync::Arc;

pub use connection::RawConnection;
pub use context::RawContext;
pub use table::Table;

use crate::context::Context;
use crate::engine::Engine;

/// The version of the API that [`greenling_tls_api`] knows.
pub const VERSION: u32 = 1;

/// The table of functions of version 1; null for any other version.
///
/// # Scheduling
///
/// Never switches, and neither does any function of the table.
#[unsafe(no_mangle)]
pub extern "C" fn greenling_tls_api(version: u32) -> *const Table {
    if version == VERSION {
        &table::TABLE
    } else {
        std::ptr::null()
    }
}

/// A reference to `context` for C code, which gives it back with the table's
/// `context_release`, or to [`context_from_raw`].
///
/// # Scheduling
///
/// Never switches.
pub fn context_into_raw(context: Context) -> *mut RawContext {
    Arc::into_raw(Arc::new(RawContext::new(context))).cast_mut()
}

/// Takes a reference back from C code.
///
/// # Scheduling
///
/// Never switches.
///
/// # Safety
///
/// The reference is from [`context_into_raw`] or from the table, and the caller's.
pub unsafe fn context_from_raw(context: *mut RawContext) -> Context {
    // SAFETY: the caller gives us the reference.
    let shared = unsafe { Arc::from_raw(context.cast_const()) };
    shared.context().clone()
}

/// Hands a connection to C code, in whatever state it is. C code gives it back with
/// the table's `connection_free`, or to [`connection_from_raw`].
///
/// # Scheduling
///
/// Never switches.
pub fn connection_into_raw(engine: Engine) -> *mut RawConnection {
    Box::into_raw(Box::new(RawConnection::new(engine)))
}

/// Takes a connection back from C code.
///
/// # Scheduling
///
/// Never switches.
///
/// # Safety
///
/// The connection is from [`connection_into_raw`] or from the table, none of its
/// calls is under way, and C code does not use it any more.
pub unsafe fn connection_from_raw(connection: *mut RawConnection) -> Engine {
    // SAFETY: the caller gives us the object.
    let connection = unsafe { Box::from_raw(connection) };
    connection.into_engine()
}
