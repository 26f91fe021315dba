//! Suites, their order, signatures and the security level.

use greenling_tls::{Alert, ContextBuilder, Version};
use openssl::pkey::Id;

use super::support::*;

const AES128: &str = "ECDHE-ECDSA-AES128-GCM-SHA256";
const AES256: &str = "ECDHE-ECDSA-AES256-GCM-SHA384";
const CHACHA: &str = "ECDHE-ECDSA-CHACHA20-POLY1305";

fn tls12(builder: ContextBuilder, suites: &[&str]) -> ContextBuilder {
    builder
        .versions(Version::Tls12..=Version::Tls12)
        .ciphers12(&suites.join(":"))
}

/// The suite that the client finds itself with.
fn chosen(client: ContextBuilder, server: ContextBuilder) -> &'static str {
    Pair::connected(client, server)
        .client
        .cipher()
        .unwrap()
        .name()
}

#[test]
fn the_clients_order_decides_unless_the_server_insists() {
    let client = || tls12(client(), &[AES128, AES256]);
    let server = || tls12(server(), &[AES256, AES128, CHACHA]);
    assert_eq!(chosen(client(), server()), AES128);
    assert_eq!(chosen(client(), server().server_order()), AES256);
}

#[test]
fn a_server_that_insists_still_gives_chacha_to_those_who_want_it_first() {
    let server = || tls12(server(), &[AES256, AES128, CHACHA]).server_order();
    assert_eq!(chosen(tls12(client(), &[CHACHA, AES256]), server()), CHACHA);
    assert_eq!(
        chosen(tls12(client(), &[AES128, CHACHA, AES256]), server()),
        AES256
    );
}

#[test]
fn suites_outside_of_the_defaults_are_used_when_they_are_asked_for() {
    const CBC: &str = "ECDHE-ECDSA-AES128-SHA";
    let weak = || tls12(client(), &[CBC]);
    assert_eq!(chosen(weak(), server().ciphers12(CBC)), CBC);
    let (told, _) = Pair::results(weak(), server());
    assert_eq!(alert(told), Alert::HANDSHAKE_FAILURE);
}

#[test]
fn the_suites_of_tls_1_3_have_a_list_of_their_own() {
    const SUITE: &str = "TLS_CHACHA20_POLY1305_SHA256";
    assert_eq!(chosen(client(), server().ciphers13(SUITE)), SUITE);
    assert_eq!(chosen(client().ciphers13(SUITE), server()), SUITE);
}

#[test]
fn the_peers_signature_algorithms_choose_among_identities() {
    let both = || server().identity(rsa());
    for version in [Version::Tls12, Version::Tls13] {
        for (list, id) in [
            ("RSA-PSS+SHA256", Id::RSA),
            ("ECDSA+SHA256", Id::EC),
            ("RSA-PSS+SHA256:ECDSA+SHA256", Id::RSA),
        ] {
            // In TLS 1.2 the suite decides, and the first one is ECDSA's.
            if version == Version::Tls12 && list.contains(':') {
                continue;
            }
            let client = client()
                .versions(version..=version)
                .signature_algorithms(list);
            let pair = Pair::connected(client, both());
            let shown = pair.client.peer_certificate().unwrap();
            assert_eq!(
                shown.public_key().unwrap().as_pkey().id(),
                id,
                "{version}: {list}"
            );
        }
    }
    let picky = client().signature_algorithms("RSA-PSS+SHA256");
    let (told, _) = Pair::results(picky, server());
    assert_eq!(alert(told), Alert::HANDSHAKE_FAILURE);
}

#[test]
fn a_security_level_judges_the_peers_key() {
    Pair::connected(client(), rsa_server());
    // Level 3 means 128 bits, and RSA with 2048 bits has 112.
    let (_, told) = Pair::results(client().security_level(3), rsa_server());
    alert(told);
}

#[test]
fn groups_are_those_that_were_asked_for() {
    for version in [Version::Tls12, Version::Tls13] {
        let one = || client().versions(version..=version).groups("P-384");
        // In TLS 1.2 the group of an ECDSA key would have to be offered too.
        Pair::connected(one(), rsa_server());
        let (told, _) = Pair::results(one(), rsa_server().groups("X25519:P-256"));
        assert_eq!(alert(told), Alert::HANDSHAKE_FAILURE, "{version}");
    }
}
