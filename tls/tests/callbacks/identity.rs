//! What a connection presents, chosen when it is needed.

use crate::support::*;
use greenling_tls::{Alert, ClientAuth, ContextBuilder, Deferral, Identity, IdentityRequest, Role};
use std::sync::{Arc, Mutex};

#[test]
fn a_servers_certificate_is_loaded_when_somebody_asks_for_it() {
    for version in VERSIONS {
        let context = ContextBuilder::server()
            .identity_with(|request: &IdentityRequest| {
                assert_eq!(request.role(), Role::Server);
                let name = request.server_name().ok_or(Alert::UNRECOGNIZED_NAME)?;
                Ok::<_, Alert>(Some(ca().issue(&[name]).unwrap()))
            })
            .build()
            .unwrap();
        let client = client().versions(version..=version).build().unwrap();
        for name in ["one.test", "two.test"] {
            let mut ours = server_engine(&context);
            let mut theirs = client_engine(&client, name);
            let shaken = shake_hands(&mut ours, &mut theirs);
            shaken.well();
            assert_eq!(shaken.asked, [Deferral::Certificate]);
            say(&mut theirs, &mut ours, b"verified by its name");
        }
    }
}

#[test]
fn a_client_chooses_its_certificate_by_what_the_server_accepts() {
    for version in VERSIONS {
        let context = server("a.test")
            .trust_pem(ca().root_pem().unwrap())
            .client_auth(ClientAuth::Required)
            .build()
            .unwrap();
        let seen = Arc::new(Mutex::new(Vec::new()));
        let notes = Arc::clone(&seen);
        let client = client()
            .versions(version..=version)
            .identity_with(move |request: &IdentityRequest| {
                assert_eq!(request.role(), Role::Client);
                notes.lock().unwrap().push(request.authorities().to_vec());
                Ok::<_, Alert>(Some(ca().issue_client("late").unwrap()))
            })
            .build()
            .unwrap();
        let mut ours = server_engine(&context);
        let mut theirs = client_engine(&client, "a.test");
        shake_hands(&mut ours, &mut theirs).well();
        let shown = ours.peer_certificate().unwrap();
        assert!(shown.matches_host("late"));
        let accepted = ca().root().subject().to_der();
        assert_eq!(*seen.lock().unwrap(), [vec![accepted]]);
    }
}

#[test]
fn a_client_may_have_none_to_show() {
    let context = server("a.test")
        .trust_pem(ca().root_pem().unwrap())
        .client_auth(ClientAuth::Optional)
        .build()
        .unwrap();
    let client = client()
        .identity_with(|_: &IdentityRequest| Ok::<Option<Identity>, Alert>(None))
        .build()
        .unwrap();
    let mut ours = server_engine(&context);
    let mut theirs = client_engine(&client, "a.test");
    shake_hands(&mut ours, &mut theirs).well();
    assert!(ours.peer_certificate().is_none());
}

#[test]
fn a_refusal_ends_the_handshake_on_both_sides() {
    for version in VERSIONS {
        let context = ContextBuilder::server()
            .identity_with(|_: &IdentityRequest| {
                Err::<Option<Identity>, _>(std::io::Error::other("the key store is down"))
            })
            .build()
            .unwrap();
        let client = client().versions(version..=version).build().unwrap();
        let mut ours = server_engine(&context);
        let mut theirs = client_engine(&client, "a.test");
        let shaken = shake_hands(&mut ours, &mut theirs);
        assert_rejected(&shaken.server, Alert::INTERNAL_ERROR);
        assert_alert(&shaken.client, Alert::INTERNAL_ERROR);
        let text = shaken.server.unwrap_err().to_string();
        assert!(text.contains("the key store is down"), "{text}");
    }
}

#[test]
#[cfg_attr(
    feature = "aws-lc",
    ignore = "AWS-LC asks before it looks for a session"
)]
fn a_resumed_session_needs_no_certificate() {
    let asked = Arc::new(Mutex::new(0));
    let count = Arc::clone(&asked);
    let context = ContextBuilder::server()
        .versions(greenling_tls::Version::Tls12..=greenling_tls::Version::Tls12)
        .identity_with(move |_: &IdentityRequest| {
            *count.lock().unwrap() += 1;
            Ok::<_, Alert>(Some(ca().issue(&["a.test"]).unwrap()))
        })
        .build()
        .unwrap();
    let client = client().build().unwrap();
    let mut ours = server_engine(&context);
    let mut theirs = client_engine(&client, "a.test");
    shake_hands(&mut ours, &mut theirs).well();
    let session = theirs.session().unwrap();
    let mut ours = server_engine(&context);
    let mut theirs = client_engine(&client, "a.test");
    theirs.set_session(&session).unwrap();
    shake_hands(&mut ours, &mut theirs).well();
    assert!(theirs.is_session_reused());
    assert_eq!(*asked.lock().unwrap(), 1);
}
