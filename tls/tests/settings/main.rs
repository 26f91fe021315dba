//! Every option of a context and of an identity, as the peer sees it.

mod authority;
mod ciphers;
mod flags;
mod identities;
mod keylog;
mod records;
mod sessions;
mod support;
mod temporary_keys;
mod verification;
mod versions;
