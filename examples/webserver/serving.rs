//! A connection, from its handshake to the last byte.

use std::io::{self, Read, Write};
use std::net::SocketAddr;
use std::rc::Rc;
use std::sync::Arc;
use std::time::Duration;

use examples::http::{Draining, Exchange, Request, Settings};
use greenling::Shutdown;
use greenling::net::TcpStream;
use greenling::server::Connection;
use greenling_tls::{Error as TlsError, ProxyProtocol, TlsStream};

use crate::conversation::Conversation;
use crate::doors::Arrival;
use crate::link::{Link, Shared, limited, linger};
use crate::peer::Peer;
use crate::routes::{self, Site};

/// What every connection goes by.
#[derive(Debug)]
pub(crate) struct Service {
    pub(crate) site: Site,
    pub(crate) settings: Arc<Settings>,
    /// Who may tell that a connection is another's.
    pub(crate) proxies: Option<ProxyProtocol>,
    pub(crate) header_timeout: Duration,
    pub(crate) idle_timeout: Duration,
    /// The silence after which a connection gives its tasklet back.
    pub(crate) rest_after: Duration,
}

/// Tells HTTP that the server is to stop.
#[derive(Debug)]
pub(crate) struct Stopping(pub(crate) Shutdown);

impl Draining for Stopping {
    fn is_draining(&self) -> bool {
        self.0.is_triggered()
    }
}

/// Serves one connection. Until it has asked for something, the server's end is its own.
pub(crate) fn serve(
    arrival: Arrival,
    address: SocketAddr,
    place: &Connection,
    service: &Arc<Service>,
) -> io::Result<()> {
    let Arrival { socket, tls } = arrival;
    // Responses leave in one piece; waiting for more would only delay them.
    socket.set_nodelay(true)?;
    let Ok(told) = place.stopping().run(|| ask_proxy(&socket, service)) else {
        return Ok(());
    };
    let address = told?.unwrap_or(address);
    let Some(context) = tls else {
        let peer = Peer::new(address, None);
        return converse(Rc::new(socket), peer, place, service);
    };
    let link = Rc::new(TlsStream::start_accept(&context, socket));
    link.set_handshake_timeout(Some(service.header_timeout));
    let shaken = place.stopping().run(|| match link.handshake() {
        Err(TlsError::PlainHttp) => {
            tell_plain_http(link.socket(), service)?;
            Err(TlsError::PlainHttp.into())
        }
        result => result.map_err(io::Error::from),
    });
    match shaken {
        Err(_) => Ok(()),
        Ok(result) => {
            result?;
            let peer = Peer::new(address, link.peer_identity().as_ref());
            converse(link, peer, place, service)
        }
    }
}

/// Whom the connection is for, if it comes from a proxy.
fn ask_proxy(socket: &TcpStream, service: &Service) -> io::Result<Option<SocketAddr>> {
    let Some(proxies) = &service.proxies else {
        return Ok(None);
    };
    let told = limited(service.header_timeout, || proxies.receive(socket))?;
    Ok(told.and_then(|told| told.source()))
}

fn tell_plain_http(mut socket: &TcpStream, service: &Service) -> io::Result<()> {
    socket.set_write_timeout(Some(service.idle_timeout))?;
    socket.write_all(PLAIN_HTTP)?;
    linger(socket)
}

/// Answers requests until one side has had enough, or the connection rests.
fn converse<T>(
    link: Rc<T>,
    peer: Peer,
    place: &Connection,
    service: &Arc<Service>,
) -> io::Result<()>
where
    T: Link + 'static,
    for<'t> &'t T: Read + Write,
{
    let answering = service.clone();
    let worker = place.worker();
    let handler = move |request: &Request, exchange: &mut Exchange<'_, Shared<T>>| {
        answering.site.insight.count_request(worker);
        answer(&answering, &peer, request, exchange)
    };
    Conversation::new(link, place.clone(), service.clone(), handler).go_on()
}

/// Answers one request.
fn answer<S: Read + Write>(
    service: &Service,
    peer: &Peer,
    request: &Request,
    exchange: &mut Exchange<'_, S>,
) -> io::Result<()> {
    if request.path() == "/peer" && request.is_get() {
        peer.tell(exchange)
    } else {
        routes::route(&service.site, request, exchange)
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

    pub(crate) fn service() -> Service {
        Service {
            site: Site::default(),
            settings: Arc::default(),
            proxies: None,
            header_timeout: Duration::from_secs(30),
            idle_timeout: Duration::from_secs(30),
            rest_after: Duration::from_secs(30),
        }
    }
}
