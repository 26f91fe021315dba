//! What is not a socket: descriptors of all kinds, files, child processes and
//! standard streams, as objects that park their tasklet.
//!
//! | file | has |
//! |---|---|
//! | `copying` | `copy`, `send_file`, `Relay`, whole and cut short |
//! | `descriptors` | `io::Fd` over each kind of descriptor |
//! | `files` | `fs`: order, kills, buffers, what is no regular file |
//! | `files_like_std` | the same code on `fs` and on `std::fs` |
//! | `processes` | children: pipes, waits, ends, what is dropped |
//! | `standard_streams` | stdin, stdout and stderr of all kinds, in child processes |
//! | `watching` | what `io::Fd` does to its descriptor, and objects that misbehave |

mod copying;
mod descriptors;
mod files;
mod files_like_std;
mod processes;
mod standard_streams;
mod watching;
