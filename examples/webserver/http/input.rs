//! The bytes that were read from the stream and not yet used.

use std::io::{self, Read};

/// What a connection holds before it has asked for anything; a plain request fits.
const SMALLEST: usize = 256;
/// What a connection holds that sends this much at a time, such as a pipelining one.
const LARGEST: usize = 16 * 1024;

/// A window `start..end` of unread bytes in a buffer that is wholly initialised.
#[derive(Debug, Default)]
pub(super) struct Input {
    buffer: Vec<u8>,
    start: usize,
    end: usize,
    /// The most that one read brought since the buffer was last sized.
    largest_fill: usize,
}

impl Input {
    pub(super) fn bytes(&self) -> &[u8] {
        &self.buffer[self.start..self.end]
    }

    pub(super) fn len(&self) -> usize {
        self.end - self.start
    }

    pub(super) fn is_empty(&self) -> bool {
        self.start == self.end
    }

    pub(super) fn consume(&mut self, count: usize) {
        debug_assert!(count <= self.len());
        self.start += count;
        if self.is_empty() {
            self.start = 0;
            self.end = 0;
        }
    }

    /// Moves buffered bytes to `target`.
    pub(super) fn take(&mut self, target: &mut [u8]) -> usize {
        let count = self.len().min(target.len());
        target[..count].copy_from_slice(&self.bytes()[..count]);
        self.consume(count);
        count
    }

    /// Chooses a size for the wait between two requests, from what the last ones needed: once a
    /// connection has been silent for a while this buffer is all that it holds.
    pub(super) fn settle(&mut self) {
        if !self.is_empty() {
            return;
        }
        let size = (self.largest_fill + 1)
            .next_power_of_two()
            .clamp(SMALLEST, LARGEST);
        if self.buffer.len() != size {
            self.buffer = vec![0; size];
        }
        self.largest_fill = 0;
    }

    /// Reads once from `stream`, making room first, for at most `max` unread bytes in all.
    ///
    /// Returns 0 at the end of the stream. The caller sees to it that fewer than `max` are held.
    pub(super) fn fill(&mut self, stream: &mut impl Read, max: usize) -> io::Result<usize> {
        debug_assert!(self.len() < max);
        if self.end == self.buffer.len() {
            self.buffer.copy_within(self.start..self.end, 0);
            self.end -= self.start;
            self.start = 0;
            // The last read filled the buffer. Who sends more than before probably sends much more.
            let size = if self.buffer.is_empty() {
                SMALLEST
            } else {
                max
            };
            if self.buffer.len() < size {
                self.buffer.resize(size, 0);
            }
        }
        let count = retry(|| stream.read(&mut self.buffer[self.end..]))?;
        self.end += count;
        self.largest_fill = self.largest_fill.max(count);
        Ok(count)
    }
}

/// Repeats a read that a signal interrupted.
pub(super) fn retry(mut read: impl FnMut() -> io::Result<usize>) -> io::Result<usize> {
    loop {
        match read() {
            Err(e) if e.kind() == io::ErrorKind::Interrupted => {}
            done => return done,
        }
    }
}
