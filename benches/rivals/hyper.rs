//! hyper on tokio runtimes of one thread each, a rival of the cases with servers.
//!
//! `rival_hyper PORT WORKERS plain|rustls|openssl [CERTIFICATE KEY]`; the two
//! files are PEM and are needed for TLS.

use std::convert::Infallible;
use std::error::Error;
use std::net::SocketAddr;
use std::pin::Pin;

use benches::{answers, policy};
use bytes::Bytes;
use http_body_util::Full;
use hyper::body::Incoming;
use hyper::header::{CONTENT_TYPE, HeaderValue};
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper::{Request, Response, StatusCode};
use hyper_util::rt::TokioIo;
use openssl::ssl::{Ssl, SslAcceptor};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpSocket, TcpStream};
use tokio_openssl::SslStream;
use tokio_rustls::TlsAcceptor;

const USAGE: &str = "usage: rival_hyper PORT WORKERS plain|rustls|openssl [CERTIFICATE KEY]";

/// Waiting connections that the kernel holds, as for all servers.
const BACKLOG: u32 = 4096;

/// Why the server or a connection ended early.
type Failure = Box<dyn Error + Send + Sync>;

/// What a connection speaks below HTTP.
#[derive(Clone)]
enum Layer {
    Plain,
    Rustls(TlsAcceptor),
    Openssl(SslAcceptor),
}

fn main() -> Result<(), Failure> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let [port, workers, layer @ ..] = &arguments[..] else {
        return Err(USAGE.into());
    };
    let layer = match layer {
        ["plain"] => Layer::Plain,
        ["rustls", certificate, key] => {
            let config = policy::rustls(certificate, key)?;
            Layer::Rustls(config.into())
        }
        ["openssl", certificate, key] => Layer::Openssl(policy::acceptor(certificate, key)?),
        _ => return Err(USAGE.into()),
    };
    let address = format!("127.0.0.1:{port}").parse()?;
    answers::on_threads(workers.parse()?, || {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_io()
            .build()?;
        runtime.block_on(serve(address, layer.clone()))
    })
}

async fn serve(address: SocketAddr, layer: Layer) -> Result<(), Failure> {
    let socket = TcpSocket::new_v4()?;
    socket.set_reuseaddr(true)?;
    socket.set_reuseport(true)?;
    socket.bind(address)?;
    let listener = socket.listen(BACKLOG)?;
    loop {
        // A failed accept concerns one connection, as does all below.
        let Ok((socket, _)) = listener.accept().await else {
            continue;
        };
        let layer = layer.clone();
        tokio::spawn(async move {
            // A client that leaves in the middle is none of the server's business.
            let _ = connection(socket, layer).await;
        });
    }
}

async fn connection(socket: TcpStream, layer: Layer) -> Result<(), Failure> {
    socket.set_nodelay(true)?;
    match layer {
        Layer::Plain => http(socket).await,
        Layer::Rustls(acceptor) => http(acceptor.accept(socket).await?).await,
        Layer::Openssl(acceptor) => {
            let mut stream = SslStream::new(Ssl::new(acceptor.context())?, socket)?;
            Pin::new(&mut stream).accept().await?;
            http(stream).await
        }
    }
}

async fn http(stream: impl AsyncRead + AsyncWrite + Unpin) -> Result<(), Failure> {
    let service = service_fn(|request| async move { Ok::<_, Infallible>(answer(&request)) });
    http1::Builder::new()
        .serve_connection(TokioIo::new(stream), service)
        .await?;
    Ok(())
}

/// hyper adds `date` and `content-length` by itself.
fn answer(request: &Request<Incoming>) -> Response<Full<Bytes>> {
    let body = answers::body(request.uri().path());
    let mut response = Response::new(Full::new(Bytes::from_static(body.unwrap_or_default())));
    if body.is_none() {
        *response.status_mut() = StatusCode::NOT_FOUND;
    }
    response
        .headers_mut()
        .insert(CONTENT_TYPE, HeaderValue::from_static("text/plain"));
    response
}
