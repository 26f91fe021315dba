//! How chains are judged, and what clients are told about it. The side that is
//! refused learns it by an alert.

use std::time::{Duration, SystemTime};

use greenling_tls::crypto::{Cert, TrustStore, VerifyFlags};
use greenling_tls::{
    Alert, ClientAuth, ConfigErrorKind, ContextBuilder, Error, Identity, Purpose, Version, options,
};
use openssl::x509::X509Name;

use super::authority::{Authority, Leaf, leaf_of};
use super::support::*;

const DAY: Duration = Duration::from_secs(24 * 3600);

/// A client that trusts `root` alone.
fn client_of(root: &Authority) -> ContextBuilder {
    ContextBuilder::client().trust_pem(root.pem())
}

fn server_with(identity: &Identity) -> ContextBuilder {
    ContextBuilder::server().identity(identity.clone())
}

/// What the server is told by a client that refuses it, and why it does.
fn refusal(client: ContextBuilder, server: ContextBuilder) -> (Alert, String) {
    let (why, told) = Pair::results(client, server);
    match why {
        Err(Error::Certificate(why)) => (alert(told), why.to_string()),
        other => panic!("not refused for its certificate: {other:?}"),
    }
}

#[test]
fn revoked_certificates_are_refused_by_both_sides() {
    let root = Authority::root("root");
    let leaf = Leaf {
        for_clients: true,
        ..Leaf::default()
    };
    let (good, bad) = (root.issue(&leaf), root.issue(&leaf));
    let list = root.crl(&[&leaf_of(&bad)]);
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("revoked.pem");
    std::fs::write(&path, &list).unwrap();

    Pair::connected(client_of(&root), server_with(&bad));
    for in_file in [true, false] {
        let client = || match in_file {
            true => client_of(&root).crl_file(&path),
            false => client_of(&root).crl_pem(list.clone()),
        };
        Pair::connected(client(), server_with(&good));
        let (told, _) = refusal(client(), server_with(&bad));
        assert_eq!(told, Alert::from_code(44), "certificate_revoked");
    }

    let server = || {
        server_with(&good)
            .trust_pem(root.pem())
            .client_auth(ClientAuth::Required)
            .crl_file(&path)
    };
    Pair::connected(client_of(&root).identity(good.clone()), server());
    let (told, _) = Pair::results(client_of(&root).identity(bad), server());
    assert_eq!(alert(told), Alert::from_code(44));
}

#[test]
fn without_a_list_of_its_issuer_a_certificate_is_refused() {
    let (root, other) = (Authority::root("root"), Authority::root("other"));
    let server = server_with(&root.issue(&Leaf::default()));
    let (_, why) = refusal(client_of(&root).crl_pem(other.crl(&[])), server);
    assert!(why.contains("CRL"), "{why}");
}

#[test]
fn the_whole_chain_is_looked_up_only_when_that_is_asked_for() {
    let root = Authority::root("root");
    let middle = root.below("middle");
    let server = || server_with(&middle.issue_with(&Leaf::default(), &[&middle]));
    let lists = [root.crl(&[middle.certificate()]), middle.crl(&[])].concat();
    let client = || client_of(&root).crl_pem(lists.clone());
    Pair::connected(client(), server());
    let (told, _) = refusal(client().crl_check_chain(), server());
    assert_eq!(told, Alert::from_code(44));
}

#[test]
fn lists_that_cannot_be_read_are_refused_with_their_file() {
    let empty = tempfile::NamedTempFile::new().unwrap();
    for (builder, kind) in [
        (
            client().crl_file("/nonexistent/crl"),
            ConfigErrorKind::Unreadable,
        ),
        (client().crl_file(empty.path()), ConfigErrorKind::Malformed),
        (
            client().crl_pem("-----BEGIN X509 CRL-----\nAAAA\n-----END X509 CRL-----\n"),
            ConfigErrorKind::Malformed,
        ),
    ] {
        match builder.build() {
            Err(Error::Config(error)) => assert_eq!(error.kind(), kind, "{error}"),
            other => panic!("{other:?}"),
        }
    }
}

