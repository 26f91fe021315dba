//! Contexts, and two connections whose buffers a test carries by hand.

use greenling_tls::{Context, MemoryBio, Role, SslError, SslErrorKind, SslObject, Version};
use openssl::error::ErrorStack;

#[allow(dead_code, reason = "each suite needs a part of it")]
#[path = "../common/contexts.rs"]
mod contexts;

pub(crate) use contexts::*;

/// A connection with its two buffers.
pub(crate) struct Side {
    pub(crate) tls: SslObject,
    pub(crate) incoming: MemoryBio,
    pub(crate) outgoing: MemoryBio,
}

impl Side {
    pub(crate) fn new(context: &Context, name: Option<&str>) -> Side {
        let (incoming, outgoing) = (MemoryBio::new(), MemoryBio::new());
        let tls = context
            .wrap_bio(&incoming, &outgoing, context.role(), name)
            .expect("an object");
        Side {
            tls,
            incoming,
            outgoing,
        }
    }

    /// Makes a call, which must leave nothing in OpenSSL's queue of errors.
    pub(crate) fn call<T>(
        &mut self,
        call: impl FnOnce(&mut SslObject) -> Result<T, SslError>,
    ) -> Result<T, SslError> {
        let result = call(&mut self.tls);
        assert!(ErrorStack::get().errors().is_empty());
        result
    }

    /// Makes a call that must fail.
    #[track_caller]
    pub(crate) fn fails<T: std::fmt::Debug>(
        &mut self,
        call: impl FnOnce(&mut SslObject) -> Result<T, SslError>,
    ) -> SslError {
        self.call(call).expect_err("a failure")
    }
}

/// A client and a server that nothing but the test connects.
pub(crate) struct Pair {
    pub(crate) client: Side,
    pub(crate) server: Side,
}

impl Pair {
    pub(crate) fn new(server: &Context, client: &Context) -> Pair {
        assert_eq!(server.role(), Role::Server);
        Pair {
            client: Side::new(client, Some(NAME)),
            server: Side::new(server, None),
        }
    }

    /// Moves what is to be sent; how much that was.
    pub(crate) fn carry(&self) -> usize {
        let up = self.client.outgoing.read(None);
        let down = self.server.outgoing.read(None);
        let moved = self.server.incoming.write(&up).expect("not ended")
            + self.client.incoming.write(&down).expect("not ended");
        assert_eq!(moved, up.len() + down.len());
        moved
    }

    /// Moves only what the client has to send.
    pub(crate) fn carry_up(&self) {
        let up = self.client.outgoing.read(None);
        self.server.incoming.write(&up).expect("not ended");
    }

    /// Makes the handshake, up to what either side has to say about it.
    pub(crate) fn shake_hands(&mut self) -> [Result<(), SslError>; 2] {
        let mut client = self.client.call(SslObject::do_handshake);
        let mut server = self.server.call(SslObject::do_handshake);
        while self.carry() > 0 {
            if waits(&client) {
                client = self.client.call(SslObject::do_handshake);
            }
            if waits(&server) {
                server = self.server.call(SslObject::do_handshake);
            }
            if client.is_ok() && server.is_ok() {
                // What is left are tickets.
                self.carry();
                break;
            }
        }
        [client, server]
    }

    /// Makes the handshake, which must succeed.
    #[track_caller]
    pub(crate) fn connect(&mut self) {
        for result in self.shake_hands() {
            result.expect("a handshake");
        }
    }

    /// Two that trust each other, after the handshake. A client of TLS 1.3 has not read
    /// its tickets yet.
    pub(crate) fn connected(version: Version) -> Pair {
        let (server, client) = contexts(version);
        let mut pair = Pair::new(&server, &client);
        pair.connect();
        pair
    }
}

fn waits<T>(result: &Result<T, SslError>) -> bool {
    matches!(result, Err(error) if error.kind() == SslErrorKind::WantRead)
}

#[track_caller]
pub(crate) fn assert_waits<T: std::fmt::Debug>(result: Result<T, SslError>) {
    assert!(waits(&result), "{result:?}");
}
