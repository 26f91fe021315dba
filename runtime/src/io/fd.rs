//! Any descriptor that can be polled, as an object whose operations park.
//!
//! The descriptor is `T`'s, and a safe program may have `T` name another one
//! later. The first can't be closed by that: whoever lends a descriptor keeps
//! it open, and `T` lives until the watch has ended. So ending the watch never
//! hits a stranger's descriptor. But reads of one descriptor would wait for
//! another, so our own reads and writes compare the numbers and refuse.

use super::limits::Limits;
use super::pollable::{Operation, Watched};
use super::source::{Source, Waiting};
use super::{Interest, Readiness, Ready};
use crate::scheduler::local;
use crate::tasklet::switch_trap;
use crate::wait::reason;
use rustix::fs::OFlags;
use std::fmt;
use std::io::{self, IoSlice, IoSliceMut, PipeReader, PipeWriter, Read, Write};
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, RawFd};
use std::panic::Location;
use std::time::{Duration, Instant};

/// Any descriptor that `epoll` can watch, as a blocking-style object: pipes,
/// FIFOs, terminals, eventfd, timerfd, inotify, signalfd, pidfd, sockets.
///
/// It is switched to non-blocking mode (`O_NONBLOCK`), which belongs to the
/// open file description: every duplicate of the descriptor is in that mode as
/// well, also in other processes. So a terminal or pipe that was inherited is
/// better read through [`stdin`](super::stdin) and its sisters. The mode is
/// restored by [`into_inner`](Fd::into_inner), not by a drop. If somebody else
/// changes it meanwhile, operations stop the whole thread.
///
/// `Read` and `Write` are `read(2)` and `write(2)`, also for `&Fd<T>`, so one
/// tasklet may read while another writes; share it by `Rc`. Other operations go
/// through [`read_with`](Fd::read_with) and [`write_with`](Fd::write_with). A
/// read or write of no bytes returns at once. Writing to a pipe or socket that
/// nobody reads is a `BrokenPipe` error, since Rust programs ignore `SIGPIPE`.
///
/// `T` has to keep its descriptor as long as it lives. If it does not, reads
/// and writes fail, and other operations may wait in vain.
///
/// # Scheduling
///
/// An operation tries the system call first and switches only when it would
/// block, and before it begins after 32 successes in a row.
///
/// # Cancellation
///
/// A kill unwinds from a waiting operation, a [`timeout`](crate::time::timeout)
/// scope ends it with `TimedOut`, the object's own time limit with
/// `WouldBlock`. In each case nothing is lost: nothing was read or written.
///
/// # Examples
///
/// ```
/// use greenling::io::Fd;
/// use std::io::{Read, Write};
/// # fn main() -> std::io::Result<()> {
/// let (reader, writer) = std::io::pipe()?;
/// let (mut reader, mut writer) = (Fd::new(reader)?, Fd::new(writer)?);
/// greenling::spawn(move || writer.write_all(b"hello").unwrap());
/// let mut text = String::new();
/// reader.read_to_string(&mut text)?;
/// assert_eq!(text, "hello");
/// # Ok(())
/// # }
/// ```
pub struct Fd<T: AsFd> {
    source: Source<T>,
    limits: Limits,
    /// The mode before it was ours.
    was_blocking: bool,
}

impl<T: AsFd> Fd<T> {
    /// Watches the descriptor of `inner` and sets it to non-blocking mode.
    ///
    /// # Scheduling
    ///
    /// Never switches.
    ///
    /// # Errors
    ///
    /// `Unsupported` for what is always ready in the eyes of `epoll(7)`:
    /// regular files and directories, for which there is [`fs`](crate::fs), and
    /// devices such as `/dev/null`. `AlreadyExists` if the thread watches the
    /// descriptor already: share that object, or duplicate the descriptor.
    /// Those of `epoll_ctl(2)` and `fcntl(2)`.
    pub fn new(inner: T) -> io::Result<Fd<T>> {
        let source = Source::new(inner).map_err(explain)?;
        let flags = rustix::fs::fcntl_getfl(source.inner())?;
        let was_blocking = !flags.contains(OFlags::NONBLOCK);
        if was_blocking {
            rustix::fs::fcntl_setfl(source.inner(), flags | OFlags::NONBLOCK)?;
        }
        Ok(Fd {
            source,
            limits: Limits::default(),
            was_blocking,
        })
    }

