//! Copying from one stream to another: by the kernel where it can, else by way
//! of a buffer.

use super::by_kernel;
use std::fmt;
use std::io::{self, Read, Write};
use std::panic::Location;

/// Copied at a time, as much as a pipe holds.
const CAPACITY: usize = 64 << 10;

/// Copies until the end of `reader`, as [`std::io::copy`], and returns the
/// number of bytes.
///
/// From a file to a stream socket, the kernel moves the bytes by itself
/// (`sendfile(2)`), with the same outcome. That is where `reader` is a
/// [`std::fs::File`], an [`fs::File`](crate::fs::File), a reference to one or a
/// [`Take`](std::io::Take) of either, and `writer` a
/// [`TcpStream`](crate::net::TcpStream), a
/// [`UnixStream`](crate::net::UnixStream), one's
/// [`OwnedWriteHalf`](crate::net::OwnedWriteHalf) or a reference to one of
/// these. The pages of the file leave as they are then, so what is written to
/// it soon after may still be sent. [`send_file`](super::send_file) sends any
/// part of any file.
///
/// All else goes by a buffer of 64 KiB. Between two sockets or pipes
/// [`Relay`](super::Relay) has the kernel do it.
///
/// # Scheduling
///
/// Switches as `reader` and `writer` do; by the kernel, as
/// [`send_file`](super::send_file).
///
/// # Cancellation
///
/// By the kernel nothing is lost: the position of the file, and the limit of a
/// `Take`, tell what was sent. Else up to 64 KiB that were read and not written
/// are lost. A [`Copier`] keeps them.
///
/// # Errors
///
/// Those of `reader` and `writer`; `WriteZero` when nothing can be written.
///
/// # Examples
///
/// ```
/// let mut copy = Vec::new();
/// let count = greenling::io::copy(&mut &b"hello"[..], &mut copy).unwrap();
/// assert_eq!((count, &*copy), (5, &b"hello"[..]));
/// ```
#[track_caller]
pub fn copy<R, W>(reader: &mut R, writer: &mut W) -> io::Result<u64>
where
    R: Read + ?Sized,
    W: Write + ?Sized,
{
    Copier::new().copy(reader, writer)
}

/// A copy in progress, which can go on after it was cut short.
///
/// # Examples
///
/// A copy with a pause, which loses nothing:
///
/// ```
/// use greenling::io::{Copier, Fd};
/// use greenling::time::timeout;
/// use std::io::Write;
/// use std::time::Duration;
/// # fn main() -> std::io::Result<()> {
/// let (reader, mut writer) = std::io::pipe()?;
/// let (mut reader, mut copy) = (Fd::new(reader)?, Vec::new());
/// writer.write_all(b"first")?;
/// let mut copier = Copier::new();
/// let paused = timeout(Duration::from_millis(1), || copier.copy(&mut reader, &mut copy));
/// assert!(paused.is_err());
/// writer.write_all(b", second")?;
/// drop(writer);
/// copier.copy(&mut reader, &mut copy)?;
/// assert_eq!((copier.copied(), &*copy), (13, &b"first, second"[..]));
/// # Ok(())
/// # }
/// ```
pub struct Copier {
    buffer: Box<[u8]>,
    /// What was read and not written: from here ...
    start: usize,
    /// ... to here.
    end: usize,
    copied: u64,
}

impl Copier {
    /// One with a buffer of 64 KiB.
    ///
    /// # Scheduling
    ///
    /// Never switches.
    pub fn new() -> Copier {
        Copier::with_capacity(CAPACITY)
    }

    /// One with a buffer of this size, of one byte at least.
    ///
    /// # Scheduling
    ///
    /// Never switches.
    pub fn with_capacity(capacity: usize) -> Copier {
        Copier {
            buffer: vec![0; capacity.max(1)].into(),
            start: 0,
            end: 0,
            copied: 0,
        }
    }

    /// Copies until the end of `reader` and returns how much was written by
    /// this call; what an earlier call has left comes first. The kernel does
    /// what it can by itself, as for [`copy`].
    ///
    /// # Scheduling
    ///
    /// Switches as [`copy`].
    ///
    /// # Cancellation
    ///
    /// Nothing is lost that the two don't lose: what was read and not written
    /// is [`pending`](Copier::pending), and the next call goes on.
    ///
    /// # Errors
    ///
    /// Those of `reader` and `writer`; `WriteZero` when nothing can be written.
    #[track_caller]
    pub fn copy<R, W>(&mut self, reader: &mut R, writer: &mut W) -> io::Result<u64>
    where
        R: Read + ?Sized,
        W: Write + ?Sized,
    {
        let before = self.copied;
        self.write_out(writer)?;
        if by_kernel::copy(reader, writer, &mut self.copied, Location::caller())? {
            return Ok(self.copied - before);
        }
        loop {
            match reader.read(&mut self.buffer) {
                Ok(0) => return Ok(self.copied - before),
                Ok(count) => self.end = count,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
            self.write_out(writer)?;
        }
    }

    /// Writes what was read.
    #[track_caller]
    fn write_out(&mut self, writer: &mut (impl Write + ?Sized)) -> io::Result<()> {
        while self.start < self.end {
            match writer.write(&self.buffer[self.start..self.end]) {
                Ok(0) => return Err(io::ErrorKind::WriteZero.into()),
                Ok(count) => {
                    self.start += count;
                    self.copied += count as u64;
                }
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
        (self.start, self.end) = (0, 0);
        Ok(())
    }

    /// What was written by all calls.
    ///
    /// # Scheduling
    ///
    /// Never switches.
    pub fn copied(&self) -> u64 {
        self.copied
    }

    /// What was read and not written.
    ///
    /// # Scheduling
    ///
    /// Never switches.
    pub fn pending(&self) -> &[u8] {
        &self.buffer[self.start..self.end]
    }
}

impl Default for Copier {
    fn default() -> Copier {
        Copier::new()
    }
}

impl fmt::Debug for Copier {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Copier")
            .field("copied", &self.copied)
            .field("pending", &self.pending().len())
            .finish_non_exhaustive()
    }
}
