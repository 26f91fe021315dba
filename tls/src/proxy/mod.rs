//! The PROXY protocol: which client a proxy's connection is for.
//!
//! A proxy that passes on bytes hides the client's address. In the first bytes of
//! its connection it can tell it: a line of text (version 1) or a header in binary
//! with room for more (version 2). They come before TLS, so nothing protects them:
//! whoever may send them may claim any address. So only peers in networks that are
//! trusted by name may.
//!
//! ```text
//!   peer in a trusted network: header (required) --> what it says --> next protocol
//!   any other:                 refused, or with no header ----------> next protocol
//! ```
//!
//! Whether there is a header is never guessed: what looks like one from a peer that
//! is not trusted is taken for the next protocol, and a trusted one must send it.
//!
//! Specification: <https://www.haproxy.org/download/3.0/doc/proxy-protocol.txt>.

use std::io::{self, Read};
use std::net::IpAddr;
use std::time::Duration;

use greenling::net::TcpStream;
use greenling::time;
use ipnet::IpNet;

use crate::config_error::{ConfigError, ConfigErrorKind};
use crate::error::Error;

mod header;
mod parse;
#[cfg(test)]
mod tests;

pub use header::{ProxyAddresses, ProxyHeader};
use parse::Step;

/// From whom to take PROXY protocol headers, and which.
///
/// For TLS give it to [`TlsListener::proxy_protocol`](crate::TlsListener::proxy_protocol);
/// for other servers call [`receive`](ProxyProtocol::receive) on a new connection.
///
/// # Scheduling
///
/// Never switches, except where a method says so.
///
/// # Examples
///
/// A server without TLS:
///
/// ```
/// use greenling::net::{TcpListener, TcpStream};
/// use greenling_tls::ProxyProtocol;
/// use std::io::{Read, Write};
///
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// # greenling::enter(|| {
/// let proxies = ProxyProtocol::from_trusted(["127.0.0.0/8", "::1"])?;
/// let listener = TcpListener::bind("127.0.0.1:0")?;
/// let mut proxy = TcpStream::connect(listener.local_addr()?)?;
/// proxy.write_all(b"PROXY TCP4 192.0.2.7 198.51.100.1 40000 80\r\nhello")?;
///
/// let (mut socket, _) = listener.accept()?;
/// let header = proxies.receive(&socket)?.expect("sent by a trusted proxy");
/// assert_eq!(header.source(), Some("192.0.2.7:40000".parse()?));
/// let mut text = [0; 5];
/// socket.read_exact(&mut text)?;
/// assert_eq!(&text, b"hello");
/// # Ok(())
/// # })
/// # }
/// ```
#[derive(Debug, Clone)]
pub struct ProxyProtocol {
    trusted: Vec<IpNet>,
    take_others: bool,
    length_max: usize,
    timeout: Duration,
}

impl ProxyProtocol {
    /// Takes headers from peers in `networks` such as `10.0.0.0/8` or `fd00::/8`, or
    /// with addresses such as `192.0.2.1`, and requires them there. All other peers
    /// are refused.
    ///
    /// A peer that comes by IPv4 to a socket of IPv6 counts as one of IPv4.
    ///
    /// # Errors
    ///
    /// [`Error::Config`] for what is neither.
    pub fn from_trusted<N: AsRef<str>>(
        networks: impl IntoIterator<Item = N>,
    ) -> Result<ProxyProtocol, Error> {
        let parsed = networks.into_iter().map(|network| {
            let text = network.as_ref();
            let address = |_| text.parse::<IpAddr>().map(IpNet::from);
            text.parse().or_else(address).map_err(|_| {
                let what = format!("trusted network {text:?}");
                ConfigError::new(ConfigErrorKind::BadValue, what, "is no address or network")
            })
        });
        Ok(ProxyProtocol {
            trusted: parsed.collect::<Result<_, _>>()?,
            take_others: false,
            length_max: 4096,
            timeout: Duration::from_secs(5),
        })
    }

