//! One request being answered: reads as the request's body, writes as the response's body.
//!
//! ```text
//!   Unsent --respond().body / .start(Some(n))--> Sized(n) --n bytes written--> Sized(0)
//!      |   --respond().start(None)-------------> Chunked       (HTTP/1.1)
//!      |   --respond().start(None)-------------> UntilClose    (HTTP/1.0)
//!      +-- handler failed ---------------------> 4xx or 500
//! ```
//!
//! What a handler leaves undone is settled by [`Exchange::conclude`]: a response that was not sent
//! becomes an error response, one that was cut short ends the connection (a peer must never take it
//! for whole), an unread body is skipped or ends the connection too.

use std::io::{self, Read, Write};

use super::chunked::{Chunked, LINE_MAX, Step};
use super::request::{Framing, Method, Request, Version};
use super::response::Response;
use super::settings::Settings;
use super::status::{Rejection, Status};
use super::wire::{Wire, is_timeout};

/// What is left of the request's body.
#[derive(Debug)]
enum Body {
    Sized(u64),
    Chunked(Chunked),
}

/// How far the response is; see the module's drawing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Stage {
    Unsent,
    Sized(u64),
    Chunked,
    UntilClose,
}

/// A request's body to read and its response to write.
#[derive(Debug)]
pub struct Exchange<'c, S> {
    pub(super) wire: &'c mut Wire<S>,
    pub(super) settings: &'c Settings,
    pub(super) stage: Stage,
    pub(super) keep_alive: bool,
    pub(super) is_http10: bool,
    is_head: bool,
    body: Body,
    /// How much of the body was read, against [`Settings::body_max`].
    received: u64,
    /// The peer waits for `100 Continue` before it sends the body.
    owes_continue: bool,
    /// What was wrong with the body: this is what the peer is told, whatever the handler makes of
    /// it.
    rejection: Option<Rejection>,
}

impl<'c, S: Read + Write> Exchange<'c, S> {
    pub(super) fn new(
        wire: &'c mut Wire<S>,
        settings: &'c Settings,
        request: &Request,
    ) -> Result<Self, Rejection> {
        let body = match request.framing {
            Framing::None => Body::Sized(0),
            Framing::Length(length) if length > settings.body_max => return Err(BODY_TOO_LARGE),
            Framing::Length(length) => Body::Sized(length),
            Framing::Chunked => Body::Chunked(Chunked::new()),
        };
        Ok(Self {
            // A peer that did not wait for permission needs none.
            owes_continue: request.expects_continue && wire.input.is_empty(),
            wire,
            settings,
            stage: Stage::Unsent,
            keep_alive: request.keep_alive,
            is_http10: request.version == Version::Http10,
            is_head: request.method == Method::Head,
            body,
            received: 0,
            rejection: None,
        })
    }

    /// Begins the response.
    pub fn respond(&mut self, status: Status) -> Response<'_, 'c, S> {
        Response::new(self, status)
    }

    /// Sends a plain text of one line that says what `status` means.
    ///
    /// # Errors
    ///
    /// When the stream fails.
    pub fn respond_plainly(&mut self, status: Status) -> io::Result<()> {
        self.respond(status)
            .header("content-type", "text/plain; charset=utf-8")
            .body(format!("{} {}\n", status.0, status.reason()).as_bytes())
    }

    /// Makes this response the last one of the connection.
    pub fn close(&mut self) {
        self.keep_alive = false;
    }

    /// Whether a part of the response may have been sent, so that no other one can be.
    pub fn has_responded(&self) -> bool {
        self.stage != Stage::Unsent
    }

    /// A response that does not wait for the body closes the connection rather than read it all.
    pub(super) fn give_up_on_long_body(&mut self) {
        let is_long = match &self.body {
            Body::Sized(left) => *left > self.settings.discard_max,
            Body::Chunked(_) => false,
        };
        self.keep_alive &= !(is_long || self.owes_continue);
    }

    fn body_is_complete(&self) -> bool {
        match &self.body {
            Body::Sized(left) => *left == 0,
            Body::Chunked(chunked) => chunked.is_complete(),
        }
    }

    fn reject<T>(&mut self, rejection: Rejection) -> io::Result<T> {
        self.rejection = Some(rejection);
        self.keep_alive = false;
        Err(io::Error::new(io::ErrorKind::InvalidData, rejection))
    }

    fn read_body(&mut self, target: &mut [u8]) -> io::Result<usize> {
        if target.is_empty() || self.body_is_complete() {
            return Ok(0);
        }
        if std::mem::take(&mut self.owes_continue) {
            self.wire
                .output
                .extend_from_slice(b"HTTP/1.1 100 Continue\r\n\r\n");
        }
        let most = match self.body {
            Body::Sized(left) => left,
            Body::Chunked(_) => match self.next_chunk()? {
                0 => return Ok(0),
                left => left,
            },
        };
        let most = usize::try_from(most)
            .unwrap_or(usize::MAX)
            .min(target.len());
        let count = self.wire.read(&mut target[..most])?;
        if count == 0 {
            return self.reject(CUT_SHORT);
        }
        match &mut self.body {
            Body::Sized(left) => *left -= count as u64,
            Body::Chunked(chunked) => chunked.took(count as u64),
        }
        self.received += count as u64;
        Ok(count)
    }

