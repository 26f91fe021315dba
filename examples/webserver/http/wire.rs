//! The stream with its two buffers, and the rule that joins them: output leaves before input waits.

use std::io::{self, Read, Write};

use super::input::{Input, retry};

/// Output is gathered up to this size; it is also what one TLS record carries.
pub(super) const COALESCE: usize = 16 * 1024;

#[derive(Debug)]
pub(super) struct Wire<S> {
    pub(super) stream: S,
    pub(super) input: Input,
    pub(super) output: Vec<u8>,
    /// A read or write failed for good: nothing more can be sent.
    pub(super) broken: bool,
    /// The peer may be sending what nobody is going to read.
    pub(super) leaves_unread: bool,
}

impl<S: Read + Write> Wire<S> {
    pub(super) fn new(stream: S) -> Self {
        Self {
            stream,
            input: Input::default(),
            output: Vec::new(),
            broken: false,
            leaves_unread: false,
        }
    }

    /// Sends what is gathered.
    pub(super) fn flush(&mut self) -> io::Result<()> {
        if self.output.is_empty() {
            return Ok(());
        }
        let sent = self
            .stream
            .write_all(&self.output)
            .and_then(|()| self.stream.flush());
        // After a failure the peer has an unknown part of it, so that a second try would repeat
        // bytes.
        self.output.clear();
        self.broken |= sent.is_err();
        sent
    }

    /// Adds `bytes` to the output; what does not fit is sent, large pieces without a copy.
    pub(super) fn put(&mut self, mut bytes: &[u8]) -> io::Result<()> {
        if self.output.len() + bytes.len() > COALESCE {
            if !self.output.is_empty() {
                let room = COALESCE.saturating_sub(self.output.len()).min(bytes.len());
                let (fits, rest) = bytes.split_at(room);
                self.output.extend_from_slice(fits);
                self.flush()?;
                bytes = rest;
            }
            if bytes.len() >= COALESCE {
                let sent = self.stream.write_all(bytes);
                self.broken |= sent.is_err();
                return sent;
            }
        }
        self.output.extend_from_slice(bytes);
        Ok(())
    }

    /// Reads once into the input, which must hold fewer than `max` bytes.
    pub(super) fn fill(&mut self, max: usize) -> io::Result<usize> {
        self.flush()?;
        self.input
            .fill(&mut self.stream, max)
            .inspect_err(|e| self.broken |= !is_timeout(e))
    }

    /// Reads from the input, or straight from the stream when the input is empty.
    pub(super) fn read(&mut self, target: &mut [u8]) -> io::Result<usize> {
        if !self.input.is_empty() {
            return Ok(self.input.take(target));
        }
        self.flush()?;
        retry(|| self.stream.read(target)).inspect_err(|e| self.broken |= !is_timeout(e))
    }
}

/// Whether a read ran out of time, in either of the two spellings that sockets use.
pub fn is_timeout(error: &io::Error) -> bool {
    matches!(
        error.kind(),
        io::ErrorKind::TimedOut | io::ErrorKind::WouldBlock
    )
}
