//! A server's and a client's context that trust each other.

use std::sync::LazyLock;

use greenling_tls::crypto::TestCa;
use greenling_tls::{Context, ContextBuilder, Version};

pub(crate) const NAME: &str = "localhost";
pub(crate) const VERSIONS: [Version; 2] = [Version::Tls12, Version::Tls13];

static CA: LazyLock<TestCa> = LazyLock::new(|| TestCa::new("TLS tests").expect("test CA"));

/// The authority that both sides trust.
pub(crate) fn ca() -> &'static TestCa {
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
