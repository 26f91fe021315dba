//! Any object that reads and writes, as a transport.
//!
//! This is what pyOpenSSL users asked for as "PyBIO": a file, a pipe, a
//! compressor, a pair of pipes. Its own `read` and `write` do the waiting.

use std::cell::{Cell, RefCell};
use std::fmt;
use std::io::{self, Read, Write};
use std::net::Shutdown;
use std::time::Instant;

use super::{Interest, Ready, Transport, ready};
#[cfg(feature = "greenling")]
use crate::waits;

/// Wraps a blocking-style object.
///
/// | made by | of | does at once |
/// |---|---|---|
/// | [`Blocking::new`] | anything with `Read + Write` | one thing |
/// | [`Blocking::full_duplex`] | what reads and writes by `&S`: sockets, files | both |
/// | [`reader`](Blocking::reader), [`writer`](Blocking::writer) | half of a [`Split`] | one each |
///
/// [`Split`]: super::Split
///
/// Where only one thing can be done at a time, a tasklet that wants to send waits
/// while another is inside `read`. So a protocol in which both sides talk at once
/// can come to a halt there.
///
/// Deadlines have no effect inside the object's own calls. A deadline that the
/// object keeps itself (it answers `WouldBlock` or `TimedOut`) ends the operation
/// and leaves the connection intact. For the same reason the end of a connection
/// waits for no last words of the peer here, and dropping a stream says no goodbye:
/// call [`close`](crate::TlsStream::close).
///
/// # Scheduling
///
/// Never switches, except where a method says so.
#[doc(alias = "PyBIO")]
pub struct Blocking<S> {
    inner: RefCell<S>,
    calls: Calls<S>,
    /// The object's own deadline expired; the wait that follows reports it.
    expired: Cell<Option<io::Error>>,
    /// What was written last may still be inside the object.
    unflushed: Cell<bool>,
    #[cfg(feature = "greenling")]
    free: greenling::sync::WaitQueue,
}

type ReadAlone<S> = fn(&mut S, &mut [u8]) -> io::Result<usize>;
type WriteAlone<S> = fn(&mut S, &[u8]) -> io::Result<Written>;
type FlushAlone<S> = fn(&mut S) -> io::Result<()>;

/// How much the object took, and whether it has passed that on.
type Written = (usize, bool);

/// How the object is used.
enum Calls<S> {
    /// By one tasklet at a time. What it cannot do is missing.
    Alone {
        read: Option<ReadAlone<S>>,
        write: Option<WriteAlone<S>>,
        flush: Option<FlushAlone<S>>,
    },
    /// By two at once.
    Together {
        read: fn(&S, &mut [u8]) -> io::Result<usize>,
        write: fn(&S, &[u8]) -> io::Result<Written>,
        flush: fn(&S) -> io::Result<()>,
    },
}

impl<S: Read + Write> Blocking<S> {
    /// Wraps `inner`, which does one thing at a time.
    pub fn new(inner: S) -> Blocking<S> {
        let calls = Calls::Alone {
            read: Some(S::read),
            write: Some(write_out),
            flush: Some(S::flush),
        };
        Blocking::with(inner, calls)
    }
}

impl<S: Read> Blocking<S> {
    /// Wraps `inner`, which can only be received from.
    pub fn reader(inner: S) -> Blocking<S> {
        let calls = Calls::Alone {
            read: Some(S::read),
            write: None,
            flush: None,
        };
        Blocking::with(inner, calls)
    }
}

impl<S: Write> Blocking<S> {
    /// Wraps `inner`, by which one can only send.
    pub fn writer(inner: S) -> Blocking<S> {
        let calls = Calls::Alone {
            read: None,
            write: Some(write_out),
            flush: Some(S::flush),
        };
        Blocking::with(inner, calls)
    }
}

impl<S> Blocking<S> {
    /// Wraps `inner`, which can read and write at once.
    pub fn full_duplex(inner: S) -> Blocking<S>
    where
        for<'a> &'a S: Read + Write,
    {
        let calls = Calls::Together {
            read: |mut inner: &S, buf| inner.read(buf),
            write: |mut inner: &S, data| write_out(&mut inner, data),
            flush: |mut inner: &S| inner.flush(),
        };
        Blocking::with(inner, calls)
    }

    fn with(inner: S, calls: Calls<S>) -> Blocking<S> {
        Blocking {
            inner: RefCell::new(inner),
            calls,
            expired: Cell::new(None),
            unflushed: Cell::new(false),
            #[cfg(feature = "greenling")]
            free: greenling::sync::WaitQueue::new(),
        }
    }

    /// The object again.
    pub fn into_inner(self) -> S {
        self.inner.into_inner()
    }
}

/// Tells those who found the object busy that it is free again.
struct Released<'a, S>(&'a Blocking<S>);

impl<S> Drop for Released<'_, S> {
    fn drop(&mut self) {
        self.0.wake();
    }
}

