//! Panics in the callbacks that judge a peer or choose what it is shown, beyond
//! the resolver's: each refuses, and reaches the caller; no peer is served.

use std::panic::{AssertUnwindSafe, catch_unwind};

use greenling_tls::{Alert, ClientAuth, Context, ContextBuilder, Engine, EngineError};
use greenling_tls::{Error, Identity, IdentityRequest, PeerChain, RingSizes, Version, Want};

use crate::support::{NAME, VERSIONS, ca, carry, client_builder, contexts, server_builder};

const TEXT: &str = "the judge fell ill";

fn judge(_: &PeerChain) -> Result<(), Alert> {
    std::panic::resume_unwind(Box::new(TEXT))
}

fn choose(_: &IdentityRequest) -> Result<Option<Identity>, Alert> {
    std::panic::resume_unwind(Box::new(TEXT))
}

/// A step of the handshake, with the answer of a callback where one is due. Says
/// whether the callback panicked.
fn step(engine: &mut Engine) -> bool {
    match engine.handshake() {
        Ok(()) | Err(EngineError::Want(Want::Read) | EngineError::Failed(_)) => false,
        Err(EngineError::Want(Want::App)) => {
            let question = engine.question().expect("it asks something");
            let decided = catch_unwind(AssertUnwindSafe(|| question.decide()));
            let Err(payload) = decided else {
                panic!("this callback does not panic");
            };
            assert_eq!(payload.downcast_ref(), Some(&TEXT));
            engine
                .answer(question.refuse(Alert::INTERNAL_ERROR))
                .expect("it has asked that");
            true
        }
        Err(other) => panic!("{other}"),
    }
}

/// Runs a handshake to its end, with words of both sides for who gets through.
/// Whether a callback panicked, and how the server and the client have failed.
fn meet(server: &Context, client: &Context) -> (bool, Option<Error>, Option<Error>) {
    let mut server = Engine::new(server, None, RingSizes::default()).expect("engine");
    let mut client = Engine::new(client, Some(NAME), RingSizes::default()).expect("engine");
    let mut panicked = false;
    for _ in 0..8 {
        for engine in [&mut client, &mut server] {
            panicked |= step(engine);
        }
        carry(&mut client, &mut server, usize::MAX);
        carry(&mut server, &mut client, usize::MAX);
    }
    for engine in [&mut client, &mut server] {
        let _ = engine.write(b"words");
    }
    carry(&mut client, &mut server, usize::MAX);
    carry(&mut server, &mut client, usize::MAX);
    let mut buf = [0; 10];
    for engine in [&mut client, &mut server] {
        engine.close_in();
        assert!(engine.read(&mut buf).is_err(), "somebody was served");
    }
    let failed = |engine: &Engine| engine.failure().cloned();
    (panicked, failed(&server), failed(&client))
}

fn mutual(version: Version) -> ContextBuilder {
    server_builder(version)
        .client_auth(ClientAuth::Required)
        .trust_pem(ca().root_pem().expect("PEM"))
}

#[test]
#[cfg_attr(
    feature = "aws-lc",
    ignore = "AWS-LC has the client asked after the handshake"
)]
fn a_client_whose_judge_panics_refuses_its_server() {
    for version in VERSIONS {
        let (server, _) = contexts(version);
        let client = client_builder(version).approve_peer(judge);
        let (panicked, server, client) = meet(&server, &client.build().expect("context"));
        assert!(panicked);
        assert!(matches!(client, Some(Error::Rejected(_))), "{client:?}");
        assert!(matches!(server, Some(Error::Peer(_))), "{server:?}");
    }
}

#[test]
fn a_server_whose_judge_panics_refuses_its_client() {
    for version in VERSIONS {
        let server = mutual(version).approve_peer(judge);
        let client = client_builder(version).identity(ca().issue_client("me").expect("identity"));
        let (panicked, server, client) = meet(
            &server.build().expect("context"),
            &client.build().expect("context"),
        );
        assert!(panicked);
        assert!(matches!(server, Some(Error::Rejected(_))), "{server:?}");
        assert!(client.is_some());
    }
}

#[test]
fn a_client_that_cannot_choose_its_certificate_gives_up() {
    for version in VERSIONS {
        let server = mutual(version).build().expect("context");
        let client = client_builder(version).identity_with(choose);
        let (panicked, server, client) = meet(&server, &client.build().expect("context"));
        assert!(panicked);
        assert!(matches!(client, Some(Error::Rejected(_))), "{client:?}");
        assert!(matches!(server, Some(Error::Peer(_))), "{server:?}");
    }
}

/// The stream makes of all that a panic of its caller, and tells the peer.
#[cfg(feature = "greenling")]
#[test]
#[cfg_attr(
    feature = "aws-lc",
    ignore = "AWS-LC has the client asked after the handshake"
)]
fn the_caller_of_a_stream_gets_the_panic_and_the_peer_an_alert() {
    use greenling::net::UnixStream;
    use greenling_tls::TlsStream;

    greenling::enter(|| {
        for version in VERSIONS {
            let (a, b) = std::os::unix::net::UnixStream::pair().expect("socket pair");
            let (a, b) = (
                UnixStream::from_std(a).expect("watched"),
                UnixStream::from_std(b).expect("watched"),
            );
            let (server, _) = contexts(version);
            let client = client_builder(version).approve_peer(judge);
            let client = client.build().expect("context");
            let asking = greenling::spawn(move || drop(TlsStream::connect(&client, NAME, b)));
            let refused = TlsStream::accept(&server, a).map(drop);
            if version == Version::Tls12 {
                let refused = refused.expect_err("the client refuses").into_error();
                assert!(matches!(refused, Error::Peer(_)), "{refused:?}");
            }
            let payload = asking.join().expect_err("panicked").into_panic();
            assert_eq!(payload.downcast_ref(), Some(&TEXT));
        }
    });
}
