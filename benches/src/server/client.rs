//! A blocking HTTPS client, for OS threads.

use std::io::{self, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::thread;
use std::time::Duration;

use openssl::ssl::{HandshakeError, SslConnector, SslMethod, SslStream};

use super::Ground;

/// A server that stays silent for so long is taken for hung.
const SILENCE_MAX: Duration = Duration::from_secs(20);

/// Heads longer than this are not what these servers send.
const HEAD_MAX: usize = 16 * 1024;

/// A connector that trusts the certificate of `ground` and nothing else.
///
/// # Errors
///
/// When the certificate cannot be read.
pub fn connector(ground: &Ground) -> io::Result<SslConnector> {
    let mut builder = SslConnector::builder(SslMethod::tls_client())?;
    builder.set_ca_file(ground.certificate())?;
    Ok(builder.build())
}

/// A connection; what was read ahead of the current answer waits in `ahead`.
#[derive(Debug)]
pub struct Client {
    stream: SslStream<TcpStream>,
    ahead: Vec<u8>,
}

/// An answer.
#[derive(Debug, PartialEq, Eq)]
pub struct Answer {
    /// The status code.
    pub status: u16,
    /// The whole body.
    pub body: Vec<u8>,
}

impl Answer {
    /// An error unless this is what `/hello` is answered with.
    ///
    /// # Errors
    ///
    /// With the answer in its text.
    pub fn expect_hello(&self) -> io::Result<()> {
        if self.status == 200 && self.body == b"Hello, world!" {
            Ok(())
        } else {
            Err(io::Error::other(format!("unexpected answer {self:?}")))
        }
    }
}

/// A TCP connection that cannot hang for ever.
///
/// # Errors
///
/// When nobody listens there.
pub fn connect_plain(address: SocketAddr) -> io::Result<TcpStream> {
    let socket = TcpStream::connect(address)?;
    socket.set_nodelay(true)?;
    socket.set_read_timeout(Some(SILENCE_MAX))?;
    socket.set_write_timeout(Some(SILENCE_MAX))?;
    Ok(socket)
}

/// `count` connections, each of which has had an answer. They are made by a few
/// threads, so that client and server work at the same time.
///
/// # Errors
///
/// When one of them had none.
pub fn crowd(
    connector: &SslConnector,
    address: SocketAddr,
    count: usize,
) -> io::Result<Vec<Client>> {
    let some = |count: usize| -> io::Result<Vec<Client>> {
        let one = |_| {
            let mut client = Client::connect(connector, address)?;
            client.get("/hello")?.expect_hello()?;
            Ok(client)
        };
        (0..count).map(one).collect()
    };
    thread::scope(|scope| {
        let share = count.div_ceil(4).max(1);
        let threads: Vec<_> = (0..count)
            .step_by(share)
            .map(|first| scope.spawn(move || some(share.min(count - first))))
            .collect();
        let mut all = Vec::with_capacity(count);
        for thread in threads {
            let part = thread.join();
            all.extend(part.map_err(|_| io::Error::other("a client thread panicked"))??);
        }
        Ok(all)
    })
}

impl Client {
    /// Connects and handshakes.
    ///
    /// # Errors
    ///
    /// When either fails.
    pub fn connect(connector: &SslConnector, address: SocketAddr) -> io::Result<Client> {
        let socket = connect_plain(address)?;
        Client::over(connector.connect("localhost", socket))
    }

    /// The client of a connection whose handshake ended as `outcome` says.
    pub(super) fn over(
        outcome: Result<SslStream<TcpStream>, HandshakeError<TcpStream>>,
    ) -> io::Result<Client> {
        let stream = outcome.map_err(|error| match error {
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

    /// Whether the handshake resumed a session.
    pub(super) fn is_resumed(&self) -> bool {
        self.stream.ssl().session_reused()
    }

    /// Sends bytes: a request, several, or a part of one.
    ///
    /// # Errors
    ///
    /// When the connection is broken.
    pub fn send(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.stream.write_all(bytes)
    }

    /// Asks for `path` and reads the answer.
    ///
    /// # Errors
    ///
    /// As `send` and `answer`.
    pub fn get(&mut self, path: &str) -> io::Result<Answer> {
        self.send(format!("GET {path} HTTP/1.1\r\nHost: localhost\r\n\r\n").as_bytes())?;
        self.answer()
    }

    /// Reads the next answer, which must have a Content-Length.
    ///
    /// # Errors
    ///
    /// When the connection ends or breaks, or what comes is no such answer.
    pub fn answer(&mut self) -> io::Result<Answer> {
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

    /// What there is to read, as it comes.
    ///
    /// # Errors
    ///
    /// When the connection is broken; `WouldBlock` when the socket does not wait and
    /// there is nothing.
    pub fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        self.stream.read(buffer)
    }

    fn read_more(&mut self) -> io::Result<()> {
        let mut buffer = [0; 16 * 1024];
        match self.read(&mut buffer)? {
            0 => Err(io::ErrorKind::UnexpectedEof.into()),
            length => {
                self.ahead.extend_from_slice(&buffer[..length]);
                Ok(())
            }
        }
    }

    /// Says goodbye as TLS wants it.
    ///
    /// # Errors
    ///
    /// When the connection is broken.
    pub fn close(mut self) -> io::Result<()> {
        self.stream.shutdown().map_err(io::Error::other).map(|_| ())
    }

    /// The socket below, to cut the connection without a goodbye.
    pub fn socket(&self) -> &TcpStream {
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
