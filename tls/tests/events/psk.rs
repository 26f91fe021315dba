//! Keys that were shared beforehand.

use std::sync::{Arc, Mutex};

use greenling_tls::{
    Alert, ClientAuth, ContextBuilder, Error, Psk, PskTable, Rejection, TlsStream, Version,
};
use zeroize::Zeroizing;

use crate::commands::{SServer, s_client};
use crate::support::{
    NAME, Pair, VERSIONS, carry, client, fail, handshake_panics, idle, peer_alert, rejection,
    server,
};

const KEY: [u8; 16] = *b"sixteen bytes ok";
const KEY_HEX: &str = "7369787465656e206279746573206f6b";

fn alice() -> Psk {
    Psk::new("alice", KEY).unwrap()
}

fn table() -> PskTable {
    let table = PskTable::default();
    table.insert(alice());
    table.insert(Psk::new("bob", *b"another sixteen.").unwrap());
    table
}

/// A client that trusts no certificate of the tests, and shows `psk`.
fn showing(version: Version, psk: Psk) -> ContextBuilder {
    let nobody = greenling_tls::Identity::self_signed(&["nobody"]).unwrap();
    ContextBuilder::client()
        .versions(version..=version)
        .trust_pem(nobody.chain_pem().unwrap())
        .psk_client(move |_, _| Ok(Some(psk.clone())))
}

fn serving(version: Version) -> ContextBuilder {
    ContextBuilder::server().versions(version..=version)
}

#[test]
fn a_server_without_certificate_knows_its_client_by_the_key() {
    for version in VERSIONS {
        let server = serving(version).psk_table(&table());
        let mut pair = Pair::new(showing(version, alice()), server).connect();
        pair.talk();
        assert_eq!(pair.server.psk_identity(), Some(&b"alice"[..]), "{version}");
        assert!(pair.client.peer_certificate().is_none(), "{version}");
    }
}

#[test]
fn a_key_does_not_stand_in_for_the_certificate_that_is_demanded() {
    for version in VERSIONS {
        let server = serving(version).psk_table(&table()).build().unwrap();
        let client = showing(version, alice()).build().unwrap();
        let mut pair = Pair::of(&client, &server);
        pair.server.set_client_auth(ClientAuth::Required).unwrap();
        let (_, of_server) = pair.handshake();
        of_server.unwrap_err();
    }
}

#[test]
fn a_wrong_key_and_an_unknown_identity_are_refused() {
    for version in VERSIONS {
        let server = serving(version).psk_table(&table()).build().unwrap();
        let wrong = Psk::new("alice", *b"sixteen bytes no").unwrap();
        let client = showing(version, wrong).build().unwrap();
        let (of_client, of_server) = Pair::of(&client, &server).handshake();
        of_server.unwrap_err();
        // The key shows in a check of its own with TLS 1.3, in the first record else.
        let alert = peer_alert(of_client);
        let expected = [
            Alert::ILLEGAL_PARAMETER,
            Alert::DECRYPT_ERROR,
            Alert::BAD_RECORD_MAC,
        ];
        assert!(expected.contains(&alert), "{version}: {alert}");

        let stranger = Psk::new("mallory", KEY).unwrap();
        let client = showing(version, stranger).build().unwrap();
        let (of_client, of_server) = Pair::of(&client, &server).handshake();
        of_server.unwrap_err();
        let alert = peer_alert(of_client);
        match version {
            Version::Tls12 => assert_eq!(alert, Alert::UNKNOWN_PSK_IDENTITY),
            _ => assert_eq!(alert, Alert::HANDSHAKE_FAILURE),
        }
    }
}

#[test]
fn the_table_can_change_under_way() {
    let table = table();
    let server = serving(Version::Tls13).psk_table(&table).build().unwrap();
    let client = showing(Version::Tls13, alice()).build().unwrap();
    Pair::of(&client, &server).connect();
    assert!(table.remove(b"alice"));
    assert!(!table.remove(b"alice"));
    Pair::of(&client, &server).handshake().1.unwrap_err();
    table.insert(alice());
    Pair::of(&client, &server).connect();
}

