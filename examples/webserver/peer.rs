//! Who is at the other end of a connection, as far as it can be told.

use std::fmt::Write as _;
use std::io::{self, Read, Write};
use std::net::SocketAddr;

use examples::http::{Exchange, Status};
use greenling_tls::PeerIdentity;

/// A client.
#[derive(Debug)]
pub(crate) struct Peer {
    /// What its proxy told, or the socket's.
    address: SocketAddr,
    /// From the certificate that the server demanded.
    name: Option<String>,
}

impl Peer {
    /// One at `address`, with the certificate that was verified, if any.
    pub(crate) fn new(address: SocketAddr, identity: Option<&PeerIdentity>) -> Self {
        // The common name is a label; what programs may rely on are the others.
        let name = identity.and_then(|identity| {
            let names = identity.uris().iter().chain(identity.dns_names());
            let mut names = names.chain(identity.emails()).map(String::as_str);
            names.next().or(identity.common_name()).map(str::to_owned)
        });
        Self { address, name }
    }

    /// Answers `/peer`.
    pub(crate) fn tell<S: Read + Write>(&self, exchange: &mut Exchange<'_, S>) -> io::Result<()> {
        let mut text = format!("address {}\n", self.address);
        if let Some(name) = &self.name {
            let _ = writeln!(text, "name {name}");
        }
        exchange
            .respond(Status::OK)
            .header("content-type", "text/plain; charset=utf-8")
            .header("cache-control", "no-store")
            .body(text.as_bytes())
    }
}