#[test]
fn strictness_is_off_and_when_on_is_named_in_the_error() {
    let root = Authority::root("root");
    let sloppy = root.issue(&Leaf {
        names_issuers_key: false,
        ..Leaf::default()
    });
    Pair::connected(client_of(&root), server_with(&sloppy));
    let strict = || client_of(&root).strict(true);
    let (_, why) = refusal(strict(), server_with(&sloppy));
    assert!(why.contains("Authority Key Identifier"), "{why}");
    assert!(why.contains("`strict`"), "{why}");
    Pair::connected(strict(), server_with(&root.issue(&Leaf::default())));
}

#[test]
fn certificates_are_judged_at_the_time_that_was_set() {
    let root = Authority::root("root");
    let now = SystemTime::now();
    let today = server_with(&root.issue(&Leaf::default()));
    let (_, why) = refusal(client_of(&root).verify_time(now - 100 * DAY), today);
    assert!(why.contains("not yet valid"), "{why}");

    // The root is valid from yesterday.
    let short = root.issue(&Leaf {
        valid_days: 10..20,
        ..Leaf::default()
    });
    let (_, why) = refusal(client_of(&root), server_with(&short));
    assert!(why.contains("not yet valid"), "{why}");
    Pair::connected(
        client_of(&root).verify_time(now + 15 * DAY),
        server_with(&short),
    );
    let careless = client_of(&root).raw_verify_flags(options::VERIFY_NO_CHECK_TIME);
    Pair::connected(careless, server_with(&short));
}

#[test]
fn a_certificate_must_be_good_for_what_it_is_used_for() {
    let root = Authority::root("root");
    let servers_own = root.issue(&Leaf::default());
    let server = || {
        server_with(&servers_own)
            .trust_pem(root.pem())
            .client_auth(ClientAuth::Required)
    };
    let client = || client_of(&root).identity(servers_own.clone());
    let (told, _) = Pair::results(client(), server());
    assert_eq!(alert(told), Alert::from_code(43), "unsupported_certificate");
    for purpose in [Purpose::Server, Purpose::Any] {
        Pair::connected(client(), server().verify_purpose(purpose));
    }
    let (told, _) = Pair::results(client(), server().verify_purpose(Purpose::Client));
    assert_eq!(alert(told), Alert::from_code(43));
}

#[test]
fn any_anchor_ends_a_chain_unless_it_must_be_a_root() {
    let root = Authority::root("root");
    let middle = root.below("middle");
    let server = || server_with(&middle.issue(&Leaf::default()));
    Pair::connected(client_of(&middle), server());
    refusal(client_of(&middle).partial_chain(false), server());
    let whole = client_of(&middle).trust_pem(root.pem());
    Pair::connected(whole.partial_chain(false), server());
}

#[test]
fn a_chain_may_be_as_long_as_allowed() {
    let root = Authority::root("root");
    let middle = root.below("middle");
    let server = || server_with(&middle.issue_with(&Leaf::default(), &[&middle]));
    Pair::connected(client_of(&root), server());
    refusal(client_of(&root).verify_depth(0), server());
}

/// Whether a server names `authority` in the request that it sends in the clear.
fn is_named(server: ContextBuilder, authority: &Authority) -> bool {
    const CERTIFICATE_REQUEST: u8 = 13;
    let client = client().versions(Version::Tls12..=Version::Tls12);
    let pair = Pair::connected(client, server);
    let request = message(&pair.server_sent, CERTIFICATE_REQUEST);
    let name = authority.certificate().subject_name().to_der().unwrap();
    request.windows(name.len()).any(|window| window == name)
}

#[test]
fn clients_are_told_of_the_anchors_or_of_whom_they_should_be_told() {
    let anchor = Authority::root("the anchor");
    let named = Authority::root("somebody else");
    let server = || {
        server()
            .trust_pem(anchor.pem())
            .client_auth(ClientAuth::Optional)
    };
    assert!(is_named(server(), &anchor));

    let name: fn(&Authority) -> X509Name =
        |authority| authority.certificate().subject_name().to_owned().unwrap();
    let by_name = || server().client_ca_names([name(&named)]);
    assert!(is_named(by_name(), &named));
    assert!(!is_named(by_name(), &anchor));

    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("names.pem");
    std::fs::write(&path, named.pem()).unwrap();
    let by_file = || server().client_ca_file(&path);
    assert!(is_named(by_file(), &named));
    assert!(!is_named(by_file(), &anchor));
    assert!(is_named(
        by_file().client_ca_names([name(&anchor)]),
        &anchor
    ));
    assert!(!is_named(server().client_ca_names([]), &anchor));
}

