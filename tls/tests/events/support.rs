//! Contexts that trust each other, and two connected engines.

use std::any::Any;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::sync::LazyLock;

use greenling_tls::crypto::TestCa;
use greenling_tls::{
    Alert, Context, ContextBuilder, Engine, EngineError, Error, RingSizes, Version, Want,
};

pub(crate) const NAME: &str = "localhost";
pub(crate) const VERSIONS: [Version; 2] = [Version::Tls12, Version::Tls13];

/// The shortest OCSP responses: refusals to answer (RFC 6960, section 4.2.1).
pub(crate) const TRY_LATER: [u8; 5] = [0x30, 3, 0x0a, 1, 3];
pub(crate) const UNAUTHORIZED: [u8; 5] = [0x30, 3, 0x0a, 1, 6];

static CA: LazyLock<TestCa> = LazyLock::new(|| TestCa::new("event tests").expect("test CA"));

/// The authority that both sides trust.
pub(crate) fn ca() -> &'static TestCa {
    &CA
}

pub(crate) fn server(version: Version) -> ContextBuilder {
    ContextBuilder::server()
        .versions(version..=version)
        .identity(CA.issue(&[NAME]).expect("test certificate"))
}

pub(crate) fn client(version: Version) -> ContextBuilder {
    ContextBuilder::client()
        .versions(version..=version)
        .trust_pem(CA.root_pem().expect("PEM"))
}

/// What a handshake has come to, unless it goes on.
type Step = Option<Result<(), Error>>;

/// Two engines and the bytes between them.
pub(crate) struct Pair {
    pub(crate) client: Engine,
    pub(crate) server: Engine,
}

impl Pair {
    pub(crate) fn new(client: ContextBuilder, server: ContextBuilder) -> Pair {
        let client = client.build().expect("client context");
        let server = server.build().expect("server context");
        Pair::of(&client, &server)
    }

    pub(crate) fn of(client: &Context, server: &Context) -> Pair {
        Pair {
            client: Engine::new(client, Some(NAME), RingSizes::default()).expect("client"),
            server: Engine::new(server, None, RingSizes::default()).expect("server"),
        }
    }

    /// One turn of each side; what each of them has come to.
    pub(crate) fn turn(&mut self) -> (Step, Step) {
        let client = settled(self.client.handshake());
        carry(&mut self.client, &mut self.server);
        let server = settled(self.server.handshake());
        carry(&mut self.server, &mut self.client);
        (client, server)
    }

    /// Both handshakes, to success or failure, and the client past what the server
    /// says after its own.
    pub(crate) fn handshake(&mut self) -> (Result<(), Error>, Result<(), Error>) {
        for _ in 0..8 {
            let (client, server) = self.turn();
            if let (Some(client), Some(server)) = (client, server) {
                let client = client.and_then(|()| idle(&mut self.client));
                carry(&mut self.client, &mut self.server);
                let server = server.and_then(|()| idle(&mut self.server));
                return (client, server);
            }
        }
        panic!("the handshake does not end");
    }

    /// As [`Pair::handshake`], which must succeed.
    pub(crate) fn connect(mut self) -> Pair {
        match self.handshake() {
            (Ok(()), Ok(())) => self,
            results => panic!("handshake failed: {results:?}"),
        }
    }

    /// Data from the client to the server, and back.
    pub(crate) fn talk(&mut self) {
        say(&mut self.client, &mut self.server);
        say(&mut self.server, &mut self.client);
    }
}

fn say(from: &mut Engine, to: &mut Engine) {
    from.write(b"question").expect("write");
    carry(from, to);
    let mut data = [0; 32];
    let count = to.read(&mut data).expect("read");
    assert_eq!(&data[..count], b"question");
}

fn settled(result: Result<(), EngineError>) -> Step {
    match result {
        Ok(()) => Some(Ok(())),
        Err(EngineError::Want(Want::Read)) => None,
        Err(EngineError::Failed(error)) => Some(Err(error)),
        Err(other) => panic!("handshake: {other}"),
    }
}

/// Reads where nothing but handshake messages and alerts is to be found.
pub(crate) fn idle(engine: &mut Engine) -> Result<(), Error> {
    match engine.read(&mut [0; 16]) {
        Err(EngineError::Want(Want::Read)) => Ok(()),
        Err(EngineError::Failed(error)) => Err(error),
        other => panic!("not idle: {other:?}"),
    }
}

/// Moves all there is.
pub(crate) fn carry(from: &mut Engine, to: &mut Engine) {
    loop {
        let fed = to.feed(from.out_data());
        if fed == 0 {
            return;
        }
        from.consume_out(fed);
    }
}

/// Panics without a report, which would fill the output of the tests.
pub(crate) fn fail(text: &'static str) -> ! {
    resume_unwind(Box::new(text))
}

/// Makes the handshake until one side panics; the message of that panic.
pub(crate) fn handshake_panics(pair: &mut Pair) -> String {
    let panic = catch_unwind(AssertUnwindSafe(|| pair.handshake())).expect_err("a panic");
    message(panic.as_ref())
}

pub(crate) fn message(panic: &(dyn Any + Send)) -> String {
    if let Some(text) = panic.downcast_ref::<&str>() {
        (*text).to_owned()
    } else {
        panic.downcast_ref::<String>().expect("a text").clone()
    }
}

/// The alert of an error that the peer caused.
pub(crate) fn peer_alert(result: Result<(), Error>) -> Alert {
    match result {
        Err(Error::Peer(alert)) => alert,
        other => panic!("no alert of the peer: {other:?}"),
    }
}

/// The alert that a rejection of our own was sent with, and its text.
pub(crate) fn rejection(result: Result<(), Error>) -> (Alert, String) {
    match result {
        Err(Error::Rejected(rejection)) => (rejection.alert(), rejection.to_string()),
        other => panic!("not rejected: {other:?}"),
    }
}
