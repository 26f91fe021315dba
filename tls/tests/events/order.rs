//! In which order a handshake comes to its callbacks: what each of them can know.

use std::sync::{Arc, Mutex};

use greenling_tls::{
    AlpnChoice, ClientHello, ContextBuilder, Engine, EngineError, HandshakeType, IdentityRequest,
    OcspStaple, Rejection, Verdict, Version, Want,
};

use crate::support::{NAME, Pair, TRY_LATER, VERSIONS, ca, carry, client};

type Steps = Arc<Mutex<Vec<&'static str>>>;

/// Says that it was there.
fn note(steps: &Steps, step: &'static str) -> impl Fn() + Send + Sync + 'static {
    let steps = Arc::clone(steps);
    move || {
        let mut steps = steps.lock().unwrap();
        // Some are called several times in a row.
        if steps.last() != Some(&step) {
            steps.push(step);
        }
    }
}

fn of_server(steps: &Steps, version: Version) -> ContextBuilder {
    let (hello, late) = (note(steps, "hello"), note(steps, "identity"));
    let (alpn, ocsp) = (note(steps, "alpn"), note(steps, "ocsp"));
    let staple = OcspStaple::new(TRY_LATER).unwrap();
    let identity = ca().issue(&[NAME]).unwrap().with_ocsp_staple(&staple);
    let chosen = ContextBuilder::server()
        .versions(version..=version)
        .identity_with(move |request: &IdentityRequest| {
            assert_eq!(request.server_name(), Some(NAME));
            late();
            Ok::<_, Rejection>(Some(identity.clone()))
        })
        .alpn_select(move |_, offered| {
            alpn();
            assert_eq!(offered, [b"h2"]);
            AlpnChoice::Select(b"h2".to_vec())
        })
        .ocsp_responder(move |connection, _| {
            assert_eq!(connection.server_name(), Some(NAME));
            ocsp();
            Ok(None)
        })
        .build()
        .unwrap();
    ContextBuilder::server().resolver(move |asked: &ClientHello| {
        assert_eq!(asked.server_name(), Some(NAME));
        hello();
        Ok::<_, Rejection>(chosen.clone())
    })
}

fn of_client(steps: &Steps, version: Version) -> ContextBuilder {
    let (chain, status) = (note(steps, "verify"), note(steps, "ocsp"));
    let ticket = note(steps, "ticket");
    client(version)
        .alpn(["h2"])
        .verify_with(move |_| {
            chain();
            Verdict::AsOpenSsl
        })
        .on_ocsp(move |_, response| {
            // The late identity's own.
            assert_eq!(response, Some(&TRY_LATER[..]));
            status();
            Ok(())
        })
        .on_message(move |_, message| {
            if message.handshake() == Some(HandshakeType::NEW_SESSION_TICKET) {
                ticket();
            }
        })
}

/// Steps an engine, deciding what it asks.
fn step(engine: &mut Engine) {
    loop {
        match engine.handshake() {
            Err(EngineError::Want(Want::App)) => {
                let question = engine.question().expect("a question");
                engine.answer(question.decide()).expect("an answer");
            }
            Ok(()) | Err(EngineError::Want(_)) => return,
            Err(other) => panic!("{other}"),
        }
    }
}

#[test]
fn callbacks_come_in_the_order_of_the_table() {
    for version in VERSIONS {
        let (server_steps, client_steps) = (Steps::default(), Steps::default());
        let mut pair = Pair::new(
            of_client(&client_steps, version),
            of_server(&server_steps, version),
        );
        for _ in 0..4 {
            step(&mut pair.client);
            carry(&mut pair.client, &mut pair.server);
            step(&mut pair.server);
            carry(&mut pair.server, &mut pair.client);
        }
        pair.talk();
        assert_eq!(pair.client.alpn_protocol(), Some(&b"h2"[..]));
        let order: &[&str] = match version {
            Version::Tls12 => &["hello", "identity", "ocsp", "alpn"],
            _ => &["hello", "alpn", "identity", "ocsp"],
        };
        assert_eq!(*server_steps.lock().unwrap(), order, "{version}");
        let order: &[&str] = match version {
            // A ticket of TLS 1.2 is a part of the handshake.
            Version::Tls12 => &["verify", "ocsp", "ticket"],
            _ => &["verify", "ocsp", "ticket"],
        };
        assert_eq!(*client_steps.lock().unwrap(), order, "{version}");
    }
}