    /// The object with the descriptor.
    ///
    /// # Scheduling
    ///
    /// Never switches.
    pub fn get_ref(&self) -> &T {
        self.source.inner()
    }

    /// Stops watching and gives the object back, in blocking mode if it was
    /// in that mode before.
    ///
    /// # Scheduling
    ///
    /// Never switches.
    pub fn into_inner(self) -> T {
        let inner = self.source.into_inner();
        if self.was_blocking
            && let Ok(flags) = rustix::fs::fcntl_getfl(&inner)
        {
            // Fails only for a descriptor that is gone.
            let _ = rustix::fs::fcntl_setfl(&inner, flags - OFlags::NONBLOCK);
        }
        inner
    }

    /// Runs a non-blocking operation that takes something in, such as
    /// `accept(2)` or `waitid(2)`, and parks while it says `WouldBlock`.
    ///
    /// The operation may not switch: what would is refused with
    /// [`SwitchTrap`](crate::WaitError::SwitchTrap). When it says `WouldBlock`,
    /// nothing must be left for it to take until the descriptor becomes
    /// readable again.
    ///
    /// # Scheduling
    ///
    /// Switches while the operation would block.
    ///
    /// # Cancellation
    ///
    /// Nothing is lost: the operation has done nothing.
    ///
    /// # Errors
    ///
    /// Those of the operation and of the wait.
    #[track_caller]
    pub fn read_with<R>(&self, mut operation: impl FnMut(&T) -> io::Result<R>) -> io::Result<R> {
        let wait = self.reading(Location::caller());
        self.source
            .read_op(wait, |inner| trapped(|| operation(inner)))
    }

    /// As [`read_with`](Fd::read_with), for an operation that gives something
    /// away.
    ///
    /// # Scheduling
    ///
    /// Switches while the operation would block.
    ///
    /// # Cancellation
    ///
    /// Nothing is lost: the operation has done nothing.
    ///
    /// # Errors
    ///
    /// Those of the operation and of the wait.
    #[track_caller]
    pub fn write_with<R>(&self, mut operation: impl FnMut(&T) -> io::Result<R>) -> io::Result<R> {
        let wait = self.writing(Location::caller());
        self.source
            .write_op(wait, |inner| trapped(|| operation(inner)))
    }

    /// As [`read_with`](Fd::read_with), but `WouldBlock` instead of a wait, and
    /// without a call of `operation` if it would block for certain.
    ///
    /// # Scheduling
    ///
    /// Never switches.
    ///
    /// # Errors
    ///
    /// Those of the operation.
    pub fn try_read_with<R>(
        &self,
        mut operation: impl FnMut(&T) -> io::Result<R>,
    ) -> io::Result<R> {
        self.source
            .try_read_op(|inner| trapped(|| operation(inner)))
    }

    /// As [`write_with`](Fd::write_with), but `WouldBlock` instead of a wait,
    /// and without a call of `operation` if it would block for certain.
    ///
    /// # Scheduling
    ///
    /// Never switches.
    ///
    /// # Errors
    ///
    /// Those of the operation.
    pub fn try_write_with<R>(
        &self,
        mut operation: impl FnMut(&T) -> io::Result<R>,
    ) -> io::Result<R> {
        self.source
            .try_write_op(|inner| trapped(|| operation(inner)))
    }

    /// Reads what is there; `WouldBlock` instead of a wait.
    ///
    /// # Scheduling
    ///
    /// Never switches.
    ///
    /// # Errors
    ///
    /// Those of `read(2)`.
    pub fn try_read(&self, buffer: &mut [u8]) -> io::Result<usize> {
        if buffer.is_empty() {
            return Ok(0);
        }
        let source = &self.source;
        source.try_read_op(|_| Ok(rustix::io::read(own(source)?, &mut *buffer)?))
    }

    /// Writes what fits; `WouldBlock` instead of a wait.
    ///
    /// # Scheduling
    ///
    /// Never switches.
    ///
    /// # Errors
    ///
    /// Those of `write(2)`.
    pub fn try_write(&self, bytes: &[u8]) -> io::Result<usize> {
        if bytes.is_empty() {
            return Ok(0);
        }
        let source = &self.source;
        source.try_write_op(|_| Ok(rustix::io::write(own(source)?, bytes)?))
    }

