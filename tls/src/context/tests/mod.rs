//! What the options and defaults do on the wire: two engines in memory, one of
//! them sometimes an `SSL` of plain OpenSSL that plays a peer with other habits.

mod alpn;
mod defaults;
mod hello;
#[allow(
    unsafe_code,
    reason = "offers sessions that our own API refuses to offer"
)]
mod resumption;
mod verification;

use openssl::ssl::{Ssl, SslContext, SslContextBuilder, SslMethod, SslVerifyMode};

use super::{Context, ContextBuilder};
use crate::bio::RingSizes;
use crate::crypto::TestCa;
use crate::engine::{Engine, EngineError, Role, Want};
use crate::error::Error;
#[cfg(feature = "aws-lc")]
use crate::ssl::missing::SslContextBuilderExt;

/// Two connected engines.
struct Pair {
    client: Engine,
    server: Engine,
}

impl Pair {
    fn new(client: &Context, name: &str, server: &Context) -> Pair {
        Pair {
            client: client_engine(client, Some(name)),
            server: server_engine(server),
        }
    }

    /// Moves bytes both ways until neither side has any for the other.
    fn shuttle(&mut self) {
        loop {
            let moved = transfer(&mut self.client, &mut self.server)
                + transfer(&mut self.server, &mut self.client);
            if moved == 0 {
                return;
            }
        }
    }

    /// Drives both sides to the end of their handshakes and the client past the
    /// server's last messages, and tells what each of them learnt.
    fn handshake(&mut self) -> (Result<(), Error>, Result<(), Error>) {
        // A handshake takes three flights; a failure one more for the alert.
        for _ in 0..8 {
            let client = self.client.handshake();
            transfer(&mut self.client, &mut self.server);
            let server = self.server.handshake();
            transfer(&mut self.server, &mut self.client);
            let pending = |r: &Result<(), EngineError>| matches!(r, Err(EngineError::Want(_)));
            if !pending(&server) && (client.is_ok() || !pending(&client)) {
                // A client of TLS 1.3 reads tickets, or the server's verdict on
                // its certificate, after its own handshake.
                let client = client.and_then(|()| match self.client.read(&mut [0; 16]) {
                    Err(EngineError::Want(Want::Read)) => Ok(()),
                    Err(error) => Err(error),
                    Ok(count) => panic!("{count} bytes from nowhere"),
                });
                return (client.map_err(failure), server.map_err(failure));
            }
        }
        panic!("the handshake does not end");
    }

    /// As [`Pair::handshake`], which must succeed.
    fn connect(mut self) -> Pair {
        match self.handshake() {
            (Ok(()), Ok(())) => self,
            results => panic!("handshake failed: {results:?}"),
        }
    }
}

fn client_engine(context: &Context, name: Option<&str>) -> Engine {
    let ssl = context.new_ssl(name).unwrap();
    Engine::from_ssl(ssl, Role::Client, name, RingSizes::default())
}

fn server_engine(context: &Context) -> Engine {
    Engine::from_ssl(
        context.new_ssl(None).unwrap(),
        Role::Server,
        None,
        RingSizes::default(),
    )
}

/// An engine on a context of plain OpenSSL.
fn plain_engine(context: &SslContext, role: Role) -> Engine {
    Engine::from_ssl(Ssl::new(context).unwrap(), role, None, RingSizes::default())
}

/// A client of plain OpenSSL that verifies nothing and allows everything.
fn plain_client() -> SslContextBuilder {
    let mut context = SslContextBuilder::new(SslMethod::tls_client()).unwrap();
    context.set_verify(SslVerifyMode::NONE);
    context.set_security_level(0);
    context.set_min_proto_version(None).unwrap();
    context
}

fn failure(error: EngineError) -> Error {
    match error {
        EngineError::Failed(error) => error,
        other => panic!("not a failure: {other:?}"),
    }
}

fn transfer(from: &mut Engine, to: &mut Engine) -> usize {
    let mut moved = 0;
    loop {
        let taken = to.feed(from.out_data());
        if taken == 0 {
            return moved;
        }
        from.consume_out(taken);
        moved += taken;
    }
}

/// A CA, and a server's and a client's builder that trust and use it.
fn certified() -> (TestCa, ContextBuilder, ContextBuilder) {
    let ca = TestCa::new("tests").unwrap();
    let identity = ca.issue(&["localhost", "127.0.0.1", "::1"]).unwrap();
    let server = ContextBuilder::server().identity(identity);
    let client = ContextBuilder::client().trust_pem(ca.root_pem().unwrap());
    (ca, client, server)
}

#[test]
fn a_context_can_be_shared_by_threads() {
    fn shared<T: Clone + Send + Sync + 'static>() {}
    shared::<Context>();
}
