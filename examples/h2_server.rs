//! HTTP/1.1 and HTTP/2 by hyper, over TLS by OpenSSL, on tasklets.
//!
//! ```text
//! cargo run --release --example h2_server
//! curl --insecure --http2 https://127.0.0.1:8443/hello
//! ```
//!
//! `--help` lists the options. With `--plain ADDR` it serves without TLS as well: HTTP/1.1, and
//! HTTP/2 for clients that know beforehand (`curl --http2-prior-knowledge`).
//!
//! ```text
//!   accept --spawn--> connection tasklet: handshake in blocking style, then
//!                     block_on(hyper's connection), which for HTTP/2 has each
//!                     stream run on a tasklet of its own by `future::Executor`
//! ```
//!
//! hyper is async, its handlers are futures; what they do need not be. `squares` has a tasklet
//! compute in blocking style and awaits it, `visits` waits for an answer on a channel in the middle
//! of an async function, and only that stream's tasklet waits.

use std::convert::Infallible;
use std::error::Error;
use std::future::poll_fn;
use std::io::{self, Read};
use std::net::SocketAddr;
use std::pin::{Pin, pin};
use std::process::ExitCode;
use std::rc::Rc;
use std::task::{Context, Poll};
use std::time::Duration;

use clap::Parser;
use greenling::future::{self, Executor, Io, PollStream, Timer, block_on};
use greenling::net::TcpListener;
use greenling::signal::{SIGINT, SIGTERM, Signals};
use greenling::sync::{Event, OnceValue, Semaphore, WaitGroup};
use greenling::{Channel, spawn};
use greenling_tls::{ContextBuilder, Identity, TlsListener};
use http_body_util::Full;
use hyper::body::{Body, Bytes, Frame, Incoming, SizeHint};
use hyper::server::conn::{http1, http2};
use hyper::service::service_fn;
use hyper::{Method, Request, Response, StatusCode};

/// How long a client may take for the head of a request, or its first bytes.
const HEAD_LIMIT: Duration = Duration::from_secs(10);

/// How often an HTTP/2 client is asked whether it is still there.
const PING_EVERY: Duration = Duration::from_secs(30);

/// Most bytes that `/bytes/N` sends.
const BYTES_MAX: u64 = 1 << 30;

/// Options of the command line.
#[derive(Parser, Clone, Copy)]
#[command(about = "HTTP/1.1 and HTTP/2 by hyper, on tasklets")]
struct Options {
    /// Where to serve HTTPS; port 0 is any free one
    #[arg(long, value_name = "ADDR", default_value = "127.0.0.1:8443")]
    listen: SocketAddr,
    /// Where to serve HTTP without TLS
    #[arg(long, value_name = "ADDR")]
    plain: Option<SocketAddr>,
    /// Connections at a time; more wait in the kernel
    #[arg(long, value_name = "N", default_value_t = 1000)]
    max_connections: usize,
    /// Seconds for what is under way at SIGTERM
    #[arg(long, value_name = "SECONDS", default_value_t = 5)]
    drain: u64,
}

fn main() -> ExitCode {
    env_logger::Builder::from_env(env_logger::Env::default().default_filter_or("warn")).init();
    let options = Options::parse();
    // What is left when `serve` returns is killed, and its connections cut.
    match greenling::enter(move || serve(options)) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("h2_server: {error}");
            ExitCode::FAILURE
        }
    }
}

/// How a connection has ended.
type Outcome = Result<(), Box<dyn Error>>;

/// A place for the answer to one question.
type Answer = Rc<OnceValue<u64>>;

/// What all connections share.
struct Server {
    /// Set at SIGTERM.
    stop: Rc<Event>,
    connections: WaitGroup,
    room: Rc<Semaphore>,
    /// Where `/visits` asks; the answer is what is sent.
    counter: Channel<Answer>,
}

fn serve(options: Options) -> io::Result<()> {
    let identity = Identity::self_signed(&["localhost", "127.0.0.1", "::1"])?;
    let context = ContextBuilder::server()
        .identity(identity)
        .alpn(["h2", "http/1.1"])
        .build()?;
    let secure = TlsListener::bind(options.listen, &context)?;
    let plain = options.plain.map(TcpListener::bind).transpose()?;
    let server = Rc::new(Server {
        stop: Rc::new(Event::new()),
        connections: WaitGroup::new(),
        room: Rc::new(Semaphore::new(options.max_connections)),
        counter: Channel::new(),
    });
    let counter = server.counter.clone();
    let _counting = spawn(move || count_visits(&counter));
    let signals = Signals::new(&[SIGTERM, SIGINT])?;

    println!("listening https://{}", secure.local_addr()?);
    let serving = server.clone();
    let mut accepting = vec![spawn(move || {
        accept_from(
            &serving,
            || secure.accept(),
            |stream, server| {
                stream.handshake()?;
                let is_h2 = stream.alpn_protocol().as_deref() == Some(b"h2");
                converse(stream, is_h2, server)
            },
        )
    })];
    if let Some(plain) = plain {
        println!("listening http://{}", plain.local_addr()?);
        let serving = server.clone();
        accepting.push(spawn(move || {
            accept_from(
                &serving,
                || plain.accept(),
                |stream, server| {
                    let stream = Rewound::after_first_bytes(stream)?;
                    let is_h2 = stream.first == *b"PRI";
                    converse(stream, is_h2, server)
                },
            )
        }));
    }

    let signal = signals.wait()?;
    log::info!("ending by signal {signal}");
    for task in accepting {
        // The listener is dropped with it: whoever comes now is refused.
        let _ = task.tasklet().kill();
    }
    server.stop.set();
    let drain = Duration::from_secs(options.drain);
    if server.connections.wait_timeout(drain).is_err() {
        log::warn!("{} connections are cut", server.connections.count());
    }
    Ok(())
}

