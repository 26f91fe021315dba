//! Names and addresses. A look-up runs on an OS thread of a pool of its own.

use crate::error::is_of_the_wait;
use crate::offload;
use std::io;
use std::net::ToSocketAddrs as StdToSocketAddrs;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, SocketAddrV4, SocketAddrV6};

/// What a socket can be bound or connected to, as
/// [`std::net::ToSocketAddrs`], but resolved without blocking the thread.
pub trait ToSocketAddrs {
    /// The addresses as they are, or the name that stands for them.
    #[doc(hidden)]
    fn target(&self) -> Target;
}

/// Addresses, or a name with a port.
#[doc(hidden)]
#[derive(Debug)]
pub enum Target {
    /// Known already: the usual case, without an allocation.
    Address(SocketAddr),
    /// Known already, any number of them.
    Addresses(Vec<SocketAddr>),
    /// `host:port`, to be looked up.
    Name(String),
}

/// The addresses of a host and port, such as `("localhost", 80)` or
/// `"localhost:80"`.
///
/// # Scheduling
///
/// Switches if a name must be looked up, by an OS thread: at most 32 do so at once
/// (`GREENLING_LOOKUP_THREADS`), the rest queue. Nothing else waits for these, as a
/// resolver that does not answer may hold them for long.
///
/// # Cancellation
///
/// The look-up itself goes on, and its answer is dropped.
///
/// # Errors
///
/// Those of the resolver, and of the wait.
///
/// # Examples
///
/// ```
/// let mut found = greenling::net::lookup_host("localhost:443").unwrap();
/// assert!(found.all(|address| address.port() == 443));
/// ```
#[track_caller]
pub fn lookup_host(host: impl ToSocketAddrs) -> io::Result<impl Iterator<Item = SocketAddr>> {
    resolve(&host).map(Vec::into_iter)
}

#[track_caller]
pub(super) fn resolve(host: &impl ToSocketAddrs) -> io::Result<Vec<SocketAddr>> {
    let addresses = match host.target() {
        Target::Address(address) => vec![address],
        Target::Addresses(addresses) => addresses,
        Target::Name(name) => look_up(name)?,
    };
    if addresses.is_empty() {
        return Err(no_address());
    }
    Ok(addresses)
}

/// The first address alone, which is what datagrams are sent to.
#[track_caller]
pub(super) fn resolve_first(host: &impl ToSocketAddrs) -> io::Result<SocketAddr> {
    let first = match host.target() {
        Target::Address(address) => return Ok(address),
        Target::Addresses(addresses) => addresses.first().copied(),
        Target::Name(name) => look_up(name)?.first().copied(),
    };
    first.ok_or_else(no_address)
}

#[track_caller]
fn look_up(name: String) -> io::Result<Vec<SocketAddr>> {
    offload::look_up(move || name.to_socket_addrs().map(Iterator::collect::<Vec<_>>))?
}

/// Tries an operation on each address; the first success or the last error.
pub(super) fn first_that_works<T>(
    addresses: Vec<SocketAddr>,
    mut operation: impl FnMut(SocketAddr) -> io::Result<T>,
) -> io::Result<T> {
    let mut last = None;
    for address in addresses {
        match operation(address) {
            Ok(value) => return Ok(value),
            // The wait ended, not the attempt: the time is up for the others,
            // too, or the tasklet was told to stop.
            Err(error) if is_of_the_wait(&error) => return Err(error),
            Err(error) => last = Some(error),
        }
    }
    Err(last.unwrap_or_else(|| io::ErrorKind::InvalidInput.into()))
}

fn no_address() -> io::Error {
    io::Error::new(io::ErrorKind::InvalidInput, "the name has no address")
}

impl ToSocketAddrs for SocketAddr {
    fn target(&self) -> Target {
        Target::Address(*self)
    }
}

impl ToSocketAddrs for [SocketAddr] {
    fn target(&self) -> Target {
        Target::Addresses(self.to_vec())
    }
}

impl ToSocketAddrs for Vec<SocketAddr> {
    fn target(&self) -> Target {
        Target::Addresses(self.clone())
    }
}

impl<const N: usize> ToSocketAddrs for [SocketAddr; N] {
    fn target(&self) -> Target {
        Target::Addresses(self.to_vec())
    }
}

macro_rules! from_address {
    ($($address:ty),*) => {
        $(impl ToSocketAddrs for $address {
            fn target(&self) -> Target {
                Target::Address((*self).into())
            }
        })*
    };
}

from_address!(
    SocketAddrV4,
    SocketAddrV6,
    (IpAddr, u16),
    (Ipv4Addr, u16),
    (Ipv6Addr, u16)
);

impl ToSocketAddrs for str {
    fn target(&self) -> Target {
        match self.parse() {
            Ok(address) => Target::Address(address),
            Err(_) => Target::Name(self.to_owned()),
        }
    }
}

impl ToSocketAddrs for String {
    fn target(&self) -> Target {
        self.as_str().target()
    }
}

impl ToSocketAddrs for (&str, u16) {
    fn target(&self) -> Target {
        match self.0.parse::<IpAddr>() {
            Ok(address) => Target::Address((address, self.1).into()),
            Err(_) => Target::Name(format!("{}:{}", self.0, self.1)),
        }
    }
}

impl ToSocketAddrs for (String, u16) {
    fn target(&self) -> Target {
        (self.0.as_str(), self.1).target()
    }
}

impl<T: ToSocketAddrs + ?Sized> ToSocketAddrs for &T {
    fn target(&self) -> Target {
        (**self).target()
    }
}