/// How much a client sends in its second handshake.
fn sent_again(server: ContextBuilder, client: ContextBuilder) -> usize {
    let client = client.versions(Version::Tls12..=Version::Tls12);
    let mut pair = Pair::connected(client.allow_renegotiation(), server.allow_renegotiation());
    let before = pair.client_sent.len();
    pair.server.renegotiate().unwrap();
    for _ in 0..6 {
        for engine in [&mut pair.client, &mut pair.server] {
            let _ = engine.handshake();
            let _ = engine.read(&mut [0; 16]);
        }
        pair.shuttle();
    }
    pair.client_sent.len() - before
}

#[test]
fn a_certificate_may_be_asked_for_only_once() {
    let root = Authority::root("root");
    let own = root.issue(&Leaf {
        for_clients: true,
        ..Leaf::default()
    });
    let size = leaf_of(&own).to_der().unwrap().len();
    // Without tickets, so that the second handshake is a full one.
    let server = || {
        server_with(&own)
            .trust_pem(root.pem())
            .client_auth(ClientAuth::Required)
            .raw_options(options::NO_SESSION_RESUMPTION_ON_RENEGOTIATION)
    };
    let client = || client_of(&root).identity(own.clone());
    let again = sent_again(server(), client());
    let once = sent_again(server().client_auth_once(), client());
    assert!(once > 0 && once + size < again, "{once} and {again} bytes");
}

#[test]
fn a_chain_is_completed_from_the_anchors_only_if_that_is_allowed() {
    let root = Authority::root("root");
    let middle = root.below("middle");
    let server = || server_with(&middle.issue(&Leaf::default())).trust_pem(middle.pem());
    refusal(client_of(&root), server());
    let searching = server().clear_raw_mode(options::MODE_NO_AUTO_CHAIN);
    Pair::connected(client_of(&root), searching);
}

/// Run by [`the_environment_says_where_the_systems_roots_are`].
#[test]
#[ignore = "the other half of a test"]
fn a_client_with_the_systems_roots() {
    let identity = std::env::var_os("SETTINGS_IDENTITY").unwrap();
    let identity = Identity::from_pem_files(&identity, &identity).unwrap();
    Pair::connected(ContextBuilder::client(), server_with(&identity));
    // Without them it trusts nobody.
    let strangers = ContextBuilder::client().trust_pem(ca().root_pem().unwrap());
    refusal(strangers, server_with(&identity));
}

#[test]
fn the_environment_says_where_the_systems_roots_are() {
    let root = Authority::root("root");
    let identity = root.issue(&Leaf::default());
    let folder = tempfile::tempdir().unwrap();
    let (roots, own) = (
        folder.path().join("roots.pem"),
        folder.path().join("own.pem"),
    );
    std::fs::write(&roots, root.pem()).unwrap();
    let mut pem = identity.chain_pem().unwrap();
    pem.extend_from_slice(&identity.export_private_key_pem().unwrap());
    std::fs::write(&own, pem).unwrap();
    run_alone(
        "verification::a_client_with_the_systems_roots",
        &[("SSL_CERT_FILE", &roots), ("SETTINGS_IDENTITY", &own)],
    );
}

#[test]
fn certificates_and_stores_are_trusted_as_they_are() {
    let root = Authority::root("root");
    let (good, bad) = (root.issue(&Leaf::default()), root.issue(&Leaf::default()));
    let certificate = || Cert::from(root.certificate().clone());
    let trusting = || ContextBuilder::client().trust_cert(certificate());
    Pair::connected(trusting(), server_with(&good));

    let list = root.crl(&[&leaf_of(&bad)]);
    let store = TrustStore::builder().add_cert(certificate());
    let store = store.add_crl_pem(list).build().unwrap();
    let client = || ContextBuilder::client().trust_store(&store);
    Pair::connected(client(), server_with(&good));
    let (told, _) = refusal(client(), server_with(&bad));
    assert_eq!(told, Alert::from_code(44), "certificate_revoked");
    // The lists are looked at by the store's flags, which are the context's too.
    assert!(store.flags().contains(VerifyFlags::CRL_CHECK));
    let stranger = Authority::root("root");
    let (told, _) = refusal(client(), server_with(&stranger.issue(&Leaf::default())));
    assert_eq!(told, Alert::from_code(48), "unknown_ca");
}
