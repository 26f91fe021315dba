//! What a PROXY protocol header says.

use std::ffi::OsStr;
use std::net::SocketAddr;
use std::os::unix::ffi::OsStrExt;
use std::path::Path;

/// What a proxy told about a connection that it passed on.
///
/// # Scheduling
///
/// Never switches, except where a method says so.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ProxyHeader {
    pub(super) version: u8,
    pub(super) local: bool,
    pub(super) addresses: ProxyAddresses,
    /// Checked: whole entries only.
    pub(super) tlvs: Box<[u8]>,
}

/// Between whom the connection was that a proxy passed on.
///
/// # Scheduling
///
/// Never switches, except where a method says so.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum ProxyAddresses {
    /// The proxy did not say, or speaks for itself.
    Unknown,
    /// Sockets of IPv4 or IPv6.
    Ip {
        /// Whether they carry a stream, as TCP does; datagrams otherwise.
        stream: bool,
        /// The client's.
        source: SocketAddr,
        /// The one that the client connected to.
        destination: SocketAddr,
    },
    /// Unix sockets, by their paths; an abstract name begins with a zero byte.
    Unix {
        /// Whether they carry a stream; datagrams otherwise.
        stream: bool,
        /// The client's.
        source: Box<Path>,
        /// The one that the client connected to.
        destination: Box<Path>,
    },
}

impl ProxyHeader {
    /// The version of the protocol that it came in: 1, in words, or 2, in bytes.
    pub fn version(&self) -> u8 {
        self.version
    }

    /// Whether the proxy speaks for itself, such as to see whether this server is
    /// alive. The addresses are then those of the socket.
    pub fn is_local(&self) -> bool {
        self.local
    }

    /// All that it says of addresses.
    pub fn addresses(&self) -> &ProxyAddresses {
        &self.addresses
    }

    /// The client's address, if that is an Internet address.
    pub fn source(&self) -> Option<SocketAddr> {
        match &self.addresses {
            ProxyAddresses::Ip { source, .. } => Some(*source),
            _ => None,
        }
    }

    /// The address that the client connected to, if that is an Internet address.
    pub fn destination(&self) -> Option<SocketAddr> {
        match &self.addresses {
            ProxyAddresses::Ip { destination, .. } => Some(*destination),
            _ => None,
        }
    }

    /// What else the proxy told, in version 2: kinds and values, as they came.
    /// Section 2.2 of the specification lists the kinds. Checksums were checked.
    pub fn tlvs(&self) -> impl Iterator<Item = (u8, &[u8])> {
        let mut rest = &self.tlvs[..];
        std::iter::from_fn(move || next_tlv(&mut rest))
    }

    /// The value of the first entry of a kind.
    pub fn tlv(&self, kind: u8) -> Option<&[u8]> {
        self.tlvs()
            .find(|(k, _)| *k == kind)
            .map(|(_, value)| value)
    }
}

/// Takes an entry off `rest`; `None` and `rest` as it was if there is no whole one.
pub(super) fn next_tlv<'a>(rest: &mut &'a [u8]) -> Option<(u8, &'a [u8])> {
    let (&[kind, high, low], after) = rest.split_first_chunk()?;
    let length = usize::from(u16::from_be_bytes([high, low]));
    let (value, after) = after.split_at_checked(length)?;
    *rest = after;
    Some((kind, value))
}

/// The path in a field of fixed size: up to the first zero byte, or all of an
/// abstract name but the zeros that fill it up.
pub(super) fn unix_path(field: &[u8]) -> Box<Path> {
    let end = match field.first() {
        Some(0) => field.iter().rposition(|&b| b != 0).map_or(0, |i| i + 1),
        _ => field.iter().position(|&b| b == 0).unwrap_or(field.len()),
    };
    Path::new(OsStr::from_bytes(&field[..end])).into()
}
