//! Descriptors whose operations park, and what a wait for them tells.

pub(crate) mod source;

pub use crate::reactor::{Interest, Ready};
