//! What programs ask of a socket, asked of the stream on top of it.
//!
//! Options and descriptors are the socket's own: [`TlsStream::get_ref`] leads there.

use std::io;
use std::net::{Shutdown, SocketAddr};

use super::TlsStream;
use crate::transport::Transport;

impl<T: Transport> TlsStream<T> {
    /// Shuts the transport down, underneath TLS and without a goodbye: the peer sees
    /// a truncated stream, and so does this side's reader. To end a connection in
    /// an orderly way there are [`close`](TlsStream::close) and
    /// [`shutdown_write`](TlsStream::shutdown_write).
    ///
    /// # Errors
    ///
    /// The transport's.
    pub fn sock_shutdown(&self, how: Shutdown) -> io::Result<()> {
        self.get_ref().shutdown(how)
    }
}

macro_rules! addresses {
    ($socket:ty) => {
        impl TlsStream<$socket> {
            /// The address of the other end.
            ///
            /// # Errors
            ///
            /// Those of `getpeername(2)`.
            #[doc(alias = "getpeername")]
            pub fn peer_addr(&self) -> io::Result<SocketAddr> {
                self.get_ref().peer_addr()
            }

            /// The address of this end.
            ///
            /// # Errors
            ///
            /// Those of `getsockname(2)`.
            #[doc(alias = "getsockname")]
            pub fn local_addr(&self) -> io::Result<SocketAddr> {
                self.get_ref().local_addr()
            }
        }
    };
}

addresses!(std::net::TcpStream);
#[cfg(feature = "greenling")]
addresses!(greenling::net::TcpStream);
#[cfg(feature = "may")]
addresses!(may::net::TcpStream);
