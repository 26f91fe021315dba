//! A connection: one request after the other, over buffers that outlive each of them.

use std::cell::RefCell;
use std::io::{self, Read, Write};
use std::sync::Arc;

use super::exchange::Exchange;
use super::parse::parse_head;
use super::request::{Method, Request};
use super::settings::Settings;
use super::status::{Rejection, Status};
use super::wire::{Wire, is_timeout};

/// An HTTP/1.1 or 1.0 connection, on the side of the server.
///
/// ```
/// # use std::{io::{self, Read, Write}, sync::Arc};
/// # use examples::http::{Connection, Settings, Status};
/// fn serve(stream: impl Read + Write) -> io::Result<()> {
///     let mut connection = Connection::new(stream, Arc::new(Settings::default()));
///     while connection.wait()? {
///         match connection.read_request() {
///             Ok(()) => {}
///             Err(refused) => return connection.refuse(refused),
///         }
///         let goes_on = connection.answer(|request, exchange| match request.path() {
///             "/hello" => exchange.respond(Status::OK).body(b"Hello, world!"),
///             _ => exchange.respond_plainly(Status::NOT_FOUND),
///         })?;
///         if !goes_on {
///             break;
///         }
///     }
///     Ok(())
/// }
/// ```
#[derive(Debug)]
pub struct Connection<S> {
    pub(super) wire: Wire<S>,
    pub(super) request: Request,
    settings: Arc<Settings>,
}

/// Why there is no request to answer.
#[derive(Debug)]
pub enum NoRequest {
    /// The peer closed the connection.
    Closed,
    /// The peer sent something that is refused; see [`Connection::refuse`].
    Rejected(Rejection),
    /// The stream failed.
    Failed(io::Error),
}

impl<S: Read + Write> Connection<S> {
    /// A connection whose next bytes are a request.
    pub fn new(stream: S, settings: Arc<Settings>) -> Self {
        Self {
            wire: Wire::new(stream),
            request: Request::default(),
            settings,
        }
    }

    /// The stream.
    pub fn stream(&self) -> &S {
        &self.wire.stream
    }

    /// Sends what is still buffered and waits until the next request begins to arrive.
    ///
    /// Returns `false` when the peer has closed the connection instead. With pipelined requests it
    /// does not wait at all.
    ///
    /// # Errors
    ///
    /// When the stream fails; `TimedOut` or `WouldBlock` mean that nothing came in time.
    ///
    /// The buffers of the last request are kept for the next one. Where that does not come, in time
    /// or at all, they are given back.
    pub fn wait(&mut self) -> io::Result<bool> {
        if !self.wire.input.is_empty() {
            return Ok(true);
        }
        self.wire.flush()?;
        self.wire.input.settle();
        let filled = self.wire.fill(self.settings.head_max);
        if !matches!(filled, Ok(1..)) {
            give_back(&mut self.request, &mut self.wire.output);
        }
        Ok(filled? > 0)
    }

    /// Sends what is still buffered. [`wait`](Self::wait) does so too; this is for those who want
    /// to tell the two waits apart.
    ///
    /// # Errors
    ///
    /// When the stream fails.
    pub fn flush(&mut self) -> io::Result<()> {
        self.wire.flush()
    }

    /// Whether a part of the next request is here already.
    pub fn has_input(&self) -> bool {
        !self.wire.input.is_empty()
    }

    /// Reads the head of the next request, waiting for what is missing of it.
    ///
    /// # Errors
    ///
    /// See [`NoRequest`]. A read that ran out of time is a rejection with 408.
    pub fn read_request(&mut self) -> Result<(), NoRequest> {
        if self.request.bytes.capacity() == 0 {
            (self.request, self.wire.output) = take_spare();
        }
        let mut seen = 0;
        loop {
            let input = self.wire.input.bytes();
            // A head cannot end, and hardly go wrong, within a line: what trickles in byte by byte
            // is not parsed from its beginning each time.
            if seen == 0 || input[seen..].contains(&b'\n') || input.len() >= self.settings.head_max
            {
                let parsed = parse_head(&mut self.request, input, &self.settings);
                seen = input.len();
                if let Some(length) = parsed.map_err(NoRequest::Rejected)? {
                    self.wire.input.consume(length);
                    return Ok(());
                }
            }
            match self.wire.fill(self.settings.head_max) {
                Ok(0) => return Err(NoRequest::Closed),
                Ok(_) => {}
                Err(e) if is_timeout(&e) => return Err(NoRequest::Rejected(TOO_SLOW)),
                Err(e) => return Err(NoRequest::Failed(e)),
            }
        }
    }

