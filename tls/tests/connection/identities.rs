//! Who the peer is: the names in a verified certificate.

use std::net::IpAddr;

use greenling_tls::{ClientAuth, Engine, Identity, PeerIdentity};

use crate::support::{
    NAME, ROOT, VERSIONS, build, client_builder, client_engine, server_builder, server_engine,
    shake_hands, try_handshake,
};

/// What a server learns about a client that presents `identity`.
fn seen(identity: Identity) -> PeerIdentity {
    let mut last = None;
    for version in VERSIONS {
        let server = build(server_builder(version).client_auth(ClientAuth::Required));
        let client = build(client_builder(version).identity(identity.clone()));
        let (mut server, mut client) = (server_engine(&server), client_engine(&client));
        assert!(server.peer_identity().is_none());
        let results = try_handshake(&mut server, &mut client);
        assert!(matches!(results, (Ok(()), Ok(()))), "{results:?}");
        last = server.peer_identity();
    }
    last.expect("verified")
}

#[test]
fn all_names_of_the_certificate_are_told_by_kind() {
    let peer = seen(ROOT.issue("alice", |names| {
        names
            .dns("*.example.com")
            .ip("192.0.2.7")
            .ip("2001:db8::7")
            .email("alice@example.com")
            .uri("spiffe://example.com/service")
            .uri("https://example.com/");
    }));
    assert_eq!(peer.common_name(), Some("alice"));
    assert_eq!(peer.dns_names(), ["localhost", "*.example.com"]);
    let addresses: [IpAddr; 2] = ["192.0.2.7", "2001:db8::7"].map(|a| a.parse().expect("address"));
    assert_eq!(peer.ip_addresses(), addresses);
    assert_eq!(peer.emails(), ["alice@example.com"]);
    assert_eq!(
        peer.uris(),
        ["spiffe://example.com/service", "https://example.com/"]
    );
    // With two URIs it names no workload.
    assert_eq!(peer.spiffe_id(), None);
    let entries = peer.subject().components().len();
    assert_eq!(entries, 1);
    assert_eq!(peer.certificate().subject(), peer.subject());
}

#[test]
fn a_client_with_an_identity_of_its_own_neither_takes_nor_leaves_sessions() {
    for version in VERSIONS {
        let server = build(server_builder(version).client_auth(ClientAuth::Required));
        let usual = ROOT.issue("usual", |_| {});
        let client = build(client_builder(version).identity(usual).session_cache(1));
        let visit = |name: Option<&str>| {
            let (mut server, mut client) = (server_engine(&server), client_engine(&client));
            if let Some(name) = name {
                let identity = ROOT.issue(name, |_| {});
                client
                    .set_identity(&identity)
                    .expect("before the handshake");
                client.set_hostname(NAME).expect("before the handshake");
            }
            shake_hands(&mut server, &mut client);
            let peer = server.peer_identity().expect("verified");
            let name = peer.common_name().map(str::to_owned);
            (name, server.is_session_reused())
        };
        let whom = |name: &str| Some(name.to_owned());
        assert_eq!(visit(Some("alice")), (whom("alice"), false), "{version}");
        assert_eq!(visit(None), (whom("usual"), false), "{version}");
        assert_eq!(visit(Some("bob")), (whom("bob"), false), "{version}");
        assert_eq!(visit(None).0, whom("usual"), "{version}");
        assert_eq!(visit(None), (whom("usual"), true), "{version}");
    }
}

#[test]
fn a_workload_is_named_by_its_only_uri() {
    let peer = seen(ROOT.issue("workload", |names| {
        names.uri("spiffe://example.com/service");
    }));
    assert_eq!(peer.spiffe_id(), Some("spiffe://example.com/service"));
    let peer = seen(ROOT.issue("page", |names| {
        names.uri("https://example.com/");
    }));
    assert_eq!(peer.spiffe_id(), None);
}

#[test]
fn names_that_would_fool_a_reader_are_left_out() {
    let peer = seen(ROOT.issue("na\u{ef}ve", |names| {
        names
            .dns("good.test")
            .dns("bad\u{1}.test")
            .email("two words");
    }));
    assert_eq!(peer.dns_names(), ["localhost", "good.test"]);
    assert_eq!(peer.emails(), [""; 0]);
    assert_eq!(peer.common_name(), Some("na\u{ef}ve"));
    let peer = seen(ROOT.issue("two\nlines", |_| {}));
    assert_eq!(peer.common_name(), None);
}

#[test]
fn nobody_is_known_before_the_proof_of_the_key() {
    // Cut the client's last flight into pieces, and ask after each.
    for version in VERSIONS {
        let server = build(server_builder(version).client_auth(ClientAuth::Required));
        let alice = ROOT.issue("alice", |_| {});
        let client = build(client_builder(version).identity(alice));
        let (mut server, mut client) = (server_engine(&server), client_engine(&client));
        let mut known = 0;
        let mut pieces = 0;
        let step = |engine: &mut Engine| engine.handshake().is_ok();
        while !(step(&mut client) & step(&mut server)) {
            loop {
                let data = client.out_data();
                let n = data.len().min(50);
                if n == 0 {
                    break;
                }
                let fed = server.feed(&data[..n]);
                client.consume_out(fed);
                let done = step(&mut server);
                assert_eq!(server.peer_identity().is_some(), done);
                known += usize::from(done);
                pieces += 1;
            }
            crate::support::carry(&mut server, &mut client);
        }
        assert!(known >= 1 && pieces > 10, "{known} of {pieces}");
    }
}
