//! A stream taken apart: one object to read with, one to write with.

use std::error::Error;
use std::fmt;
use std::io::{self, IoSlice, IoSliceMut, Read, Write};

/// What the halves need of a stream; only this module's types have it.
pub(super) mod halved {
    /// A stream that two objects may share.
    pub trait Halved {
        /// Whether both are handles of one socket.
        fn is_same(&self, other: &Self) -> bool;

        /// Tells the peer that nothing more will come.
        fn end_writing(&self);
    }
}

pub(super) use halved::Halved;

/// The streams that can be split: [`TcpStream`](super::TcpStream) and
/// [`UnixStream`](super::UnixStream).
pub trait SplitStream: Halved {}

/// The half of a stream that reads.
///
/// Made by `split` of [`TcpStream`](super::TcpStream::split) and
/// [`UnixStream`](super::UnixStream::split). The descriptor is closed when
/// both halves are gone.
///
/// # Scheduling
///
/// Reads as the stream does.
///
/// # Examples
///
/// ```
/// use greenling::net::UnixStream;
/// use std::io::{Read, Write};
/// # fn main() -> std::io::Result<()> {
/// let (ours, theirs) = UnixStream::pair()?;
/// let (mut reader, mut writer) = ours.split();
/// greenling::spawn(move || writer.write_all(b"question").unwrap());
/// let mut text = String::new();
/// (&theirs).read_to_string(&mut text)?; // the writer is gone: the end
/// (&theirs).write_all(b"answer")?;
/// drop(theirs);
/// text.clear();
/// reader.read_to_string(&mut text)?;
/// assert_eq!(text, "answer");
/// # Ok(())
/// # }
/// ```
#[derive(Debug)]
pub struct OwnedReadHalf<S: SplitStream> {
    stream: S,
}

/// The half of a stream that writes; dropping it shuts writing down, so that
/// the peer sees the end of the stream.
///
/// Made together with [`OwnedReadHalf`], where the example is.
///
/// # Scheduling
///
/// Writes as the stream does; dropping it never switches.
#[derive(Debug)]
pub struct OwnedWriteHalf<S: SplitStream> {
    stream: S,
    /// Whether its drop shuts writing down.
    ends_writing: bool,
}

/// The halves are not of one stream. They are given back.
#[derive(Debug)]
pub struct ReuniteError<S: SplitStream>(pub OwnedReadHalf<S>, pub OwnedWriteHalf<S>);

impl<S: SplitStream> OwnedReadHalf<S> {
    pub(super) fn new(stream: S) -> OwnedReadHalf<S> {
        OwnedReadHalf { stream }
    }

    /// The stream, to peek, to set options, to close it.
    ///
    /// # Scheduling
    ///
    /// Never switches.
    pub fn get_ref(&self) -> &S {
        &self.stream
    }

    /// Puts the stream together again.
    ///
    /// # Scheduling
    ///
    /// Never switches.
    ///
    /// # Errors
    ///
    /// Both halves, when they are of different streams.
    pub fn reunite(self, other: OwnedWriteHalf<S>) -> Result<S, ReuniteError<S>> {
        if !self.stream.is_same(other.get_ref()) {
            return Err(ReuniteError(self, other));
        }
        other.forget();
        Ok(self.stream)
    }
}

impl<S: SplitStream> OwnedWriteHalf<S> {
    pub(super) fn new(stream: S) -> OwnedWriteHalf<S> {
        OwnedWriteHalf {
            stream,
            ends_writing: true,
        }
    }

    /// The stream, to set options, to close it.
    ///
    /// # Scheduling
    ///
    /// Never switches.
    pub fn get_ref(&self) -> &S {
        &self.stream
    }

    /// Puts the stream together again.
    ///
    /// # Scheduling
    ///
    /// Never switches.
    ///
    /// # Errors
    ///
    /// Both halves, when they are of different streams.
    pub fn reunite(self, other: OwnedReadHalf<S>) -> Result<S, ReuniteError<S>> {
        other.reunite(self)
    }

    /// Drops the half without shutting writing down: the read half goes on
    /// holding the stream, and the peer sees no end.
    ///
    /// # Scheduling
    ///
    /// Never switches.
    pub fn forget(mut self) {
        self.ends_writing = false;
    }
}

impl<S: SplitStream> Drop for OwnedWriteHalf<S> {
    fn drop(&mut self) {
        if self.ends_writing {
            self.stream.end_writing();
        }
    }
}

impl<S: SplitStream> AsRef<S> for OwnedReadHalf<S> {
    fn as_ref(&self) -> &S {
        self.get_ref()
    }
}

impl<S: SplitStream> AsRef<S> for OwnedWriteHalf<S> {
    fn as_ref(&self) -> &S {
        self.get_ref()
    }
}

impl<S: SplitStream> Read for OwnedReadHalf<S>
where
    for<'a> &'a S: Read,
{
    #[track_caller]
    #[inline]
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        (&self.stream).read(buffer)
    }

    #[track_caller]
    fn read_vectored(&mut self, buffers: &mut [IoSliceMut<'_>]) -> io::Result<usize> {
        (&self.stream).read_vectored(buffers)
    }
}

impl<S: SplitStream> Write for OwnedWriteHalf<S>
where
    for<'a> &'a S: Write,
{
    #[track_caller]
    #[inline]
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.get_ref().write(bytes)
    }

    #[track_caller]
    fn write_vectored(&mut self, buffers: &[IoSlice<'_>]) -> io::Result<usize> {
        self.get_ref().write_vectored(buffers)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.get_ref().flush()
    }
}

impl<S: SplitStream> fmt::Display for ReuniteError<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the halves are not of one stream")
    }
}

impl<S: SplitStream + fmt::Debug> Error for ReuniteError<S> {}
