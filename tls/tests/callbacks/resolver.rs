//! The context by name: as if the connection had been accepted with it.

use crate::support::*;
use greenling_tls::crypto::Cert;
use greenling_tls::{Alert, ClientAuth, ClientHello, Context, Deferral, Error, Rejection, Version};
use std::sync::{Arc, Mutex};

fn names(certificate: &Cert) -> Vec<String> {
    let names = certificate.as_x509().subject_alt_names().unwrap();
    names
        .iter()
        .filter_map(|name| name.dnsname().map(str::to_owned))
        .collect()
}

/// Two hosts behind one door.
fn door(a: Context, b: Context) -> Context {
    greenling_tls::ContextBuilder::server()
        .resolver(move |hello: &ClientHello| match hello.server_name() {
            Some("a.test") => Ok(a.clone()),
            Some("b.test") => Ok(b.clone()),
            _ => Err(Alert::UNRECOGNIZED_NAME),
        })
        .build()
        .unwrap()
}

#[test]
fn a_client_sees_the_certificate_of_the_name_it_asked_for() {
    let door = door(
        server("a.test").build().unwrap(),
        server("b.test").build().unwrap(),
    );
    for version in VERSIONS {
        let client = client().versions(version..=version).build().unwrap();
        for name in ["a.test", "b.test"] {
            for chunk in [usize::MAX, 7, 1] {
                let mut ours = server_engine(&door);
                let mut theirs = client_engine(&client, name);
                let shaken = shake_hands_in(&mut ours, &mut theirs, chunk);
                shaken.well();
                assert_eq!(shaken.asked, [Deferral::ClientHello]);
                assert_eq!(names(&theirs.peer_certificate().unwrap()), [name]);
                say(&mut theirs, &mut ours, b"question");
                say(&mut ours, &mut theirs, b"answer");
            }
        }
    }
}

#[test]
fn a_refused_name_is_answered_by_the_alert_that_the_resolver_chose() {
    for alert in [
        Alert::UNRECOGNIZED_NAME,
        Alert::ACCESS_DENIED,
        Alert::INTERNAL_ERROR,
    ] {
        let door = greenling_tls::ContextBuilder::server()
            .resolver(move |_: &ClientHello| {
                Err::<Context, _>(Rejection::new(alert).because("not here"))
            })
            .build()
            .unwrap();
        let mut ours = server_engine(&door);
        let mut theirs = client_engine(&client().build().unwrap(), "c.test");
        let shaken = shake_hands(&mut ours, &mut theirs);
        assert_rejected(&shaken.server, alert);
        assert_alert(&shaken.client, alert);
        assert!(shaken.server.unwrap_err().to_string().contains("not here"));
    }
}

/// Host b demands a certificate and TLS 1.3; host a demands neither.
#[test]
fn nobody_gets_from_the_terms_of_one_host_into_another() {
    let strict = server("b.test")
        .versions(Version::Tls13..=Version::Tls13)
        .trust_pem(ca().root_pem().unwrap())
        .client_auth(ClientAuth::Required)
        .build()
        .unwrap();
    let door = door(server("a.test").build().unwrap(), strict);
    let connect = |client: &Context, name: &str| {
        let mut ours = server_engine(&door);
        let mut theirs = client_engine(client, name);
        let shaken = shake_hands(&mut ours, &mut theirs);
        (shaken, ours, theirs)
    };
    let alice = || client().identity(ca().issue_client("alice").unwrap());

    let old = alice()
        .versions(Version::Tls12..=Version::Tls12)
        .build()
        .unwrap();
    let (shaken, ..) = connect(&old, "a.test");
    shaken.well();
    let (shaken, ..) = connect(&old, "b.test");
    assert_alert(&shaken.client, Alert::PROTOCOL_VERSION);
    assert!(shaken.server.is_err());

    let nobody = client().build().unwrap();
    let (shaken, ..) = connect(&nobody, "a.test");
    shaken.well();
    let (shaken, _, mut theirs) = connect(&nobody, "b.test");
    assert!(shaken.server.is_err());
    // In TLS 1.3 a client learns of it at its first read.
    let refusal = theirs.read(&mut [0]).unwrap_err();
    assert!(refusal.to_string().contains("certificate_required"));

    // A session of host a opens nothing at host b.
    let (shaken, mut ours, mut theirs) = connect(&nobody, "a.test");
    shaken.well();
    say(&mut ours, &mut theirs, b"tickets come first");
    let session = theirs.session().unwrap();
    let mut again = client_engine(&nobody, "b.test");
    assert!(again.set_session(&session).is_err());
    let mut again = client_engine(&nobody, "a.test");
    again.set_session(&session).unwrap();
    let mut ours = server_engine(&door);
    shake_hands(&mut ours, &mut again).well();
    assert!(ours.is_session_reused());

    let (shaken, ours, _) = connect(&alice().build().unwrap(), "b.test");
    shaken.well();
    assert!(ours.peer_certificate().is_some());
}

