//! What is told of the peer's certificate, against what `openssl x509` would say.

use greenling_tls::{AltName, ClientAuth, Identity, SslErrorKind, Version};
use openssl::asn1::{Asn1Integer, Asn1Time};
use openssl::bn::BigNum;
use openssl::hash::MessageDigest;
use openssl::nid::Nid;
use openssl::pkey::PKey;
use openssl::x509::extension::SubjectAlternativeName;
use openssl::x509::{X509, X509Extension, X509Name};

use crate::support::{NAME, Pair, VERSIONS, ca, client_builder, server_builder};

/// A certificate with everything in it that is told, signed by itself.
#[allow(deprecated, reason = "extensions that have no builder of their own")]
fn talkative() -> (X509, Identity) {
    let key = PKey::ec_gen("P-256").expect("a key");
    let mut subject = X509Name::builder().expect("memory");
    for (attribute, value) in [
        (Nid::COUNTRYNAME, "DE"),
        (Nid::ORGANIZATIONNAME, "Grünling"),
        (Nid::COMMONNAME, "the peer"),
    ] {
        subject
            .append_entry_by_nid(attribute, value)
            .expect("an entry");
    }
    let subject = subject.build();
    let mut builder = X509::builder().expect("memory");
    builder.set_version(2).expect("set");
    let serial = BigNum::from_hex_str("0ABCDEF012").expect("hex");
    let serial = Asn1Integer::from_bn(&serial).expect("an integer");
    builder.set_serial_number(&serial).expect("set");
    builder.set_subject_name(&subject).expect("set");
    builder.set_issuer_name(&subject).expect("set");
    builder.set_pubkey(&key).expect("set");
    let day = |text| Asn1Time::from_str(text).expect("a time");
    builder
        .set_not_before(&day("20180105093443Z"))
        .expect("set");
    builder.set_not_after(&day("20991231235959Z")).expect("set");
    let extensions = {
        let context = builder.x509v3_context(None, None);
        let names = SubjectAlternativeName::new()
            .dns(NAME)
            .ip("127.0.0.1")
            .ip("::1")
            .email("peer@example.com")
            .uri("https://example.com/peer")
            .build(&context)
            .expect("names");
        let about = |name, value| {
            X509Extension::new(None, Some(&context), name, value).expect("an extension")
        };
        [
            names,
            about(
                "authorityInfoAccess",
                "OCSP;URI:http://ocsp.example,caIssuers;URI:http://ca.example/ca.der",
            ),
            about("crlDistributionPoints", "URI:http://ca.example/ca.crl"),
        ]
    };
    for extension in &extensions {
        builder.append_extension2(extension).expect("appended");
    }
    builder.sign(&key, MessageDigest::sha256()).expect("signed");
    let certificate = builder.build();
    let identity = Identity::new(vec![certificate.clone()], key).expect("an identity");
    (certificate, identity)
}

#[test]
fn every_field_is_told() {
    let (certificate, identity) = talkative();
    let server = greenling_tls::ContextBuilder::server()
        .identity(identity)
        .build()
        .expect("a context");
    let client = greenling_tls::ContextBuilder::client()
        .trust_pem(certificate.to_pem().expect("PEM"))
        .build()
        .expect("a context");
    let mut pair = Pair::new(&server, &client);
    pair.connect();
    let told = pair.client.tls.getpeercert().expect("done").expect("shown");
    let part = |attribute: &str, value: &str| vec![(attribute.to_owned(), value.to_owned())];
    assert_eq!(
        told.subject,
        [
            part("countryName", "DE"),
            part("organizationName", "Grünling"),
            part("commonName", "the peer"),
        ]
    );
    assert_eq!(told.issuer, told.subject);
    assert_eq!(told.version, 3);
    assert_eq!(told.serial_number, "0ABCDEF012");
    assert_eq!(told.not_before, "Jan  5 09:34:43 2018 GMT");
    assert_eq!(told.not_after, "Dec 31 23:59:59 2099 GMT");
    assert_eq!(
        told.subject_alt_name,
        [
            AltName::Dns(NAME.to_owned()),
            AltName::IpAddress("127.0.0.1".to_owned()),
            AltName::IpAddress("::1".to_owned()),
            AltName::Email("peer@example.com".to_owned()),
            AltName::Uri("https://example.com/peer".to_owned()),
        ]
    );
    assert_eq!(told.ocsp, ["http://ocsp.example"]);
    assert_eq!(told.ca_issuers, ["http://ca.example/ca.der"]);
    assert_eq!(told.crl_distribution_points, ["http://ca.example/ca.crl"]);
    let der = certificate.to_der().expect("DER");
    let binary = pair.client.tls.getpeercert_binary().expect("done");
    assert_eq!(binary.as_ref(), Some(&der));
    assert_eq!(
        pair.client.tls.get_unverified_chain().expect("memory"),
        [der]
    );
}

#[test]
fn chains_on_both_sides() {
    for version in VERSIONS {
        let server = server_builder(version)
            .trust_pem(ca().root_pem().expect("PEM"))
            .client_auth(ClientAuth::Required)
            .build()
            .expect("a context");
        let client = client_builder(version)
            .identity(ca().issue_client("alice").expect("a certificate"))
            .build()
            .expect("a context");
        let mut pair = Pair::new(&server, &client);
        pair.connect();
        let root = X509::from_pem(&ca().root_pem().expect("PEM")).expect("a certificate");
        let root = root.to_der().expect("DER");
        for side in [&pair.client, &pair.server] {
            let shown = side.tls.getpeercert_binary().expect("done").expect("shown");
            let verified = side.tls.get_verified_chain().expect("memory");
            assert_eq!(verified, [shown.clone(), root.clone()]);
            // Neither side sends the root.
            assert_eq!(side.tls.get_unverified_chain().expect("memory"), [shown]);
        }
        let alice = pair.server.tls.getpeercert().expect("done").expect("shown");
        assert_eq!(alice.subject_alt_name, [AltName::Dns("alice".to_owned())]);
    }
}

#[test]
fn an_unverified_certificate_tells_nothing() {
    let server = server_builder(Version::Tls13).build().expect("a context");
    let client = greenling_tls::ContextBuilder::client()
        .dangerous()
        .no_verify()
        .build()
        .expect("a context");
    let mut pair = Pair::new(&server, &client);
    pair.connect();
    let told = pair.client.tls.getpeercert().expect("done").expect("shown");
    assert_eq!(told, Default::default());
    assert!(
        pair.client
            .tls
            .getpeercert_binary()
            .expect("done")
            .is_some()
    );
    assert!(
        pair.client
            .tls
            .get_verified_chain()
            .expect("memory")
            .is_empty()
    );
    assert_eq!(
        pair.client.fails(|tls| tls.read(1)).kind(),
        SslErrorKind::WantRead
    );
}
