//! The module over streams in memory: no socket, no clock, every cut of the input.

mod bodies;
mod persistence;
mod requests;

use std::io::{self, Read, Write};
use std::sync::Arc;

use super::{Connection, Exchange, Method, Request, Settings, Status};

/// A peer that sends `input` in pieces of at most `piece` bytes, then ends or falls silent.
struct Script<'i> {
    input: &'i [u8],
    piece: usize,
    silent: bool,
    /// One entry for each write.
    written: Vec<Vec<u8>>,
}

impl Read for Script<'_> {
    fn read(&mut self, target: &mut [u8]) -> io::Result<usize> {
        if self.input.is_empty() && self.silent {
            return Err(io::ErrorKind::TimedOut.into());
        }
        let count = self.piece.min(target.len()).min(self.input.len());
        let (now, later) = self.input.split_at(count);
        target[..count].copy_from_slice(now);
        self.input = later;
        Ok(count)
    }
}

impl Write for Script<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.written.push(bytes.to_vec());
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// What came of a connection.
#[derive(Debug, PartialEq, Eq)]
struct Outcome {
    output: Vec<u8>,
    writes: usize,
    /// What the peer sent and nobody read.
    unread: usize,
}

impl Outcome {
    fn responses(&self) -> Vec<Reply> {
        let mut replies = Vec::new();
        let mut rest = &self.output[..];
        while !rest.is_empty() {
            let (reply, after) = Reply::parse(rest, Method::Get);
            replies.push(reply);
            rest = after;
        }
        replies
    }

    fn statuses(&self) -> Vec<u16> {
        self.responses().iter().map(|reply| reply.status).collect()
    }
}

#[derive(Debug)]
struct Reply {
    status: u16,
    head: String,
    body: Vec<u8>,
}

impl Reply {
    fn parse(bytes: &[u8], asked: Method) -> (Self, &[u8]) {
        let mut slots = [httparse::EMPTY_HEADER; 32];
        let mut parsed = httparse::Response::new(&mut slots);
        let length = match parsed.parse(bytes).expect("a well-formed response") {
            httparse::Status::Complete(length) => length,
            httparse::Status::Partial => panic!("cut: {:?}", String::from_utf8_lossy(bytes)),
        };
        let status = parsed.code.expect("a complete head has a code");
        let field = |name: &str| {
            let found = parsed
                .headers
                .iter()
                .find(|h| h.name.eq_ignore_ascii_case(name));
            found.map(|h| String::from_utf8_lossy(h.value).into_owned())
        };
        let (head, mut rest) = bytes.split_at(length);
        let mut body = Vec::new();
        if let Some(length) = field("content-length") {
            if asked != Method::Head {
                let length = length.parse().expect("a number");
                body.extend_from_slice(&rest[..length]);
                rest = &rest[length..];
            }
        } else if field("transfer-encoding").is_some() {
            loop {
                let end = rest
                    .windows(2)
                    .position(|w| w == b"\r\n")
                    .expect("a chunk size");
                let size = std::str::from_utf8(&rest[..end]).expect("hexadecimal");
                let size = usize::from_str_radix(size, 16).expect("hexadecimal");
                body.extend_from_slice(&rest[end + 2..end + 2 + size]);
                rest = &rest[end + 4 + size..];
                if size == 0 {
                    break;
                }
            }
        } else if status != 204 && status != 304 && status != 100 {
            body.extend_from_slice(rest);
            rest = &[];
        }
        (
            Self {
                status,
                head: String::from_utf8_lossy(head).into_owned(),
                body,
            },
            rest,
        )
    }
}

/// The routes of the tests.
fn route<S: Read + Write>(request: &Request, exchange: &mut Exchange<'_, S>) -> io::Result<()> {
    match request.path() {
        "/hello" | "*" => exchange
            .respond(Status::OK)
            .header("content-type", "text/plain")
            .body(b"Hello, world!"),
        "/echo" => {
            let mut body = Vec::new();
            exchange.read_to_end(&mut body)?;
            exchange.respond(Status::OK).body(&body)
        }
        "/chunks" => {
            exchange.respond(Status::OK).start(None)?;
            exchange.write_all(b"one ")?;
            exchange.write_all(b"")?;
            exchange.write_all(b"two")
        }
        "/copy" => {
            exchange
                .respond(Status::OK)
                .start(request.content_length())?;
            let mut piece = [0; 100];
            loop {
                match exchange.read(&mut piece)? {
                    0 => return Ok(()),
                    count => exchange.write_all(&piece[..count])?,
                }
            }
        }
        "/headers" => exchange
            .respond(Status::OK)
            .header("x-from-peer", "a\r\nx-injected: b")
            .body(b""),
        "/empty" => exchange.respond(Status::NO_CONTENT).body(b"never sent"),
        "/fails" => Err(io::Error::other("a handler's own trouble")),
        "/silent" => Ok(()),
        "/undecided" => {
            drop(exchange.respond(Status::OK).header("x-first", "thought"));
            exchange.respond_plainly(Status::FORBIDDEN)
        }
        "/cut" => {
            exchange.respond(Status::OK).start(Some(100))?;
            exchange.write_all(b"not a hundred")
        }
        "/cut-chunks" => {
            exchange.respond(Status::OK).start(None)?;
            exchange.write_all(b"and then")?;
            Err(io::Error::other("the source failed"))
        }
        "/twice" => {
            exchange.respond(Status::OK).body(b"first")?;
            assert!(exchange.respond(Status::OK).body(b"second").is_err());
            Ok(())
        }
        _ => exchange.respond_plainly(Status::NOT_FOUND),
    }
}

fn settings() -> Settings {
    Settings {
        head_max: 2048,
        target_max: 512,
        body_max: 10_000,
        discard_max: 1000,
        ..Settings::default()
    }
}

/// Serves a connection to its end.
fn serve(stream: &mut (impl Read + Write), settings: Settings) -> io::Result<()> {
    let mut connection = Connection::new(stream, Arc::new(settings));
    while connection.wait()? {
        if let Err(refused) = connection.read_request() {
            return connection.refuse(refused);
        }
        if !connection.answer(route)? {
            break;
        }
    }
    Ok(())
}

fn converse_in(input: &[u8], piece: usize, silent: bool, settings: Settings) -> Outcome {
    let mut script = Script {
        input,
        piece,
        silent,
        written: Vec::new(),
    };
    match serve(&mut script, settings) {
        Ok(()) => {}
        Err(e) if silent && e.kind() == io::ErrorKind::TimedOut => {}
        Err(e) => panic!("{e} after {:?}", String::from_utf8_lossy(input)),
    }
    Outcome {
        writes: script.written.len(),
        output: script.written.concat(),
        unread: script.input.len(),
    }
}

/// The peer sends all of `input` at once and closes its side.
fn converse(input: impl AsRef<[u8]>) -> Outcome {
    converse_in(input.as_ref(), usize::MAX, false, settings())
}
