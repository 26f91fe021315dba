//! The listeners, each with what it asks of those who come in.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;

use greenling::net::{TcpListener, TcpStream};
use greenling::server::Listener;
use greenling_tls::Context;

use crate::certificates::Certificates;

/// A listening socket, with TLS or without.
#[derive(Debug)]
pub(crate) struct Door {
    pub(crate) listener: TcpListener,
    /// `None` without TLS.
    pub(crate) certificates: Option<Arc<Certificates>>,
}

/// A connection that was accepted.
#[derive(Debug)]
pub(crate) struct Arrival {
    pub(crate) socket: TcpStream,
    /// What it gets to see, for as long as it lasts.
    pub(crate) tls: Option<Context>,
}

impl Listener for Door {
    type Stream = Arrival;
    type Address = SocketAddr;

    const TELLS_PENDING: bool = true;

    fn wait_pending(&self) -> io::Result<()> {
        self.listener.wait_pending()
    }

    fn try_accept(&self) -> io::Result<(Arrival, SocketAddr)> {
        self.listener
            .try_accept()
            .map(|accepted| self.receive(accepted))
    }

    fn accept(&self) -> io::Result<(Arrival, SocketAddr)> {
        self.listener
            .accept()
            .map(|accepted| self.receive(accepted))
    }
}

impl Door {
    fn receive(&self, (socket, peer): (TcpStream, SocketAddr)) -> (Arrival, SocketAddr) {
        let tls = self.certificates.as_deref().map(Certificates::current);
        (Arrival { socket, tls }, peer)
    }
}
