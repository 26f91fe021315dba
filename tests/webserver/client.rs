//! A client that sends exactly what it is told and reads responses one by one.

use std::io::{self, Read, Write};
use std::net::{Shutdown, SocketAddr, TcpStream};
use std::time::Duration;

/// Longer than anything takes; a test that meets it has found a hang.
pub(crate) const WATCHDOG: Duration = Duration::from_secs(30);

/// A connection to the server.
pub(crate) struct Client<S = TcpStream> {
    pub(crate) stream: S,
    /// Read and not yet part of a reply.
    rest: Vec<u8>,
}

/// A response.
#[derive(Debug)]
pub(crate) struct Reply {
    pub(crate) status: u16,
    pub(crate) head: String,
    pub(crate) body: Vec<u8>,
}

impl Reply {
    /// The value of a field.
    pub(crate) fn field(&self, name: &str) -> Option<&str> {
        self.head.lines().find_map(|line| {
            let (field, value) = line.split_once(": ")?;
            field.eq_ignore_ascii_case(name).then_some(value)
        })
    }

    pub(crate) fn text(&self) -> &str {
        std::str::from_utf8(&self.body).expect("text")
    }

    pub(crate) fn closes(&self) -> bool {
        self.field("connection") == Some("close")
    }
}

pub(crate) fn tcp(address: SocketAddr) -> TcpStream {
    let stream = TcpStream::connect(address).expect("the server listens");
    stream.set_read_timeout(Some(WATCHDOG)).expect("not zero");
    stream.set_write_timeout(Some(WATCHDOG)).expect("not zero");
    stream
}

impl Client {
    pub(crate) fn connect(address: SocketAddr) -> Self {
        Self::new(tcp(address))
    }

    /// Another handle of the same connection, to write while this one reads.
    pub(crate) fn writer(&self) -> TcpStream {
        self.stream.try_clone().expect("a descriptor is free")
    }

    /// Ends the request stream; responses can still be read.
    pub(crate) fn finish(&self) {
        self.stream.shutdown(Shutdown::Write).expect("connected");
    }
}

impl<S: Read + Write> Client<S> {
    pub(crate) fn new(stream: S) -> Self {
        Self {
            stream,
            rest: Vec::new(),
        }
    }

    pub(crate) fn send(&mut self, bytes: impl AsRef<[u8]>) {
        self.stream
            .write_all(bytes.as_ref())
            .expect("the server reads");
        self.stream.flush().expect("the server reads");
    }

    /// Sends a GET and reads its reply.
    pub(crate) fn get(&mut self, path: &str) -> Reply {
        self.send(format!("GET {path} HTTP/1.1\r\nHost: localhost\r\n\r\n"));
        self.reply()
    }

    /// Reads more. Returns `false` at the end of the connection.
    fn more(&mut self) -> bool {
        let mut piece = [0; 64 * 1024];
        match self.stream.read(&mut piece) {
            Ok(0) => false,
            Ok(count) => {
                self.rest.extend_from_slice(&piece[..count]);
                true
            }
            Err(e) if e.kind() == io::ErrorKind::ConnectionReset => false,
            Err(e) => panic!("{e} after {:?}", String::from_utf8_lossy(&self.rest)),
        }
    }

    fn until(&mut self, mut complete: impl FnMut(&[u8]) -> Option<usize>) -> Vec<u8> {
        loop {
            if let Some(length) = complete(&self.rest) {
                let after = self.rest.split_off(length);
                return std::mem::replace(&mut self.rest, after);
            }
            assert!(
                self.more(),
                "the connection ended in {:?}",
                String::from_utf8_lossy(&self.rest)
            );
        }
    }

    fn line_end(bytes: &[u8]) -> Option<usize> {
        bytes
            .windows(2)
            .position(|pair| pair == b"\r\n")
            .map(|at| at + 2)
    }

    /// Reads one reply, of which `HEAD` has no body.
    pub(crate) fn reply_head(&mut self) -> Reply {
        let end = |bytes: &[u8]| bytes.windows(4).position(|four| four == b"\r\n\r\n");
        let head = self.until(|bytes| end(bytes).map(|at| at + 4));
        let head = String::from_utf8(head).expect("ASCII");
        let status = head
            .split(' ')
            .nth(1)
            .and_then(|code| code.parse().ok())
            .expect("a code");
        Reply {
            status,
            head,
            body: Vec::new(),
        }
    }

    /// Reads one reply with its body.
    pub(crate) fn reply(&mut self) -> Reply {
        let mut reply = self.reply_head();
        if let Some(length) = reply.field("content-length") {
            let length: usize = length.parse().expect("a number");
            reply.body = self.until(|bytes| (bytes.len() >= length).then_some(length));
        } else if reply.field("transfer-encoding") == Some("chunked") {
            loop {
                let line = self.until(Self::line_end);
                let size = std::str::from_utf8(&line).expect("hexadecimal").trim_end();
                let size = usize::from_str_radix(size, 16).expect("hexadecimal");
                let chunk = self.until(|bytes| (bytes.len() >= size + 2).then_some(size + 2));
                reply.body.extend_from_slice(&chunk[..size]);
                if size == 0 {
                    break;
                }
            }
        }
        reply
    }

    /// Waits for the end of the connection, before which nothing may come.
    pub(crate) fn assert_ended(&mut self) {
        while self.more() {}
        assert!(
            self.rest.is_empty(),
            "more came: {:?}",
            String::from_utf8_lossy(&self.rest)
        );
    }

    /// Sends `request` and expects this reply and the end of the connection.
    pub(crate) fn assert_refused(&mut self, request: impl AsRef<[u8]>, status: u16) {
        let request = request.as_ref();
        // The server may have refused and closed before it got everything.
        let _ = self
            .stream
            .write_all(request)
            .and_then(|()| self.stream.flush());
        let shown = String::from_utf8_lossy(&request[..request.len().min(200)]).into_owned();
        let reply = self.reply();
        assert_eq!(reply.status, status, "{shown:?}: {}", reply.text());
        assert!(reply.closes(), "{shown:?}");
        self.assert_ended();
    }
}
