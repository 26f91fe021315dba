//! What a connection tells, and what it is told: each answer is compared with what
//! the other side knows, and each request with what the other side sees of it.
//!
//! What foreign programs find is in `tests/interop/bindings.rs`.

#![cfg(not(feature = "aws-lc"))]

mod facts;
#[cfg(feature = "greenling")]
mod green;
mod identities;
mod later;
mod renewal;
mod secrets;
mod sessions;
mod settings;
mod support;
