//! Who is believed: chains, names, validity, and client certificates.

use openssl::asn1::Asn1Time;
use openssl::hash::MessageDigest;
use openssl::nid::Nid;
use openssl::pkey::{PKey, PKeyRef, Private};
use openssl::x509::extension::SubjectAlternativeName;
use openssl::x509::{X509, X509Name};

use super::*;
use crate::config_error::ConfigErrorKind;
use crate::context::{ClientAuth, Version};
use crate::crypto::{self, Curve, KeyAlg, PrivateKey};
use crate::error::Alert;
use crate::identity::Identity;

/// `X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT_LOCALLY`, and codes that are about the same.
const NO_ISSUER: i32 = 20;
const CHAIN: [i32; 3] = [18, 19, 22];
const EXPIRED: i32 = 10;
const NOT_YET_VALID: i32 = 9;
const SELF_SIGNED: i32 = 18;
const CHAIN_TOO_LONG: i32 = 22;
const UNKNOWN_ISSUER: i32 = 20;
const HOST_MISMATCH: i32 = 62;
const IP_MISMATCH: i32 = 64;

/// A self-signed certificate with any common name and, in OpenSSL's notation,
/// any alternative names.
pub(super) fn hand_made(key: &PKeyRef<Private>, common_name: &str, names: &str) -> X509 {
    let mut subject = X509Name::builder().unwrap();
    subject
        .append_entry_by_nid(Nid::COMMONNAME, common_name)
        .unwrap();
    let subject = subject.build();
    let mut builder = X509::builder().unwrap();
    builder.set_version(2).unwrap();
    builder.set_subject_name(&subject).unwrap();
    builder.set_issuer_name(&subject).unwrap();
    builder.set_pubkey(key).unwrap();
    builder
        .set_not_before(&Asn1Time::days_from_now(0).unwrap())
        .unwrap();
    builder
        .set_not_after(&Asn1Time::days_from_now(30).unwrap())
        .unwrap();
    if !names.is_empty() {
        let mut extension = SubjectAlternativeName::new();
        for name in names.split(',') {
            match name.split_once(':').unwrap() {
                ("DNS", host) => extension.dns(host),
                ("IP", ip) => extension.ip(ip),
                other => panic!("{other:?}"),
            };
        }
        let extension = extension
            .build(&builder.x509v3_context(None, None))
            .unwrap();
        builder.append_extension2(&extension).unwrap();
    }
    builder.sign(key, MessageDigest::sha256()).unwrap();
    builder.build()
}

/// What a client says that trusts exactly this certificate.
fn verdict_on(common_name: &str, names: &str, wanted: &str) -> Result<(), Error> {
    let key = PrivateKey::generate(KeyAlg::Ec(Curve::P256)).unwrap();
    let key = PKey::from(key);
    let identity = Identity::new(vec![hand_made(&key, common_name, names)], key).unwrap();
    let client = ContextBuilder::client()
        .trust_pem(identity.chain_pem().unwrap())
        .build()
        .unwrap();
    let server = ContextBuilder::server().identity(identity).build().unwrap();
    Pair::new(&client, wanted, &server).handshake().0
}

fn refused_for<T: std::fmt::Debug>(result: &Result<T, Error>, code: i32) {
    match result {
        Err(Error::Certificate(verify)) if verify.code() == code => {}
        // AWS-LC does not say more of a chain that ends nowhere.
        Err(Error::Certificate(verify))
            if cfg!(feature = "aws-lc") && verify.code() == NO_ISSUER && CHAIN.contains(&code) => {}
        other => panic!("expected refusal with code {code}, got {other:?}"),
    }
}

#[test]
fn names_and_addresses_of_the_certificate_are_accepted() {
    let (_ca, client, server) = certified();
    let (client, server) = (client.build().unwrap(), server.build().unwrap());
    for name in [
        "localhost",
        "LOCALHOST",
        "localhost.",
        "127.0.0.1",
        "::1",
        "[::1]",
    ] {
        let pair = Pair::new(&client, name, &server).connect();
        assert_eq!(pair.client.ssl().verify_result().as_raw(), 0);
    }
}

#[test]
fn other_names_and_addresses_are_refused() {
    let (_ca, client, server) = certified();
    let (client, server) = (client.build().unwrap(), server.build().unwrap());
    for (name, code) in [
        ("example.com", HOST_MISMATCH),
        ("sub.localhost", HOST_MISMATCH),
        ("127.0.0.2", IP_MISMATCH),
        ("::2", IP_MISMATCH),
    ] {
        let (seen, told) = Pair::new(&client, name, &server).handshake();
        refused_for(&seen, code);
        assert!(
            matches!(told, Err(Error::Peer(_))),
            "the server got no alert: {told:?}"
        );
    }
}

