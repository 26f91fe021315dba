//! Descriptors whose operations park, and what a wait for them tells.

mod copy;
mod fd;
mod inherited;
pub(crate) mod limits;
pub(crate) mod pollable;
mod readiness;
mod relay;
mod send_file;
pub(crate) mod source;
mod stdio;

pub use crate::reactor::{Interest, Ready};
pub use copy::{Copier, copy};
pub use fd::Fd;
pub use pollable::Pollable;
pub use readiness::Readiness;
pub use relay::Relay;
pub use send_file::send_file;
pub use stdio::{Stderr, Stdin, Stdout, stderr, stdin, stdout};
