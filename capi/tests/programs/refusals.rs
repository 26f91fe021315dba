//! Faults of the caller and of the peer, and what the other side sees of them.

use greenling_tls::crypto::TestCa;
use greenling_tls::{Alert, ClientAuth, ContextBuilder, Error};

use crate::build::{PATIENCE, fixture, words};

#[test]
fn wrong_use_is_answered_with_codes() {
    if let Some(fixture) = fixture() {
        fixture.run("misuse", "", 0).success();
    }
}

#[test]
fn a_certificate_that_does_not_lead_to_the_anchor_is_refused() {
    let Some(fixture) = fixture() else { return };
    let stranger = TestCa::new("a stranger").expect("test CA");
    let identity = stranger.issue(&["localhost"]).expect("certificate");
    let server = ContextBuilder::server()
        .identity(identity)
        .handshake_timeout(PATIENCE)
        .alpn(["echo"]);
    let (finished, answer) =
        fixture.against("refused", "client", server, |stream| stream.handshake());
    finished.success();
    let alert = answer.expect_err("refused");
    assert!(matches!(alert, Error::Peer(Alert::UNKNOWN_CA)), "{alert}");
}

#[test]
fn an_alert_of_the_peer_is_told() {
    let Some(fixture) = fixture() else { return };
    let (server, _) = fixture.builders();
    let server = server
        .trust_pem(fixture.ca.root_pem().expect("PEM"))
        .client_auth(ClientAuth::Required);
    let (finished, answer) =
        fixture.against("alert", "client", server, |stream| stream.handshake());
    answer.expect_err("no certificate");
    let words = words(&finished.success());
    assert_eq!(words[0], "116");
    assert!(
        words.contains(&"certificate_required".to_owned()),
        "{words:?}"
    );
}

#[test]
fn a_cut_is_told_from_an_end() {
    let Some(fixture) = fixture() else { return };
    for role in ["client", "server"] {
        let (server, client) = fixture.builders();
        let builder = if role == "client" { server } else { client };
        let (finished, ()) = fixture.against("cut", role, builder, |stream| {
            stream.handshake().expect("handshake");
            // The end of the socket, and no goodbye.
            drop(stream.into_transport());
        });
        finished.success();
    }
}
