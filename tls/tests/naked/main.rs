//! The naked engine: as OpenSSL's own objects in foreign hands, back again, and
//! over another transport in mid-stream.

#![cfg(not(feature = "aws-lc"))]

#[allow(unsafe_code, reason = "plays the part of foreign code")]
mod raw;
mod replace;
mod support;
