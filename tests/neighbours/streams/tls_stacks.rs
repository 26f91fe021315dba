//! `rustls`' blocking `StreamOwned`, which reads and writes by itself: both
//! ends, and each end against `greenling_tls`.

use greenling::net::TcpStream;
use greenling_tls::TlsStream;
use neighbours::{Certified, Midway, Server, crowd};
use rustls::crypto::ring::default_provider;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName};
use rustls::{
    ClientConfig, ClientConnection, RootCertStore, ServerConfig, ServerConnection, StreamOwned,
};
use std::io::{BufRead, BufReader, Read, Write};
use std::sync::Arc;
use tests::isolated;

/// Bytes that follow a line; more than the kernel keeps of a connection is not
/// needed, many records are.
const BULK: usize = 200_000;

pub(crate) fn server_config(certified: &Certified) -> Arc<ServerConfig> {
    let (chain, key, _) = certified.pem();
    let chain: Vec<_> = CertificateDer::pem_slice_iter(&chain)
        .collect::<Result<_, _>>()
        .unwrap();
    let builder = ServerConfig::builder_with_provider(Arc::new(default_provider()));
    let builder = builder.with_safe_default_protocol_versions().unwrap();
    let key = PrivateKeyDer::from_pem_slice(&key).unwrap();
    let config = builder.with_no_client_auth().with_single_cert(chain, key);
    Arc::new(config.unwrap())
}

pub(crate) fn client_config(certified: &Certified) -> Arc<ClientConfig> {
    let mut roots = RootCertStore::empty();
    let (_, _, root) = certified.pem();
    roots
        .add(CertificateDer::from_pem_slice(&root).unwrap())
        .unwrap();
    let builder = ClientConfig::builder_with_provider(Arc::new(default_provider()));
    let builder = builder.with_safe_default_protocol_versions().unwrap();
    Arc::new(builder.with_root_certificates(roots).with_no_client_auth())
}

/// A client's end over any stream. The handshake comes with the first bytes.
pub(crate) fn connect<S: Read + Write>(
    config: &Arc<ClientConfig>,
    stream: S,
) -> StreamOwned<ClientConnection, S> {
    let name = ServerName::try_from("localhost").unwrap();
    let connection = ClientConnection::new(config.clone(), name).unwrap();
    StreamOwned::new(connection, stream)
}

/// A server's end over any stream.
pub(crate) fn accept<S: Read + Write>(
    config: &Arc<ServerConfig>,
    stream: S,
) -> StreamOwned<ServerConnection, S> {
    let connection = ServerConnection::new(config.clone()).unwrap();
    StreamOwned::new(connection, stream)
}

/// Answers a line by itself and by `BULK` bytes, each of them the line's length.
fn serve(stream: impl Read + Write) {
    let mut stream = BufReader::new(stream);
    for _ in 0..2 {
        let mut line = String::new();
        stream.read_line(&mut line).unwrap();
        stream.get_mut().write_all(line.as_bytes()).unwrap();
        let bulk = vec![line.len() as u8; BULK];
        stream.get_mut().write_all(&bulk).unwrap();
        stream.get_mut().flush().unwrap();
    }
}

fn converse(number: usize, stream: impl Read + Write, midway: &Midway) {
    let mut stream = BufReader::new(stream);
    for round in 0..2 {
        let sent = format!("{number} says {}\n", "x".repeat(number + round));
        stream.get_mut().write_all(sent.as_bytes()).unwrap();
        let mut line = String::new();
        stream.read_line(&mut line).unwrap();
        assert_eq!(line, sent);
        if round == 0 {
            // With most of the answer in flight.
            midway.meet();
        }
        let mut bulk = vec![0; BULK];
        stream.read_exact(&mut bulk).unwrap();
        assert!(bulk.iter().all(|&byte| byte == sent.len() as u8));
    }
}

#[test]
fn rustls_on_both_ends() {
    isolated(|| {
        let certified = Certified::new();
        let config = server_config(&certified);
        let server = Server::start(move |stream| serve(accept(&config, stream)));
        let address = server.address();
        let config = client_config(&certified);
        crowd(60, move |number, midway| {
            let stream = TcpStream::connect(address).unwrap();
            converse(number, connect(&config, stream), midway);
        });
        assert_eq!(server.finish(), 60);
    });
}

#[test]
fn rustls_clients_of_our_tls() {
    isolated(|| {
        let certified = Certified::new();
        let context = certified.server();
        let server = Server::start(move |stream| {
            serve(TlsStream::accept(&context, stream).unwrap());
        });
        let address = server.address();
        let config = client_config(&certified);
        crowd(60, move |number, midway| {
            let stream = TcpStream::connect(address).unwrap();
            converse(number, connect(&config, stream), midway);
        });
        assert_eq!(server.finish(), 60);
    });
}

#[test]
fn clients_of_ours_at_a_rustls_server() {
    isolated(|| {
        let certified = Certified::new();
        let config = server_config(&certified);
        let server = Server::start(move |stream| serve(accept(&config, stream)));
        let address = server.address();
        let context = certified.client();
        crowd(60, move |number, midway| {
            let stream = TcpStream::connect(address).unwrap();
            let stream = TlsStream::connect(&context, "localhost", stream).unwrap();
            converse(number, stream, midway);
        });
        assert_eq!(server.finish(), 60);
    });
}

/// TLS of one kind inside TLS of the other.
#[test]
fn rustls_inside_our_tls() {
    isolated(|| {
        let certified = Certified::new();
        let (outer, inner) = (certified.server(), server_config(&certified));
        let server = Server::start(move |stream| {
            let outer = TlsStream::accept(&outer, stream).unwrap();
            serve(accept(&inner, outer));
        });
        let address = server.address();
        let (outer, inner) = (certified.client(), client_config(&certified));
        crowd(20, move |number, midway| {
            let stream = TcpStream::connect(address).unwrap();
            let outer = TlsStream::connect(&outer, "localhost", stream).unwrap();
            converse(number, connect(&inner, outer), midway);
        });
        assert_eq!(server.finish(), 20);
    });
}

/// A refusal of one handshake stays with its connection.
#[test]
fn one_that_trusts_nobody_does_not_disturb_the_others() {
    isolated(|| {
        let certified = Certified::new();
        let config = server_config(&certified);
        let server = Server::start(move |stream| {
            let mut stream = accept(&config, stream);
            let mut byte = [0];
            // A refused handshake ends this as well.
            while stream.read_exact(&mut byte).is_ok() {
                stream.write_all(&byte).unwrap();
            }
        });
        let address = server.address();
        let (good, bad) = (client_config(&certified), client_config(&Certified::new()));
        crowd(40, move |number, midway| {
            let stream = TcpStream::connect(address).unwrap();
            let is_good = number % 2 == 0;
            let mut stream = connect(if is_good { &good } else { &bad }, stream);
            let mut ask = |byte: u8| {
                let mut answer = [0];
                stream.write_all(&[byte])?;
                stream.read_exact(&mut answer)?;
                assert_eq!(answer, [byte]);
                Ok::<(), std::io::Error>(())
            };
            let first = ask(number as u8);
            assert_eq!(first.is_ok(), is_good, "{number}: {first:?}");
            midway.meet();
            assert_eq!(ask(number as u8 + 100).is_ok(), is_good);
        });
        assert_eq!(server.finish(), 40);
    });
}