    /// Parks until one of the directions may be ready. None is when
    /// [`wake`](Fd::wake) has ended the wait.
    ///
    /// A direction counts as ready until an operation of this object has said
    /// `WouldBlock`.
    ///
    /// # Scheduling
    ///
    /// Switches unless a direction is not known to block, and then, too, after
    /// 32 successes in a row.
    ///
    /// # Cancellation
    ///
    /// Nothing is lost.
    ///
    /// # Errors
    ///
    /// `TimedOut` after `deadline` or that of a scope; those of the wait.
    #[track_caller]
    pub fn wait(&self, interest: Interest, deadline: Option<Instant>) -> io::Result<Ready> {
        self.source.wait(interest, deadline, Location::caller())
    }

    /// Ends every [`wait`](Fd::wait) in progress without readiness. Other
    /// operations in progress go on waiting.
    ///
    /// # Scheduling
    ///
    /// Never switches.
    pub fn wake(&self) {
        self.source.wake();
    }

    /// Wakes every tasklet that waits for this object with an error, and has
    /// every later operation fail. The descriptor is released on drop.
    ///
    /// # Scheduling
    ///
    /// Never switches.
    pub fn close(&self) {
        self.source.close();
    }

    /// Time limit of each read; when it passes, the read fails with
    /// `WouldBlock`, as a socket's of std does. `None` is no limit.
    ///
    /// # Scheduling
    ///
    /// Never switches.
    ///
    /// # Errors
    ///
    /// `InvalidInput` for a limit of zero.
    pub fn set_read_timeout(&self, limit: Option<Duration>) -> io::Result<()> {
        self.limits.set_read(limit)
    }

    /// Time limit of each write, as for reads.
    ///
    /// # Scheduling
    ///
    /// Never switches.
    ///
    /// # Errors
    ///
    /// `InvalidInput` for a limit of zero.
    pub fn set_write_timeout(&self, limit: Option<Duration>) -> io::Result<()> {
        self.limits.set_write(limit)
    }

    /// Time limit of each read.
    ///
    /// # Scheduling
    ///
    /// Never switches.
    pub fn read_timeout(&self) -> Option<Duration> {
        self.limits.read()
    }

    /// Time limit of each write.
    ///
    /// # Scheduling
    ///
    /// Never switches.
    pub fn write_timeout(&self) -> Option<Duration> {
        self.limits.write()
    }

    /// Readiness to [`select!`](crate::select!), which the kernel has confirmed:
    /// an operation in that direction does not wait then.
    ///
    /// # Scheduling
    ///
    /// Never switches by itself.
    pub fn readiness(&self, interest: Interest) -> Readiness<'_> {
        self.source.readiness(interest)
    }

    pub(crate) fn source(&self) -> &Source<T> {
        &self.source
    }

    pub(super) fn reading(&self, location: &'static Location<'static>) -> Waiting {
        Waiting::new(&reason::IO_READ, location, self.limits.read())
    }

    pub(super) fn writing(&self, location: &'static Location<'static>) -> Waiting {
        Waiting::new(&reason::IO_WRITE, location, self.limits.write())
    }
}

/// A pipe, both of whose ends park: [`std::io::pipe`] for tasklets.
///
/// # Scheduling
///
/// Never switches.
///
/// # Errors
///
/// Those of `pipe2(2)`, or when the reactor can't watch them.
///
/// # Examples
///
/// ```
/// use std::io::{Read, Write};
/// # fn main() -> std::io::Result<()> {
/// let (mut reader, mut writer) = greenling::io::pipe()?;
/// greenling::spawn(move || writer.write_all(b"hello").unwrap());
/// let mut text = String::new();
/// reader.read_to_string(&mut text)?;
/// assert_eq!(text, "hello");
/// # Ok(())
/// # }
/// ```
pub fn pipe() -> io::Result<(Fd<PipeReader>, Fd<PipeWriter>)> {
    let (reader, writer) = io::pipe()?;
    Ok((Fd::new(reader)?, Fd::new(writer)?))
}