/// Accepts for ever, and has each connection served by a tasklet of its own.
fn accept_from<S: 'static>(
    server: &Rc<Server>,
    accept: impl Fn() -> io::Result<(S, SocketAddr)>,
    handle: fn(S, &Rc<Server>) -> Outcome,
) {
    while let Ok(permit) = server.room.acquire_owned(1) {
        let (stream, peer) = match accept() {
            Ok(accepted) => accepted,
            Err(error) => {
                log::error!("accept: {error}");
                return;
            }
        };
        let (job, serving) = (server.connections.add(), server.clone());
        let task = greenling::Builder::new().spawn(move || {
            if let Err(error) = handle(stream, &serving) {
                log::debug!("{peer}: {error}");
            }
            drop((permit, job));
        });
        if let Err(error) = task {
            log::error!("{peer}: no tasklet: {error}");
        }
    }
}

/// Has hyper serve a connection until it ends, or has been told to and has
/// finished what it was at.
fn converse<S: PollStream + 'static>(stream: S, is_h2: bool, server: &Rc<Server>) -> Outcome {
    let site = server.clone();
    let service = service_fn(move |request| answer(site.clone(), request));
    if is_h2 {
        let connection = http2::Builder::new(Executor)
            .timer(Timer)
            .keep_alive_interval(PING_EVERY)
            .serve_connection(Io::new(stream), service);
        drive(connection, http2::Connection::graceful_shutdown, server)
    } else {
        let connection = http1::Builder::new()
            .timer(Timer)
            .header_read_timeout(HEAD_LIMIT)
            .serve_connection(Io::new(stream), service);
        drive(connection, http1::Connection::graceful_shutdown, server)
    }
}

fn drive<C>(connection: C, say_goodbye: fn(Pin<&mut C>), server: &Server) -> Outcome
where
    C: Future<Output = hyper::Result<()>>,
{
    // A tasklet waits for the event in blocking style, and this future for it.
    let stop = server.stop.clone();
    let mut stopped = future::spawn(move || stop.wait())?.kill_on_drop();
    let mut is_stopping = false;
    let mut connection = pin!(connection);
    block_on(poll_fn(|context| {
        if !is_stopping && Pin::new(&mut stopped).poll(context).is_ready() {
            is_stopping = true;
            say_goodbye(connection.as_mut());
        }
        connection.as_mut().poll(context)
    }))??;
    Ok(())
}

async fn answer(
    server: Rc<Server>,
    request: Request<Incoming>,
) -> Result<Response<Content>, Infallible> {
    let path = request.uri().path().to_owned();
    let mut parts = path.splitn(3, '/').skip(1);
    let (name, argument) = (parts.next().unwrap_or(""), parts.next());
    let number = argument.map(str::parse::<u64>);
    Ok(match (request.method(), name, number) {
        (&Method::GET, "", None) => text(INDEX),
        (&Method::GET, "hello", None) => text("Hello, world!"),
        (&Method::GET, "bytes", Some(Ok(size))) if size <= BYTES_MAX => {
            Response::new(Content::Zeros(size))
        }
        (&Method::GET, "sleep", Some(Ok(millis))) => {
            future::sleep(Duration::from_millis(millis)).await;
            text("slept well")
        }
        (&Method::GET, "squares", Some(Ok(count))) => squares(count.min(1000)).await,
        (&Method::GET, "visits", None) => visits(&server).await,
        (&Method::POST, "echo", None) => Response::new(Content::Echo(request.into_body())),
        (_, "" | "hello" | "bytes" | "sleep" | "squares" | "visits" | "echo", _) => {
            status(StatusCode::BAD_REQUEST)
        }
        _ => status(StatusCode::NOT_FOUND),
    })
}

const INDEX: &str = "\
GET  /hello       a greeting
GET  /bytes/N     N bytes
GET  /sleep/N     after N milliseconds
GET  /squares/N   the sum of N squares, by two tasklets and a channel
GET  /visits      how often this was asked
POST /echo        the body back
";

