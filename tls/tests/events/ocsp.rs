//! OCSP responses that are stapled, asked for, demanded and checked.

use std::sync::{Arc, Mutex};

use greenling_tls::{
    Alert, ContextBuilder, Error, OcspStaple, Rejection, Role, TlsStream, Version,
};

use crate::authority::{Authority, GOOD, REVOKED, UNKNOWN};
use crate::commands::{SServer, s_client};
use crate::support::{
    NAME, Pair, TRY_LATER, UNAUTHORIZED, VERSIONS, carry, client, fail, handshake_panics, idle,
    peer_alert, rejection, server,
};

const MISMATCH: &str = "another certificate";

type Responses = Arc<Mutex<Vec<Option<Vec<u8>>>>>;

fn of_authority(authority: &Authority, version: Version) -> ContextBuilder {
    ContextBuilder::client()
        .versions(version..=version)
        .trust_pem(authority.root_pem())
}

fn with(identity: greenling_tls::Identity, version: Version) -> ContextBuilder {
    ContextBuilder::server()
        .versions(version..=version)
        .identity(identity)
}

#[test]
fn a_staple_is_sent_to_who_asks_and_can_be_replaced() {
    for version in VERSIONS {
        let seen = Responses::default();
        let log = Arc::clone(&seen);
        let asking = client(version).on_ocsp(move |connection, response| {
            assert_eq!(connection.role(), Role::Client);
            assert_eq!(connection.app_data::<u8>().as_deref(), Some(&9));
            log.lock().unwrap().push(response.map(<[u8]>::to_vec));
            Ok(())
        });
        let asking = asking.build().unwrap();
        let staple = OcspStaple::new(TRY_LATER).unwrap();
        let identity = crate::support::ca().issue(&[NAME]).unwrap();
        let server = with(identity.with_ocsp_staple(&staple), version)
            .build()
            .unwrap();
        let connect = || {
            let mut pair = Pair::of(&asking, &server);
            pair.client.set_app_data(9_u8).unwrap();
            let pair = pair.connect();
            pair.client.ocsp_response().map(<[u8]>::to_vec)
        };
        assert_eq!(connect().as_deref(), Some(&TRY_LATER[..]));
        staple.set(UNAUTHORIZED).unwrap();
        assert_eq!(connect().as_deref(), Some(&UNAUTHORIZED[..]));
        staple.clear();
        assert_eq!(connect(), None);
        let expected = [Some(TRY_LATER.to_vec()), Some(UNAUTHORIZED.to_vec()), None];
        assert_eq!(*seen.lock().unwrap(), expected, "{version}");

        // Nobody sends what was not asked for.
        staple.set(TRY_LATER).unwrap();
        let quiet = client(version).build().unwrap();
        assert_eq!(
            Pair::of(&quiet, &server).connect().client.ocsp_response(),
            None
        );
        let asking = client(version).request_ocsp().build().unwrap();
        let pair = Pair::of(&asking, &server).connect();
        assert_eq!(pair.client.ocsp_response(), Some(&TRY_LATER[..]));
    }
}

#[test]
fn a_responder_comes_before_the_staple_and_knows_the_certificate() {
    for version in VERSIONS {
        let identity = crate::support::ca().issue(&[NAME]).unwrap();
        let leaf = identity.certificate();
        let server = with(
            identity.with_ocsp_staple(&OcspStaple::new(TRY_LATER).unwrap()),
            version,
        )
        .ocsp_responder(move |connection, certificate| {
            assert_eq!(*certificate, leaf);
            Ok(connection.app_data::<Vec<u8>>().map(|data| data.to_vec()))
        });
        let server = server.build().unwrap();
        let client = client(version).request_ocsp().build().unwrap();
        let mut pair = Pair::of(&client, &server);
        pair.server.set_app_data(UNAUTHORIZED.to_vec()).unwrap();
        assert_eq!(
            pair.connect().client.ocsp_response(),
            Some(&UNAUTHORIZED[..])
        );
        let pair = Pair::of(&client, &server).connect();
        assert_eq!(pair.client.ocsp_response(), Some(&TRY_LATER[..]));
    }
}

