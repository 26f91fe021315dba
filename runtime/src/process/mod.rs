//! Child processes as in [`std::process`], whose waits and pipes park.
//!
//! ```text
//!   Command --spawn--> Child { stdin, stdout, stderr: io::Fd of a pipe }
//!                        | wait: parks until the pidfd is readable, then reaps
//!                        v
//!                      dropped before its end: a thread reaps it
//! ```
//!
//! The end of a child is heard of by its pidfd (Linux 5.3), else by a thread
//! that waits for it. `SIGCHLD` is not touched: only the processes that were
//! started here are waited for, by number, so other code of the program may
//! have children and handlers of its own.

mod child;
mod command;
mod exit;
mod orphans;
mod output;

pub use child::{Child, ChildStderr, ChildStdin, ChildStdout};
pub use command::Command;
pub use std::process::{CommandArgs, CommandEnvs, ExitStatus, Output, Stdio};
