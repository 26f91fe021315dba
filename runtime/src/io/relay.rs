//! From one stream to another without a copy in user space.
//!
//! ```text
//!   from --splice--> pipe (up to 64 KiB, `held`) --splice--> to
//! ```
//!
//! What has left the one and not reached the other is in the pipe, and the
//! object that owns the pipe outlives a call that is cut short.

use super::pollable::Pollable;
use rustix::io::Errno;
use rustix::pipe::{PipeFlags, SpliceFlags, pipe_with, splice};
use std::fmt;
use std::io;
use std::os::fd::{AsFd, OwnedFd};
use std::panic::Location;

/// Moved at a time: what a pipe holds unless it is told otherwise.
const CAPACITY: usize = 64 << 10;

/// Moves bytes from stream to stream by `splice(2)`, for proxies: sockets and
/// pipes, in any combination.
///
/// # Examples
///
/// ```no_run
/// use greenling::io::Relay;
/// use greenling::net::TcpStream;
/// # fn main() -> std::io::Result<()> {
/// let (here, there) = (TcpStream::connect("127.0.0.1:1")?, TcpStream::connect("127.0.0.1:2")?);
/// let count = Relay::new()?.copy(&here, &there)?;
/// println!("{count} bytes");
/// # Ok(())
/// # }
/// ```
pub struct Relay {
    reader: OwnedFd,
    writer: OwnedFd,
    /// Bytes in the pipe.
    held: usize,
    copied: u64,
}

impl Relay {
    /// One with a pipe of its own: two descriptors.
    ///
    /// # Scheduling
    ///
    /// Never switches.
    ///
    /// # Errors
    ///
    /// Those of `pipe2(2)`.
    pub fn new() -> io::Result<Relay> {
        let (reader, writer) = pipe_with(PipeFlags::CLOEXEC | PipeFlags::NONBLOCK)?;
        Ok(Relay {
            reader,
            writer,
            held: 0,
            copied: 0,
        })
    }

    /// Moves bytes until the end of `from`, and returns how many have reached
    /// `to` by this call; what an earlier call has left comes first.
    ///
    /// # Scheduling
    ///
    /// Switches while there is nothing to read or no room to write, and after
    /// 32 successes in a row.
    ///
    /// # Cancellation
    ///
    /// Nothing is lost: up to 64 KiB are held here, the next call goes on with
    /// them, and [`take_held`](Relay::take_held) gives them out.
    ///
    /// # Errors
    ///
    /// `Unsupported` if the kernel can't splice the two, which are no streams:
    /// [`copy`](super::copy) can. Those of
    /// `splice(2)` and of the wait. A peer that is gone is `BrokenPipe`, and
    /// `SIGPIPE` in a process that does not ignore it, as Rust's programs do.
    #[track_caller]
    pub fn copy(&mut self, from: &impl Pollable, to: &impl Pollable) -> io::Result<u64> {
        let location = Location::caller();
        let before = self.copied;
        loop {
            while self.held > 0 {
                let (reader, held) = (&self.reader, self.held);
                let moved = to.write_by(location, &mut |fd| move_bytes(reader, fd, held));
                let moved = moved.map_err(explain)?;
                if moved == 0 {
                    return Err(io::ErrorKind::WriteZero.into());
                }
                self.held -= moved;
                self.copied += moved as u64;
            }
            let writer = &self.writer;
            let moved = from.read_by(location, &mut |fd| move_bytes(fd, writer, CAPACITY));
            self.held = moved.map_err(explain)?;
            if self.held == 0 {
                return Ok(self.copied - before);
            }
        }
    }

    /// What has reached the other side by all calls.
    ///
    /// # Scheduling
    ///
    /// Never switches.
    pub fn copied(&self) -> u64 {
        self.copied
    }

    /// The number of bytes that were read and not written.
    ///
    /// # Scheduling
    ///
    /// Never switches.
    pub fn held(&self) -> usize {
        self.held
    }

    /// Takes out the bytes that were read and not written.
    ///
    /// # Scheduling
    ///
    /// Never switches.
    ///
    /// # Errors
    ///
    /// Those of `read(2)`.
    pub fn take_held(&mut self) -> io::Result<Vec<u8>> {
        let mut bytes = Vec::with_capacity(self.held);
        while self.held > 0 {
            let into = rustix::buffer::spare_capacity(&mut bytes);
            self.held -= rustix::io::read(&self.reader, into)?;
        }
        Ok(bytes)
    }
}

/// One of the two is the relay's pipe, which has room or bytes: so `WouldBlock`
/// is the other's.
fn move_bytes(from: impl AsFd, to: impl AsFd, count: usize) -> io::Result<usize> {
    let flags = SpliceFlags::MOVE | SpliceFlags::NONBLOCK;
    Ok(splice(from, None, to, None, count, flags)?)
}

fn explain(error: io::Error) -> io::Error {
    match Errno::from_io_error(&error) {
        Some(Errno::INVAL) => io::Error::new(
            io::ErrorKind::Unsupported,
            "the kernel can't splice these two: use greenling::io::copy",
        ),
        _ => error,
    }
}

impl fmt::Debug for Relay {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Relay")
            .field("copied", &self.copied)
            .field("held", &self.held)
            .finish_non_exhaustive()
    }
}