#[test]
fn only_alternative_names_count_and_only_whole_wildcards() {
    assert!(verdict_on("x", "DNS:*.example.com", "a.example.com").is_ok());
    refused_for(
        &verdict_on("a.example.com", "", "a.example.com"),
        HOST_MISMATCH,
    );
    refused_for(
        &verdict_on("a.example.com", "DNS:b.example.com", "a.example.com"),
        HOST_MISMATCH,
    );
    refused_for(
        &verdict_on("x", "DNS:*.example.com", "a.b.example.com"),
        HOST_MISMATCH,
    );
    refused_for(
        &verdict_on("x", "DNS:*.example.com", "example.com"),
        HOST_MISMATCH,
    );
    refused_for(
        &verdict_on("x", "DNS:a*.example.com", "ab.example.com"),
        HOST_MISMATCH,
    );
    // An address written as a DNS name is not an address.
    refused_for(&verdict_on("x", "DNS:127.0.0.1", "127.0.0.1"), IP_MISMATCH);
}

#[test]
fn certificates_out_of_their_time_are_refused() {
    let (ca, client, _server) = certified();
    let client = client.build().unwrap();
    for (days, code, alert) in [
        (-10..-1, EXPIRED, Alert::CERTIFICATE_EXPIRED),
        (
            1..10,
            NOT_YET_VALID,
            if cfg!(feature = "aws-lc") {
                Alert::CERTIFICATE_EXPIRED
            } else {
                Alert::BAD_CERTIFICATE
            },
        ),
    ] {
        let identity = ca.issue_valid(&["localhost"], days).unwrap();
        let server = ContextBuilder::server().identity(identity).build().unwrap();
        let (seen, told) = Pair::new(&client, "localhost", &server).handshake();
        refused_for(&seen, code);
        assert!(
            matches!(told, Err(Error::Peer(got)) if got == alert),
            "{told:?}"
        );
    }
}

#[test]
fn a_chain_may_have_so_many_intermediates_and_end_at_any_anchor() {
    let (leaf, chain) = crypto::chain_of_four();
    let [_, lower, upper, root] = &chain[..] else {
        panic!("four certificates");
    };
    let sent = vec![chain[0].clone(), lower.clone(), upper.clone()];
    let identity = Identity::new(sent, leaf.key().clone()).unwrap();
    let server = ContextBuilder::server().identity(identity).build().unwrap();
    let verdict = |anchor: &X509, depth: u32| {
        let client = ContextBuilder::client().trust_pem(anchor.to_pem().unwrap());
        let client = client.verify_depth(depth).build().unwrap();
        Pair::new(&client, "leaf.test", &server).handshake().0
    };
    assert!(verdict(root, 2).is_ok());
    refused_for(&verdict(root, 1), CHAIN_TOO_LONG);
    assert!(verdict(lower, 0).is_ok());
}

#[test]
fn a_client_trusts_nobody_by_accident() {
    let identity = Identity::self_signed(&["localhost"]).unwrap();
    let server = ContextBuilder::server()
        .identity(identity.clone())
        .build()
        .unwrap();
    let system = ContextBuilder::client().build().unwrap();
    refused_for(
        &Pair::new(&system, "localhost", &server).handshake().0,
        SELF_SIGNED,
    );

    let (_ca, other, _) = certified();
    let other = other.build().unwrap();
    refused_for(
        &Pair::new(&other, "localhost", &server).handshake().0,
        SELF_SIGNED,
    );

    let pem = identity.chain_pem().unwrap();
    let pinned = ContextBuilder::client().trust_pem(pem).build().unwrap();
    Pair::new(&pinned, "localhost", &server).connect();
}

#[test]
fn named_anchors_replace_the_systems_roots_only_if_they_are_not_asked_for() {
    let (_ca, client, server) = certified();
    let both = client.trust_system().build().unwrap();
    Pair::new(&both, "localhost", &server.build().unwrap()).connect();
}

#[test]
fn the_dangerous_options_do_what_they_say_and_no_more() {
    let (ca, client, server) = certified();
    let server = server.build().unwrap();
    let stranger = ContextBuilder::server()
        .identity(Identity::self_signed(&["localhost"]).unwrap())
        .build()
        .unwrap();

    let any_name = client.dangerous().skip_hostname().build().unwrap();
    Pair::new(&any_name, "example.com", &server).connect();
    refused_for(
        &Pair::new(&any_name, "example.com", &stranger).handshake().0,
        SELF_SIGNED,
    );

    let anyone = ContextBuilder::client()
        .trust_pem(ca.root_pem().unwrap())
        .dangerous()
        .no_verify()
        .build()
        .unwrap();
    Pair::new(&anyone, "example.com", &stranger).connect();
    let mut nameless = Pair {
        client: client_engine(&anyone, None),
        server: server_engine(&stranger),
    };
    assert!(matches!(nameless.handshake(), (Ok(()), Ok(()))));
}