#[test]
fn callbacks_know_the_hint_the_identity_and_their_connection() {
    for version in VERSIONS {
        let hints = Arc::new(Mutex::new(Vec::new()));
        let log = Arc::clone(&hints);
        let client = ContextBuilder::client()
            .versions(version..=version)
            .trust_pem(crate::support::ca().root_pem().unwrap())
            .psk_client(move |connection, hint| {
                log.lock().unwrap().push(hint.map(<[u8]>::to_vec));
                let name = connection.app_data::<String>().expect("data");
                Ok(Some(
                    Psk::new(name.as_bytes(), KEY).map_err(Rejection::from)?,
                ))
            });
        let server = serving(version)
            .psk_identity_hint("the green door")
            .psk_server(|connection, identity| {
                let expected = connection.app_data::<String>().expect("data");
                assert_eq!(expected.as_bytes(), identity);
                Ok(Some(Zeroizing::new(KEY.to_vec())))
            });
        let (client, server) = (client.build().unwrap(), server.build().unwrap());
        let names = ["one", "two", "three"];
        let mut pairs = names.map(|_| Pair::of(&client, &server));
        for (pair, name) in pairs.iter_mut().zip(names) {
            pair.client.set_app_data(name.to_owned()).unwrap();
            pair.server.set_app_data(name.to_owned()).unwrap();
        }
        for _ in 0..4 {
            for pair in &mut pairs {
                pair.turn();
            }
        }
        for (pair, name) in pairs.iter_mut().zip(names) {
            assert_eq!(
                pair.server.psk_identity(),
                Some(name.as_bytes()),
                "{version}"
            );
            pair.talk();
        }
        let hint = match version {
            Version::Tls12 => Some(b"the green door".to_vec()),
            _ => None,
        };
        assert_eq!(*hints.lock().unwrap(), vec![hint; 3], "{version}");
    }
}

#[test]
fn certificates_still_serve_where_no_key_is_known() {
    // Only TLS 1.3 decides about the key before the suite.
    let version = Version::Tls13;
    let server = server(version).psk_table(&table()).build().unwrap();
    let plain = client(version).build().unwrap();
    let mut pair = Pair::of(&plain, &server).connect();
    pair.talk();
    assert_eq!(pair.server.psk_identity(), None);
    let unknown = client(version).psk_client(|_, _| Ok(Some(Psk::new("mallory", KEY)?)));
    let pair = Pair::of(&unknown.build().unwrap(), &server).connect();
    assert_eq!(pair.server.psk_identity(), None);
    assert!(pair.client.peer_certificate().is_some());
    let without = client(version).psk_client(|_, _| Ok(None));
    let pair = Pair::of(&without.build().unwrap(), &server).connect();
    assert!(pair.client.peer_certificate().is_some());
    // One that does not trust the certificate does not take it in place of the key.
    let stranger = showing(version, Psk::new("mallory", KEY).unwrap());
    let (of_client, _) = Pair::of(&stranger.build().unwrap(), &server).handshake();
    assert!(matches!(of_client, Err(Error::Certificate(_))));
}

