//! Descriptors whose operations park, and what a wait for them tells.

mod fd;
pub(crate) mod limits;
mod readiness;
pub(crate) mod source;

pub use crate::reactor::{Interest, Ready};
pub use fd::Fd;
pub use readiness::Readiness;
