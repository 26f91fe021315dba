//! What is not a socket: descriptors of all kinds, files, child processes and
//! standard streams, as objects that park their tasklet.
//!
//! | file | has |
//! |---|---|
//! | `broken_pipes` | no signal where the peer is gone |
//! | `copying` | `copy`, `send_file`, `Relay`, whole and cut short |
//! | `descriptors` | `io::Fd` over each kind of descriptor |
//! | `disk_waits` | copies from files that are ended while the disk is waited for |
//! | `file_copies` | `copy` from files to sockets, which the kernel does |
//! | `files` | `fs`: order, kills, buffers, what is no regular file |
//! | `files_like_std` | the same code on `fs` and on `std::fs` |
//! | `processes` | children: pipes, waits, ends, what is dropped |
//! | `standard_streams` | stdin, stdout and stderr of all kinds, in child processes |
//! | `watching` | what `io::Fd` does to its descriptor, and objects that misbehave |

#[allow(unsafe_code, reason = "sets what a signal does")]
mod broken_pipes;
mod copying;
mod descriptors;
mod disk_waits;
mod file_copies;
mod files;
mod files_like_std;
mod processes;
mod standard_streams;
mod watching;
