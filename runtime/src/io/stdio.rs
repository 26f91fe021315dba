//! The standard streams of the process.

use super::inherited::Inherited;
use super::source::Waiting;
use crate::wait::reason;
use rustix::fs::OFlags;
use std::cell::OnceCell;
use std::fmt;
use std::io::{self, IsTerminal, Read, Write};
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, RawFd};
use std::panic::Location;

/// A handle of one of the standard streams, and its trait implementations.
macro_rules! standard_stream {
    ($(#[$meta:meta])+ $name:ident, $function:ident, $access:expr) => {
        $(#[$meta])+
        pub struct $name {
            /// Found out by the first operation, which can fail.
            stream: OnceCell<Inherited>,
        }

        impl $name {
            /// Whether it is a terminal.
            ///
            /// # Scheduling
            ///
            /// Never switches.
            pub fn is_terminal(&self) -> bool {
                self.as_fd().is_terminal()
            }

            fn stream(&self) -> io::Result<&Inherited> {
                if self.stream.get().is_none() {
                    let _ = self.stream.set(Inherited::new(self.as_fd(), $access)?);
                }
                Ok(self.stream.get().expect("it was set above"))
            }
        }

        impl AsFd for $name {
            fn as_fd(&self) -> BorrowedFd<'_> {
                rustix::stdio::$function()
            }
        }

        impl AsRawFd for $name {
            fn as_raw_fd(&self) -> RawFd {
                self.as_fd().as_raw_fd()
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.debug_struct(stringify!($name)).finish_non_exhaustive()
            }
        }
    };
}

macro_rules! writes {
    ($($name:ty),+) => {$(
        impl Write for &$name {
            #[track_caller]
            fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
                let wait = Waiting::new(&reason::IO_WRITE, Location::caller(), None);
                self.stream()?.write(wait, bytes)
            }

            fn flush(&mut self) -> io::Result<()> {
                Ok(())
            }
        }

        impl Write for $name {
            #[track_caller]
            fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
                (&*self).write(bytes)
            }

            fn flush(&mut self) -> io::Result<()> {
                Ok(())
            }
        }
    )+};
}

standard_stream! {
    /// Standard input; made by [`stdin`].
    ///
    /// It reads what it is asked for and keeps nothing, so what is left is for
    /// whoever reads next, be it another process. For lines, wrap it in a
    /// [`BufReader`](std::io::BufReader). What std's own `stdin` has buffered
    /// is not seen here.
    ///
    /// The mode of the descriptor is not changed, since other processes share
    /// it: a pipe or terminal is opened once more, sockets are asked not to
    /// wait, files are read on a thread of the pool. Where a terminal can't be
    /// opened (it is another user's), a read may hold the thread if another
    /// process takes the input in that moment. A closed descriptor is at its
    /// end, as in std.
    ///
    /// # Scheduling
    ///
    /// A read switches until there is input; with a file, always.
    ///
    /// # Cancellation
    ///
    /// Nothing is lost; of a file, what was being read is what this object
    /// reads next.
    Stdin, stdin, OFlags::RDONLY
}

standard_stream! {
    /// Standard output; made by [`stdout`].
    ///
    /// It is not buffered. For many small writes, wrap it in a
    /// [`LineWriter`](std::io::LineWriter) or [`BufWriter`](std::io::BufWriter).
    /// What std's own `stdout` has buffered comes when that is flushed. As for
    /// [`Stdin`], the mode of the descriptor is not changed.
    ///
    /// # Scheduling
    ///
    /// A write switches while there is no room; with a file, always.
    ///
    /// # Cancellation
    ///
    /// Nothing was written; with a file, it may still be.
    Stdout, stdout, OFlags::WRONLY
}

standard_stream! {
    /// Standard error; made by [`stderr`]. As [`Stdout`].
    ///
    /// # Scheduling
    ///
    /// A write switches while there is no room; with a file, always.
    ///
    /// # Cancellation
    ///
    /// Nothing was written; with a file, it may still be.
    Stderr, stderr, OFlags::WRONLY
}

writes!(Stdout, Stderr);

/// Standard input, whose reads park.
///
/// # Scheduling
///
/// Never switches.
///
/// # Examples
///
/// ```no_run
/// use std::io::{BufRead, BufReader};
/// for line in BufReader::new(greenling::io::stdin()).lines() {
///     println!("got {}", line.unwrap());
/// }
/// ```
pub fn stdin() -> Stdin {
    Stdin {
        stream: OnceCell::new(),
    }
}

/// Standard output, whose writes park.
///
/// # Scheduling
///
/// Never switches.
///
/// # Examples
///
/// ```
/// use std::io::Write;
/// writeln!(greenling::io::stdout(), "hello").unwrap();
/// ```
pub fn stdout() -> Stdout {
    Stdout {
        stream: OnceCell::new(),
    }
}

/// Standard error, whose writes park.
///
/// # Scheduling
///
/// Never switches.
pub fn stderr() -> Stderr {
    Stderr {
        stream: OnceCell::new(),
    }
}

impl Read for &Stdin {
    #[track_caller]
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let wait = Waiting::new(&reason::IO_READ, Location::caller(), None);
        self.stream()?.read(wait, buffer)
    }
}

impl Read for Stdin {
    #[track_caller]
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        (&*self).read(buffer)
    }
}