impl<S> Blocking<S> {
    fn share<R>(&self, call: impl FnOnce(&S) -> io::Result<R>) -> io::Result<R> {
        match self.inner.try_borrow() {
            Ok(inner) => call(&inner),
            Err(_) => Err(io::ErrorKind::WouldBlock.into()),
        }
    }

    fn own<R>(&self, call: impl FnOnce(&mut S) -> io::Result<R>) -> io::Result<R> {
        // Declared first, so that it wakes others after the borrow has ended.
        let _released = Released(self);
        match self.inner.try_borrow_mut() {
            Ok(mut inner) => call(&mut inner),
            Err(_) => Err(io::ErrorKind::WouldBlock.into()),
        }
    }

    /// Makes the object's own deadline a matter of the wait that follows, because
    /// an error of the call itself would end the connection.
    fn note_expiry<R>(&self, result: io::Result<R>) -> io::Result<R> {
        let error = match result {
            Err(error) => error,
            done => return done,
        };
        if !is_deadline(&error) {
            return Err(error);
        }
        if self.inner.try_borrow_mut().is_ok() {
            self.expired.set(Some(error));
        }
        Err(io::ErrorKind::WouldBlock.into())
    }

    #[cfg(feature = "greenling")]
    fn wake(&self) {
        self.free.notify_all();
    }

    #[cfg(not(feature = "greenling"))]
    fn wake(&self) {}
}

impl<S> Transport for Blocking<S> {
    const MAY_SUSPEND: bool = true;

    fn try_recv(&self, buf: &mut [u8]) -> io::Result<usize> {
        self.note_expiry(match self.calls {
            Calls::Together { read, .. } => self.share(|inner| read(inner, buf)),
            Calls::Alone { read, .. } => {
                let read = read.ok_or_else(|| unsupported("the object was wrapped as a writer"))?;
                self.own(|inner| read(inner, buf))
            }
        })
    }

    fn try_send(&self, data: &[u8]) -> io::Result<usize> {
        let (n, flushed) = self.note_expiry(match self.calls {
            Calls::Together { write, .. } => self.share(|inner| write(inner, data)),
            Calls::Alone { write, .. } => {
                let write =
                    write.ok_or_else(|| unsupported("the object was wrapped as a reader"))?;
                self.own(|inner| write(inner, data))
            }
        })?;
        self.unflushed.set(!flushed);
        Ok(n)
    }

    fn try_flush(&self) -> io::Result<()> {
        if !self.unflushed.get() {
            return Ok(());
        }
        self.note_expiry(match self.calls {
            Calls::Together { flush, .. } => self.share(flush),
            Calls::Alone { flush, .. } => match flush {
                Some(flush) => self.own(flush),
                None => Ok(()),
            },
        })?;
        self.unflushed.set(false);
        Ok(())
    }

    /// Waits while another tasklet is inside the object; otherwise the object's
    /// own calls do the waiting.
    fn wait(&self, interest: Interest, deadline: Option<Instant>) -> io::Result<Ready> {
        if let Some(expired) = self.expired.take() {
            return Err(expired);
        }
        if self.inner.try_borrow_mut().is_err() {
            self.wait_until_free(deadline)?;
        }
        Ok(ready(interest.is_read(), interest.is_write()))
    }

    /// Nothing to do: an object in general has no such notion.
    fn shutdown(&self, _how: Shutdown) -> io::Result<()> {
        Ok(())
    }
}

impl<S> Blocking<S> {
    #[cfg(feature = "greenling")]
    fn wait_until_free(&self, deadline: Option<Instant>) -> io::Result<()> {
        Ok(self.free.wait(&waits::OBJECT_BUSY, deadline)?)
    }

    /// Without tasklets the object can only be busy further up on this very stack.
    #[cfg(not(feature = "greenling"))]
    fn wait_until_free(&self, _deadline: Option<Instant>) -> io::Result<()> {
        Err(io::ErrorKind::ResourceBusy.into())
    }
}

/// Whether the object gave up waiting, as opposed to having failed.
fn is_deadline(error: &io::Error) -> bool {
    error.raw_os_error() != Some(libc::ETIMEDOUT)
        && matches!(
            error.kind(),
            io::ErrorKind::WouldBlock | io::ErrorKind::TimedOut
        )
}

/// A write, followed by a flush. One that is late is for `try_flush` to repeat.
fn write_out<S: Write>(inner: &mut S, data: &[u8]) -> io::Result<Written> {
    let n = inner.write(data)?;
    match inner.flush() {
        Ok(()) => Ok((n, true)),
        Err(error) if is_deadline(&error) => Ok((n, false)),
        Err(error) => Err(error),
    }
}

fn unsupported(why: &'static str) -> io::Error {
    io::Error::new(io::ErrorKind::Unsupported, why)
}

impl<S> fmt::Debug for Blocking<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Blocking")
            .field("full_duplex", &matches!(self.calls, Calls::Together { .. }))
            .finish_non_exhaustive()
    }
}