#[test]
fn a_session_is_resumed_by_the_host_that_made_it() {
    let door = door(
        server("a.test").build().unwrap(),
        server("b.test").build().unwrap(),
    );
    for version in VERSIONS {
        let client = client().versions(version..=version).build().unwrap();
        let mut ours = server_engine(&door);
        let mut theirs = client_engine(&client, "a.test");
        shake_hands(&mut ours, &mut theirs).well();
        say(&mut ours, &mut theirs, b"tickets come first");
        let session = theirs.session().unwrap();
        let mut ours = server_engine(&door);
        let mut theirs = client_engine(&client, "a.test");
        theirs.set_session(&session).unwrap();
        shake_hands(&mut ours, &mut theirs).well();
        assert!(ours.is_session_reused() && theirs.is_session_reused());
    }
}

#[test]
fn the_resolver_sees_what_the_client_offers_and_the_data_of_the_connection() {
    let seen = Arc::new(Mutex::new(Vec::new()));
    let notes = Arc::clone(&seen);
    let chosen = server("a.test").alpn(["h2"]).build().unwrap();
    let door = greenling_tls::ContextBuilder::server()
        .resolver(move |hello: &ClientHello| {
            let alpn: Vec<_> = hello.alpn().map(<[u8]>::to_vec).collect();
            notes.lock().unwrap().push((
                alpn,
                hello.versions(),
                hello.app_data::<&str>().map(|text| *text),
                hello.random().len(),
                hello.cipher_suites().contains(&0x1301),
                hello.extensions().any(|kind| kind == 16),
                hello.groups().contains(&0x001d),
                !hello.signature_algorithms().is_empty(),
            ));
            Ok::<_, Alert>(chosen.clone())
        })
        .build()
        .unwrap();
    let client = client().alpn(["h3", "h2"]).build().unwrap();
    let mut ours = server_engine(&door);
    ours.set_app_data("connection 7").unwrap();
    let mut theirs = client_engine(&client, "a.test");
    shake_hands(&mut ours, &mut theirs).well();
    assert_eq!(theirs.alpn_protocol(), Some(&b"h2"[..]));
    assert_eq!(ours.app_data::<&str>().as_deref(), Some(&"connection 7"));
    let expected = (
        vec![b"h3".to_vec(), b"h2".to_vec()],
        vec![0x0304, 0x0303],
        Some("connection 7"),
        32,
        true,
        true,
        true,
        true,
    );
    assert_eq!(*seen.lock().unwrap(), [expected]);
}

#[test]
fn a_question_stays_open_until_it_is_answered() {
    let door = door(
        server("a.test").build().unwrap(),
        server("b.test").build().unwrap(),
    );
    let mut ours = server_engine(&door);
    let mut theirs = client_engine(&client().build().unwrap(), "a.test");
    assert!(theirs.handshake().is_err());
    carry(&mut theirs, &mut ours, usize::MAX);
    for _ in 0..3 {
        assert!(ours.handshake().is_err());
        assert_eq!(ours.question().unwrap().about(), Deferral::ClientHello);
    }
    assert_eq!(ours.out_pending(), 0);
    let answer = ours.question().unwrap().decide();
    ours.answer(answer).unwrap();
    let late = ours.question();
    assert!(late.is_none());
    shake_hands(&mut ours, &mut theirs).well();
}

#[test]
fn what_cannot_be_a_choice_is_refused() {
    let of_a_client = client().build().unwrap();
    let door = greenling_tls::ContextBuilder::server()
        .resolver(move |_: &ClientHello| Ok::<_, Alert>(of_a_client.clone()))
        .build()
        .unwrap();
    let mut ours = server_engine(&door);
    let mut theirs = client_engine(&client().build().unwrap(), "a.test");
    assert!(theirs.handshake().is_err());
    carry(&mut theirs, &mut ours, usize::MAX);
    assert!(ours.handshake().is_err());
    let question = ours.question().unwrap();
    let answer = question.decide();
    assert!(matches!(ours.answer(answer), Err(Error::Local(_))));
    ours.answer(question.refuse(Alert::INTERNAL_ERROR)).unwrap();
    let shaken = shake_hands(&mut ours, &mut theirs);
    assert_alert(&shaken.client, Alert::INTERNAL_ERROR);
    assert!(
        client()
            .resolver(|_: &ClientHello| Err::<Context, _>(Alert::INTERNAL_ERROR))
            .build()
            .is_err()
    );
}

#[test]
fn a_hello_in_a_hundred_thousand_pieces_is_cut_off() {
    let door = door(
        server("a.test").build().unwrap(),
        server("b.test").build().unwrap(),
    );
    let mut ours = server_engine(&door);
    // A ClientHello of 64 KiB announced, one byte of it in each record.
    let mut fed = 0;
    let mut first = vec![0x16, 3, 1, 0, 4, 1, 0, 0xff, 0xff];
    let failed = loop {
        let n = ours.feed(&first);
        assert_eq!(n, first.len());
        fed += n;
        first = vec![0x16, 3, 1, 0, 1, 3];
        match ours.handshake() {
            Err(greenling_tls::EngineError::Failed(error)) => break error,
            Err(_) => {}
            Ok(()) => panic!("a handshake with nobody"),
        }
        assert!(fed < 1 << 20, "nothing stops this client");
    };
    assert!(fed < 300 * 1024, "{failed} after {fed}");
}
