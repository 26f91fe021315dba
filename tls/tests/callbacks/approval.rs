//! The application judges a certificate that OpenSSL has found good.

use crate::support::*;
use greenling_tls::crypto::{Cert, Digest};
use greenling_tls::{
    Alert, ClientAuth, Context, Deferral, Engine, EngineError, Error, PeerChain, Rejection,
    Version, Want,
};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

fn mutual(
    build: impl FnOnce(greenling_tls::ContextBuilder) -> greenling_tls::ContextBuilder,
) -> Context {
    let server = server("a.test")
        .trust_pem(ca().root_pem().unwrap())
        .client_auth(ClientAuth::Required);
    build(server).build().unwrap()
}

fn alice(version: Version) -> Context {
    client()
        .versions(version..=version)
        .identity(ca().issue_client("alice").unwrap())
        .build()
        .unwrap()
}

#[test]
fn a_client_goes_on_with_a_server_that_it_approves_of() {
    for version in VERSIONS {
        let context = server("a.test")
            .versions(version..=version)
            .build()
            .unwrap();
        let client = client()
            .approve_peer(|chain: &PeerChain| {
                assert_eq!(chain.chain().len(), 2, "up to the anchor");
                assert_eq!(chain.server_name(), Some("a.test"));
                Ok::<_, Alert>(())
            })
            .build()
            .unwrap();
        let mut ours = server_engine(&context);
        let mut theirs = client_engine(&client, "a.test");
        let shaken = shake_hands(&mut ours, &mut theirs);
        shaken.well();
        let asked = if cfg!(feature = "aws-lc") {
            Deferral::Approve
        } else {
            Deferral::Verify
        };
        assert_eq!(shaken.asked, [asked]);
        say(&mut theirs, &mut ours, b"approved");
    }
}

#[test]
#[cfg_attr(
    feature = "aws-lc",
    ignore = "AWS-LC has the client asked after the handshake"
)]
fn a_server_that_a_client_refuses_hears_why() {
    for version in VERSIONS {
        for alert in [
            Alert::BAD_CERTIFICATE,
            Alert::UNSUPPORTED_CERTIFICATE,
            Alert::CERTIFICATE_REVOKED,
            Alert::CERTIFICATE_EXPIRED,
            Alert::CERTIFICATE_UNKNOWN,
            Alert::UNKNOWN_CA,
            Alert::DECRYPT_ERROR,
            Alert::HANDSHAKE_FAILURE,
            Alert::INTERNAL_ERROR,
        ] {
            let context = server("a.test")
                .versions(version..=version)
                .build()
                .unwrap();
            let client = client()
                .approve_peer(move |_: &PeerChain| Err(alert))
                .build()
                .unwrap();
            let mut ours = server_engine(&context);
            let mut theirs = client_engine(&client, "a.test");
            let shaken = shake_hands(&mut ours, &mut theirs);
            assert_rejected(&shaken.client, alert);
            assert_alert(&shaken.server, alert);
        }
    }
}

#[test]
fn what_openssl_refuses_is_not_asked_about() {
    let context = server("other.test").build().unwrap();
    let client = client()
        .approve_peer(|_: &PeerChain| -> Result<(), Alert> { panic!("asked") })
        .build()
        .unwrap();
    let mut ours = server_engine(&context);
    let mut theirs = client_engine(&client, "a.test");
    let shaken = shake_hands(&mut ours, &mut theirs);
    assert!(matches!(shaken.client, Err(Error::Certificate(_))));
    assert!(shaken.server.is_err());
}

#[test]
#[cfg_attr(
    feature = "aws-lc",
    ignore = "AWS-LC has the client asked after the handshake"
)]
fn with_verification_off_the_application_judges_alone() {
    let context = server("other.test").build().unwrap();
    let pinned = context_fingerprint(&context);
    let pin = move |chain: &PeerChain| match chain.certificate() {
        Some(own) if fingerprint(own) == pinned => Ok(()),
        _ => Err(Alert::BAD_CERTIFICATE),
    };
    let client = client().approve_peer(pin).dangerous().no_verify();
    let client = client.build().unwrap();
    let mut ours = server_engine(&context);
    let mut theirs = client_engine(&client, "a.test");
    shake_hands(&mut ours, &mut theirs).well();

    let mut ours = server_engine(&server("other.test").build().unwrap());
    let mut theirs = client_engine(&client, "a.test");
    let shaken = shake_hands(&mut ours, &mut theirs);
    assert_alert(&shaken.server, Alert::BAD_CERTIFICATE);
}

