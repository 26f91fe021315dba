//! Addresses of Unix sockets, between std's type and those of other crates.

use rustix::net::{SocketAddrAny, SocketAddrUnix};
use socket2::SockAddr;
use std::io;
#[cfg(target_os = "linux")]
use std::os::linux::net::SocketAddrExt;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::net::SocketAddr;
use std::path::Path;

/// As a system call takes it.
pub(super) fn to_raw(address: &SocketAddr) -> io::Result<SockAddr> {
    if let Some(path) = address.as_pathname() {
        return SockAddr::unix(path);
    }
    #[cfg(target_os = "linux")]
    if let Some(name) = address.as_abstract_name() {
        // A name that begins with a zero byte is an abstract one.
        let name = [b"\0", name].concat();
        return SockAddr::unix(Path::new(std::ffi::OsStr::from_bytes(&name)));
    }
    Err(io::Error::new(
        io::ErrorKind::InvalidInput,
        "an unnamed socket has no address",
    ))
}

/// As std has it.
pub(super) fn from_raw(address: Option<SocketAddrAny>) -> io::Result<SocketAddr> {
    // A sender without a name is one without an address.
    let address = match address {
        Some(address) => Some(SocketAddrUnix::try_from(address)?),
        None => None,
    };
    #[cfg(target_os = "linux")]
    if let Some(name) = address.as_ref().and_then(SocketAddrUnix::abstract_name) {
        return SocketAddr::from_abstract_name(name);
    }
    let path = address.as_ref().and_then(SocketAddrUnix::path_bytes);
    SocketAddr::from_pathname(std::ffi::OsStr::from_bytes(path.unwrap_or_default()))
}
