//! The C API of greenling-tls, to link with: [`greenling_tls_api`] is the one symbol.

pub use greenling_tls::capi::greenling_tls_api;