fn fingerprint(certificate: &Cert) -> Vec<u8> {
    certificate.fingerprint(Digest::Sha256).unwrap()
}

fn context_fingerprint(context: &Context) -> Vec<u8> {
    let blind = client().dangerous().no_verify().build().unwrap();
    let mut ours = server_engine(context);
    let mut theirs = client_engine(&blind, "a.test");
    shake_hands(&mut ours, &mut theirs).well();
    fingerprint(&theirs.peer_certificate().unwrap())
}

#[test]
fn nothing_passes_between_a_server_and_a_client_before_it_is_approved() {
    for version in VERSIONS {
        let context = mutual(|server| server.approve_peer(|_: &PeerChain| Ok::<_, Alert>(())));
        let mut ours = server_engine(&context);
        let mut theirs = client_engine(&alice(version), "a.test");
        // Everything but the question.
        loop {
            let _ = theirs.handshake();
            let _ = ours.handshake();
            let moved = carry(&mut theirs, &mut ours, usize::MAX);
            if moved + carry(&mut ours, &mut theirs, usize::MAX) == 0 {
                break;
            }
        }
        assert!(ours.is_established() && theirs.is_established());
        theirs.write(b"first words").unwrap();
        carry(&mut theirs, &mut ours, usize::MAX);
        let app = |result| matches!(result, Err(EngineError::Want(greenling_tls::Want::App)));
        assert!(app(ours.read(&mut [0; 32])));
        assert!(app(ours.peek(&mut [0; 32])));
        assert!(app(ours.write(b"secret")));
        assert_eq!(ours.deferral(), Some(Deferral::Approve));
        assert_eq!(ours.out_pending(), 0, "no tickets either");
        let question = ours.question().unwrap();
        ours.answer(question.decide()).unwrap();
        let mut buf = [0; 32];
        let n = ours.read(&mut buf).unwrap();
        assert_eq!(&buf[..n], b"first words");
        say(&mut ours, &mut theirs, b"come in");
        // Its tickets came with that, and open the door again, where it is asked again.
        let session = theirs.session().unwrap();
        let mut theirs = client_engine(&alice(version), "a.test");
        assert!(
            theirs.set_session(&session).is_err(),
            "made with another context"
        );
    }
}

#[test]
#[cfg_attr(feature = "aws-lc", ignore = "AWS-LC issues no extra tickets")]
fn a_client_that_resumes_is_asked_about_again() {
    for version in VERSIONS {
        let asked = Arc::new(AtomicUsize::new(0));
        let count = Arc::clone(&asked);
        let context = mutual(|server| {
            server.approve_peer(move |chain: &PeerChain| {
                assert!(chain.certificate().is_some());
                match count.fetch_add(1, Ordering::Relaxed) {
                    0 | 1 => Ok(()),
                    _ => Err(Rejection::new(Alert::CERTIFICATE_REVOKED)),
                }
            })
        });
        let client = alice(version);
        let mut session = None;
        for reused in [false, true] {
            let mut ours = server_engine(&context);
            let mut theirs = client_engine(&client, "a.test");
            if let Some(session) = &session {
                theirs.set_session(session).unwrap();
            }
            let shaken = shake_hands(&mut ours, &mut theirs);
            shaken.well();
            assert_eq!(shaken.asked, [Deferral::Approve]);
            assert_eq!(ours.is_session_reused(), reused, "{version}");
            say(&mut ours, &mut theirs, b"tickets come first");
            session = theirs.session();
        }
        let mut ours = server_engine(&context);
        let mut theirs = client_engine(&client, "a.test");
        theirs.set_session(&session.unwrap()).unwrap();
        let shaken = shake_hands(&mut ours, &mut theirs);
        assert_rejected(&shaken.server, Alert::CERTIFICATE_REVOKED);
        assert_eq!(asked.load(Ordering::Relaxed), 3);
        assert!(ours.write(b"nothing more").is_err());
        assert!(ours.shutdown().is_err(), "no orderly end either");
    }
}

