//! A blocking HTTPS client for `idle` and `soak`, on OS threads.

use std::io::{self, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::time::Duration;

use openssl::ssl::{HandshakeError, SslConnector, SslMethod, SslStream};

use crate::ground::Ground;

/// A server that stays silent for so long is taken for hung.
const SILENCE_MAX: Duration = Duration::from_secs(20);

/// Heads longer than this are not what these servers send.
const HEAD_MAX: usize = 16 * 1024;

/// A connector that trusts the certificate of `ground` and nothing else.
pub(crate) fn connector(ground: &Ground) -> io::Result<SslConnector> {
    let mut builder = SslConnector::builder(SslMethod::tls_client())?;
    builder.set_ca_file(ground.certificate())?;
    Ok(builder.build())
}

/// A connection; what was read ahead of the current answer waits in `ahead`.
#[derive(Debug)]
pub(crate) struct Client {
    stream: SslStream<TcpStream>,
    ahead: Vec<u8>,
}

/// An answer.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) body: Vec<u8>,
}

/// A TCP connection that cannot hang for ever.
pub(crate) fn connect_plain(address: SocketAddr) -> io::Result<TcpStream> {
    let socket = TcpStream::connect(address)?;
    socket.set_nodelay(true)?;
    socket.set_read_timeout(Some(SILENCE_MAX))?;
    socket.set_write_timeout(Some(SILENCE_MAX))?;
    Ok(socket)
}

impl Client {
    /// Connects and handshakes.
    pub(crate) fn connect(connector: &SslConnector, address: SocketAddr) -> io::Result<Client> {
        let socket = connect_plain(address)?;
        let stream = connector
            .connect("localhost", socket)
            .map_err(|error| match error {
                HandshakeError::SetupFailure(error) => io::Error::other(error),
                HandshakeError::Failure(middle) | HandshakeError::WouldBlock(middle) => {
                    io::Error::other(format!("handshake: {}", middle.error()))
                }
            })?;
        Ok(Client {
            stream,
            ahead: Vec::new(),
        })
    }

    /// Sends bytes: a request, several, or a part of one.
    pub(crate) fn send(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.stream.write_all(bytes)
    }

    /// Asks for `path` and reads the answer.
    pub(crate) fn get(&mut self, path: &str) -> io::Result<Answer> {
        self.send(format!("GET {path} HTTP/1.1\r\nHost: localhost\r\n\r\n").as_bytes())?;
        self.answer()
    }

    /// Reads the next answer, which must have a Content-Length.
    pub(crate) fn answer(&mut self) -> io::Result<Answer> {
        let end = loop {
            if let Some(at) = self
                .ahead
                .windows(4)
                .position(|window| window == b"\r\n\r\n")
            {
                break at + 4;
            }
            if self.ahead.len() > HEAD_MAX {
                return Err(io::Error::other("the answer's head does not end"));
            }
            self.read_more()?;
        };
        let head = String::from_utf8_lossy(&self.ahead[..end]).into_owned();
        let (status, length) = parse_head(&head)
            .ok_or_else(|| io::Error::other(format!("unexpected answer {head:?}")))?;
        while self.ahead.len() < end + length {
            self.read_more()?;
        }
        let rest = self.ahead.split_off(end + length);
        let body = std::mem::replace(&mut self.ahead, rest).split_off(end);
        Ok(Answer { status, body })
    }

    fn read_more(&mut self) -> io::Result<()> {
        let mut buffer = [0; 16 * 1024];
        match self.stream.read(&mut buffer)? {
            0 => Err(io::ErrorKind::UnexpectedEof.into()),
            length => {
                self.ahead.extend_from_slice(&buffer[..length]);
                Ok(())
            }
        }
    }

    /// Says goodbye as TLS wants it.
    pub(crate) fn close(mut self) -> io::Result<()> {
        self.stream.shutdown().map_err(io::Error::other).map(|_| ())
    }

    /// The socket below, to cut the connection without a goodbye.
    pub(crate) fn socket(&self) -> &TcpStream {
        self.stream.get_ref()
    }
}

/// Status and Content-Length of an answer's head.
fn parse_head(head: &str) -> Option<(u16, usize)> {
    let mut lines = head.split("\r\n");
    let status = lines
        .next()?
        .strip_prefix("HTTP/1.1 ")?
        .split(' ')
        .next()?
        .parse()
        .ok()?;
    let length = lines.find_map(|line| {
        let (name, value) = line.split_once(':')?;
        name.eq_ignore_ascii_case("content-length")
            .then(|| value.trim().parse().ok())?
    })?;
    Some((status, length))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_head_gives_status_and_length() {
        let head = "HTTP/1.1 200 OK\r\nServer: x\r\ncontent-length: 13\r\n\r\n";
        assert_eq!(parse_head(head), Some((200, 13)));
        assert_eq!(parse_head("HTTP/1.1 200 OK\r\n\r\n"), None);
        assert_eq!(parse_head("SSH-2.0\r\n\r\n"), None);
    }
}
