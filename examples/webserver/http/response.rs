//! The head of a response, written straight into the output buffer.

use std::io::{self, Read, Write};

use super::date;
use super::exchange::{Exchange, Stage};
use super::status::Status;

/// A response whose head is being written; [`body`](Self::body) or [`start`](Self::start) ends it.
///
/// Dropped before that, it leaves nothing behind, so that another response may be sent.
#[must_use = "nothing is sent before `body` or `start`"]
#[derive(Debug)]
pub struct Response<'e, 'c, S> {
    exchange: &'e mut Exchange<'c, S>,
    status: Status,
    /// Where in the output this response begins.
    begin: usize,
    committed: bool,
}

impl<'e, 'c, S: Read + Write> Response<'e, 'c, S> {
    pub(super) fn new(exchange: &'e mut Exchange<'c, S>, status: Status) -> Self {
        let output = &mut exchange.wire.output;
        let begin = output.len();
        if status == Status::OK {
            output.extend_from_slice(b"HTTP/1.1 200 OK\r\nserver: greenling\r\ndate: ");
        } else {
            output.extend_from_slice(b"HTTP/1.1 ");
            push_decimal(output, status.0.into());
            output.push(b' ');
            output.extend_from_slice(status.reason().as_bytes());
            output.extend_from_slice(b"\r\nserver: greenling\r\ndate: ");
        }
        date::push_now(output);
        output.extend_from_slice(b"\r\n");
        Self {
            exchange,
            status,
            begin,
            committed: false,
        }
    }

    /// Adds a header field. `Content-Length`, `Transfer-Encoding`, `Connection`, `Date` and
    /// `Server` are written by this type itself.
    ///
    /// Control characters in `value` become spaces, so that a value which a peer chose cannot begin
    /// another field.
    // Inlined always, so that names and values known at compile time become a few moves.
    #[inline(always)]
    pub fn header(self, name: &str, value: impl AsRef<[u8]>) -> Self {
        let (output, value) = (&mut self.exchange.wire.output, value.as_ref());
        output.extend_from_slice(name.as_bytes());
        output.extend_from_slice(b": ");
        if value.iter().any(u8::is_ascii_control) {
            let space_for_control = |&byte: &u8| if byte.is_ascii_control() { b' ' } else { byte };
            output.extend(value.iter().map(space_for_control));
        } else {
            output.extend_from_slice(value);
        }
        output.extend_from_slice(b"\r\n");
        self
    }

    /// Adds a header field whose value is a number.
    pub fn header_number(self, name: &str, value: u64) -> Self {
        let output = &mut self.exchange.wire.output;
        output.extend_from_slice(name.as_bytes());
        output.extend_from_slice(b": ");
        push_decimal(output, value);
        output.extend_from_slice(b"\r\n");
        self
    }

    /// Sends the response with `body`, which for `HEAD` is only counted.
    ///
    /// # Errors
    ///
    /// When the stream fails, or when this request has been answered already.
    pub fn body(mut self, body: &[u8]) -> io::Result<()> {
        self.exchange.give_up_on_long_body();
        self.commit(Some(body.len() as u64))?;
        if self.status.is_bodyless() {
            Ok(())
        } else {
            self.exchange.write_body(body)
        }
    }

    /// Sends the head; the body follows by writing to the [`Exchange`].
    ///
    /// With a `length`, exactly that many bytes must follow. Without one the body is chunked, or
    /// for HTTP/1.0 ends with the connection.
    ///
    /// # Errors
    ///
    /// When the stream fails, or when this request has been answered already.
    pub fn start(mut self, length: Option<u64>) -> io::Result<()> {
        self.commit(length)
    }

    fn commit(&mut self, length: Option<u64>) -> io::Result<()> {
        let exchange = &mut *self.exchange;
        if exchange.stage != Stage::Unsent {
            return Err(io::Error::new(
                io::ErrorKind::InvalidInput,
                "the request has been answered already",
            ));
        }
        exchange.stage = match length {
            _ if self.status.is_bodyless() => Stage::Sized(0),
            Some(length) => Stage::Sized(length),
            None if exchange.is_http10 => {
                exchange.keep_alive = false;
                Stage::UntilClose
            }
            None => Stage::Chunked,
        };
        exchange.keep_alive &= !exchange.settings.draining.is_draining();
        let output = &mut exchange.wire.output;
        match exchange.stage {
            Stage::Sized(length) if !self.status.is_bodyless() => {
                output.extend_from_slice(b"content-length: ");
                push_decimal(output, length);
                output.extend_from_slice(b"\r\n");
            }
            Stage::Chunked => output.extend_from_slice(b"transfer-encoding: chunked\r\n"),
            _ => {}
        }
        if !exchange.keep_alive {
            output.extend_from_slice(b"connection: close\r\n");
        } else if exchange.is_http10 {
            output.extend_from_slice(b"connection: keep-alive\r\n");
        }
        output.extend_from_slice(b"\r\n");
        self.committed = true;
        Ok(())
    }
}

impl<S> Drop for Response<'_, '_, S> {
    fn drop(&mut self) {
        if !self.committed {
            self.exchange.wire.output.truncate(self.begin);
        }
    }
}

/// Appends `value` in decimal, without the machinery of `format!`.
fn push_decimal(output: &mut Vec<u8>, value: u64) {
    output.extend_from_slice(itoa::Buffer::new().format(value).as_bytes());
}
