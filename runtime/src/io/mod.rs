//! Descriptors whose operations park, and copying between them.
//!
//! | for | take |
//! |---|---|
//! | pipes, terminals, eventfd, timerfd, inotify, signalfd, pidfd | [`Fd`], [`pipe`] |
//! | the process' own standard streams | [`stdin`], [`stdout`], [`stderr`] |
//! | sockets | [`net`](crate::net) |
//! | regular files | [`fs`](crate::fs) |
//! | pipes of children | [`process`](crate::process) |
//! | copying anything to anything | [`copy`]; [`Copier`] when it may be cut short |
//! | a part of a file to a socket, by the kernel | [`send_file`] |
//! | a socket or pipe to another, by the kernel | [`Relay`] |

mod by_kernel;
mod copy;
mod fd;
#[allow(unsafe_code, reason = "sees a value of any type as what it is")]
mod forms;
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
pub use fd::{Fd, pipe};
pub use pollable::Pollable;
pub use readiness::Readiness;
pub use relay::Relay;
pub use send_file::send_file;
pub use stdio::{Stderr, Stdin, Stdout, stderr, stdin, stdout};
