//! What is not a socket: descriptors of all kinds, files, child processes and
//! standard streams, as objects that park their tasklet.
//!
//! | file | has |
//! |---|---|
//! | `descriptors` | `io::Fd` over each kind of descriptor |
//! | `processes` | children: pipes, waits, ends, what is dropped |
//! | `watching` | what `io::Fd` does to its descriptor, and objects that misbehave |

mod descriptors;
mod processes;
mod watching;
