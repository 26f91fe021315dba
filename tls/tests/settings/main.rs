//! Every option of a context and of an identity, as the peer sees it.

#![cfg(not(feature = "aws-lc"))]

mod alpn;
mod authority;
mod ciphers;
mod config_file;
mod flags;
mod identities;
mod keylog;
mod queries;
mod records;
mod sessions;
mod support;
mod temporary_keys;
mod verification;
mod versions;