    /// Whether the peer may still be sending what nobody is going to read.
    ///
    /// A socket that is closed over unread bytes resets the connection, and the reset can overtake
    /// the last response. So such a connection should be shut down for writing first and be read
    /// for a while (RFC 9112 section 9.6).
    pub fn leaves_unread(&self) -> bool {
        !self.wire.broken && (self.wire.leaves_unread || !self.wire.input.is_empty())
    }

    /// Whether the head of a request is buffered from its first to its last byte, probably.
    ///
    /// With this a caller saves itself a time limit for [`read_request`](Self::read_request), which
    /// then does not wait; it only looks at the end of what has arrived.
    pub fn has_request(&self) -> bool {
        self.wire.input.bytes().ends_with(b"\r\n\r\n")
    }

    /// Lets `handler` answer the request that was read, and settles what it leaves undone.
    ///
    /// Returns whether the connection goes on. The response may still be buffered then: the next
    /// [`wait`](Self::wait) sends it.
    ///
    /// # Errors
    ///
    /// When the stream fails. An error that the handler returns becomes a response.
    pub fn answer<F>(&mut self, handler: F) -> io::Result<bool>
    where
        F: FnOnce(&Request, &mut Exchange<'_, S>) -> io::Result<()>,
    {
        match Exchange::new(&mut self.wire, &self.settings, &self.request) {
            Ok(mut exchange) => {
                let outcome = handler(&self.request, &mut exchange);
                exchange.conclude(outcome)
            }
            Err(rejection) => self.refuse(NoRequest::Rejected(rejection)).map(|()| false),
        }
    }

    /// Tells the peer why there is no answer, where there is anything to tell. The connection is at
    /// its end.
    ///
    /// # Errors
    ///
    /// When the stream fails.
    pub fn refuse(&mut self, refused: NoRequest) -> io::Result<()> {
        match refused {
            NoRequest::Closed => self.wire.flush(),
            NoRequest::Failed(error) => Err(error),
            NoRequest::Rejected(rejection) => {
                self.wire.leaves_unread = true;
                // The response to a request of which nothing is known but that it is refused.
                self.request.framing = Default::default();
                self.request.method = Method::Get;
                self.request.keep_alive = false;
                if let Ok(mut exchange) =
                    Exchange::new(&mut self.wire, &self.settings, &self.request)
                {
                    exchange.send_rejection(rejection)?;
                }
                self.wire.flush()
            }
        }
    }
}

const TOO_SLOW: Rejection =
    Rejection::new(Status::REQUEST_TIMEOUT, "the request head took too long");

/// Buffers that grew beyond this are freed rather than kept.
const SPARE_MAX: usize = 64 * 1024;
/// Pairs of buffers that a thread keeps for connections that speak again after a silence.
const SPARES: usize = 256;

thread_local! {
    static SPARE: RefCell<Vec<(Request, Vec<u8>)>> = const { RefCell::new(Vec::new()) };
}

fn take_spare() -> (Request, Vec<u8>) {
    SPARE.with_borrow_mut(Vec::pop).unwrap_or_else(|| {
        let request = Request {
            bytes: Vec::with_capacity(1024),
            ..Request::default()
        };
        (request, Vec::with_capacity(1024))
    })
}

fn give_back(request: &mut Request, output: &mut Vec<u8>) {
    if request.bytes.capacity() == 0 {
        return;
    }
    let pair = (std::mem::take(request), std::mem::take(output));
    SPARE.with_borrow_mut(|spare| {
        if spare.len() < SPARES && pair.0.bytes.capacity() + pair.1.capacity() <= SPARE_MAX {
            spare.push(pair);
        }
    });
}
