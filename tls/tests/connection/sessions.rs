//! Sessions that leave the process and come back.

use std::time::{Duration, SystemTime};

use greenling_tls::{Engine, Error, RingSizes, Session, Version};

use crate::support::{
    NAME, VERSIONS, build, client_builder, client_engine, connected, exchange, server_builder,
    server_engine, shake_hands,
};

#[test]
fn an_exported_session_is_resumed_by_the_servers_account() {
    for version in VERSIONS {
        let lifetime = Duration::from_secs(1000);
        let server = build(
            server_builder(version)
                .session_lifetime(lifetime)
                .alpn(["proto"]),
        );
        let client = || build(client_builder(version).alpn(["proto"]));
        let session = {
            let (mut server, mut client) = (server_engine(&server), client_engine(&client()));
            shake_hands(&mut server, &mut client);
            assert!(!server.is_session_reused());
            client.session().expect("tickets were read")
        };
        let exported = session.export().expect("DER");
        // Into another context, as another process has one.
        let client = client();
        let imported = Session::import(&client, Some(NAME), &exported).expect("a session");
        let (mut server, mut client) = (server_engine(&server), client_engine(&client));
        client.set_session(&imported).expect("for this name");
        shake_hands(&mut server, &mut client);
        assert!(server.is_session_reused() && client.is_session_reused());

        // What the server said of it, and what both negotiated.
        assert_eq!(imported.ticket_lifetime_hint(), Some(lifetime));
        assert!(imported.has_ticket() && imported.is_resumable());
        assert_eq!(imported.version(), server.version());
        assert_eq!(imported.cipher(), server.cipher());
        assert_eq!(imported.alpn_protocol(), server.alpn_protocol());
        assert_eq!(imported.id(), session.id());
        let age = SystemTime::now()
            .duration_since(imported.time())
            .expect("past");
        assert!(age < Duration::from_secs(60), "{age:?}");
        assert!(imported.lifetime() >= Duration::from_secs(1));
        // Still the same certificate, judged when the session began.
        let peer = client.peer_identity().expect("verified");
        assert_eq!(peer.common_name(), Some("server"));
        assert_eq!(client.peer_certificate_chain().len(), 1);
    }
}

#[test]
fn a_session_is_imported_for_its_name_only() {
    let (_, client) = connected(Version::Tls13);
    let session = client.session().expect("tickets were read");
    let exported = session.export().expect("DER");
    let context = client.context().expect("made of one");
    for name in [Some("example.com"), None] {
        let refused = Session::import(context, name, &exported).expect_err("another name");
        assert!(matches!(refused, Error::Local(_)), "{refused:?}");
    }
    for cut in [0, 1, exported.len() / 2, exported.len() - 1] {
        let refused = Session::import(context, Some(NAME), &exported[..cut]);
        assert!(matches!(refused, Err(Error::Ssl(_))), "{refused:?}");
    }
    let server = build(server_builder(Version::Tls13));
    assert!(Session::import(&server, None, &exported).is_err());
}

#[test]
fn nothing_secret_is_shown() {
    let (_, client) = connected(Version::Tls12);
    let session = client.session().expect("tickets were read");
    assert_eq!(
        format!("{session:?}"),
        "Session { name: Some(\"localhost\"), .. }"
    );
    let exported = session.export().expect("DER");
    assert_eq!(
        format!("{exported:?}"),
        format!("Secret({} bytes)", exported.len())
    );
}

#[test]
fn tickets_are_issued_as_one_connection_says() {
    let server = build(server_builder(Version::Tls13));
    let client = build(client_builder(Version::Tls13));
    let (mut one, mut two) = (server_engine(&server), client_engine(&client));
    one.set_num_tickets(0).expect("before the handshake");
    assert!(two.set_num_tickets(1).is_err(), "a client issues none");
    shake_hands(&mut one, &mut two);
    let without = two.session();
    assert!(!without.is_some_and(|session| session.has_ticket()));
    assert!(one.set_num_tickets(2).is_err(), "too late");

    one.new_session_ticket().expect("a server of TLS 1.3");
    one.write(b"x").expect("write");
    let (_, got) = exchange(&mut one, &mut two);
    assert_eq!(got, b"x");
    assert!(two.session().expect("a ticket came").has_ticket());
}

#[test]
fn a_session_cannot_be_chosen_once_the_handshake_has_begun() {
    let (_, client) = connected(Version::Tls13);
    let session = client.session().expect("tickets were read");
    let context = client.context().expect("made of one");
    let mut other = Engine::new(context, Some(NAME), RingSizes::default()).expect("engine");
    assert!(other.handshake().is_err());
    let late = other.set_session(&session);
    assert!(matches!(late, Err(Error::Local(_))), "{late:?}");
}
