//! Certificates, keys and containers, seen by the program `openssl` and by
//! python3-openssl.

mod boxes;
mod csrs;
mod exts;
mod exts_conf;
mod exts_odd;
mod objects;
mod pkcs12;
mod spkac;
mod support;
