//! Addresses of Unix sockets, between std's type and those of other crates.

use rustix::net::{SocketAddrAny, SocketAddrUnix};
use socket2::SockAddr;
use std::ffi::OsStr;
use std::io;
#[cfg(target_os = "linux")]
use std::os::linux::net::SocketAddrExt;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::net::SocketAddr;

/// As a system call takes it.
pub(super) fn to_raw(address: &SocketAddr) -> io::Result<SockAddr> {
    if let Some(path) = address.as_pathname() {
        return SockAddr::unix(path);
    }
    #[cfg(target_os = "linux")]
    if let Some(name) = address.as_abstract_name() {
        // A name that begins with a zero byte is an abstract one.
        let name = [b"\0", name].concat();
        return SockAddr::unix(OsStr::from_bytes(&name));
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
    match address.as_ref().and_then(SocketAddrUnix::path_bytes) {
        Some(path) => SocketAddr::from_pathname(OsStr::from_bytes(path)),
        None => unnamed(),
    }
}

/// The address of a socket that has none.
pub(super) fn unnamed() -> io::Result<SocketAddr> {
    SocketAddr::from_pathname("")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_empty_path_is_no_name() {
        assert!(unnamed().unwrap().is_unnamed());
        assert!(from_raw(None).unwrap().is_unnamed());
        assert!(to_raw(&unnamed().unwrap()).is_err());
    }

    #[test]
    fn addresses_come_back_as_they_were() {
        let path = SocketAddr::from_pathname("/tmp/socket").unwrap();
        let raw = to_raw(&path).unwrap();
        assert_eq!(raw.as_pathname(), path.as_pathname());
        #[cfg(target_os = "linux")]
        {
            let name = SocketAddr::from_abstract_name(b"a\0b").unwrap();
            let raw = to_raw(&name).unwrap();
            assert_eq!(raw.as_abstract_namespace(), Some(&b"a\0b"[..]));
        }
    }
}