#[test]
#[cfg_attr(feature = "aws-lc", ignore = "AWS-LC issues no extra tickets")]
fn without_a_certificate_there_is_nobody_to_approve_of() {
    let context = server("a.test")
        .trust_pem(ca().root_pem().unwrap())
        .client_auth(ClientAuth::Optional)
        .approve_peer(|_: &PeerChain| -> Result<(), Alert> { panic!("asked") })
        .build()
        .unwrap();
    let mut ours = server_engine(&context);
    let client = client().build().unwrap();
    let mut theirs = client_engine(&client, "a.test");
    shake_hands(&mut ours, &mut theirs).well();
    say(&mut ours, &mut theirs, b"welcome");
    let session = theirs.session().unwrap();
    let mut theirs = client_engine(&client, "a.test");
    theirs.set_session(&session).unwrap();
    let mut ours = server_engine(&context);
    shake_hands(&mut ours, &mut theirs).well();
    assert!(ours.is_session_reused(), "it got its tickets");
}

/// A server that approves of its first client only, and a client that it knows.
fn once_approved(version: Version) -> (Engine, Engine) {
    let asked = AtomicUsize::new(0);
    let context = mutual(|server| {
        let approve = move |_: &PeerChain| match asked.fetch_add(1, Ordering::Relaxed) {
            0 => Ok(()),
            _ => Err(Alert::ACCESS_DENIED),
        };
        server.allow_renegotiation().approve_peer(approve)
    });
    let client = client()
        .versions(version..=version)
        .allow_renegotiation()
        .identity(ca().issue_client("alice").unwrap());
    let mut ours = server_engine(&context);
    let mut theirs = client_engine(&client.build().unwrap(), "a.test");
    theirs.offer_post_handshake_auth();
    shake_hands(&mut ours, &mut theirs).well();
    say(&mut ours, &mut theirs, b"tickets come first");
    say(&mut theirs, &mut ours, b"first words");
    (ours, theirs)
}

fn carry_all(from: &mut Engine, to: &mut Engine) {
    while carry(from, to, usize::MAX) > 0 {}
}

/// The engine asks about its client, and the answer is no.
#[track_caller]
fn refuses(engine: &mut Engine) {
    assert_eq!(engine.deferral(), Some(Deferral::Approve));
    let question = engine.question().unwrap();
    engine.answer(question.decide()).unwrap();
    assert_rejected(
        &engine.read(&mut [0; 32]).map(drop).map_err(failed),
        Alert::ACCESS_DENIED,
    );
}

fn failed(error: EngineError) -> Error {
    match error {
        EngineError::Failed(error) => error,
        other => panic!("{other}"),
    }
}

fn asks<T: std::fmt::Debug>(result: &Result<T, EngineError>) -> bool {
    matches!(result, Err(EngineError::Want(Want::App)))
}

#[test]
#[cfg_attr(
    feature = "aws-lc",
    ignore = "AWS-LC has no post-handshake authentication"
)]
fn data_behind_another_certificate_waits_for_its_approval() {
    for peeks in [false, true] {
        let (mut ours, mut theirs) = once_approved(Version::Tls13);
        ours.verify_client_post_handshake().unwrap();
        ours.handshake().unwrap();
        carry_all(&mut ours, &mut theirs);
        assert!(theirs.read(&mut [0; 8]).is_err(), "nothing but the request");
        theirs.write(b"as somebody else").unwrap();
        carry_all(&mut theirs, &mut ours);
        let mut buf = [0; 32];
        let heard = if peeks {
            ours.peek(&mut buf)
        } else {
            ours.read(&mut buf)
        };
        assert!(asks(&heard), "{heard:?}");
        refuses(&mut ours);
    }
}

#[test]
#[cfg_attr(feature = "aws-lc", ignore = "AWS-LC does not renegotiate")]
fn nothing_is_written_to_a_client_whose_renegotiation_is_not_approved() {
    let (mut ours, mut theirs) = once_approved(Version::Tls12);
    ours.renegotiate().unwrap();
    ours.handshake().unwrap();
    // To the client's last flight.
    for _ in 0..2 {
        assert!(ours.read(&mut [0; 8]).is_err());
        carry_all(&mut ours, &mut theirs);
        assert!(theirs.read(&mut [0; 8]).is_err());
        carry_all(&mut theirs, &mut ours);
    }
    let said = ours.write(b"secret");
    assert!(asks(&said), "{said:?}");
    carry_all(&mut ours, &mut theirs);
    assert!(theirs.read(&mut [0; 8]).is_err(), "nothing has come");
    refuses(&mut ours);
}
