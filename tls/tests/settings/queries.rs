//! What a context says of itself is what its peers see of it.

use std::time::Duration;

use greenling_tls::{ClientAuth, Version, options};

use super::support::*;

#[test]
fn suites_are_those_of_the_client_hello() {
    let context = client().build().unwrap();
    let pair = Pair::new(&context, &server().build().unwrap()).connect();
    let hello = message(&pair.client_sent, 1);
    let session = usize::from(hello[34]);
    let suites = &hello[35 + session..];
    let mut count = usize::from(u16::from_be_bytes([suites[0], suites[1]])) / 2;
    // The sign of RFC 5746 is no suite.
    if suites[2..2 + count * 2]
        .chunks(2)
        .any(|suite| suite == [0x00, 0xff])
    {
        count -= 1;
    }
    let names: Vec<_> = context
        .ciphers()
        .iter()
        .map(|cipher| cipher.name())
        .collect();
    assert_eq!(names.len(), count, "{names:?}");
    assert_eq!(pair.server.cipher().unwrap().name(), names[0]);
}

#[test]
fn the_lifetime_is_what_tickets_promise() {
    let lifetime = |server: greenling_tls::ContextBuilder| {
        let server = server.build().unwrap();
        let client = client().versions(Version::Tls12..=Version::Tls12);
        let mut pair = Pair::new(&client.build().unwrap(), &server).connect();
        pair.shuttle();
        let ticket = message(&pair.server_sent, 4);
        let hint = u32::from_be_bytes(*ticket.first_chunk().unwrap());
        assert_eq!(server.session_lifetime(), Duration::from_secs(hint.into()));
        hint
    };
    assert_eq!(lifetime(server()), 300);
    assert_eq!(
        lifetime(server().session_lifetime(Duration::from_secs(60))),
        60
    );
}

#[test]
fn the_rest_is_what_peers_meet() {
    let server = server()
        .raw_options(options::NO_TLSV1_3)
        .trust_pem(ca().root_pem().unwrap())
        .client_auth(ClientAuth::Optional)
        .verify_depth(3)
        .build()
        .unwrap();
    let client = client().build().unwrap();
    let pair = Pair::new(&client, &server).connect();
    assert_eq!(pair.client.version(), Some(Version::Tls12));
    assert_ne!(server.raw_options() & options::NO_TLSV1_3, 0);
    assert_ne!(server.raw_options() & options::NO_RENEGOTIATION, 0);
    assert_eq!(server.versions(), Version::Tls12..=Version::Tls13);
    let shown = pair.client.peer_certificate().unwrap();
    let [own] = server.certificates() else {
        panic!("one identity");
    };
    assert_eq!(*own, shown);
    message(&pair.server_sent, 13); // asks for a certificate
    assert_eq!(server.client_auth(), ClientAuth::Optional);
    assert_eq!(client.client_auth(), ClientAuth::None);
    assert!(server.verifies_peer() && client.verifies_peer());
    assert_eq!((server.verify_depth(), client.verify_depth()), (3, 10));
    assert_eq!((server.security_level(), server.ticket_count()), (2, 2));
}

#[test]
fn several_identities_are_all_there() {
    let context = server().identity(rsa()).build().unwrap();
    let [_, second] = context.certificates() else {
        panic!("two identities");
    };
    assert_eq!(*second, rsa().certificate());
}
