//! Descriptors whose operations park, and what a wait for them tells.

mod fd;
mod inherited;
pub(crate) mod limits;
mod readiness;
pub(crate) mod source;
mod stdio;

pub use crate::reactor::{Interest, Ready};
pub use fd::Fd;
pub use readiness::Readiness;
pub use stdio::{Stderr, Stdin, Stdout, stderr, stdin, stdout};
