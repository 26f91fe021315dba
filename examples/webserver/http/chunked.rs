//! The chunked transfer coding (RFC 9112 section 7.1), as a machine over the buffered bytes.
//!
//! ```text
//!          size line            n bytes            CRLF
//!   Size ------------> Data(n) --------> DataEnd --------> Size
//!     | size 0                    trailer lines
//!     +-------------> Trailers ------------------> End
//! ```
//!
//! It is strict where implementations differ, for that is where a request hides in a body: lines
//! end in CRLF, sizes are plain hexadecimal and fit in 64 bits, nothing stands between a size and
//! its extension, extensions are skipped but counted. Trailers are checked and dropped.

use super::parse::has_bare_line_feed;
use super::status::Rejection;

/// A chunk-size line with its extensions is not longer than this.
pub(super) const LINE_MAX: usize = 1024;
/// All trailers together are not longer than this.
const TRAILERS_MAX: usize = 8 * 1024;
/// What framing may cost beyond 16 bytes a chunk and its length again: extensions can make a body
/// of a few bytes an endless one.
const EXCESS_MAX: u64 = 16 * 1024;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    Size,
    Data(u64),
    DataEnd,
    Trailers,
    End,
}

/// Where in a chunked body the reader is.
#[derive(Debug)]
pub(super) struct Chunked {
    state: State,
    trailers: usize,
    excess: u64,
}

/// What to do next.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Step {
    /// Up to this many bytes of data come next; tell [`Chunked::took`] how many were taken.
    Data(u64),
    /// Read more: the line at hand has not ended.
    More,
    /// The body is complete.
    End,
}

impl Chunked {
    pub(super) fn new() -> Self {
        Self {
            state: State::Size,
            trailers: 0,
            excess: 0,
        }
    }

    pub(super) fn is_complete(&self) -> bool {
        self.state == State::End
    }

    /// Consumes framing from the start of `buffered` and says what follows it.
    pub(super) fn step(&mut self, buffered: &[u8]) -> Result<(usize, Step), Rejection> {
        let mut used = 0;
        loop {
            let rest = &buffered[used..];
            match self.state {
                State::Data(left) => return Ok((used, Step::Data(left))),
                State::End => return Ok((used, Step::End)),
                State::DataEnd => match rest {
                    [b'\r', b'\n', ..] => {
                        used += 2;
                        self.state = State::Size;
                    }
                    [] | [b'\r'] => return Ok((used, Step::More)),
                    _ => return Err(Rejection::bad("a chunk does not end where it said")),
                },
                State::Size => {
                    let Some(line) = take_line(rest, LINE_MAX)? else {
                        return Ok((used, Step::More));
                    };
                    used += line.len() + 2;
                    self.begin_chunk(line)?;
                }
                State::Trailers => {
                    let Some(line) = take_line(rest, LINE_MAX)? else {
                        return Ok((used, Step::More));
                    };
                    used += line.len() + 2;
                    self.trailers += line.len() + 2;
                    if line.is_empty() {
                        self.state = State::End;
                    } else if self.trailers > TRAILERS_MAX || !is_field_line(line) {
                        return Err(Rejection::bad("the trailers are malformed or too long"));
                    }
                }
            }
        }
    }

    /// Notes that `count` of the announced bytes were taken.
    pub(super) fn took(&mut self, count: u64) {
        if let State::Data(left) = self.state {
            self.state = if left == count {
                State::DataEnd
            } else {
                State::Data(left - count)
            };
        }
    }

    fn begin_chunk(&mut self, line: &[u8]) -> Result<(), Rejection> {
        let size = chunk_size(line)?;
        let cost = (line.len() as u64 + 4).saturating_sub(size.saturating_add(16));
        self.excess += cost;
        if self.excess > EXCESS_MAX {
            return Err(Rejection::bad("the chunk extensions are too long"));
        }
        self.state = if size == 0 {
            State::Trailers
        } else {
            State::Data(size)
        };
        Ok(())
    }
}

/// The line at the start of `bytes` without its CRLF, or `None` while it has not ended.
fn take_line(bytes: &[u8], max: usize) -> Result<Option<&[u8]>, Rejection> {
    let within = &bytes[..bytes.len().min(max)];
    match within.iter().position(|&b| b == b'\n') {
        Some(end) if has_bare_line_feed(&bytes[..=end]) => Err(Rejection::bad(
            "a line of the chunked body ends without carriage return",
        )),
        Some(end) => Ok(Some(&bytes[..end - 1])),
        None if bytes.len() >= max => Err(Rejection::bad("a line of the chunked body is too long")),
        None => Ok(None),
    }
}

/// `1*HEXDIG [ ";" extension ]`
fn chunk_size(line: &[u8]) -> Result<u64, Rejection> {
    let digits = line.iter().take_while(|b| b.is_ascii_hexdigit()).count();
    let (number, extension) = line.split_at(digits);
    let extension_is_sound = match extension {
        [] => true,
        [b';', text @ ..] => text.iter().all(|&b| b == b'\t' || !b.is_ascii_control()),
        _ => false,
    };
    if !extension_is_sound {
        return Err(Rejection::bad("a chunk size is malformed"));
    }
    // No more digits than 64 bits have: leading zeros are another way to disagree.
    std::str::from_utf8(number)
        .ok()
        .filter(|text| text.len() <= 16)
        .and_then(|text| u64::from_str_radix(text, 16).ok())
        .ok_or(Rejection::bad("a chunk size is malformed or too large"))
}

/// `token ":" value` without control characters.
fn is_field_line(line: &[u8]) -> bool {
    let Some(colon) = line.iter().position(|&b| b == b':') else {
        return false;
    };
    let is_token = |b: &u8| b.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(b);
    let (name, value) = line.split_at(colon);
    !name.is_empty()
        && name.iter().all(is_token)
        && value.iter().all(|&b| b == b'\t' || !b.is_ascii_control())
}
