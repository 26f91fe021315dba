//! A client of PostgreSQL on `postgres-protocol`: start-up with SCRAM, simple
//! and extended queries, all values as text.

use bytes::BytesMut;
use fallible_iterator::FallibleIterator;
use postgres_protocol::IsNull;
use postgres_protocol::authentication::sasl::{ChannelBinding, SCRAM_SHA_256, ScramSha256};
use postgres_protocol::message::backend::{DataRowBody, ErrorResponseBody, Message};
use postgres_protocol::message::frontend;
use std::io::{self, ErrorKind, Read, Write};

/// A connection over any stream.
pub(crate) struct Client<S> {
    stream: S,
    incoming: BytesMut,
}

impl<S: Read + Write> Client<S> {
    /// Logs in to the database `postgres`.
    pub(crate) fn start(stream: S, user: &str, password: &str) -> io::Result<Client<S>> {
        let incoming = BytesMut::new();
        let mut client = Client { stream, incoming };
        let parameters = [("user", user), ("database", "postgres")];
        client.send(|buffer| frontend::startup_message(parameters, buffer))?;
        let mut scram = ScramSha256::new(password.as_bytes(), ChannelBinding::unsupported());
        loop {
            match client.receive()? {
                Message::AuthenticationSasl(body) => {
                    let mut mechanisms = body.mechanisms();
                    if !mechanisms.any(|mechanism| Ok(mechanism == SCRAM_SHA_256))? {
                        return Err(io::Error::other("no SCRAM"));
                    }
                    client.send(|buffer| {
                        frontend::sasl_initial_response(SCRAM_SHA_256, scram.message(), buffer)
                    })?;
                }
                Message::AuthenticationSaslContinue(body) => {
                    scram.update(body.data())?;
                    client.send(|buffer| frontend::sasl_response(scram.message(), buffer))?;
                }
                Message::AuthenticationSaslFinal(body) => scram.finish(body.data())?,
                Message::ReadyForQuery(_) => return Ok(client),
                Message::ErrorResponse(body) => return Err(of_server(&body)),
                // Settings, the key for cancelling, and that the login is done.
                _ => (),
            }
        }
    }

    /// Runs statements by the simple protocol.
    pub(crate) fn query(&mut self, text: &str) -> io::Result<Vec<Vec<String>>> {
        self.send(|buffer| frontend::query(text, buffer))?;
        self.rows()
    }

    /// Runs one statement by the extended protocol: parse, bind, execute, sync.
    pub(crate) fn execute(&mut self, text: &str, values: &[&str]) -> io::Result<Vec<Vec<String>>> {
        self.send(|buffer| {
            frontend::parse("", text, [], buffer)?;
            let write = |value: &&str, buffer: &mut BytesMut| {
                buffer.extend_from_slice(value.as_bytes());
                Ok(IsNull::No)
            };
            let bound = frontend::bind("", "", [], values, write, [], buffer);
            bound.map_err(|_| ErrorKind::InvalidInput)?;
            frontend::execute("", 0, buffer)?;
            frontend::sync(buffer);
            Ok(())
        })?;
        self.rows()
    }

    /// All rows until the server is ready again, or its first error.
    fn rows(&mut self) -> io::Result<Vec<Vec<String>>> {
        let (mut rows, mut failed) = (Vec::new(), None);
        loop {
            match self.receive()? {
                Message::DataRow(body) => rows.push(texts(&body)?),
                Message::ErrorResponse(body) => failed = Some(of_server(&body)),
                Message::ReadyForQuery(_) => return failed.map_or(Ok(rows), Err),
                _ => (),
            }
        }
    }

    fn send(&mut self, write: impl FnOnce(&mut BytesMut) -> io::Result<()>) -> io::Result<()> {
        let mut buffer = BytesMut::new();
        write(&mut buffer)?;
        self.stream.write_all(&buffer)
    }

    fn receive(&mut self) -> io::Result<Message> {
        loop {
            if let Some(message) = Message::parse(&mut self.incoming)? {
                return Ok(message);
            }
            let mut piece = [0; 8192];
            match self.stream.read(&mut piece)? {
                0 => return Err(ErrorKind::UnexpectedEof.into()),
                count => self.incoming.extend_from_slice(&piece[..count]),
            }
        }
    }
}

fn texts(row: &DataRowBody) -> io::Result<Vec<String>> {
    let ranges = row.ranges().collect::<Vec<_>>()?;
    let text = |range: Option<std::ops::Range<usize>>| {
        let bytes = range.map_or(&[][..], |range| &row.buffer()[range]);
        String::from_utf8_lossy(bytes).into_owned()
    };
    Ok(ranges.into_iter().map(text).collect())
}

fn of_server(body: &ErrorResponseBody) -> io::Error {
    let fields = body
        .fields()
        .map(|field| Ok(String::from_utf8_lossy(field.value_bytes()).into_owned()));
    match fields.collect::<Vec<_>>() {
        Ok(fields) => io::Error::other(fields.join("; ")),
        Err(error) => error,
    }
}
