//! X25519MLKEM768 between OpenSSL 3.5 or later and `rustls`, in both roles.
//!
//! Not part of the usual run: both sides then build a C library of their own.
//! `cargo test -p neighbours --features post-quantum --test post_quantum`

use greenling_tls::{Context, TlsStream};
use neighbours::Certified;
use rustls::crypto::CryptoProvider;
use rustls::crypto::aws_lc_rs::{self, kx_group};
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName};
use rustls::{
    ClientConfig, ClientConnection, NamedGroup, RootCertStore, ServerConfig, ServerConnection,
};
use std::io::{Read, Write};
use std::os::unix::net::UnixStream;
use std::sync::Arc;
use std::thread;

const GROUP: &str = "X25519MLKEM768";

/// All groups with the hybrid first, as rustls' `prefer-post-quantum` has them, or
/// the hybrid alone.
fn providers() -> [Arc<CryptoProvider>; 2] {
    let mut all = aws_lc_rs::default_provider();
    // The order of the others stays.
    all.kx_groups
        .sort_by_key(|group| group.name() != NamedGroup::X25519MLKEM768);
    let mut hybrid = all.clone();
    hybrid.kx_groups = vec![kx_group::X25519MLKEM768];
    [Arc::new(all), Arc::new(hybrid)]
}

/// Our side: answers five bytes, and tells the group.
fn ours(stream: TlsStream<UnixStream>) -> Option<String> {
    let mut stream = stream;
    let mut bytes = [0; 5];
    stream.read_exact(&mut bytes).expect("bytes of the peer");
    stream.write_all(&bytes).expect("an answer");
    stream.group()
}

/// The other side: sends five bytes, reads the answer, and tells the group.
macro_rules! theirs {
    ($connection:expr, $socket:expr) => {{
        let (mut connection, mut socket) = ($connection, $socket);
        let mut stream = rustls::Stream::new(&mut connection, &mut socket);
        stream.write_all(b"quant").expect("bytes");
        let mut bytes = [0; 5];
        stream.read_exact(&mut bytes).expect("the answer");
        assert_eq!(&bytes, b"quant");
        let group = connection.negotiated_key_exchange_group();
        group.expect("a group").name()
    }};
}

#[test]
fn a_rustls_client_gets_the_hybrid_from_us() {
    let certified = Certified::new();
    let (_, _, root) = certified.pem();
    for provider in providers() {
        let mut roots = RootCertStore::empty();
        let root = CertificateDer::from_pem_slice(&root).expect("PEM");
        roots.add(root).expect("an anchor");
        let config = ClientConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .expect("versions")
            .with_root_certificates(roots)
            .with_no_client_auth();
        let (near, far) = UnixStream::pair().expect("sockets");
        let context: Context = certified.server();
        let server =
            thread::spawn(move || ours(TlsStream::accept(&context, near).expect("handshake")));
        let name = ServerName::try_from("localhost").expect("a name");
        let client = ClientConnection::new(Arc::new(config), name).expect("client");
        assert_eq!(theirs!(client, far), NamedGroup::X25519MLKEM768);
        assert_eq!(server.join().expect("server").as_deref(), Some(GROUP));
    }
}

#[test]
fn a_rustls_server_gets_the_hybrid_from_us() {
    let certified = Certified::new();
    let (chain, key, _) = certified.pem();
    for provider in providers() {
        let chain: Vec<_> = CertificateDer::pem_slice_iter(&chain)
            .collect::<Result<_, _>>()
            .expect("PEM");
        let key = PrivateKeyDer::from_pem_slice(&key).expect("PEM");
        let config = ServerConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .expect("versions")
            .with_no_client_auth()
            .with_single_cert(chain, key)
            .expect("an identity");
        let (near, far) = UnixStream::pair().expect("sockets");
        let context = certified.client();
        // The server sends first here: our side reads.
        let client = thread::spawn(move || {
            ours(TlsStream::connect(&context, "localhost", near).expect("handshake"))
        });
        let server = ServerConnection::new(Arc::new(config)).expect("server");
        assert_eq!(theirs!(server, far), NamedGroup::X25519MLKEM768);
        assert_eq!(client.join().expect("client").as_deref(), Some(GROUP));
    }
}
