//! Reading and writing plaintext.

use std::io::{self, Read, Write};

use super::TlsStream;
use super::pump::{Limit, Progress, Until};
use crate::engine::Engine;
use crate::error::{Alert, Error};
use crate::ssl::RECORD_MAX;
use crate::transport::Transport;

/// A `write_all` of this much gets larger rings: three records per system call.
const BULK: usize = 64 * 1024;

impl<T: Transport> TlsStream<T> {
    /// Reads without taking the data away.
    ///
    /// # Scheduling
    ///
    /// May switch.
    ///
    /// # Cancellation
    ///
    /// Nothing is lost.
    ///
    /// # Errors
    ///
    /// As [`Read::read`] of the stream.
    #[doc(alias = "SSL_peek_ex")]
    #[doc(alias = "MSG_PEEK")]
    pub fn peek(&self, buf: &mut [u8]) -> Result<usize, Error> {
        self.read_with(buf, |engine, buf| engine.peek(buf))
    }

    pub(super) fn read_some(&self, buf: &mut [u8]) -> Result<usize, Error> {
        self.read_with(buf, |engine, buf| engine.read(buf))
    }

    fn read_with(
        &self,
        buf: &mut [u8],
        call: impl Fn(&mut Engine, &mut [u8]) -> Result<usize, crate::engine::EngineError>,
    ) -> Result<usize, Error> {
        if buf.is_empty() {
            return Ok(0);
        }
        // A record feeds many small reads, none of which asks the transport.
        // Before the operation, never after it: a kill that arrives while
        // others run would take along what was read.
        self.count_success();
        let deadline = &Limit::new(self.read_timeout.get());
        let _reading = self.lock_reading(deadline)?;
        self.ensure_open()?;
        match self.drive(deadline, |engine| call(engine, buf))? {
            Progress::Done(n) => {
                // The read may have produced an answer, such as an alert.
                if self.with_engine(|engine| engine.out_pending())? > 0 {
                    self.try_flush();
                }
                Ok(n)
            }
            Progress::Closed => Ok(0),
        }
    }

    pub(super) fn write_some(&self, data: &[u8]) -> Result<usize, Error> {
        if data.is_empty() {
            return Ok(0);
        }
        let deadline = &Limit::new(self.write_timeout.get());
        let _writing = self.lock_writing(deadline)?;
        self.ensure_writable()?;
        // A kill from here on takes the count with it.
        let counting = TornOnDrop(self);
        let result = self.write_counted(data, deadline);
        std::mem::forget(counting);
        self.keep_if_idle();
        result
    }

    /// Takes as much of `data` as goes out at once. An error means that nothing
    /// of it was taken.
    fn write_counted(&self, data: &[u8], deadline: impl Until) -> Result<usize, Error> {
        let mut taken = self.write_record(data, deadline)?;
        while taken < data.len() && self.has_room_for(data.len() - taken)? {
            taken += self.write_record(&data[taken..], deadline)?;
        }
        self.flush_or_leave(deadline)?;
        Ok(taken)
    }

    fn write_everything(&self, mut data: &[u8]) -> Result<(), Error> {
        if data.is_empty() {
            return Ok(());
        }
        let deadline = &Limit::new(self.write_timeout.get());
        let _writing = self.lock_writing(deadline)?;
        self.ensure_writable()?;
        if data.len() >= BULK {
            self.with_engine(Engine::grow_rings)?;
        }
        let whole = data.len();
        let torn = TornOnDrop(self);
        while !data.is_empty() {
            match self.write_record(data, deadline) {
                Ok(n) => data = &data[n..],
                Err(error) => {
                    // Untouched is not torn.
                    if data.len() == whole {
                        std::mem::forget(torn);
                    }
                    return Err(error);
                }
            }
        }
        let flushed = self.flush_or_leave(deadline);
        std::mem::forget(torn);
        self.keep_if_idle();
        flushed
    }

    /// Sends what was taken, or leaves it for later: to the next call, or to a
    /// tasklet that waits to receive. Fails only if it can never be sent.
    fn flush_or_leave(&self, deadline: impl Until) -> Result<(), Error> {
        match self.flush_until(deadline, |_| false) {
            Err(error) if self.send_error.borrow().is_some() => Err(error),
            _ => Ok(()),
        }
    }

    /// Encrypts one record, after making room for it.
    fn write_record(&self, data: &[u8], deadline: impl Until) -> Result<usize, Error> {
        let len = data.len().min(RECORD_MAX);
        if !self.has_room_for(len)? {
            // Rings smaller than a record get there by being empty.
            self.flush_until(deadline, |engine| engine.has_room_for(len))?;
        }
        match self.drive(deadline, |engine| engine.write(data))? {
            Progress::Done(n) => Ok(n),
            Progress::Closed => Err(Error::Peer(Alert::CLOSE_NOTIFY)),
        }
    }

    fn has_room_for(&self, len: usize) -> Result<bool, Error> {
        self.with_engine(|engine| engine.has_room_for(len))
    }

    pub(super) fn ensure_writable(&self) -> Result<(), Error> {
        self.ensure_open()?;
        if self.torn.get() {
            return Err(Error::local("an earlier write_all ended in the middle"));
        }
        match &*self.send_error.borrow() {
            Some(error) => Err(error.clone()),
            None => Ok(()),
        }
    }

    pub(super) fn flush_all(&self) -> Result<(), Error> {
        self.flush_until(&Limit::new(self.write_timeout.get()), |_| false)
    }
}

/// Marks the writing side as torn unless it is forgotten.
struct TornOnDrop<'a, T: Transport>(&'a TlsStream<T>);

impl<T: Transport> Drop for TornOnDrop<'_, T> {
    fn drop(&mut self) {
        self.0.torn.set(true);
    }
}

impl<T: Transport> Read for &TlsStream<T> {
    /// Reads what is there, at least one byte; 0 after the peer's `close_notify`.
    ///
    /// # Errors
    ///
    /// [`Error::Truncated`] when the transport ended without `close_notify`.
    fn read(&mut self, buf: &mut [u8]) -> io::Result<usize> {
        Ok(self.read_some(buf)?)
    }
}

impl<T: Transport> Write for &TlsStream<T> {
    /// Encrypts and sends some of `data`. When a deadline passes after some of it
    /// was encrypted, that count is the result.
    fn write(&mut self, data: &[u8]) -> io::Result<usize> {
        Ok(self.write_some(data)?)
    }

    /// Writes all of `data`, with nothing of another tasklet in between. If it ends
    /// early, later writes fail.
    fn write_all(&mut self, data: &[u8]) -> io::Result<()> {
        Ok(self.write_everything(data)?)
    }

    /// Sends what an earlier write could not.
    fn flush(&mut self) -> io::Result<()> {
        Ok(self.flush_all()?)
    }
}

impl<T: Transport> Read for TlsStream<T> {
    fn read(&mut self, buf: &mut [u8]) -> io::Result<usize> {
        (&*self).read(buf)
    }
}

impl<T: Transport> Write for TlsStream<T> {
    fn write(&mut self, data: &[u8]) -> io::Result<usize> {
        (&*self).write(data)
    }

    fn write_all(&mut self, data: &[u8]) -> io::Result<()> {
        (&*self).write_all(data)
    }

    fn flush(&mut self) -> io::Result<()> {
        (&*self).flush()
    }
}