    /// Takes connections of all other peers, too, as they are: without a header.
    #[must_use]
    pub fn take_others(mut self) -> ProxyProtocol {
        self.take_others = true;
        self
    }

    /// The longest header of version 2 to take, in bytes. Default: 4096. One of
    /// version 1 has at most 107.
    #[must_use]
    pub fn max_length(mut self, bytes: usize) -> ProxyProtocol {
        self.length_max = bytes;
        self
    }

    /// How long to wait for the header. Default: 5 seconds.
    #[must_use]
    pub fn timeout(mut self, timeout: Duration) -> ProxyProtocol {
        self.timeout = timeout;
        self
    }

    /// Whether headers are taken from peers at `address`.
    pub fn trusts(&self, address: IpAddr) -> bool {
        let address = address.to_canonical();
        self.trusted
            .iter()
            .any(|network| network.contains(&address))
    }

    /// Reads the header off a new connection and nothing else; `None` from a peer
    /// that need not send one.
    ///
    /// # Scheduling
    ///
    /// Switches unless the header is there.
    ///
    /// # Cancellation
    ///
    /// Part of the header may have been read: the connection is of no more use.
    ///
    /// # Errors
    ///
    /// `PermissionDenied` for a peer that is not trusted, `InvalidData` for what is
    /// no header, `TimedOut`, `UnexpectedEof` when the peer closed before its end;
    /// and those of the socket. The connection is of no more use then.
    pub fn receive(&self, socket: &TcpStream) -> io::Result<Option<ProxyHeader>> {
        let peer = socket.peer_addr()?.ip();
        if self.trusts(peer) {
            return self.read(socket).map(Some);
        }
        if self.take_others {
            return Ok(None);
        }
        let why = format!("{peer} is not trusted to speak the PROXY protocol");
        Err(io::Error::new(io::ErrorKind::PermissionDenied, why))
    }

    /// Reads the header whoever sends it: from a Unix socket that only the proxy can
    /// reach, say.
    ///
    /// # Scheduling
    ///
    /// May switch, as the socket's `read` does.
    ///
    /// # Cancellation
    ///
    /// As [`receive`](ProxyProtocol::receive).
    ///
    /// # Errors
    ///
    /// As [`receive`](ProxyProtocol::receive), but for `PermissionDenied`.
    pub fn read(&self, socket: impl Read) -> io::Result<ProxyHeader> {
        time::timeout(self.timeout, || self.read_within(socket))
            .unwrap_or_else(|elapsed| elapsed.into_inner().or(Err(timed_out())))
    }

    fn read_within(&self, mut socket: impl Read) -> io::Result<ProxyHeader> {
        let mut bytes = Vec::new();
        loop {
            let needed = match parse::step(&bytes, self.length_max) {
                Ok(Step::Needs(needed)) => needed,
                Ok(Step::Whole(header)) => return Ok(header),
                Err(why) => {
                    let why = format!("PROXY protocol: {why}");
                    return Err(io::Error::new(io::ErrorKind::InvalidData, why));
                }
            };
            let before = bytes.len();
            bytes.resize(needed, 0);
            let count = match socket.read(&mut bytes[before..]) {
                Err(error) if error.kind() == io::ErrorKind::Interrupted => 0,
                // Whoever only looks whether the port is open says nothing.
                Ok(0) if before == 0 => return Err(Error::ClosedBeforeHello.into()),
                Ok(0) => {
                    let why = "PROXY protocol: closed within the header";
                    return Err(io::Error::new(io::ErrorKind::UnexpectedEof, why));
                }
                read => read?,
            };
            bytes.truncate(before + count);
        }
    }
}

fn timed_out() -> io::Error {
    let why = "the PROXY protocol's header did not come in time";
    io::Error::new(io::ErrorKind::TimedOut, why)
}