#[test]
fn a_client_must_say_whom_it_wants_to_reach() {
    let (_ca, client, server) = certified();
    let client = client.build().unwrap();
    for name in [None, Some(""), Some(".example.com"), Some("a\0b")] {
        let Err(Error::Config(error)) = client.new_ssl(name) else {
            panic!("{name:?} was accepted");
        };
        assert_eq!(error.kind(), ConfigErrorKind::ServerName);
    }
    let server = server.build().unwrap();
    assert!(matches!(
        server.new_ssl(Some("localhost")),
        Err(Error::Local(_))
    ));
}

#[test]
fn the_server_learns_the_name_unless_it_is_an_address_or_kept_back() {
    let (_ca, client, server) = certified();
    let server = server.build().unwrap();
    let shy = certified();
    let shy_server = shy.2.build().unwrap();
    let shy_client = shy.1.sni(false).build().unwrap();
    let client = client.build().unwrap();
    let name_seen = |client: &Context, name: &str, server: &Context| {
        let pair = Pair::new(client, name, server).connect();
        pair.server
            .ssl()
            .servername(openssl::ssl::NameType::HOST_NAME)
            .map(str::to_owned)
    };
    assert_eq!(
        name_seen(&client, "LocalHost.", &server).as_deref(),
        Some("localhost")
    );
    assert_eq!(name_seen(&client, "127.0.0.1", &server), None);
    assert_eq!(name_seen(&shy_client, "localhost", &shy_server), None);
}

#[test]
fn a_required_client_certificate_is_required() {
    let (ca, client, server) = certified();
    let root = ca.root_pem().unwrap();
    let server = server
        .trust_pem(root.clone())
        .client_auth(ClientAuth::Required)
        .build()
        .unwrap();

    let (seen, told) = Pair::new(&client.build().unwrap(), "localhost", &server).handshake();
    assert!(
        matches!(seen, Err(Error::Peer(Alert::CERTIFICATE_REQUIRED))),
        "{seen:?}"
    );
    assert!(told.is_err());

    let with = |identity| {
        let client = ContextBuilder::client()
            .trust_pem(root.clone())
            .identity(identity);
        Pair::new(&client.build().unwrap(), "localhost", &server)
    };
    let pair = with(ca.issue_client("alice").unwrap()).connect();
    assert!(pair.server.ssl().peer_certificate().is_some());

    let stranger = TestCa::new("others")
        .unwrap()
        .issue_client("mallory")
        .unwrap();
    let (seen, told) = with(stranger).handshake();
    assert!(
        matches!(seen, Err(Error::Peer(Alert::UNKNOWN_CA))),
        "{seen:?}"
    );
    refused_for(&told, UNKNOWN_ISSUER);

    // A server's certificate does not make a client.
    let (_, told) = with(ca.issue(&["localhost"]).unwrap()).handshake();
    assert!(matches!(told, Err(Error::Certificate(_))), "{told:?}");
}

#[test]
fn clients_are_told_which_authorities_a_server_accepts() {
    let (ca, client, server) = certified();
    let pem = ca.root_pem().unwrap();
    let server = server
        .trust_pem(pem.clone())
        .client_auth(ClientAuth::Required);
    // In TLS 1.2 the request travels in the clear.
    let client = client
        .versions(Version::Tls12..=Version::Tls12)
        .build()
        .unwrap();
    let mut pair = Pair::new(&client, "localhost", &server.build().unwrap());
    let _ = pair.client.handshake();
    transfer(&mut pair.client, &mut pair.server);
    let _ = pair.server.handshake();
    let name = X509::from_pem(&pem)
        .unwrap()
        .subject_name()
        .to_der()
        .unwrap();
    let mut request = name.clone();
    request.splice(0..0, u16::try_from(name.len()).unwrap().to_be_bytes());
    let flight = pair.server.out_data();
    assert!(
        flight
            .windows(request.len())
            .any(|window| window == request)
    );
}

#[test]
fn an_optional_client_certificate_may_be_missing_but_not_wrong() {
    let (ca, client, server) = certified();
    let root = ca.root_pem().unwrap();
    let server = server
        .trust_pem(root.clone())
        .client_auth(ClientAuth::Optional)
        .build()
        .unwrap();
    let pair = Pair::new(&client.build().unwrap(), "localhost", &server).connect();
    assert!(pair.server.ssl().peer_certificate().is_none());

    let stranger = TestCa::new("others")
        .unwrap()
        .issue_client("mallory")
        .unwrap();
    let client = ContextBuilder::client()
        .trust_pem(root)
        .identity(stranger)
        .build()
        .unwrap();
    refused_for(
        &Pair::new(&client, "localhost", &server).handshake().1,
        UNKNOWN_ISSUER,
    );
}
