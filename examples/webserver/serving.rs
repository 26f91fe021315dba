//! A connection, from `accept` to the last byte.

use std::io::{self, Read, Write};
use std::net::SocketAddr;
use std::rc::Rc;
use std::sync::Arc;
use std::time::Duration;

use examples::http::{Exchange, Request, Settings};
use greenling::Builder;
use greenling::net::{TcpListener, TcpStream};
use greenling_tls::{Context, Error as TlsError, ProxyProtocol, TlsStream};

use crate::certificates::Certificates;
use crate::connections::{Connections, Place};
use crate::conversation::Conversation;
use crate::link::{Link, Shared, limited, linger};
use crate::peer::Peer;
use crate::routes::{self, Site};
use crate::shutdown::Drained;

/// What every worker knows.
#[derive(Debug)]
pub(crate) struct Server {
    pub(crate) site: Site,
    pub(crate) settings: Arc<Settings>,
    pub(crate) certificates: Arc<Certificates>,
    /// Who may tell that a connection is another's.
    pub(crate) proxies: Option<ProxyProtocol>,
    pub(crate) header_timeout: Duration,
    pub(crate) idle_timeout: Duration,
    /// The silence after which a connection gives its tasklet back.
    pub(crate) rest_after: Duration,
    pub(crate) drain: Duration,
    pub(crate) max_connections: usize,
    pub(crate) workers: usize,
    pub(crate) drained: Drained,
}

impl Server {
    /// The share of worker `index` in the connections that there may be.
    pub(crate) fn share(&self, index: usize) -> usize {
        let extra = usize::from(index < self.max_connections % self.workers);
        self.max_connections / self.workers + extra
    }
}

/// Accepts connections until the listener is closed, each into a tasklet of its own.
pub(crate) fn accept_loop(
    listener: &TcpListener,
    tls: Option<&Certificates>,
    connections: &Rc<Connections>,
    server: &Arc<Server>,
) -> io::Result<()> {
    // Before `accept`: who finds no room stays in the kernel's queue, which has an end.
    while connections.wait_for_room()? {
        let (socket, peer) = match listener.accept() {
            Ok(accepted) => accepted,
            Err(_) if server.settings.is_draining() => return Ok(()),
            Err(error) => return Err(error),
        };
        if !connections.wait_for_room()? {
            break;
        }
        let place = connections.enter();
        let (tls, server) = (tls.map(Certificates::current), server.clone());
        let spawned = Builder::new().name("connection").spawn(move || {
            place.serve_here();
            if let Err(error) = serve(socket, peer, tls.as_ref(), place, &server) {
                log::debug!("{peer}: {error}");
            }
        });
        if let Err(error) = spawned {
            // The closure is gone and the socket with it: the peer sees a closed connection.
            log::warn!("no tasklet for {peer}: {error}");
        }
        // A flood of connections must not keep those that are here from being served.
        greenling::schedule();
    }
    Ok(())
}

/// Serves one connection.
fn serve(
    socket: TcpStream,
    mut address: SocketAddr,
    tls: Option<&Context>,
    place: Place,
    server: &Arc<Server>,
) -> io::Result<()> {
    // Responses leave in one piece; waiting for more would only delay them.
    socket.set_nodelay(true)?;
    if let Some(proxies) = &server.proxies {
        let told = limited(server.header_timeout, || proxies.receive(&socket))?;
        address = told.and_then(|told| told.source()).unwrap_or(address);
    }
    let Some(context) = tls else {
        let peer = Peer::new(address, None);
        return converse(Rc::new(socket), peer, address, place, server);
    };
    let link = Rc::new(TlsStream::start_accept(context, socket));
    link.set_handshake_timeout(Some(server.header_timeout));
    match link.handshake() {
        Ok(()) => {
            let peer = Peer::new(address, link.peer_identity().as_ref());
            converse(link, peer, address, place, server)
        }
        Err(TlsError::PlainHttp) => {
            link.socket().set_write_timeout(Some(server.idle_timeout))?;
            let mut socket = link.socket();
            socket.write_all(PLAIN_HTTP)?;
            linger(link.socket())
        }
        Err(error) => Err(error.into()),
    }
}

/// Answers requests until one side has had enough, or the connection rests.
fn converse<T>(
    link: Rc<T>,
    peer: Peer,
    address: SocketAddr,
    place: Place,
    server: &Arc<Server>,
) -> io::Result<()>
where
    T: Link + 'static,
    for<'t> &'t T: Read + Write,
{
    let answering = server.clone();
    let handler = move |request: &Request, exchange: &mut Exchange<'_, Shared<T>>| {
        answer(&answering, &peer, request, exchange)
    };
    Conversation::new(link, address, place, server.clone(), handler).go_on()
}

/// Answers one request.
fn answer<S: Read + Write>(
    server: &Server,
    peer: &Peer,
    request: &Request,
    exchange: &mut Exchange<'_, S>,
) -> io::Result<()> {
    if request.path() == "/peer" && request.is_get() {
        peer.tell(exchange)
    } else {
        routes::route(&server.site, request, exchange)
    }
}

const PLAIN_HTTP: &[u8] = b"HTTP/1.1 400 Bad Request\r\n\
    content-type: text/plain; charset=utf-8\r\n\
    content-length: 66\r\n\
    connection: close\r\n\
    \r\n\
    400 Bad Request: this port speaks HTTPS, and this was plain HTTP.\n";

#[cfg(test)]
pub(crate) mod tests {
    use super::*;
    use crate::options::Options;
    use clap::Parser;

    pub(crate) fn server() -> Server {
        let options = Options::parse_from(["webserver"]);
        let certificates = Certificates::load(&options).unwrap();
        Server {
            site: Site::default(),
            settings: Arc::default(),
            certificates: Arc::new(certificates),
            proxies: None,
            header_timeout: Duration::from_secs(30),
            idle_timeout: Duration::from_secs(30),
            rest_after: Duration::from_secs(30),
            drain: Duration::ZERO,
            max_connections: 10,
            workers: 3,
            drained: Drained::new(3),
        }
    }

    #[test]
    fn shares_add_up() {
        let server = server();
        assert_eq!(
            (0..3).map(|index| server.share(index)).collect::<Vec<_>>(),
            [4, 3, 3]
        );
    }
}
