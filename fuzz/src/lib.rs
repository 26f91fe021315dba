//! What the fuzz targets share: inputs read as commands, contexts, and data in
//! which a lost, doubled or swapped byte shows.

use std::sync::LazyLock;

use greenling_tls::crypto::LocalCa;
use greenling_tls::{ClientAuth, Context, ContextBuilder, Version};
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

/// The contexts of a server and a client that trust each other. Mutual means that
/// the client has a certificate and shows it when asked, and that both may begin
/// new handshakes where the version has them.
#[derive(Debug)]
pub struct Pair {
    pub server: Context,
    pub client: Context,
}

fn pair(version: Version, mutual: bool) -> Pair {
    static CA: LazyLock<LocalCa> = LazyLock::new(|| LocalCa::new("fuzz").expect("authority"));
    let root = CA.root_pem().expect("PEM");
    let mut server = ContextBuilder::server()
        .versions(version..=version)
        .identity(CA.issue(&[NAME]).expect("certificate"));
    let mut client = ContextBuilder::client()
        .versions(version..=version)
        .trust_pem(root.clone());
    if mutual {
        server = server.allow_renegotiation();
        client = client.allow_renegotiation();
        server = server.client_auth(ClientAuth::Optional).trust_pem(root);
        client = client.identity(CA.issue_client("fuzz").expect("certificate"));
    }
    Pair {
        server: server.build().expect("server context"),
        client: client.build().expect("client context"),
    }
}

/// The contexts that the lowest two bits of `choice` stand for.
pub fn contexts(choice: u8) -> &'static Pair {
    static PAIRS: LazyLock<[Pair; 4]> = LazyLock::new(|| {
        [
            pair(Version::Tls13, false),
            pair(Version::Tls12, false),
            pair(Version::Tls13, true),
            pair(Version::Tls12, true),
        ]
    });
    &PAIRS[usize::from(choice & 3)]
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
