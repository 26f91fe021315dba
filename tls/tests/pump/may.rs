//! Streams over the sockets of `may`, in its coroutines.

use std::io::{Read, Write};
use std::time::Duration;

use greenling_tls::{Error, TlsStream, Version};
use may::net::{TcpListener, TcpStream};

use crate::support::{NAME, VERSIONS, contexts, pattern, server_builder};

/// Runs `f` in a coroutine with room for OpenSSL.
fn in_coroutine<T: Send + 'static>(
    f: impl FnOnce() -> T + Send + 'static,
) -> may::coroutine::JoinHandle<T> {
    may::config().set_stack_size(0x8000);
    may::go!(f)
}

#[test]
fn bulk_data_between_coroutines() {
    for version in VERSIONS {
        let (server, client) = contexts(version);
        let listener = TcpListener::bind("127.0.0.1:0").expect("bind");
        let address = listener.local_addr().expect("address");
        let serving = in_coroutine(move || {
            let (tcp, _) = listener.accept().expect("accept");
            let mut stream = TlsStream::accept(&server, tcp).expect("handshake");
            let mut got = vec![0; 1_000_000];
            stream.read_exact(&mut got).expect("read");
            stream.write_all(&got).expect("write");
            stream.close().expect("close");
        });
        let connecting = in_coroutine(move || {
            let tcp = TcpStream::connect(address).expect("connect");
            let mut stream = TlsStream::connect(&client, NAME, tcp).expect("handshake");
            stream.write_all(&pattern(1_000_000)).expect("write");
            let mut back = Vec::new();
            stream.read_to_end(&mut back).expect("read");
            assert!(back == pattern(1_000_000));
            stream.close().expect("close");
        });
        serving.join().expect("no panic");
        connecting.join().expect("no panic");
    }
}

#[test]
fn a_mute_client_is_given_up() {
    let server = server_builder(Version::Tls13)
        .handshake_timeout(Duration::from_millis(30))
        .build()
        .expect("context");
    let listener = TcpListener::bind("127.0.0.1:0").expect("bind");
    let address = listener.local_addr().expect("address");
    let _mute = std::net::TcpStream::connect(address).expect("connect");
    let serving = in_coroutine(move || {
        let (tcp, _) = listener.accept().expect("accept");
        TlsStream::accept(&server, tcp)
            .map(drop)
            .map_err(|failed| failed.into_error())
    });
    let failed = serving
        .join()
        .expect("no panic")
        .expect_err("the client never finishes");
    assert!(matches!(failed, Error::TimedOut));
}