#[test]
fn refusals_and_panics_end_the_connection_on_both_sides() {
    for version in VERSIONS {
        for (wanted, sent) in [
            (
                Alert::BAD_CERTIFICATE_STATUS_RESPONSE,
                Alert::BAD_CERTIFICATE_STATUS_RESPONSE,
            ),
            (Alert::ACCESS_DENIED, Alert::BAD_CERTIFICATE_STATUS_RESPONSE),
            (Alert::INTERNAL_ERROR, Alert::INTERNAL_ERROR),
        ] {
            let picky = client(version)
                .on_ocsp(move |_, _| Err(Rejection::new(wanted).because("not fresh")));
            let (client, server) = Pair::new(picky, server(version)).handshake();
            assert_eq!(rejection(client).0, wanted, "{version}");
            assert_eq!(peer_alert(server), sent, "{version}");
        }
        let failing = server(version)
            .ocsp_responder(|_, _| Err(Rejection::new(Alert::INTERNAL_ERROR).because("no disk")));
        let (of_client, of_server) = Pair::new(client(version).request_ocsp(), failing).handshake();
        assert!(rejection(of_server).1.ends_with("no disk"));
        assert_eq!(peer_alert(of_client), Alert::INTERNAL_ERROR, "{version}");

        let panicking = client(version).on_ocsp(|_, _| fail("judge failed"));
        let mut pair = Pair::new(panicking, server(version));
        assert_eq!(handshake_panics(&mut pair), "judge failed");
        pair.client.handshake().unwrap_err();
        carry(&mut pair.client, &mut pair.server);
        assert_eq!(peer_alert(idle(&mut pair.server)), Alert::INTERNAL_ERROR);

        let panicking = server(version).ocsp_responder(|_, _| fail("responder failed"));
        let mut pair = Pair::new(client(version).request_ocsp(), panicking);
        assert_eq!(handshake_panics(&mut pair), "responder failed");
        pair.server.handshake().unwrap_err();
        carry(&mut pair.server, &mut pair.client);
        assert_eq!(peer_alert(idle(&mut pair.client)), Alert::INTERNAL_ERROR);
    }
}

#[test]
fn a_demanded_staple_is_checked() {
    let authority = Authority::new();
    let identity = authority.issue(GOOD);
    let good = authority.response(GOOD);
    let mut tampered = good.clone();
    // A digit of the first time in it, which is when it was made.
    let time = tampered.windows(2).position(|part| part == [0x18, 15]);
    tampered[time.unwrap() + 2 + 13] ^= 1;
    let cases = [
        (Some(good), None),
        (None, Some("no response")),
        (Some(TRY_LATER.to_vec()), Some("error of the responder")),
        (Some(tampered), Some("not signed")),
        (Some(authority.response(REVOKED)), Some(MISMATCH)),
        (Some(Authority::new().response(GOOD)), Some("not signed")),
    ];
    for version in VERSIONS {
        let strict = of_authority(&authority, version)
            .require_ocsp_staple()
            .build()
            .unwrap();
        let staple = OcspStaple::default();
        let server = with(identity.clone().with_ocsp_staple(&staple), version)
            .build()
            .unwrap();
        for (response, fault) in &cases {
            match response {
                Some(response) => staple.set(response.clone()).unwrap(),
                None => staple.clear(),
            }
            let (client, server) = Pair::of(&strict, &server).handshake();
            let Some(fault) = fault else {
                client.unwrap();
                server.unwrap();
                continue;
            };
            let (alert, text) = rejection(client);
            assert_eq!(alert, Alert::BAD_CERTIFICATE_STATUS_RESPONSE);
            // OpenSSL 3.6 does not even send what is about another certificate.
            let unsent = fault == &MISMATCH && text.contains("no response");
            assert!(text.contains(fault) || unsent, "{version}: {text}");
            assert_eq!(peer_alert(server), Alert::BAD_CERTIFICATE_STATUS_RESPONSE);
        }
    }
    for (serial, fault) in [(REVOKED, "is revoked"), (UNKNOWN, "does not know")] {
        let staple = OcspStaple::new(authority.response(serial)).unwrap();
        let identity = authority.issue(serial).with_ocsp_staple(&staple);
        let strict = of_authority(&authority, VERSIONS[1]).require_ocsp_staple();
        let (client, _) = Pair::new(strict, with(identity, VERSIONS[1])).handshake();
        let (_, text) = rejection(client);
        assert!(text.contains(fault), "{text}");
    }
}

