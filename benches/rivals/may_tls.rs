//! HTTPS on coroutines of `may`, written in the blocking style.
//!
//! `rival_may_tls PORT WORKERS CERTIFICATE KEY [openssl|greenling]`; the two files are
//! PEM. The TLS is that of the `openssl` crate, or Greenling's without its
//! scheduler, which shows what each half of Greenling adds.

use std::cell::RefCell;
use std::error::Error;
use std::fs;
use std::io::{self, Read, Write};
use std::time::{SystemTime, UNIX_EPOCH};

use benches::{answers, policy};
use greenling_tls::{Context, ContextBuilder, Identity, TlsStream};
use may::go;
use may::net::{TcpListener, TcpStream};
use openssl::ssl::{Ssl, SslContext, SslStream};

const USAGE: &str = "usage: rival_may_tls PORT WORKERS CERTIFICATE KEY [openssl|greenling]";

/// In words of eight bytes: room for OpenSSL's frames of up to 11 KB, twice over.
const STACK_WORDS: usize = 8 * 1024;

/// Requests of more header lines are refused.
const HEADERS_MAX: usize = 64;

/// Connections whose request has a longer head are closed.
const HEAD_MAX: usize = 8 * 1024;

/// What one TLS record holds.
const RECORD: usize = 16 * 1024;

thread_local! {
    /// The second for which the date holds, and the date. No coroutine waits while
    /// it looks.
    static DATE: RefCell<(u64, String)> = const { RefCell::new((0, String::new())) };
}

/// What a connection speaks below HTTP.
#[derive(Clone)]
enum Layer {
    Openssl(SslContext),
    Greenling(Context),
}

fn main() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let [port, workers, layer @ ..] = &arguments[..] else {
        return Err(USAGE.into());
    };
    let layer = match layer {
        [certificate, key] | [certificate, key, "openssl"] => {
            Layer::Openssl(policy::acceptor(certificate, key)?.into_context())
        }
        [certificate, key, "greenling"] => Layer::Greenling(context(certificate, key)?),
        _ => return Err(USAGE.into()),
    };
    may::config()
        .set_workers(workers.parse()?)
        .set_stack_size(STACK_WORDS);
    let listener = TcpListener::bind(format!("127.0.0.1:{port}"))?;
    let server = go!(move || {
        for socket in listener.incoming() {
            // A failed accept concerns one connection, as does all below.
            let Ok(socket) = socket else { continue };
            let layer = layer.clone();
            go!(move || {
                // A client that leaves in the middle is none of the server's business.
                let _ = connection(socket, &layer);
            });
        }
    });
    server.join().map_err(|_| "the server panicked".into())
}

fn context(certificate: &str, key: &str) -> Result<Context, Box<dyn Error>> {
    let identity = Identity::from_pem(&fs::read(certificate)?, &fs::read(key)?)?;
    Ok(ContextBuilder::server().identity(identity).build()?)
}

fn connection(socket: TcpStream, layer: &Layer) -> Result<(), Box<dyn Error>> {
    socket.set_nodelay(true)?;
    match layer {
        Layer::Openssl(context) => {
            let mut stream = SslStream::new(Ssl::new(context)?, socket)?;
            stream.accept()?;
            http(&mut stream)?;
            stream.shutdown()?;
        }
        Layer::Greenling(context) => {
            let stream = TlsStream::start_accept(context, socket);
            stream.handshake()?;
            http(&mut &stream)?;
            stream.close()?;
        }
    }
    Ok(())
}

/// Answers request after request until the client has had enough.
fn http(stream: &mut (impl Read + Write)) -> io::Result<()> {
    let mut input = vec![0; HEAD_MAX];
    let mut filled = 0;
    let mut output = Vec::with_capacity(4096);
    loop {
        match answer(&input[..filled], &mut output, stream)? {
            Some(Answered { used, goes_on }) => {
                if !goes_on {
                    return Ok(());
                }
                input.copy_within(used..filled, 0);
                filled -= used;
            }
            None => match stream.read(&mut input[filled..])? {
                // The end of the stream, or a request without one.
                0 => return Ok(()),
                count => filled += count,
            },
        }
    }
}

/// A request that has been answered.
struct Answered {
    /// Its length.
    used: usize,
    /// Whether the client wants the connection to stay.
    goes_on: bool,
}

/// Answers the request that `input` begins with; `None` while it is not whole.
fn answer(
    input: &[u8],
    output: &mut Vec<u8>,
    stream: &mut impl Write,
) -> io::Result<Option<Answered>> {
    let mut headers = [httparse::EMPTY_HEADER; HEADERS_MAX];
    let mut request = httparse::Request::new(&mut headers);
    let used = match request.parse(input).map_err(io::Error::other)? {
        httparse::Status::Complete(used) => used,
        httparse::Status::Partial => return Ok(None),
    };
    let goes_on = !request.headers.iter().any(|header| {
        header.name.eq_ignore_ascii_case("connection")
            && header.value.eq_ignore_ascii_case(b"close")
    });
    let body = request
        .path
        .filter(|_| request.method == Some("GET"))
        .and_then(answers::body);
    let (status, body) = match body {
        Some(body) => ("200 OK", body),
        None => ("404 Not Found", &[][..]),
    };
    output.clear();
    write!(output, "HTTP/1.1 {status}\r\nserver: may\r\ndate: ")?;
    push_date(output);
    write!(
        output,
        "\r\ncontent-type: text/plain\r\ncontent-length: {}\r\n\r\n",
        body.len()
    )?;
    // The head and as much of the body as one record holds; the rest as it lies.
    let (joined, rest) = body.split_at(body.len().min(RECORD - output.len()));
    output.extend_from_slice(joined);
    stream.write_all(output)?;
    stream.write_all(rest)?;
    Ok(Some(Answered { used, goes_on }))
}

/// Appends the present time, formatted once per second.
fn push_date(output: &mut Vec<u8>) {
    let now = SystemTime::now();
    let second = now.duration_since(UNIX_EPOCH).unwrap_or_default().as_secs();
    DATE.with_borrow_mut(|(cached, text)| {
        if *cached != second {
            *text = httpdate::fmt_http_date(now);
            *cached = second;
        }
        output.extend_from_slice(text.as_bytes());
    });
}
