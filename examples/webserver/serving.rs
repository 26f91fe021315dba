//! A connection, from `accept` to the last byte.

use std::io::{self, Read, Write};
use std::net::SocketAddr;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::rc::Rc;
use std::sync::Arc;
use std::time::Duration;

use examples::http::{Connection, Exchange, Request, Settings, is_timeout};
use greenling::net::{TcpListener, TcpStream};
use greenling::{Builder, TaskletExit};
use greenling_tls::{Context, Error as TlsError, ProxyProtocol, TlsStream};

use crate::certificates::Certificates;
use crate::connections::{Connections, Phase, Place};
use crate::link::{Link, Shared, limited};
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
            if let Err(error) = serve(socket, peer, tls.as_ref(), &place, &server) {
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
    place: &Place,
    server: &Server,
) -> io::Result<()> {
    // Responses leave in one piece; waiting for more would only delay them.
    socket.set_nodelay(true)?;
    if let Some(proxies) = &server.proxies {
        let told = limited(server.header_timeout, || proxies.receive(&socket))?;
        address = told.and_then(|told| told.source()).unwrap_or(address);
    }
    let Some(context) = tls else {
        let peer = Peer::new(address, None);
        return converse(&Rc::new(socket), place, server, |request, exchange| {
            answer(server, &peer, request, exchange)
        });
    };
    let link = Rc::new(TlsStream::start_accept(context, socket));
    link.set_handshake_timeout(Some(server.header_timeout));
    match link.handshake() {
        Ok(()) => {
            let peer = Peer::new(address, link.peer_identity().as_ref());
            converse(&link, place, server, |request, exchange| {
                answer(server, &peer, request, exchange)
            })
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

/// Answers requests until one side has had enough.
fn converse<T, H>(link: &Rc<T>, place: &Place, server: &Server, handler: H) -> io::Result<()>
where
    T: Link,
    for<'t> &'t T: Read + Write,
    H: Fn(&Request, &mut Exchange<'_, Shared<T>>) -> io::Result<()>,
{
    link.limit_waits(server.idle_timeout)?;
    let mut connection = Connection::new(Shared::new(link.clone()), server.settings.clone());
    loop {
        match next_request(&mut connection, place) {
            Ok(true) => {}
            Ok(false) => break,
            // Nothing was asked for lately, so there is nothing to say either.
            Err(error) if is_timeout(&error) => break,
            Err(error) => return Err(error),
        }
        place.set(Phase::Busy);
        let request = if connection.has_request() {
            connection.read_request()
        } else {
            limited(server.header_timeout, || connection.read_request())
        };
        if let Err(refused) = request {
            connection.refuse(refused)?;
            break;
        }
        let goes_on = connection
            .answer(|request, exchange| surviving_panics(|| handler(request, exchange)))?;
        if !goes_on {
            break;
        }
        if !connection.has_input() {
            connection.flush()?;
            place.set(Phase::Idle);
        }
    }
    if connection.leaves_unread() {
        linger(&**link)
    } else {
        link.finish_writing()
    }
}

/// How long a connection that is hung up on looks for a request that crossed the goodbye.
const LAST_LOOK: Duration = Duration::from_millis(10);

/// Waits for a request; when hung up on, only for one that is already here.
fn next_request<S: Read + Write>(
    connection: &mut Connection<S>,
    place: &Place,
) -> io::Result<bool> {
    if !place.is_hung_up() {
        match connection.wait() {
            Err(error) if is_timeout(&error) && place.is_hung_up() => {}
            waited => return waited,
        }
    }
    limited(LAST_LOOK, || connection.wait())
}

/// Turns a panic of a handler into an error, which becomes a 500 or, when the response has begun,
/// the end of the connection. A kill is not a panic and goes on.
fn surviving_panics(handler: impl FnOnce() -> io::Result<()>) -> io::Result<()> {
    // What the handler can have left half done is the exchange, which settles that by itself.
    match catch_unwind(AssertUnwindSafe(handler)) {
        Ok(outcome) => outcome,
        Err(payload) if payload.is::<TaskletExit>() => resume_unwind(payload),
        Err(_) => Err(io::Error::other("the handler panicked")),
    }
}

/// How much, and for how long, to read from a peer that is still sending when nobody listens.
const LINGER_BYTES: usize = 1024 * 1024;
const LINGER_TIME: Duration = Duration::from_secs(2);

/// Closes in a way that lets the peer read the last response. Bytes that arrive at a closed socket
/// make it send a reset, which would overtake the response and discard it.
///
/// Not inlined: its buffer would lie on the stack of every connection.
#[inline(never)]
fn linger(link: &impl Link) -> io::Result<()> {
    let mut scrap = [0; 4096];
    limited(LINGER_TIME, || {
        link.finish_writing()?;
        let mut left = LINGER_BYTES;
        while left > 0 {
            let mut socket = link.socket();
            match socket.read(&mut scrap)? {
                0 => break,
                count => left = left.saturating_sub(count),
            }
        }
        Ok(())
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::options::Options;
    use clap::Parser;
    use examples::http::Status;

    fn server() -> Server {
        let options = Options::parse_from(["webserver"]);
        let certificates = Certificates::load(&options).unwrap();
        Server {
            site: Site::default(),
            settings: Arc::default(),
            certificates: Arc::new(certificates),
            proxies: None,
            header_timeout: Duration::from_secs(30),
            idle_timeout: Duration::from_secs(30),
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

    fn sometimes_panics<S: Read + Write>(
        request: &Request,
        exchange: &mut Exchange<'_, S>,
    ) -> io::Result<()> {
        match request.path() {
            "/before" => panic!("before the response"),
            "/within" => {
                exchange.respond(Status::OK).start(Some(100))?;
                exchange.write_all(b"a part")?;
                panic!("within the response")
            }
            _ => exchange.respond(Status::OK).body(b"fine"),
        }
    }

    /// Serves `requests` on a socket with [`sometimes_panics`]; returns all that came back.
    fn answers(requests: &str) -> String {
        greenling::enter(|| {
            let listener = TcpListener::bind("127.0.0.1:0").unwrap();
            let client = TcpStream::connect(listener.local_addr().unwrap()).unwrap();
            let (socket, _) = listener.accept().unwrap();
            let connections = Connections::new(1);
            let serving = greenling::spawn({
                let connections = connections.clone();
                move || {
                    let link = Rc::new(socket);
                    let place = connections.enter();
                    converse(&link, &place, &server(), sometimes_panics)
                }
            });
            (&client).write_all(requests.as_bytes()).unwrap();
            client.shutdown(std::net::Shutdown::Write).unwrap();
            let mut answers = String::new();
            (&client).read_to_string(&mut answers).unwrap();
            // The panic ended nothing but the request: the tasklet returned, its place is free.
            serving.join().unwrap().unwrap();
            connections.wait_for_none().unwrap();
            answers
        })
    }

    #[test]
    fn a_handler_that_panics_gives_500_and_the_connection_goes_on() {
        let answers = answers(
            "GET /before HTTP/1.1\r\nHost: x\r\n\r\nGET /after HTTP/1.1\r\nHost: x\r\n\r\n",
        );
        assert!(
            answers.starts_with("HTTP/1.1 500 Internal Server Error\r\n"),
            "{answers}"
        );
        assert!(
            answers.contains("HTTP/1.1 200 OK\r\n") && answers.ends_with("fine"),
            "{answers}"
        );
    }

    #[test]
    fn a_panic_within_the_response_cuts_it() {
        let answers = answers(
            "GET /within HTTP/1.1\r\nHost: x\r\n\r\nGET /after HTTP/1.1\r\nHost: x\r\n\r\n",
        );
        assert!(answers.ends_with("\r\n\r\na part"), "{answers}");
    }

    #[test]
    fn a_kill_is_not_taken_for_a_panic() {
        greenling::enter(|| {
            let waiting = greenling::spawn(|| {
                surviving_panics(|| {
                    greenling::time::sleep(Duration::from_secs(1000));
                    Ok(())
                })
            });
            greenling::schedule();
            waiting.tasklet().kill().unwrap();
            assert!(waiting.join().unwrap_err().is_killed());
        });
    }
}
