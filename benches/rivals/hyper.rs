//! hyper on a tokio runtime of one thread, a rival of `compare http https`.
//!
//! `rival_hyper PORT plain|rustls|openssl [CERTIFICATE KEY]`; the two files
//! are PEM and are needed for TLS.

use std::convert::Infallible;
use std::error::Error;
use std::pin::Pin;
use std::sync::Arc;

use bytes::Bytes;
use http_body_util::Full;
use hyper::body::Incoming;
use hyper::header::CONTENT_TYPE;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper::{Request, Response, StatusCode};
use hyper_util::rt::TokioIo;
use openssl::ssl::{Ssl, SslAcceptor, SslFiletype, SslMethod};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpListener, TcpStream};
use tokio_openssl::SslStream;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::ServerConfig;
use tokio_rustls::rustls::pki_types::pem::PemObject;
use tokio_rustls::rustls::pki_types::{CertificateDer, PrivateKeyDer};

const USAGE: &str = "usage: rival_hyper PORT plain|rustls|openssl [CERTIFICATE KEY]";

/// What a connection speaks below HTTP.
#[derive(Clone)]
enum Layer {
    Plain,
    Rustls(TlsAcceptor),
    Openssl(SslAcceptor),
}

fn main() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let (port, layer) = match arguments[..] {
        [port, "plain"] => (port, Layer::Plain),
        [port, "rustls", certificate, key] => (port, rustls(certificate, key)?),
        [port, "openssl", certificate, key] => (port, openssl(certificate, key)?),
        _ => return Err(USAGE.into()),
    };
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_io()
        .build()?;
    let local = tokio::task::LocalSet::new();
    local.block_on(&runtime, serve(format!("127.0.0.1:{port}"), layer))
}

fn rustls(certificate: &str, key: &str) -> Result<Layer, Box<dyn Error>> {
    let chain = CertificateDer::pem_file_iter(certificate)?.collect::<Result<_, _>>()?;
    let key = PrivateKeyDer::from_pem_file(key)?;
    let config = ServerConfig::builder()
        .with_no_client_auth()
        .with_single_cert(chain, key)?;
    Ok(Layer::Rustls(TlsAcceptor::from(Arc::new(config))))
}

fn openssl(certificate: &str, key: &str) -> Result<Layer, Box<dyn Error>> {
    let mut builder = SslAcceptor::mozilla_intermediate_v5(SslMethod::tls_server())?;
    builder.set_certificate_chain_file(certificate)?;
    builder.set_private_key_file(key, SslFiletype::PEM)?;
    Ok(Layer::Openssl(builder.build()))
}

async fn serve(address: String, layer: Layer) -> Result<(), Box<dyn Error>> {
    let listener = TcpListener::bind(address).await?;
    loop {
        // A failed accept concerns one connection, as does all below.
        let Ok((socket, _)) = listener.accept().await else {
            continue;
        };
        let layer = layer.clone();
        tokio::task::spawn_local(async move {
            // A client that leaves in the middle is none of the server's business.
            let _ = connection(socket, layer).await;
        });
    }
}

async fn connection(socket: TcpStream, layer: Layer) -> Result<(), Box<dyn Error>> {
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

async fn http(stream: impl AsyncRead + AsyncWrite + Unpin) -> Result<(), Box<dyn Error>> {
    let service = service_fn(|request| async move { Ok::<_, Infallible>(answer(&request)) });
    http1::Builder::new()
        .serve_connection(TokioIo::new(stream), service)
        .await?;
    Ok(())
}

fn answer(request: &Request<Incoming>) -> Response<Full<Bytes>> {
    let mut response = Response::new(Full::new(Bytes::from_static(b"Hello, world!")));
    response.headers_mut().insert(
        CONTENT_TYPE,
        hyper::header::HeaderValue::from_static("text/plain"),
    );
    if request.uri().path() != "/hello" {
        *response.status_mut() = StatusCode::NOT_FOUND;
    }
    response
}
