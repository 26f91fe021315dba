//! Contexts that trust each other, and clients that are made of bytes.

use std::io::Read;
use std::sync::LazyLock;

use greenling::net::TcpStream;
use greenling::{JoinHandle, spawn};
use greenling_tls::crypto::LocalCa;
use greenling_tls::{Context, ContextBuilder, Engine, EngineError, RingSizes, Want};

pub(crate) const NAME: &str = "localhost";

static CA: LazyLock<LocalCa> = LazyLock::new(|| LocalCa::new("serving tests").expect("test CA"));

pub(crate) fn server_builder() -> ContextBuilder {
    ContextBuilder::server().identity(CA.issue(&[NAME]).expect("test certificate"))
}

pub(crate) fn client_builder() -> ContextBuilder {
    ContextBuilder::client().trust_pem(CA.root_pem().expect("PEM"))
}

/// A server's and a client's context.
pub(crate) fn contexts() -> (Context, Context) {
    let server = server_builder().build().expect("server context");
    let client = client_builder().build().expect("client context");
    (server, client)
}

/// A client's engine, and its ClientHello.
pub(crate) fn hello(context: &Context) -> (Engine, Vec<u8>) {
    let mut engine = Engine::new(context, Some(NAME), RingSizes::default()).expect("engine");
    assert!(matches!(engine.handshake(), Err(EngineError::Want(_))));
    let hello = engine.out_data().to_vec();
    engine.consume_out(hello.len());
    (engine, hello)
}

/// Waits for a tasklet that does not panic.
pub(crate) fn join<T: 'static>(handle: JoinHandle<T>) -> T {
    handle.join().expect("no panic")
}

/// What a tasklet does, as a handle to wait for.
pub(crate) fn run<T: 'static>(f: impl FnOnce() -> T + 'static) -> JoinHandle<T> {
    spawn(f)
}

/// What the peer sends up to its end; a reset is an end, too.
pub(crate) fn rest(mut socket: &TcpStream) -> Vec<u8> {
    let mut bytes = Vec::new();
    let _ = socket.read_to_end(&mut bytes);
    bytes
}

/// Moves all ciphertext from one engine to the other; how much there was.
pub(crate) fn carry(from: &mut Engine, to: &mut Engine) -> usize {
    let mut moved = 0;
    loop {
        let n = to.feed(from.out_data());
        if n == 0 {
            return moved;
        }
        from.consume_out(n);
        moved += n;
    }
}

/// Makes the handshake of two engines.
pub(crate) fn shake_hands(server: &mut Engine, client: &mut Engine) {
    loop {
        let done = [client.handshake(), server.handshake()].map(|result| match result {
            Ok(()) => true,
            Err(EngineError::Want(Want::Read)) => false,
            Err(other) => panic!("handshake: {other}"),
        });
        let moved = carry(client, server) + carry(server, client);
        if done == [true, true] && moved == 0 {
            return;
        }
    }
}
