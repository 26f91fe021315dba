//! Certificates, keys and containers, seen by the program `openssl` and by
//! python3-openssl.

#![cfg(not(feature = "aws-lc"))]

mod boxes;
mod certs;
mod crls;
mod csrs;
mod exts;
mod exts_conf;
mod exts_odd;
mod exts_refused;
#[allow(unsafe_code, reason = "asks libcrypto what its wrappers do not tell")]
mod generator;
mod keys;
mod keys_encrypted;
mod keys_refused;
mod keys_signatures;
#[cfg(feature = "greenling")]
mod keys_tasklets;
mod legacy_keys;
mod names;
mod objects;
mod pkcs12;
mod pkcs7;
mod prompts;
mod rand;
mod serials;
mod spkac;
mod stores;
mod support;
mod times;
