//! Contexts, random numbers, engines that are carried by hand.

use std::sync::LazyLock;

use greenling_tls::crypto::LocalCa;
use greenling_tls::{Context, ContextBuilder, Version};

pub(crate) const NAME: &str = "localhost";
pub(crate) const VERSIONS: [Version; 2] = [Version::Tls12, Version::Tls13];

static CA: LazyLock<LocalCa> = LazyLock::new(|| LocalCa::new("hard tests").expect("test CA"));

/// The authority that both sides trust.
pub(crate) fn ca() -> &'static LocalCa {
    &CA
}

pub(crate) fn server_builder(version: Version) -> ContextBuilder {
    let identity = CA.issue(&[NAME]).expect("test certificate");
    ContextBuilder::server()
        .versions(version..=version)
        .identity(identity)
}

pub(crate) fn client_builder(version: Version) -> ContextBuilder {
    ContextBuilder::client()
        .versions(version..=version)
        .trust_pem(CA.root_pem().expect("PEM"))
}

/// A server's and a client's context that trust each other.
pub(crate) fn contexts(version: Version) -> (Context, Context) {
    let server = server_builder(version).build().expect("server context");
    let client = client_builder(version).build().expect("client context");
    (server, client)
}

/// Deterministic random numbers (xorshift64*).
#[derive(Debug, Clone)]
pub(crate) struct Random(u64);

impl Random {
    pub(crate) fn new(seed: u64) -> Random {
        Random(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1)
    }

    /// A number below `limit`.
    pub(crate) fn below(&mut self, limit: usize) -> usize {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        let high = self.0.wrapping_mul(0x2545_f491_4f6c_dd1d) >> 33;
        usize::try_from(high).expect("31 bits") % limit
    }
}
