//! Declarations that `openssl-sys` lacks. All are exported by OpenSSL 3.0 and later;
//! AWS-LC is given the same shape.
//!
//! Declarations only: the modules that call them say why each call is sound.

#[cfg(feature = "aws-lc")]
#[allow(non_snake_case, reason = "the names are OpenSSL's")]
mod aws_lc;
#[cfg(feature = "aws-lc")]
pub(crate) mod missing;

#[cfg(not(feature = "aws-lc"))]
mod bio;
#[cfg(not(feature = "aws-lc"))]
mod callbacks;
#[cfg(not(feature = "aws-lc"))]
mod certificates;
#[cfg(not(feature = "aws-lc"))]
#[allow(non_camel_case_types, reason = "the names are OpenSSL's")]
mod containers;
#[cfg(not(feature = "aws-lc"))]
mod context;
#[cfg(not(feature = "aws-lc"))]
mod extensions;
#[cfg(not(feature = "aws-lc"))]
mod lookup;
#[cfg(not(feature = "aws-lc"))]
mod observers;
#[cfg(not(feature = "aws-lc"))]
mod pkcs7;
#[cfg(not(feature = "aws-lc"))]
mod queries;
#[cfg(not(feature = "aws-lc"))]
mod spkac;
#[cfg(not(feature = "aws-lc"))]
mod ssl;
#[cfg(not(feature = "aws-lc"))]
mod store;

#[cfg(feature = "aws-lc")]
pub(crate) use aws_lc::*;
#[cfg(not(feature = "aws-lc"))]
pub(crate) use bio::*;
#[cfg(not(feature = "aws-lc"))]
pub(crate) use callbacks::*;
#[cfg(not(feature = "aws-lc"))]
pub(crate) use certificates::*;
#[cfg(not(feature = "aws-lc"))]
pub(crate) use containers::*;
#[cfg(not(feature = "aws-lc"))]
pub(crate) use context::*;
#[cfg(not(feature = "aws-lc"))]
pub(crate) use extensions::*;
#[cfg(not(feature = "aws-lc"))]
pub(crate) use lookup::*;
#[cfg(not(feature = "aws-lc"))]
pub(crate) use observers::*;
#[cfg(not(feature = "aws-lc"))]
pub(crate) use pkcs7::*;
#[cfg(not(feature = "aws-lc"))]
pub(crate) use queries::*;
#[cfg(not(feature = "aws-lc"))]
pub(crate) use spkac::*;
#[cfg(not(feature = "aws-lc"))]
pub(crate) use ssl::*;
#[cfg(not(feature = "aws-lc"))]
pub(crate) use store::*;
