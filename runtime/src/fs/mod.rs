//! Files as in [`std::fs`], of which only the tasklet waits.
//!
//! Files are always ready in the eyes of `epoll`, so every call runs on a
//! thread of the pool of [`offload`]. What a call needs moves
//! into its job, and what it gives comes back with the answer; so a tasklet
//! that is killed in between leaves nothing behind that the job could miss.
//!
//! ```text
//!   File { position, read ahead }   one job at a time uses them
//!      |      read: pread at the position, 64 KiB at least
//!      |      write: pwrite at the position
//!      v
//!   Changes: jobs that change the file run in the order in which they were
//!            asked for, those of killed tasklets included
//! ```
//!
//! A call costs two switches between threads: 7 µs of CPU, and a multiple of
//! that in time. Reads are buffered here, writes are not: wrap a file in
//! [`BufWriter`](std::io::BufWriter) for small ones.

mod changes;
mod dir;
mod dir_builder;
mod file;
mod functions;
mod open_options;

pub use dir::{DirEntry, ReadDir, read_dir};
pub use dir_builder::DirBuilder;
pub use file::File;
pub use functions::{
    canonicalize, chown, copy, create_dir, create_dir_all, exists, hard_link, lchown, metadata,
    read, read_link, read_to_string, remove_dir, remove_dir_all, remove_file, rename,
    set_permissions, symlink, symlink_metadata, write,
};
pub use open_options::OpenOptions;
pub use std::fs::{FileTimes, FileType, Metadata, Permissions, TryLockError};

use crate::offload;
use std::io;

/// Runs a call that blocks on a thread of the pool.
#[track_caller]
fn run<T: Send + 'static>(job: impl FnOnce() -> io::Result<T> + Send + 'static) -> io::Result<T> {
    offload(job)?
}
