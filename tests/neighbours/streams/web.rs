//! A small HTTP/1.1 server on `httparse`, and what reads its answers.

use std::io::{self, ErrorKind, Read, Write};

/// More than any head or body of these tests has.
const LONGEST: usize = 1 << 20;

/// A request with its body.
#[derive(Debug)]
pub(crate) struct Request {
    pub(crate) method: String,
    pub(crate) path: String,
    headers: Vec<(String, String)>,
    pub(crate) body: Vec<u8>,
}

impl Request {
    /// The first value of a header, nothing if it is not there.
    pub(crate) fn header(&self, name: &str) -> &str {
        value(&self.headers, name)
    }
}

fn value<'a>(headers: &'a [(String, String)], name: &str) -> &'a str {
    let mut all = headers.iter();
    let found = all.find(|header| header.0.eq_ignore_ascii_case(name));
    found.map_or("", |header| &header.1)
}

fn owned(headers: &[httparse::Header<'_>]) -> Vec<(String, String)> {
    let text = |header: &httparse::Header<'_>| {
        let value = String::from_utf8_lossy(header.value);
        (header.name.to_owned(), value.into_owned())
    };
    headers.iter().map(text).collect()
}

/// What is read, with what was read too much of it.
pub(crate) struct Incoming<S> {
    stream: S,
    buffer: Vec<u8>,
}

impl<S: Read> Incoming<S> {
    pub(crate) fn new(stream: S) -> Incoming<S> {
        Incoming {
            stream,
            buffer: Vec::new(),
        }
    }

    /// The next request; `None` when the client has closed the connection.
    pub(crate) fn request(&mut self) -> io::Result<Option<Request>> {
        loop {
            let mut headers = [httparse::EMPTY_HEADER; 32];
            let mut head = httparse::Request::new(&mut headers);
            let status = head.parse(&self.buffer).map_err(io::Error::other)?;
            if let httparse::Status::Complete(length) = status {
                let mut request = Request {
                    method: head.method.unwrap_or_default().to_owned(),
                    path: head.path.unwrap_or_default().to_owned(),
                    headers: owned(head.headers),
                    body: Vec::new(),
                };
                self.buffer.drain(..length);
                request.body = self.body(request.header("content-length"))?;
                return Ok(Some(request));
            }
            if self.more()? == 0 {
                return match self.buffer.is_empty() {
                    true => Ok(None),
                    false => Err(ErrorKind::UnexpectedEof.into()),
                };
            }
        }
    }

    /// The next response: its status and its body.
    pub(crate) fn response(&mut self) -> io::Result<(u16, Vec<u8>)> {
        loop {
            let mut headers = [httparse::EMPTY_HEADER; 32];
            let mut head = httparse::Response::new(&mut headers);
            let status = head.parse(&self.buffer).map_err(io::Error::other)?;
            if let httparse::Status::Complete(length) = status {
                let code = head.code.unwrap_or_default();
                let headers = owned(head.headers);
                self.buffer.drain(..length);
                return Ok((code, self.body(value(&headers, "content-length"))?));
            }
            if self.more()? == 0 {
                return Err(ErrorKind::UnexpectedEof.into());
            }
        }
    }

    fn body(&mut self, length: &str) -> io::Result<Vec<u8>> {
        let length = match length {
            "" => 0,
            length => length.parse().map_err(io::Error::other)?,
        };
        if length > LONGEST {
            return Err(ErrorKind::InvalidData.into());
        }
        while self.buffer.len() < length {
            if self.more()? == 0 {
                return Err(ErrorKind::UnexpectedEof.into());
            }
        }
        Ok(self.buffer.drain(..length).collect())
    }

    fn more(&mut self) -> io::Result<usize> {
        if self.buffer.len() > LONGEST {
            return Err(ErrorKind::InvalidData.into());
        }
        let mut piece = [0; 4096];
        let count = self.stream.read(&mut piece)?;
        self.buffer.extend_from_slice(&piece[..count]);
        Ok(count)
    }
}

/// Answers 200 with a body whose length is told.
pub(crate) fn answer(mut stream: impl Write, body: &[u8]) -> io::Result<()> {
    let length = body.len();
    let mut bytes = format!("HTTP/1.1 200 OK\r\nContent-Length: {length}\r\n\r\n").into_bytes();
    bytes.extend_from_slice(body);
    stream.write_all(&bytes)
}
