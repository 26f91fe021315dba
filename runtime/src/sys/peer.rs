//! Who is at the other end of a socket that somebody else owns.

use socket2::{SockAddr, SockAddrStorage};
use std::io;
use std::os::fd::RawFd;

/// The address of a socket's peer, as text; `None` if the descriptor is no
/// connected socket, or is not open any more.
///
/// It need not be: what is asked of the kernel is memory-safe for any number, and
/// the answer is for the eyes of people.
pub(crate) fn peer_of(descriptor: RawFd) -> Option<String> {
    let ask = |address: *mut SockAddrStorage, length: *mut libc::socklen_t| {
        // SAFETY: both point to what is to be filled in, no longer than the length says.
        let result = unsafe { libc::getpeername(descriptor, address.cast(), length) };
        match result {
            0 => Ok(()),
            _ => Err(io::Error::last_os_error()),
        }
    };
    // SAFETY: the kernel writes a whole address and its length, or fails.
    let asked = unsafe { SockAddr::try_init(ask) };
    let ((), address) = asked.ok()?;
    if let Some(address) = address.as_socket() {
        return Some(address.to_string());
    }
    let path = address.as_pathname().map(|path| path.display().to_string());
    Some(path.unwrap_or_else(|| "a socket without a name".into()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::net::{TcpListener, TcpStream};
    use std::os::fd::AsRawFd;
    use std::os::unix::net::UnixStream;

    #[test]
    fn peers_have_names_if_anybody_is_there() {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let client = TcpStream::connect(address).unwrap();
        assert_eq!(peer_of(client.as_raw_fd()), Some(address.to_string()));
        assert_eq!(peer_of(listener.as_raw_fd()), None);
        let (one, _other) = UnixStream::pair().unwrap();
        let nameless = peer_of(one.as_raw_fd());
        assert_eq!(nameless.as_deref(), Some("a socket without a name"));
        assert_eq!(peer_of(-1), None);
    }
}
