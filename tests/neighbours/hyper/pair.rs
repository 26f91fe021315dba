//! Both ends of a connection, with hyper's client and server on them.

use greenling::future::{Executor, Io, PollStream, Timer};
use greenling::net::TcpStream;
use greenling::{JoinHandle, block_on, spawn};
use greenling_tls::{Context, ContextBuilder, Identity, TlsStream};
use http_body_util::combinators::UnsyncBoxBody;
use http_body_util::{BodyExt, Full};
use hyper::body::{Bytes, Incoming};
use hyper::client::conn::{http1, http2};
use hyper::service::service_fn;
use hyper::{Method, Request, Response};
use std::future::Future;
use std::sync::OnceLock;
use tests::sockets::pair;

/// What carries the connection, and what it speaks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Kind {
    pub(crate) tls: bool,
    pub(crate) h2: bool,
}

/// All of them.
pub(crate) const KINDS: [Kind; 4] = [
    Kind {
        tls: false,
        h2: false,
    },
    Kind {
        tls: false,
        h2: true,
    },
    Kind {
        tls: true,
        h2: false,
    },
    Kind {
        tls: true,
        h2: true,
    },
];

/// A response's body.
pub(crate) type Content = UnsyncBoxBody<Bytes, hyper::Error>;

/// A server's context and a client's.
fn contexts() -> &'static (Context, Context) {
    static CONTEXTS: OnceLock<(Context, Context)> = OnceLock::new();
    CONTEXTS.get_or_init(|| {
        let identity = Identity::self_signed(&["localhost"]).unwrap();
        let server = ContextBuilder::server().identity(identity);
        let client = ContextBuilder::client().dangerous().no_verify();
        (server.build().unwrap(), client.build().unwrap())
    })
}

/// A body that is there as a whole.
pub(crate) fn whole(bytes: impl Into<Bytes>) -> Content {
    let body = Full::new(bytes.into());
    body.map_err(|never| match never {}).boxed_unsync()
}

/// Sends the request's body back as it comes.
pub(crate) async fn echo(request: Request<Incoming>) -> Response<Content> {
    Response::new(request.into_body().boxed_unsync())
}

/// Sends requests on a connection of either version.
#[derive(Debug)]
pub(crate) enum Sender {
    Http1(http1::SendRequest<Full<Bytes>>),
    Http2(http2::SendRequest<Full<Bytes>>),
}

impl Sender {
    /// Sends a body and waits for the head of the answer.
    pub(crate) async fn send(
        &mut self,
        path: &str,
        body: Vec<u8>,
    ) -> hyper::Result<Response<Incoming>> {
        self.request(Method::POST, path, body).await
    }

    /// Asks for a page and waits for the head of the answer.
    pub(crate) async fn get(&mut self, path: &str) -> hyper::Result<Response<Incoming>> {
        self.request(Method::GET, path, Vec::new()).await
    }

    async fn request(
        &mut self,
        method: Method,
        path: &str,
        body: Vec<u8>,
    ) -> hyper::Result<Response<Incoming>> {
        let http1 = matches!(self, Sender::Http1(_));
        let origin = if http1 { "" } else { "http://localhost" };
        let request = Request::builder()
            .method(method)
            .uri(format!("{origin}{path}"))
            .header("host", "localhost")
            .body(Full::new(Bytes::from(body)))
            .expect("a good request");
        match self {
            Sender::Http1(sender) => sender.send_request(request).await,
            Sender::Http2(sender) => sender.send_request(request).await,
        }
    }

    /// Another sender for the same connection, which must be HTTP/2.
    pub(crate) fn another(&self) -> Sender {
        match self {
            Sender::Http1(_) => panic!("one request at a time"),
            Sender::Http2(sender) => Sender::Http2(sender.clone()),
        }
    }
}

/// A connection and the tasklets at its ends.
pub(crate) struct Connection {
    pub(crate) sender: Sender,
    /// Drives the client's side; ends when the connection does.
    pub(crate) client: JoinHandle<hyper::Result<()>>,
    /// Serves.
    pub(crate) server: JoinHandle<hyper::Result<()>>,
    /// The client's socket.
    pub(crate) socket: TcpStream,
}

/// Connects hyper's client with its server, whose answers `handler` gives.
pub(crate) fn connect<H, A>(kind: Kind, handler: H) -> Connection
where
    H: Fn(Request<Incoming>) -> A + 'static,
    A: Future<Output = Response<Content>> + 'static,
{
    let (ours, theirs) = pair();
    let socket = ours.try_clone().unwrap();
    let server = spawn(move || match kind.tls {
        true => serve(
            TlsStream::start_accept(&contexts().0, theirs),
            kind.h2,
            handler,
        ),
        false => serve(theirs, kind.h2, handler),
    });
    let (sender, client) = match kind.tls {
        true => fetch(
            TlsStream::start_connect(&contexts().1, "localhost", ours),
            kind.h2,
        ),
        false => fetch(ours, kind.h2),
    };
    Connection {
        sender,
        client,
        server,
        socket,
    }
}

/// Serves a connection on the current tasklet until its end.
pub(crate) fn serve<S, H, A>(stream: S, h2: bool, handler: H) -> hyper::Result<()>
where
    S: PollStream + 'static,
    H: Fn(Request<Incoming>) -> A + 'static,
    A: Future<Output = Response<Content>> + 'static,
{
    let service = service_fn(move |request| {
        let answer = handler(request);
        async { Ok::<_, std::convert::Infallible>(answer.await) }
    });
    let stream = Io::new(stream);
    let ended = if h2 {
        let builder = hyper::server::conn::http2::Builder::new(Executor);
        block_on(builder.serve_connection(stream, service))
    } else {
        let builder = hyper::server::conn::http1::Builder::new();
        block_on(builder.serve_connection(stream, service))
    };
    ended.expect("no error of the wait")
}

/// Has a tasklet drive the client's side of a connection.
pub(crate) fn fetch<S: PollStream + 'static>(
    stream: S,
    h2: bool,
) -> (Sender, JoinHandle<hyper::Result<()>>) {
    let stream = Io::new(stream);
    if h2 {
        let mut builder = http2::Builder::new(Executor);
        let made = block_on(builder.timer(Timer).handshake(stream)).unwrap();
        let (sender, connection) = made.expect("the preface is sent");
        let driver = spawn(move || block_on(connection).unwrap());
        (Sender::Http2(sender), driver)
    } else {
        let made = block_on(http1::handshake(stream)).unwrap();
        let (sender, connection) = made.expect("nothing is sent yet");
        let driver = spawn(move || block_on(connection).unwrap());
        (Sender::Http1(sender), driver)
    }
}

/// The body of an answer, all of it.
pub(crate) async fn collect(answer: Response<Incoming>) -> hyper::Result<Bytes> {
    Ok(answer.into_body().collect().await?.to_bytes())
}

/// A plain socket's other end is hyper's server, with a handler that echoes.
pub(crate) fn serve_plain(socket: TcpStream, h2: bool) -> JoinHandle<hyper::Result<()>> {
    spawn(move || serve(socket, h2, echo))
}
