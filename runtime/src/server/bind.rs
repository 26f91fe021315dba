//! The listening sockets of a server: one for each address and, if the kernel is
//! to deal connections out, one more for each further worker.

use socket2::{Domain, Protocol, SockRef, Socket, Type};
use std::io;
use std::net::{SocketAddr, TcpListener, ToSocketAddrs};

/// A listening socket.
#[derive(Debug)]
pub(super) struct Bound {
    socket: TcpListener,
    address: SocketAddr,
    backlog: i32,
}

impl Bound {
    /// Binds the first of the addresses that can be bound.
    pub(super) fn new(addresses: impl ToSocketAddrs, backlog: i32) -> io::Result<Bound> {
        let mut result = Err(io::Error::new(
            io::ErrorKind::InvalidInput,
            "there is no address to bind",
        ));
        for address in addresses.to_socket_addrs()? {
            result = bind(address, backlog);
            if result.is_ok() {
                break;
            }
        }
        let socket = result?;
        let address = socket.local_addr()?;
        Ok(Bound {
            socket,
            address,
            backlog,
        })
    }

    /// A socket that others have bound.
    pub(super) fn given(socket: TcpListener, backlog: i32) -> io::Result<Bound> {
        let address = socket.local_addr()?;
        Ok(Bound {
            socket,
            address,
            backlog,
        })
    }

    pub(super) fn address(&self) -> SocketAddr {
        self.address
    }

    /// Sockets for so many workers: each with a queue of its own, unless the one
    /// there is does not share its port.
    pub(super) fn spread(self, workers: usize) -> io::Result<Vec<TcpListener>> {
        let shares = SockRef::from(&self.socket).reuse_port()?;
        let more = (1..workers).map(|_| {
            if shares {
                bind_shared(self.address, self.backlog)
            } else {
                self.socket.try_clone()
            }
        });
        let more: Vec<_> = more.collect::<io::Result<_>>()?;
        Ok(std::iter::once(self.socket).chain(more).collect())
    }

    /// The one socket.
    pub(super) fn into_socket(self) -> TcpListener {
        self.socket
    }
}

fn bind(address: SocketAddr, backlog: i32) -> io::Result<TcpListener> {
    if address.port() != 0 {
        // Sockets that share a port do so with those of another process of the
        // same user, too, which would then get every other connection. One that
        // does not share finds out.
        socket_for(address)?.bind(&address.into())?;
    }
    bind_shared(address, backlog)
}

fn bind_shared(address: SocketAddr, backlog: i32) -> io::Result<TcpListener> {
    let socket = socket_for(address)?;
    socket.set_reuse_port(true)?;
    socket.bind(&address.into())?;
    socket.listen(backlog)?;
    Ok(socket.into())
}

fn socket_for(address: SocketAddr) -> io::Result<Socket> {
    let domain = Domain::for_address(address);
    let socket = Socket::new(domain, Type::STREAM, Some(Protocol::TCP))?;
    socket.set_reuse_address(true)?;
    Ok(socket)
}
