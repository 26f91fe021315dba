//! Certificates, keys and containers, seen by the program `openssl` and by
//! python3-openssl.

mod exts;
mod objects;
mod support;
