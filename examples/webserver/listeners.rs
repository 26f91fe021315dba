//! The listening sockets: for each address one for each worker, so that the kernel spreads the
//! connections and no worker waits for another.

use std::io::{self, Write};
use std::net::{SocketAddr, TcpListener, ToSocketAddrs};
use std::sync::{Arc, Mutex};

use socket2::{Domain, Protocol, Socket, Type};

use crate::certificates::Certificates;
use crate::naming;
use crate::options::Options;

/// How many connections the kernel queues before they are accepted; it lowers this to its own
/// limit.
const BACKLOG: i32 = 4096;

/// All listening sockets of the server.
#[derive(Debug)]
pub(crate) struct Listeners {
    addresses: Vec<Listener>,
}

/// The listening sockets of one address.
#[derive(Debug)]
struct Listener {
    address: SocketAddr,
    /// `None` without TLS.
    tls: Option<Arc<Certificates>>,
    /// Each is taken by the worker of its index.
    sockets: Vec<Mutex<Option<TcpListener>>>,
}

impl Listeners {
    /// Binds what the options ask for.
    pub(crate) fn bind(
        options: &Options,
        certificates: &Arc<Certificates>,
        workers: usize,
    ) -> io::Result<Self> {
        let tls = Some(certificates.clone());
        let mut addresses = vec![Listener::bind(&options.listen, tls, workers)?];
        if let Some(plain) = &options.plain {
            addresses.push(Listener::bind(plain, None, workers)?);
        }
        Ok(Self { addresses })
    }

    /// The sockets of worker `index`, each with the certificates of its address.
    pub(crate) fn take(&self, index: usize) -> Vec<(TcpListener, Option<Arc<Certificates>>)> {
        let sockets = self.addresses.iter().filter_map(|listener| {
            let mut slot = listener.sockets.get(index)?.lock().ok()?;
            Some((slot.take()?, listener.tls.clone()))
        });
        sockets.collect()
    }

    /// Says on standard output where the server can be reached.
    pub(crate) fn announce(&self) -> io::Result<()> {
        let mut output = io::stdout().lock();
        for listener in &self.addresses {
            let scheme = if listener.tls.is_some() {
                "https"
            } else {
                "http"
            };
            writeln!(output, "listening {scheme}://{}", listener.address)?;
        }
        output.flush()
    }
}

impl Listener {
    fn bind(address: &str, tls: Option<Arc<Certificates>>, workers: usize) -> io::Result<Self> {
        let resolved = address.to_socket_addrs().map_err(naming(address))?.next();
        let wanted = resolved.ok_or_else(|| io::Error::other(format!("{address}: no address")))?;
        if wanted.port() != 0 {
            // Sockets that share a port do so with those of another server of the same user too,
            // which would then get every other connection. One that does not share finds out.
            TcpListener::bind(wanted).map_err(naming(address))?;
        }
        let first = bind_shared(wanted).map_err(naming(address))?;
        let address = first.local_addr()?;
        let mut sockets = vec![Mutex::new(Some(first))];
        for _ in 1..workers {
            let another = bind_shared(address).map_err(naming(address))?;
            sockets.push(Mutex::new(Some(another)));
        }
        Ok(Self {
            address,
            tls,
            sockets,
        })
    }
}

fn bind_shared(address: SocketAddr) -> io::Result<TcpListener> {
    let socket = Socket::new(
        Domain::for_address(address),
        Type::STREAM,
        Some(Protocol::TCP),
    )?;
    socket.set_reuse_address(true)?;
    socket.set_reuse_port(true)?;
    socket.bind(&address.into())?;
    socket.listen(BACKLOG)?;
    Ok(socket.into())
}
