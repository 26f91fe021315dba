//! How long operations of one object may wait.

use std::cell::Cell;
use std::io;
use std::time::Duration;

/// An object's own time limits; what they end is `WouldBlock`, as in std.
#[derive(Debug, Default)]
pub(crate) struct Limits {
    read: Cell<Option<Duration>>,
    write: Cell<Option<Duration>>,
}

impl Limits {
    pub(crate) fn set_read(&self, limit: Option<Duration>) -> io::Result<()> {
        self.read.set(check_limit(limit)?);
        Ok(())
    }

    pub(crate) fn set_write(&self, limit: Option<Duration>) -> io::Result<()> {
        self.write.set(check_limit(limit)?);
        Ok(())
    }

    #[inline]
    pub(crate) fn read(&self) -> Option<Duration> {
        self.read.get()
    }

    #[inline]
    pub(crate) fn write(&self) -> Option<Duration> {
        self.write.get()
    }
}

/// A limit of zero is refused, as std does.
pub(crate) fn check_limit(limit: Option<Duration>) -> io::Result<Option<Duration>> {
    if limit.is_some_and(|limit| limit.is_zero()) {
        return Err(io::Error::new(
            io::ErrorKind::InvalidInput,
            "a time limit of zero",
        ));
    }
    Ok(limit)
}
