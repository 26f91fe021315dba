//! Contexts, and two engines with nothing in between.

use std::sync::LazyLock;

use greenling_tls::crypto::TestCa;
use greenling_tls::{
    Alert, ClientAuth, Context, ContextBuilder, Engine, EngineError, PeerChain, RingSizes, Version,
    Want,
};

#[allow(dead_code, reason = "each suite needs a part of it")]
#[path = "../common/engines.rs"]
mod pair;

pub(crate) use pair::carry_all as carry;

pub(crate) const NAME: &str = "localhost";
pub(crate) const VERSIONS: [Version; 2] = [Version::Tls12, Version::Tls13];

static CONTEXTS: LazyLock<[(Context, Context); 2]> = LazyLock::new(|| {
    let ca = TestCa::new("naked tests").expect("test CA");
    VERSIONS.map(|version| {
        let server = ContextBuilder::server()
            .versions(version..=version)
            .identity(ca.issue(&[NAME]).expect("test certificate"));
        let client = ContextBuilder::client()
            .versions(version..=version)
            .trust_pem(ca.root_pem().expect("PEM"));
        let build = |builder: ContextBuilder| builder.build().expect("context");
        (build(server), build(client))
    })
});

/// A server's and a client's context that trust each other.
pub(crate) fn contexts(version: Version) -> &'static (Context, Context) {
    &CONTEXTS[usize::from(version == Version::Tls13)]
}

/// Contexts of a server that asks its application about clients, and of a client
/// with a certificate.
pub(crate) fn mutual_contexts(
    approve: impl Fn(&PeerChain) -> Result<(), Alert> + Send + Sync + 'static,
) -> (Context, Context) {
    let ca = TestCa::new("naked tests").expect("test CA");
    let root = ca.root_pem().expect("PEM");
    let server = ContextBuilder::server()
        .identity(ca.issue(&[NAME]).expect("test certificate"))
        .trust_pem(root.clone())
        .client_auth(ClientAuth::Required)
        .approve_peer(approve);
    let client = ContextBuilder::client()
        .identity(ca.issue_client("alice").expect("test certificate"))
        .trust_pem(root);
    let build = |builder: ContextBuilder| builder.build().expect("context");
    (build(server), build(client))
}

/// A server's and a client's engine.
pub(crate) fn engines(version: Version, size: usize) -> (Engine, Engine) {
    let (server, client) = contexts(version);
    let rings = RingSizes {
        incoming: size,
        outgoing: size,
    };
    (
        Engine::new(server, None, rings).expect("server engine"),
        Engine::new(client, Some(NAME), rings).expect("client engine"),
    )
}

/// One step of a handshake; whether it is done.
pub(crate) fn step(engine: &mut Engine) -> bool {
    match engine.handshake() {
        Ok(()) => true,
        Err(EngineError::Want(Want::Read)) => false,
        Err(other) => panic!("handshake: {other}"),
    }
}

/// Two engines whose handshake is done.
pub(crate) fn established(version: Version, size: usize) -> (Engine, Engine) {
    let (mut server, mut client) = engines(version, size);
    loop {
        let done = [step(&mut client), step(&mut server)];
        let moved = carry(&mut client, &mut server) + carry(&mut server, &mut client);
        if done == [true, true] && moved == 0 {
            return (server, client);
        }
    }
}

/// Reads all that there is; whether the peer has ended.
pub(crate) fn read_all(engine: &mut Engine, into: &mut Vec<u8>) -> bool {
    let mut buf = [0; 1000];
    loop {
        match engine.read(&mut buf) {
            Ok(n) => into.extend(&buf[..n]),
            Err(EngineError::Want(Want::Read)) => return false,
            Err(EngineError::Closed) => return true,
            Err(other) => panic!("read: {other}"),
        }
    }
}

/// Test data in which a lost, doubled or swapped byte shows.
pub(crate) fn pattern(len: usize) -> Vec<u8> {
    (0..len)
        .map(|i| (i.wrapping_mul(31) ^ (i >> 8)) as u8)
        .collect()
}
