//! Two engines in memory, whose questions are decided as they come.

use std::sync::LazyLock;

use greenling_tls::crypto::TestCa;
use greenling_tls::{
    Alert, Context, ContextBuilder, Deferral, Engine, EngineError, Error, RingSizes, Version, Want,
};

pub(crate) const VERSIONS: [Version; 2] = [Version::Tls12, Version::Tls13];

static CA: LazyLock<TestCa> = LazyLock::new(|| TestCa::new("callback tests").unwrap());

pub(crate) fn ca() -> &'static TestCa {
    &CA
}

pub(crate) fn server(name: &str) -> ContextBuilder {
    ContextBuilder::server().identity(CA.issue(&[name]).unwrap())
}

pub(crate) fn client() -> ContextBuilder {
    ContextBuilder::client().trust_pem(CA.root_pem().unwrap())
}

pub(crate) fn server_engine(context: &Context) -> Engine {
    Engine::new(context, None, RingSizes::default()).unwrap()
}

pub(crate) fn client_engine(context: &Context, name: &str) -> Engine {
    Engine::new(context, Some(name), RingSizes::default()).unwrap()
}

/// How the two ends of a handshake came out, and what they asked on the way.
#[derive(Debug)]
pub(crate) struct Shaken {
    pub(crate) server: Result<(), Error>,
    pub(crate) client: Result<(), Error>,
    pub(crate) asked: Vec<Deferral>,
}

impl Shaken {
    #[track_caller]
    pub(crate) fn well(&self) {
        assert!(self.server.is_ok() && self.client.is_ok(), "{self:?}");
    }
}

/// One step of a handshake; `None` while it is not over.
fn step(engine: &mut Engine, asked: &mut Vec<Deferral>) -> Option<Result<(), Error>> {
    loop {
        match engine.handshake() {
            Ok(()) => return Some(Ok(())),
            Err(EngineError::Want(Want::Read)) => return None,
            Err(EngineError::Want(Want::App)) => {
                let question = engine.question().expect("somebody asked");
                asked.push(engine.deferral().expect("about something"));
                engine.answer(question.decide()).unwrap();
            }
            Err(EngineError::Failed(error)) => return Some(Err(error)),
            Err(other) => panic!("handshake: {other}"),
        }
    }
}

/// Moves ciphertext in pieces of `chunk` bytes until nothing moves any more.
pub(crate) fn carry(from: &mut Engine, to: &mut Engine, chunk: usize) -> usize {
    let data = from.out_data();
    let n = data.len().min(chunk);
    let n = to.feed(&data[..n]);
    from.consume_out(n);
    n
}

pub(crate) fn shake_hands(server: &mut Engine, client: &mut Engine) -> Shaken {
    shake_hands_in(server, client, usize::MAX)
}

pub(crate) fn shake_hands_in(server: &mut Engine, client: &mut Engine, chunk: usize) -> Shaken {
    let mut asked = Vec::new();
    loop {
        let at_client = step(client, &mut asked);
        let mut moved = carry(client, server, chunk);
        let at_server = step(server, &mut asked);
        moved += carry(server, client, chunk);
        if moved > 0 {
            continue;
        }
        let over = |end: Option<Result<(), Error>>| end.unwrap_or(Err(Error::Truncated));
        return Shaken {
            server: over(at_server),
            client: over(at_client),
            asked,
        };
    }
}

/// Sends `text` one way and reads it at the other end, letting tickets by.
#[track_caller]
pub(crate) fn say(from: &mut Engine, to: &mut Engine, text: &[u8]) {
    assert_eq!(from.write(text).unwrap(), text.len());
    while carry(from, to, usize::MAX) > 0 {}
    let mut buf = [0; 64];
    let n = to.read(&mut buf).unwrap();
    assert_eq!(&buf[..n], text);
}

#[track_caller]
pub(crate) fn assert_alert(result: &Result<(), Error>, alert: Alert) {
    match result {
        Err(Error::Peer(got)) if *got == alert => {}
        other => panic!("{other:?} instead of {alert}"),
    }
}

#[track_caller]
pub(crate) fn assert_rejected(result: &Result<(), Error>, alert: Alert) {
    match result {
        Err(Error::Rejected(rejection)) if rejection.alert() == alert => {}
        other => panic!("{other:?} instead of a refusal with {alert}"),
    }
}
