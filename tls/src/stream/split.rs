//! A stream taken apart: one object to read with, one to write with.

use std::fmt;
use std::io::{self, Read, Write};
use std::rc::Rc;

use super::TlsStream;
use crate::error::Error;
use crate::transport::Transport;

/// The half of a stream that reads.
///
/// Made by [`TlsStream::split`]. The transport is dropped when both halves are gone.
///
/// # Scheduling
///
/// Never switches, except where a method says so. Reads as the stream does.
pub struct ReadHalf<T: Transport> {
    stream: Rc<TlsStream<T>>,
}

/// The half of a stream that writes.
///
/// Made by [`TlsStream::split`]. Dropping it ends our side, by `close_notify`, as
/// dropping the whole stream does: not while unwinding, and not over a transport
/// whose own calls wait. To be sure that it is sent, or to learn that it was not, call
/// [`shutdown`](WriteHalf::shutdown).
///
/// # Scheduling
///
/// Never switches, except where a method says so. Writes as the stream does.
pub struct WriteHalf<T: Transport> {
    /// `None` once it has been reunited.
    stream: Option<Rc<TlsStream<T>>>,
}

/// The halves are not of one stream. They are given back.
pub struct ReuniteError<T: Transport>(pub ReadHalf<T>, pub WriteHalf<T>);

impl<T: Transport> TlsStream<T> {
    /// Takes the stream apart, for two tasklets of one thread. Anything else that
    /// both want to do goes through `get_ref` of either half.
    ///
    /// # Scheduling
    ///
    /// Never switches.
    ///
    /// # Examples
    ///
    /// ```no_run
    /// use greenling_tls::{TlsStream, Transport};
    /// use std::io::{Read, Write};
    ///
    /// fn ask<T: Transport>(stream: TlsStream<T>) -> std::io::Result<String> {
    ///     let (mut reader, mut writer) = stream.split();
    ///     writer.write_all(b"question")?;
    ///     drop(writer); // The peer sees the end of what we have to say.
    ///     let mut answer = String::new();
    ///     reader.read_to_string(&mut answer)?;
    ///     Ok(answer)
    /// }
    /// ```
    pub fn split(self) -> (ReadHalf<T>, WriteHalf<T>) {
        let stream = Rc::new(self);
        let writing = Some(stream.clone());
        (ReadHalf { stream }, WriteHalf { stream: writing })
    }
}

impl<T: Transport> ReadHalf<T> {
    /// The stream, to look at it, to set time limits, to close it.
    pub fn get_ref(&self) -> &TlsStream<T> {
        &self.stream
    }

    /// Whether both are halves of one stream.
    pub fn is_half_of(&self, other: &WriteHalf<T>) -> bool {
        std::ptr::eq(self.get_ref(), other.get_ref())
    }

    /// Puts the stream together again.
    ///
    /// # Errors
    ///
    /// Both halves, when they are of different streams.
    #[expect(
        clippy::missing_panics_doc,
        reason = "there are two halves of a stream"
    )]
    pub fn reunite(self, mut other: WriteHalf<T>) -> Result<TlsStream<T>, ReuniteError<T>> {
        if !self.is_half_of(&other) {
            return Err(ReuniteError(self, other));
        }
        other.stream = None;
        Ok(Rc::into_inner(self.stream).expect("the halves were the only holders"))
    }
}

impl<T: Transport> WriteHalf<T> {
    /// The stream, to look at it, to set time limits, to close it.
    #[expect(clippy::missing_panics_doc, reason = "only `reunite` takes it out")]
    pub fn get_ref(&self) -> &TlsStream<T> {
        self.stream.as_deref().expect("present until reunited")
    }

    /// Ends our side: sends `close_notify`. The other half goes on reading.
    ///
    /// # Scheduling
    ///
    /// May switch.
    ///
    /// # Cancellation
    ///
    /// As for [`TlsStream::shutdown_write`], whose name this is.
    ///
    /// # Errors
    ///
    /// As for [`TlsStream::shutdown_write`].
    pub fn shutdown(self) -> Result<(), Error> {
        self.get_ref().shutdown_write()
    }
}

impl<T: Transport> Drop for WriteHalf<T> {
    fn drop(&mut self) {
        if let Some(stream) = &self.stream {
            stream.say_goodbye_if_it_fits();
        }
    }
}

impl<T: Transport> Read for &ReadHalf<T> {
    fn read(&mut self, buf: &mut [u8]) -> io::Result<usize> {
        self.get_ref().read(buf)
    }
}

impl<T: Transport> Read for ReadHalf<T> {
    fn read(&mut self, buf: &mut [u8]) -> io::Result<usize> {
        self.get_ref().read(buf)
    }
}

impl<T: Transport> Write for &WriteHalf<T> {
    fn write(&mut self, data: &[u8]) -> io::Result<usize> {
        self.get_ref().write(data)
    }

    fn write_all(&mut self, data: &[u8]) -> io::Result<()> {
        self.get_ref().write_all(data)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.get_ref().flush()
    }
}

impl<T: Transport> Write for WriteHalf<T> {
    fn write(&mut self, data: &[u8]) -> io::Result<usize> {
        self.get_ref().write(data)
    }

    fn write_all(&mut self, data: &[u8]) -> io::Result<()> {
        self.get_ref().write_all(data)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.get_ref().flush()
    }
}

impl<T: Transport> fmt::Debug for ReadHalf<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("ReadHalf").field(self.get_ref()).finish()
    }
}

impl<T: Transport> fmt::Debug for WriteHalf<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("WriteHalf").field(&self.stream).finish()
    }
}

impl<T: Transport> fmt::Debug for ReuniteError<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("ReuniteError")
    }
}

impl<T: Transport> fmt::Display for ReuniteError<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the halves are of different streams")
    }
}

impl<T: Transport> std::error::Error for ReuniteError<T> {}
