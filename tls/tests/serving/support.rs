//! Contexts that trust each other, and clients that are made of bytes.

use std::io::Read;
use std::sync::LazyLock;

use greenling::net::TcpStream;
use greenling::{JoinHandle, spawn};
use greenling_tls::crypto::TestCa;
use greenling_tls::{Context, ContextBuilder, Engine, EngineError, RingSizes};

#[allow(dead_code, reason = "each suite needs a part of it")]
#[path = "../common/engines.rs"]
mod engines;

pub(crate) use engines::{carry_all as carry, shake_hands};

pub(crate) const NAME: &str = "localhost";

static CA: LazyLock<TestCa> = LazyLock::new(|| TestCa::new("serving tests").expect("test CA"));

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
