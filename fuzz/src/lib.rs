//! What the fuzz targets share: inputs read as commands, contexts, and data in
//! which a lost, doubled or swapped byte shows.

pub mod objects;

use std::sync::LazyLock;

use greenling_tls::crypto::TestCa;
use greenling_tls::{Alert, ClientAuth, ClientHello, Context, ContextBuilder, Engine};
use greenling_tls::{PeerChain, Version};
use openssl::error::ErrorStack;

/// The server that clients ask for.
pub const NAME: &str = "localhost";

/// A fuzzer's input, read from the front as numbers. After the end come zeroes.
#[derive(Debug)]
pub struct Input<'a> {
    rest: &'a [u8],
}

impl<'a> Input<'a> {
    pub fn new(data: &'a [u8]) -> Input<'a> {
        Input { rest: data }
    }

    /// The next command, while there is one.
    pub fn command(&mut self) -> Option<u8> {
        let (&first, rest) = self.rest.split_first()?;
        self.rest = rest;
        Some(first)
    }

    pub fn byte(&mut self) -> u8 {
        self.command().unwrap_or(0)
    }

    pub fn flag(&mut self) -> bool {
        self.byte() & 1 == 1
    }

    /// A number of bytes. Small ones are likely, and so are those around the size
    /// of a record.
    pub fn size(&mut self) -> usize {
        match self.byte() {
            small @ 0..128 => usize::from(small),
            middle @ 128..224 => usize::from(middle - 127) * 64,
            large => 16 * 1024 - 16 + usize::from(large - 224),
        }
    }

    /// The capacity of a ring: tiny ones are the interesting ones.
    pub fn capacity(&mut self) -> usize {
        match self.byte() {
            tiny @ 0..160 => 1 + usize::from(tiny),
            small @ 160..240 => usize::from(small - 159) * 51,
            _ => 17 * 1024,
        }
    }

    pub fn rest(self) -> &'a [u8] {
        self.rest
    }
}

/// The contexts of a server and a client that trust each other.
#[derive(Debug)]
pub struct Pair {
    pub server: Context,
    pub client: Context,
}

/// Mutual means that the client has a certificate and shows it when asked, and
/// that both may begin new handshakes where the version has them. Asking means
/// that the server's context is chosen by a callback that may wait, and that both
/// sides ask one about each other.
fn pair(version: Version, mutual: bool, asking: bool) -> Pair {
    static CA: LazyLock<TestCa> = LazyLock::new(|| TestCa::new("fuzz").expect("authority"));
    let root = CA.root_pem().expect("PEM");
    let mut server = ContextBuilder::server()
        .versions(version..=version)
        .key_update_limit(None)
        .identity(CA.issue(&[NAME]).expect("certificate"));
    let mut client = ContextBuilder::client()
        .versions(version..=version)
        .key_update_limit(None)
        .trust_pem(root.clone());
    if mutual {
        server = server.allow_renegotiation();
        client = client.allow_renegotiation();
        server = server.client_auth(ClientAuth::Optional).trust_pem(root);
        client = client.identity(CA.issue_client("fuzz").expect("certificate"));
    }
    if asking {
        client = client.approve_peer(approve);
        if mutual {
            server = server.approve_peer(approve);
        }
    }
    let mut server = server.build().expect("server context");
    if asking {
        let chosen = server.clone();
        let builder = ContextBuilder::server()
            .versions(version..=version)
            .resolver(move |hello: &ClientHello| {
                look_at(hello);
                Ok::<_, Alert>(chosen.clone())
            });
        server = builder.build().expect("server context");
    }
    Pair {
        server,
        client: client.build().expect("client context"),
    }
}

fn approve(chain: &PeerChain) -> Result<(), Alert> {
    let _ = (chain.certificate(), chain.chain(), chain.server_name());
    Ok(())
}

/// Reads everything of a ClientHello, which nobody has checked yet.
fn look_at(hello: &ClientHello) {
    let _ = (hello.server_name(), hello.alpn().count(), hello.versions());
    let _ = (
        hello.cipher_suites(),
        hello.groups(),
        hello.signature_algorithms(),
    );
    let _ = (hello.random(), hello.session_id(), hello.legacy_version());
    for kind in hello.extensions() {
        let _ = hello.extension(kind);
    }
}

/// The contexts that the bits 0, 1 and 6 of `choice` stand for.
pub fn contexts(choice: u8) -> &'static Pair {
    static PAIRS: LazyLock<[Pair; 8]> = LazyLock::new(|| {
        std::array::from_fn(|index| {
            let version = [Version::Tls13, Version::Tls12][index & 1];
            pair(version, index & 2 != 0, index & 4 != 0)
        })
    });
    &PAIRS[usize::from(choice & 3 | choice >> 4 & 4)]
}

/// Answers the question that an engine waits for.
pub fn answer(engine: &mut Engine) {
    let question = engine.question().expect("it asks something");
    let answer = question.decide();
    engine.answer(answer).expect("it has asked that");
    check_error_queue("answer");
}

/// The byte at `index` of what the side `from` sends.
pub fn byte_at(from: usize, index: u64) -> u8 {
    let mixed = (index + 1).wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 40;
    (mixed as u8) ^ (from as u8).wrapping_mul(0x55)
}

/// The bytes from `index` on of what the side `from` sends.
pub fn pattern(from: usize, index: u64, len: usize) -> Vec<u8> {
    (index..).take(len).map(|i| byte_at(from, i)).collect()
}

/// No public call leaves an error in OpenSSL's queue. What others left there stays
/// if the call has nothing to ask OpenSSL.
pub fn check_error_queue(after: &str) {
    let queue = ErrorStack::get();
    let mut ours = queue.errors().iter();
    let ours = ours.find(|error| error.library() != Some("PEM routines"));
    assert!(ours.is_none(), "after {after}: {queue}");
}

/// Leaves an error in OpenSSL's queue, as careless code on the same thread does.
pub fn poison_error_queue() {
    openssl::x509::X509::from_pem(b"no certificate")
        .expect_err("not PEM")
        .put();
}