/// Bridges from async to blocking style: a tasklet of its own computes, with another and a channel
/// between them, and this future awaits it. A client that goes away takes it along.
async fn squares(count: u64) -> Response<Content> {
    let work = future::spawn(move || {
        let channel = Channel::new();
        let sending = channel.clone();
        let producer = spawn(move || {
            for number in 1..=count {
                greenling::time::sleep(Duration::from_micros(10));
                sending.send(number * number).ok()?;
            }
            Some(())
        });
        let mut sum = 0;
        for _ in 0..count {
            sum += channel.receive().unwrap_or(0);
        }
        drop(producer);
        sum
    });
    match work {
        Ok(work) => match work.kill_on_drop().await {
            Ok(sum) => text(sum.to_string()),
            Err(_) => status(StatusCode::INTERNAL_SERVER_ERROR),
        },
        Err(_) => status(StatusCode::SERVICE_UNAVAILABLE),
    }
}

/// Without a bridge: the wait parks whoever polls this, which is the tasklet of this one stream, or
/// of this one HTTP/1 connection, that has nothing else to do.
async fn visits(server: &Server) -> Response<Content> {
    let answer = Answer::default();
    let asked = server.counter.send(answer.clone());
    match asked.ok().and_then(|()| answer.wait().ok()) {
        Some(count) => text(count.to_string()),
        None => status(StatusCode::INTERNAL_SERVER_ERROR),
    }
}

/// Counts for all who ask, one after the other.
fn count_visits(questions: &Channel<Answer>) {
    let mut count = 0;
    while let Ok(answer) = questions.receive() {
        count += 1;
        let _ = answer.set(count);
    }
}

fn text(text: impl Into<Bytes>) -> Response<Content> {
    Response::new(Content::Text(Full::new(text.into())))
}

fn status(status: StatusCode) -> Response<Content> {
    let mut response = text(format!("{status}\n"));
    *response.status_mut() = status;
    response
}

/// The body of a response.
enum Content {
    Text(Full<Bytes>),
    /// So many bytes, made as they are asked for.
    Zeros(u64),
    /// The request's body.
    Echo(Incoming),
}

impl Body for Content {
    type Data = Bytes;
    type Error = hyper::Error;

    fn poll_frame(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<hyper::Result<Frame<Bytes>>>> {
        static ZEROS: [u8; 1 << 16] = [b'0'; 1 << 16];
        match self.get_mut() {
            Content::Text(text) => {
                let frame = Pin::new(text).poll_frame(context);
                frame.map_err(|never| match never {})
            }
            Content::Zeros(0) => Poll::Ready(None),
            Content::Zeros(left) => {
                let piece = (*left).min(ZEROS.len() as u64);
                *left -= piece;
                let data = Bytes::from_static(&ZEROS[..piece as usize]);
                Poll::Ready(Some(Ok(Frame::data(data))))
            }
            Content::Echo(body) => Pin::new(body).poll_frame(context),
        }
    }

    fn is_end_stream(&self) -> bool {
        match self {
            Content::Text(text) => text.is_end_stream(),
            Content::Zeros(left) => *left == 0,
            Content::Echo(body) => body.is_end_stream(),
        }
    }

    fn size_hint(&self) -> SizeHint {
        match self {
            Content::Text(text) => text.size_hint(),
            Content::Zeros(left) => SizeHint::with_exact(*left),
            Content::Echo(body) => body.size_hint(),
        }
    }
}

/// A stream of which the first bytes were read, to see what it speaks, and are read again.
struct Rewound<S> {
    stream: S,
    first: [u8; 3],
    /// How many of them were read again.
    read: std::cell::Cell<usize>,
}

impl Rewound<greenling::net::TcpStream> {
    fn after_first_bytes(
        stream: greenling::net::TcpStream,
    ) -> io::Result<Rewound<greenling::net::TcpStream>> {
        let mut first = [0; 3];
        let limited = greenling::time::timeout(HEAD_LIMIT, || (&stream).read_exact(&mut first));
        limited??;
        Ok(Rewound {
            stream,
            first,
            read: std::cell::Cell::new(0),
        })
    }
}

impl<S: PollStream> PollStream for Rewound<S> {
    fn poll_read(&self, context: &mut Context<'_>, buffer: &mut [u8]) -> Poll<io::Result<usize>> {
        let mut rest = &self.first[self.read.get()..];
        if rest.is_empty() {
            return self.stream.poll_read(context, buffer);
        }
        let count = rest.read(buffer)?;
        self.read.set(self.read.get() + count);
        Poll::Ready(Ok(count))
    }

    fn poll_write(&self, context: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        self.stream.poll_write(context, bytes)
    }

    fn poll_write_vectored(
        &self,
        context: &mut Context<'_>,
        buffers: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        self.stream.poll_write_vectored(context, buffers)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_flush(&self, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.stream.poll_flush(context)
    }

    fn poll_shutdown(&self, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.stream.poll_shutdown(context)
    }
}