#[test]
fn refusals_and_panics_never_fall_back_to_certificates() {
    for version in VERSIONS {
        let refused = || Err(Rejection::new(Alert::ACCESS_DENIED).because("closed"));
        let refusing = client(version).psk_client(move |_, _| refused());
        let keyed = server(version).psk_table(&table());
        let (of_client, of_server) = Pair::new(psk_only(refusing), psk_only(keyed)).handshake();
        assert_eq!(rejection(of_client).0, Alert::ACCESS_DENIED, "{version}");
        // With TLS 1.3 it has got the alert in place of a hello.
        of_server.unwrap_err();

        let refusing = server(version)
            .psk_server(move |_, _| Err(Rejection::new(Alert::ACCESS_DENIED).because("closed")));
        let showing = || psk_only(client(version).psk_client(|_, _| Ok(Some(alice()))));
        let (of_client, of_server) = Pair::new(showing(), psk_only(refusing)).handshake();
        assert_eq!(rejection(of_server).0, Alert::ACCESS_DENIED, "{version}");
        assert_eq!(peer_alert(of_client), Alert::INTERNAL_ERROR, "{version}");

        let refusing =
            server(version).psk_server(|_, _| Err(Rejection::new(Alert::UNKNOWN_PSK_IDENTITY)));
        let (of_client, of_server) = Pair::new(showing(), psk_only(refusing)).handshake();
        assert_eq!(rejection(of_server).0, Alert::UNKNOWN_PSK_IDENTITY);
        let expected = match version {
            Version::Tls12 => Alert::UNKNOWN_PSK_IDENTITY,
            _ => Alert::INTERNAL_ERROR,
        };
        assert_eq!(peer_alert(of_client), expected, "{version}");

        let panicking = client(version).psk_client(|_, _| fail("no key today"));
        let keyed = psk_only(server(version).psk_table(&table()));
        let mut pair = Pair::new(psk_only(panicking), keyed);
        assert_eq!(handshake_panics(&mut pair), "no key today");
        pair.client.handshake().unwrap_err();

        let panicking = server(version).psk_server(|_, _| fail("no table today"));
        let mut pair = Pair::new(showing(), psk_only(panicking));
        assert_eq!(handshake_panics(&mut pair), "no table today");
        pair.server.handshake().unwrap_err();
        carry(&mut pair.server, &mut pair.client);
        assert_eq!(peer_alert(idle(&mut pair.client)), Alert::INTERNAL_ERROR);
    }
}

/// With TLS 1.2 the suite decides whether a key is asked for.
fn psk_only(builder: ContextBuilder) -> ContextBuilder {
    builder.ciphers12("ECDHE-PSK-CHACHA20-POLY1305")
}

#[test]
fn what_cannot_be_is_refused_at_once() {
    assert!(Psk::new("", KEY).is_err());
    assert!(Psk::new("a\0b", KEY).is_err());
    assert!(Psk::new(vec![b'x'; 256], KEY).is_err());
    assert!(Psk::new("alice", []).is_err());
    assert!(Psk::new("alice", vec![0; 513]).is_err());
    assert_eq!(format!("{:?}", alice()), "Psk { identity: \"alice\", .. }");
    let required = server(VERSIONS[0])
        .trust_pem(crate::support::ca().root_pem().unwrap())
        .client_auth(ClientAuth::Required)
        .psk_table(&table());
    assert!(matches!(required.build(), Err(Error::Config(_))));
    for hint in ["a\0b".to_owned(), "x".repeat(257)] {
        let hinted = server(VERSIONS[0])
            .psk_table(&table())
            .psk_identity_hint(&hint);
        hinted.build().unwrap_err();
    }
}

#[test]
fn the_longest_identity_and_key_arrive_whole() {
    for version in VERSIONS {
        let identity = "i".repeat(255);
        let psk = Psk::new(identity.as_str(), vec![7; 256]).unwrap();
        let table = PskTable::default();
        table.insert(psk.clone());
        let pair = Pair::new(showing(version, psk), serving(version).psk_table(&table)).connect();
        assert_eq!(pair.server.psk_identity(), Some(identity.as_bytes()));
    }
}

#[test]
fn s_client_and_s_server_share_keys_with_us() {
    for (version, flag) in VERSIONS.into_iter().zip(["-tls1_2", "-tls1_3"]) {
        let server = serving(version).psk_table(&table()).build().unwrap();
        let arguments = ["-psk_identity", "alice", "-psk", KEY_HEX, flag];
        let suite = ["-cipher", "ECDHE-PSK-CHACHA20-POLY1305"];
        let arguments = [&arguments[..], &suite].concat();
        let (text, identity) = s_client(server, &arguments, |stream| stream.psk_identity());
        assert_eq!(identity.as_deref(), Some(&b"alice"[..]), "{version} {text}");
        assert!(text.contains("no peer certificate available"), "{text}");

        let more = ["-nocert", "-psk_identity", "alice", "-psk", KEY_HEX, flag];
        let peer = SServer::start(&[&more[..], &suite].concat());
        let client = showing(version, alice()).build().unwrap();
        let stream = TlsStream::connect(&client, NAME, peer.connect()).expect("handshake");
        assert!(stream.peer_certificate().is_none(), "{version}");
    }
}
