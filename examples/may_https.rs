//! The web server's handlers, served by another runtime: coroutines and sockets of `may`, TLS by
//! `greenling-tls` without Greenling's scheduler.
//!
//! ```text
//! cargo run --release -p examples --features may --example may_https -- 127.0.0.1:8444
//! curl --insecure https://127.0.0.1:8444/hello
//! ```
//!
//! `routes::route` and all of `http` are the very code of `examples/webserver`. What differs is
//! here: who accepts, who spawns, and how time limits are set. `/files/` is not offered, since it
//! reads files by Greenling's offload pool; `/tasklets` and `/metrics` have nothing to show.

#[allow(
    dead_code,
    reason = "what counts workers and opens roots belongs to the other server"
)]
#[path = "webserver/routes/mod.rs"]
mod routes;

use std::io;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::time::Duration;

use examples::http::{Connection, Settings, is_timeout};
use greenling_tls::{Context, ContextBuilder, Identity, TlsStream};
use may::net::{TcpListener, TcpStream};

/// In words of eight bytes. OpenSSL runs on the coroutine's stack here, where its frames of up to
/// 11 KB and those of a panic must find room; Greenling runs it on the thread's own stack instead.
const STACK_WORDS: usize = 16 * 1024;

const HANDSHAKE_LIMIT: Duration = Duration::from_secs(10);
const IDLE_LIMIT: Duration = Duration::from_secs(60);

fn main() -> io::Result<()> {
    env_logger::Builder::from_env(env_logger::Env::default().default_filter_or("warn")).init();
    may::config().set_stack_size(STACK_WORDS);
    let address = std::env::args()
        .nth(1)
        .unwrap_or_else(|| "127.0.0.1:8444".to_owned());
    let identity = Identity::self_signed(&["localhost", "127.0.0.1", "::1"])?;
    let listener = TcpListener::bind(address)?;
    println!("listening https://{}", listener.local_addr()?);
    accept_loop(&listener, identity)
}

fn accept_loop(listener: &TcpListener, identity: Identity) -> io::Result<()> {
    let context = ContextBuilder::server()
        .identity(identity)
        .alpn(["http/1.1"])
        .build()?;
    let settings = Arc::new(Settings::default());
    let site = Arc::new(routes::Site::default());
    loop {
        let (socket, peer) = listener.accept()?;
        let (context, settings, site) = (context.clone(), settings.clone(), site.clone());
        spawn(move || {
            if let Err(error) = serve(socket, &context, settings, &site) {
                log::debug!("{peer}: {error}");
            }
        });
    }
}

fn serve(
    socket: TcpStream,
    context: &Context,
    settings: Arc<Settings>,
    site: &routes::Site,
) -> io::Result<()> {
    socket.set_nodelay(true)?;
    let stream = TlsStream::start_accept(context, socket);
    stream.set_handshake_timeout(Some(HANDSHAKE_LIMIT));
    stream.handshake()?;
    stream.set_read_timeout(Some(IDLE_LIMIT));
    stream.set_write_timeout(Some(IDLE_LIMIT));
    let mut connection = Connection::new(&stream, settings);
    loop {
        match connection.wait() {
            Ok(true) => {}
            Ok(false) => break,
            Err(error) if is_timeout(&error) => break,
            Err(error) => return Err(error),
        }
        if let Err(refused) = connection.read_request() {
            connection.refuse(refused)?;
            break;
        }
        let goes_on = connection.answer(|request, exchange| {
            let answer = AssertUnwindSafe(|| routes::route(site, request, exchange));
            catch_unwind(answer).unwrap_or_else(|_| Err(io::Error::other("the handler panicked")))
        })?;
        if !goes_on {
            break;
        }
    }
    // Says goodbye, and gives the peer a moment to read what is under way.
    Ok(stream.close()?)
}

/// Starts a coroutine.
#[allow(
    unsafe_code,
    reason = "may's spawn is unsafe: coroutines migrate between threads"
)]
fn spawn<F: FnOnce() + Send + 'static>(f: F) {
    // SAFETY: `may` asks that the coroutine does not rely on thread-locals across a switch and does
    // not outgrow its stack. The handlers keep no reference into a thread-local while they wait,
    // `TlsStream` neither, and STACK_WORDS leaves room for OpenSSL.
    unsafe { may::coroutine::spawn(f) };
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::{Read, Write};

    /// Asks, and reads until the answer is whole. The client is an OS thread, with the same TLS
    /// over std's socket.
    fn ask(
        client: &TlsStream<std::net::TcpStream>,
        request: &str,
        is_whole: impl Fn(&str) -> bool,
    ) -> String {
        let mut client = client;
        client.write_all(request.as_bytes()).unwrap();
        let mut answer = String::new();
        let mut piece = [0; 4096];
        while !is_whole(&answer) {
            let count = client.read(&mut piece).unwrap();
            assert!(count > 0, "ended within {answer:?}");
            answer.push_str(std::str::from_utf8(&piece[..count]).unwrap());
        }
        answer
    }

    fn body(answer: &str) -> &str {
        answer.split_once("\r\n\r\n").map_or("", |(_, body)| body)
    }

    #[test]
    fn the_handlers_of_the_web_server_answer_on_coroutines() {
        may::config().set_stack_size(STACK_WORDS);
        let identity = Identity::self_signed(&["localhost"]).unwrap();
        let trusted = identity.chain_pem().unwrap();
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        std::thread::spawn(move || accept_loop(&listener, identity));

        let context = ContextBuilder::client().trust_pem(trusted).build().unwrap();
        // A client on a coroutine, whose handshake and reads suspend only that.
        let (answers, answered) = std::sync::mpsc::channel();
        let for_coroutine = context.clone();
        spawn(move || {
            let socket = TcpStream::connect(address).unwrap();
            let mut client = TlsStream::connect(&for_coroutine, "localhost", socket).unwrap();
            let hello = b"GET /hello HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n";
            client.write_all(hello).unwrap();
            let mut answer = String::new();
            client.read_to_string(&mut answer).unwrap();
            client.close().unwrap();
            answers.send(answer).unwrap();
        });
        assert_eq!(body(&answered.recv().unwrap()), "Hello, world!");

        let socket = std::net::TcpStream::connect(address).unwrap();
        let client = TlsStream::connect(&context, "localhost", socket).unwrap();
        for _ in 0..3 {
            let hello = "GET /hello HTTP/1.1\r\nHost: x\r\n\r\n";
            let answer = ask(&client, hello, |answer| body(answer) == "Hello, world!");
            assert!(answer.starts_with("HTTP/1.1 200 OK\r\n"), "{answer}");
        }
        let echo = "POST /echo HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n\
                    4\r\necho\r\n2\r\n!!\r\n0\r\n\r\n";
        ask(&client, echo, |answer| body(answer) == "echo!!");
        let bytes = "GET /bytes/200000 HTTP/1.1\r\nHost: x\r\n\r\n";
        ask(&client, bytes, |answer| body(answer).len() == 200_000);
        let future = "GET / HTTP/2.0\r\nHost: x\r\n\r\n";
        let answer = ask(&client, future, |answer| body(answer).ends_with('\n'));
        assert!(answer.starts_with("HTTP/1.1 505 "), "{answer}");
        // The server ends the connection after that, and says so.
        assert_eq!((&client).read(&mut [0]).unwrap(), 0);
    }
}