    /// Reads framing until data comes, and returns how much; 0 at the end of the body.
    fn next_chunk(&mut self) -> io::Result<u64> {
        loop {
            let Body::Chunked(chunked) = &mut self.body else {
                return Ok(0);
            };
            match chunked.step(self.wire.input.bytes()) {
                Err(rejection) => return self.reject(rejection),
                Ok((used, step)) => {
                    self.wire.input.consume(used);
                    match step {
                        Step::End => return Ok(0),
                        Step::Data(left) => {
                            let total = self.received.saturating_add(left);
                            if total > self.settings.body_max {
                                return self.reject(BODY_TOO_LARGE);
                            }
                            return Ok(left);
                        }
                        // The decoder refuses a line before the buffer is full of it.
                        Step::More if self.wire.fill(2 * LINE_MAX)? == 0 => {
                            return self.reject(CUT_SHORT);
                        }
                        Step::More => {}
                    }
                }
            }
        }
    }

    pub(super) fn write_body(&mut self, bytes: &[u8]) -> io::Result<()> {
        match &mut self.stage {
            Stage::Unsent => {
                return Err(io::Error::new(
                    io::ErrorKind::InvalidInput,
                    "a response begins with its head",
                ));
            }
            Stage::Sized(left) => match left.checked_sub(bytes.len() as u64) {
                Some(rest) => *left = rest,
                None => {
                    return Err(io::Error::new(
                        io::ErrorKind::InvalidInput,
                        "the body is longer than its announced length",
                    ));
                }
            },
            Stage::Chunked | Stage::UntilClose => {}
        }
        if self.is_head {
            return Ok(());
        }
        if self.stage == Stage::Chunked {
            write!(self.wire.output, "{:x}\r\n", bytes.len())?;
            self.wire.put(bytes)?;
            return self.wire.put(b"\r\n");
        }
        self.wire.put(bytes)
    }

    /// Settles what the handler left undone. Returns whether the connection goes on.
    pub(super) fn conclude(mut self, outcome: io::Result<()>) -> io::Result<bool> {
        if self.wire.broken {
            return outcome.and(Ok(false));
        }
        let sent = match self.stage {
            Stage::Unsent => self.send_failure(outcome),
            _ if outcome.is_err() => self.cut(),
            // `HEAD` announces a body that never comes.
            Stage::Sized(left) if left > 0 && !self.is_head => self.cut(),
            Stage::Chunked if !self.is_head => self.wire.put(b"0\r\n\r\n"),
            _ => Ok(()),
        };
        sent?;
        if self.keep_alive && !self.body_is_complete() && !self.discard_body()? {
            self.keep_alive = false;
        }
        if !self.keep_alive {
            self.wire.leaves_unread = !self.body_is_complete();
            self.wire.flush()?;
        }
        Ok(self.keep_alive)
    }

    /// Sends what there is of a response that cannot be completed; the close shows that it is not
    /// whole.
    fn cut(&mut self) -> io::Result<()> {
        self.keep_alive = false;
        self.wire.flush()
    }

    fn send_failure(&mut self, outcome: io::Result<()>) -> io::Result<()> {
        let timed_out = outcome.is_err_and(|e| is_timeout(&e));
        let rejection = match self.rejection {
            Some(rejection) => rejection,
            None if timed_out => {
                Rejection::new(Status::REQUEST_TIMEOUT, "the request body took too long")
            }
            None => Rejection::new(
                Status::INTERNAL_SERVER_ERROR,
                "the server could not answer this",
            ),
        };
        if rejection.status != Status::INTERNAL_SERVER_ERROR {
            self.keep_alive = false;
        }
        self.send_rejection(rejection)
    }

    pub(super) fn send_rejection(&mut self, rejection: Rejection) -> io::Result<()> {
        self.respond(rejection.status)
            .header("content-type", "text/plain; charset=utf-8")
            .body(format!("{rejection}\n").as_bytes())
    }

    /// Reads the rest of the body away. Returns whether the next request can follow.
    ///
    /// Not inlined: its buffer would lie on the stack of every request.
    #[inline(never)]
    fn discard_body(&mut self) -> io::Result<bool> {
        self.give_up_on_long_body();
        if !self.keep_alive {
            return Ok(false);
        }
        let mut scrap = [0; 4096];
        let mut left = self.settings.discard_max;
        while !self.body_is_complete() {
            match self.read_body(&mut scrap) {
                Ok(0) => break,
                Ok(count) => match left.checked_sub(count as u64) {
                    Some(rest) => left = rest,
                    None => return Ok(false),
                },
                // The response is complete; a body that turns out malformed only ends the
                // connection.
                Err(_) if self.rejection.is_some() => return Ok(false),
                Err(e) => return Err(e),
            }
        }
        Ok(true)
    }
}

/// The request's body, unchunked; 0 at its end.
///
/// The first read of a body that waits for it sends `100 Continue`. A body that is malformed, cut
/// short or too long fails with `InvalidData`, and unless the response has begun the peer gets the
/// matching status, whatever the handler makes of the error.
impl<S: Read + Write> Read for Exchange<'_, S> {
    fn read(&mut self, target: &mut [u8]) -> io::Result<usize> {
        self.read_body(target)
    }
}

/// The response's body. Bytes are gathered up to 16 KiB; `flush` sends them at once.
impl<S: Read + Write> Write for Exchange<'_, S> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        // An empty chunk would end the body.
        if !bytes.is_empty() {
            self.write_body(bytes)?;
        }
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        self.wire.flush()
    }
}

pub(super) const BODY_TOO_LARGE: Rejection =
    Rejection::new(Status::CONTENT_TOO_LARGE, "the request body is too large");
const CUT_SHORT: Rejection = Rejection::bad("the request body ended early");
