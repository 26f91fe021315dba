//! Declarations that `openssl-sys` lacks. All are exported by OpenSSL 3.0 and later.
//!
//! Declarations only: the modules that call them say why each call is sound.

mod bio;
mod callbacks;
mod context;
mod lookup;
mod observers;
mod queries;
mod ssl;

pub(crate) use bio::*;
pub(crate) use callbacks::*;
pub(crate) use context::*;
pub(crate) use lookup::*;
pub(crate) use observers::*;
pub(crate) use queries::*;
pub(crate) use ssl::*;
