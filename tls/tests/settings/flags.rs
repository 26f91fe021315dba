//! OpenSSL's options and modes.

use greenling_tls::{Alert, ContextBuilder, Engine, Version, options};

use super::support::*;

fn tls12(builder: ContextBuilder) -> ContextBuilder {
    builder.versions(Version::Tls12..=Version::Tls12)
}

/// Lets one side ask for a second handshake, and tells how many handshake records
/// the other has sent in answer to that.
fn renegotiated(
    client: ContextBuilder,
    server: ContextBuilder,
    first: fn(&mut Pair) -> &mut Engine,
) -> usize {
    let mut pair = Pair::connected(tls12(client), tls12(server));
    let by_client = pair.client_sent.len();
    let by_server = pair.server_sent.len();
    first(&mut pair).renegotiate().unwrap();
    for _ in 0..6 {
        for engine in [&mut pair.client, &mut pair.server] {
            let _ = engine.handshake();
            let _ = engine.read(&mut [0; 16]);
        }
        pair.shuttle();
    }
    let asker_is_server = std::ptr::eq(first(&mut pair), &pair.server);
    let answer = if asker_is_server {
        &pair.client_sent[by_client..]
    } else {
        &pair.server_sent[by_server..]
    };
    records(answer)
        .iter()
        .filter(|(kind, _)| *kind == HANDSHAKE)
        .count()
}

#[test]
fn renegotiation_is_refused_unless_it_is_allowed_on_both_sides() {
    let by_client: fn(&mut Pair) -> &mut Engine = |pair| &mut pair.client;
    let by_server: fn(&mut Pair) -> &mut Engine = |pair| &mut pair.server;
    let willing = |builder: ContextBuilder| builder.allow_renegotiation();
    for side in [by_client, by_server] {
        assert!(renegotiated(willing(client()), willing(server()), side) > 1);
    }
    assert_eq!(renegotiated(willing(client()), server(), by_client), 0);
    assert_eq!(renegotiated(client(), willing(server()), by_server), 0);
}

#[test]
fn raw_options_are_set_and_cleared_last() {
    let pair = Pair::connected(client(), server().raw_options(options::NO_TLSV1_3));
    assert_eq!(pair.client.version(), Some(Version::Tls12));

    let compat = |server: ContextBuilder, client: ContextBuilder| {
        let pair = Pair::connected(client, server);
        let sent = [records(&pair.client_sent), records(&pair.server_sent)].concat();
        sent.iter().any(|(kind, _)| *kind == CHANGE_CIPHER_SPEC)
    };
    assert!(compat(server(), client()));
    let bit = options::ENABLE_MIDDLEBOX_COMPAT;
    assert!(!compat(
        server().clear_raw_options(bit),
        client().clear_raw_options(bit)
    ));

    // The last word counts.
    let undone = server()
        .raw_options(options::NO_TLSV1_3)
        .clear_raw_options(options::NO_TLSV1_3);
    let pair = Pair::connected(client(), undone);
    assert_eq!(pair.client.version(), Some(Version::Tls13));
}

#[test]
fn options_that_openssl_has_removed_change_nothing() {
    let hello = |client: ContextBuilder| {
        let pair = Pair::connected(client, server());
        message(&pair.client_sent, 1).len()
    };
    let removed = options::SINGLE_DH_USE
        | options::SINGLE_ECDH_USE
        | options::EPHEMERAL_RSA
        | options::NO_SSLV2
        | options::NO_SSLV3;
    assert_eq!(hello(client()), hello(client().raw_options(removed)));
}

#[test]
fn a_second_try_with_a_lower_version_is_marked_as_one() {
    let again = tls12(client()).raw_mode(options::MODE_SEND_FALLBACK_SCSV);
    let (told, _) = Pair::results(again, server());
    assert_eq!(alert(told), Alert::from_code(86), "inappropriate_fallback");
    Pair::connected(tls12(client()), server());
}