/// The descriptor, if it is still the one that is watched.
fn own<T: AsFd>(source: &Source<T>) -> io::Result<BorrowedFd<'_>> {
    let fd = source.inner().as_fd();
    if fd.as_raw_fd() != source.watched_fd() {
        return Err(io::Error::other(
            "the object has another descriptor than when it began to be watched",
        ));
    }
    Ok(fd)
}

/// Runs an operation of the program's that must not switch: an edge that comes
/// between its `WouldBlock` and our note of that would be forgotten.
fn trapped<R>(operation: impl FnOnce() -> io::Result<R>) -> io::Result<R> {
    // At the thread's end there is nobody to switch to.
    let _trap = local::get().map(|_| switch_trap());
    operation()
}

fn explain(error: io::Error) -> io::Error {
    match rustix::io::Errno::from_io_error(&error) {
        Some(rustix::io::Errno::PERM) => io::Error::new(
            io::ErrorKind::Unsupported,
            "epoll can't watch regular files and the like: use greenling::fs",
        ),
        Some(rustix::io::Errno::EXIST) => io::Error::new(
            io::ErrorKind::AlreadyExists,
            "another object of this thread watches the descriptor: share that one, \
             or duplicate the descriptor",
        ),
        _ => error,
    }
}

impl<T: AsFd> Watched for Fd<T> {
    fn read_by(
        &self,
        location: &'static Location<'static>,
        operation: Operation<'_>,
    ) -> io::Result<usize> {
        let source = &self.source;
        source.read_op(self.reading(location), |_| operation(own(source)?))
    }

    fn write_by(
        &self,
        location: &'static Location<'static>,
        operation: Operation<'_>,
    ) -> io::Result<usize> {
        let source = &self.source;
        source.write_op(self.writing(location), |_| operation(own(source)?))
    }
}

impl<T: AsFd> Read for &Fd<T> {
    #[track_caller]
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if buffer.is_empty() {
            return Ok(0);
        }
        let wait = self.reading(Location::caller());
        let source = &self.source;
        source.read_op(wait, |_| Ok(rustix::io::read(own(source)?, &mut *buffer)?))
    }

    #[track_caller]
    fn read_vectored(&mut self, buffers: &mut [IoSliceMut<'_>]) -> io::Result<usize> {
        if buffers.iter().all(|buffer| buffer.is_empty()) {
            return Ok(0);
        }
        let wait = self.reading(Location::caller());
        let source = &self.source;
        source.read_op(wait, |_| {
            Ok(rustix::io::readv(own(source)?, &mut buffers[..])?)
        })
    }
}

impl<T: AsFd> Write for &Fd<T> {
    #[track_caller]
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        if bytes.is_empty() {
            return Ok(0);
        }
        let wait = self.writing(Location::caller());
        let source = &self.source;
        source.write_op(wait, |_| Ok(rustix::io::write(own(source)?, bytes)?))
    }

    #[track_caller]
    fn write_vectored(&mut self, buffers: &[IoSlice<'_>]) -> io::Result<usize> {
        if buffers.iter().all(|buffer| buffer.is_empty()) {
            return Ok(0);
        }
        let wait = self.writing(Location::caller());
        let source = &self.source;
        source.write_op(wait, |_| Ok(rustix::io::writev(own(source)?, buffers)?))
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl<T: AsFd> Read for Fd<T> {
    #[track_caller]
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        (&*self).read(buffer)
    }

    #[track_caller]
    fn read_vectored(&mut self, buffers: &mut [IoSliceMut<'_>]) -> io::Result<usize> {
        (&*self).read_vectored(buffers)
    }
}

impl<T: AsFd> Write for Fd<T> {
    #[track_caller]
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        (&*self).write(bytes)
    }

    #[track_caller]
    fn write_vectored(&mut self, buffers: &[IoSlice<'_>]) -> io::Result<usize> {
        (&*self).write_vectored(buffers)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl<T: AsFd> AsFd for Fd<T> {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.get_ref().as_fd()
    }
}

impl<T: AsFd> AsRawFd for Fd<T> {
    fn as_raw_fd(&self) -> RawFd {
        self.as_fd().as_raw_fd()
    }
}

impl<T: AsFd> fmt::Debug for Fd<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut text = f.debug_struct("Fd");
        text.field("fd", &self.source.watched_fd());
        text.finish_non_exhaustive()
    }
}