#[test]
fn a_resumed_session_needs_no_staple_again() {
    let authority = Authority::new();
    let staple = OcspStaple::new(authority.response(GOOD)).unwrap();
    let identity = authority.issue(GOOD).with_ocsp_staple(&staple);
    for version in VERSIONS {
        let strict = of_authority(&authority, version)
            .require_ocsp_staple()
            .build()
            .unwrap();
        let server = with(identity.clone(), version).build().unwrap();
        let session = Pair::of(&strict, &server)
            .connect()
            .client
            .session()
            .expect("a session");
        let mut again = Pair::of(&strict, &server);
        again.client.set_session(&session).unwrap();
        let again = again.connect();
        assert!(again.server.is_session_reused(), "{version}");
    }
}

#[test]
fn s_client_finds_our_staple_good_and_we_find_that_of_s_server_so() {
    let authority = Authority::new();
    let staple = OcspStaple::new(authority.response(GOOD)).unwrap();
    let identity = authority.issue(GOOD).with_ocsp_staple(&staple);
    let root = authority.path("root.pem");
    let root = root.to_str().unwrap();
    for (version, flag) in VERSIONS.into_iter().zip(["-tls1_2", "-tls1_3"]) {
        let server = with(identity.clone(), version).build().unwrap();
        let arguments = ["-status", "-CAfile", root, "-servername", NAME, flag];
        let (text, ()) = s_client(server, &arguments, |_| ());
        assert!(text.contains("Cert Status: good"), "{text}");

        let path = |name: &str| authority.path(name).to_str().unwrap().to_owned();
        let (leaf, key, response) = (path("leaf.pem"), path("leaf.key"), path("response.der"));
        let peer = SServer::start(&[
            "-cert",
            &leaf,
            "-key",
            &key,
            "-status_file",
            &response,
            flag,
        ]);
        let strict = of_authority(&authority, version)
            .require_ocsp_staple()
            .build()
            .unwrap();
        let stream = TlsStream::connect(&strict, NAME, peer.connect()).expect("handshake");
        let sent = std::fs::read(&response).unwrap();
        assert_eq!(stream.ocsp_response(), Some(sent), "{version}");
    }
}

#[test]
fn what_is_no_response_is_not_sent() {
    assert!(matches!(
        OcspStaple::new(*b"nonsense"),
        Err(Error::Config(_))
    ));
    let staple = OcspStaple::new(TRY_LATER).unwrap();
    staple.set(*b"nonsense").unwrap_err();
    let identity = crate::support::ca().issue(&[NAME]).unwrap();
    let version = VERSIONS[1];
    let keeping = with(identity.with_ocsp_staple(&staple), version);
    let pair = Pair::new(client(version).request_ocsp(), keeping).connect();
    assert_eq!(pair.client.ocsp_response(), Some(&TRY_LATER[..]));
    let careless = server(version).ocsp_responder(|_, _| Ok(Some(b"nonsense".to_vec())));
    let (of_client, of_server) = Pair::new(client(version).request_ocsp(), careless).handshake();
    of_server.unwrap_err();
    assert_eq!(peer_alert(of_client), Alert::INTERNAL_ERROR);
}
