//! Extensions made from values: what `openssl` and python3-openssl see in them, and what
//! we see in those of `openssl`.

use greenling_tls::crypto::{
    AccessDescription, AccessMethod, Attr, AuthorityKeyId, BasicConstraints, Cert, Csr, Digest,
    DistributionPoint, Encoding, Ext, ExtKind, GeneralName, KeyAlg, KeyPurpose, KeyUsage, Name,
    NameConstraints, NameRange, Oid, Policy, PrivateKey, PublicKey, Serial,
};

use crate::support::{openssl, openssl_text};

fn oid(text: &str) -> Oid {
    text.parse().unwrap()
}

fn name(text: &str) -> GeneralName {
    GeneralName::parse(text).unwrap()
}

fn directory() -> Name {
    Name::builder()
        .set(Attr::Country, "DE")
        .set(Attr::CommonName, "a, b = c: d")
        .build()
        .unwrap()
}

/// One of each kind.
pub(crate) fn one_of_each() -> Vec<Ext> {
    let key = PrivateKey::generate(KeyAlg::Ed25519).unwrap().public_key();
    let names = [
        name("www.a.test"),
        name("*.a.test"),
        name("xn--bcher-kva.test"),
        name("127.0.0.1"),
        name("2001:db8::1"),
        name("o'neil,dns@a.test"),
        name("http://a.test/x,DNS:evil.test"),
        GeneralName::Directory(directory()),
        GeneralName::Rid(oid("1.2.3.4")),
        GeneralName::Other {
            kind: oid("1.3.6.1.4.1.311.20.2.3"),
            value: vec![0x0c, 3, b'u', b'p', b'n'],
        },
    ];
    let limits = NameConstraints {
        permitted: vec![
            NameRange::Dns("a.test".to_owned()),
            NameRange::Ip("10.1.2.3".parse().unwrap(), 9),
            NameRange::Ip("2001:db8::".parse().unwrap(), 32),
            NameRange::Directory(directory()),
        ],
        excluded: vec![
            NameRange::Email(".b.test".to_owned()),
            NameRange::Uri("c.test".to_owned()),
        ],
    };
    let point = DistributionPoint {
        names: vec![name("http://b.test/crl")],
        issuer: vec![GeneralName::Directory(directory())],
    };
    let places = [
        (AccessMethod::Ocsp, "http://ocsp.test"),
        (AccessMethod::CaIssuers, "http://ca.test/ca.der"),
    ];
    let places = places.map(|(method, uri)| AccessDescription {
        method,
        location: name(uri),
    });
    let mut policy = Policy::from(oid("2.23.140.1.2.1"));
    policy.practices.push("http://cps.test/".to_owned());
    policy.notices.push("trust, but verify: ü".to_owned());
    let authority = AuthorityKeyId {
        key_id: Some(vec![0xab; 20]),
        issuer: vec![GeneralName::Directory(directory())],
        serial: Some(Serial::from(0xff00)),
    };
    let purposes = [
        KeyPurpose::ServerAuth,
        KeyPurpose::ClientAuth,
        KeyPurpose::CodeSigning,
        KeyPurpose::EmailProtection,
        KeyPurpose::TimeStamping,
        KeyPurpose::OcspSigning,
        KeyPurpose::Any,
        KeyPurpose::Other(oid("1.2.3.4.5")),
    ];
    let made = [
        Ext::subject_alt_name(names),
        Ext::issuer_alt_name([name("ca@a.test")]),
        Ext::basic_constraints(BasicConstraints {
            ca: true,
            path_len: Some(300),
        }),
        Ext::key_usage(KeyUsage::KEY_AGREEMENT | KeyUsage::CRL_SIGN | KeyUsage::DECIPHER_ONLY),
        Ext::extended_key_usage(purposes),
        Ext::subject_key_id(&key),
        ExtKind::AuthorityKeyId(authority).try_into(),
        Ext::name_constraints(limits),
        Ext::crl_distribution_points([name("http://a.test/crl").into(), point]),
        Ext::authority_info_access(places),
        Ext::certificate_policies([policy, oid("1.2.3").into()]),
        Ok(Ext::must_staple()),
        Ext::crl_number(&Serial::from(u64::MAX)),
        Ext::raw(oid("1.3.6.1.4.1.99999.1"), true, [0x05, 0x00]),
    ];
    made.into_iter().collect::<Result<_, _>>().unwrap()
}

/// Parts of what `openssl` prints of them. How it writes distinguished names depends on
/// the release.
const PRINTED: &[&str] = &[
    "DNS:www.a.test, DNS:*.a.test, DNS:xn--bcher-kva.test, IP Address:127.0.0.1, \
     IP Address:2001:DB8:0:0:0:0:0:1, email:o'neil,dns@a.test, URI:http://a.test/x,DNS:evil.test, \
     DirName:",
    "a, b = c: d",
    "Registered ID:1.2.3.4, othername: UPN:",
    " email:ca@a.test\n",
    " X509v3 Subject Alternative Name: \n",
    " X509v3 Basic Constraints: critical\n",
    " X509v3 Key Usage: critical\n",
    " X509v3 Extended Key Usage: \n",
    " X509v3 Name Constraints: critical\n",
    " CA:TRUE, pathlen:300\n",
    " Key Agreement, CRL Sign, Decipher Only\n",
    " TLS Web Server Authentication, TLS Web Client Authentication, Code Signing, \
     E-mail Protection, Time Stamping, OCSP Signing, Any Extended Key Usage, 1.2.3.4.5\n",
    "AB:AB:AB:AB:AB:AB:AB:AB:AB:AB:AB:AB:AB:AB:AB:AB:AB:AB:AB:AB\n",
    " serial:FF:00\n",
    " DNS:a.test\n",
    " IP:10.0.0.0/255.128.0.0\n",
    " IP:2001:DB8:0:0:0:0:0:0/FFFF:FFFF:0:0:0:0:0:0\n",
    " email:.b.test\n",
    " URI:c.test\n",
    " URI:http://a.test/crl\n",
    " URI:http://b.test/crl",
    "CRL Issuer:",
    " OCSP - URI:http://ocsp.test\n",
    " CA Issuers - URI:http://ca.test/ca.der\n",
    " Policy: 2.23.140.1.2.1\n",
    " CPS: http://cps.test/\n",
    " Explicit Text: trust, but verify: \u{fc}\n",
    " Policy: 1.2.3\n",
    " status_request\n",
    " 18446744073709551615\n",
    " 1.3.6.1.4.1.99999.1: critical\n",
];

#[test]
fn openssl_prints_what_was_meant() {
    let key = PrivateKey::generate(KeyAlg::Ed25519).unwrap();
    let exts = one_of_each();
    let request = Csr::builder().exts(exts);
    let request = request.sign(&key, Digest::default()).unwrap();
    let der = request.encode(Encoding::Der).unwrap();
    let text = openssl_text(
        &[
            "req", "-inform", "DER", "-noout", "-text", "-nameopt", "utf8",
        ],
        &der,
    );
    for expected in PRINTED {
        assert!(text.contains(expected), "{expected} is not in\n{text}");
    }
}

#[test]
fn what_was_made_is_read_as_it_was_meant() {
    for ext in one_of_each() {
        let found = ext.kind();
        if found == ExtKind::Raw {
            assert_eq!(ext.short_name(), "1.3.6.1.4.1.99999.1");
            continue;
        }
        assert_eq!(Ext::try_from(found).unwrap(), ext);
        let theirs = ext.to_openssl().unwrap();
        assert_eq!(Ext::from_openssl(&theirs).unwrap(), ext);
        assert!(!ext.to_text().unwrap().is_empty());
    }
    // An address is written as its network.
    let limits = one_of_each().remove(7).kind();
    let ExtKind::NameConstraints(limits) = limits else {
        panic!("{limits:?}");
    };
    let network = NameRange::Ip("10.0.0.0".parse().unwrap(), 9);
    assert_eq!(limits.permitted[1], network);
}

/// A certificate that `openssl` makes, with these extensions.
fn theirs(extensions: &[&str]) -> Cert {
    let mut arguments = vec![
        "req",
        "-x509",
        "-newkey",
        "ed25519",
        "-nodes",
        "-keyout",
        "/dev/null",
        "-subj",
        "/CN=x",
        "-outform",
        "DER",
        "-config",
        "/dev/null",
    ];
    for extension in extensions {
        arguments.extend(["-addext", extension]);
    }
    let der = openssl(&arguments, b"").unwrap();
    Cert::decode(Encoding::Der, &der).unwrap()
}

fn key_of(cert: &Cert) -> PublicKey {
    cert.as_x509().public_key().unwrap().into()
}

#[test]
fn those_of_openssl_are_read() {
    let cert = theirs(&[
        "subjectAltName=DNS:a.test,IP:::1,email:a@b.test,URI:urn:x:y,RID:1.2.3,\
         otherName:1.2.3;UTF8:x",
        "basicConstraints=critical,CA:TRUE,pathlen:3",
        "keyUsage=critical,digitalSignature,keyEncipherment",
        "extendedKeyUsage=serverAuth,1.2.3",
        "nameConstraints=permitted;IP:10.0.0.0/255.0.0.0,excluded;DNS:.b.test",
        "crlDistributionPoints=URI:http://a.test/crl",
        "authorityInfoAccess=OCSP;URI:http://a.test,caIssuers;DNS:b.test",
        "certificatePolicies=1.2.3,anyPolicy",
        "tlsfeature=status_request,status_request_v2",
        "1.2.3.4=critical,ASN1:NULL",
    ]);
    let kind_of = |name: &str| {
        let oid = Oid::by_name(name).unwrap_or_else(|| oid(name));
        cert.extension(&oid).unwrap().expect(name).kind()
    };
    let names = vec![
        name("a.test"),
        name("::1"),
        name("a@b.test"),
        name("urn:x:y"),
        GeneralName::Rid(oid("1.2.3")),
        GeneralName::Other {
            kind: oid("1.2.3"),
            value: vec![0x0c, 1, b'x'],
        },
    ];
    let limits = NameConstraints {
        permitted: vec![NameRange::Ip("10.0.0.0".parse().unwrap(), 8)],
        excluded: vec![NameRange::Dns(".b.test".to_owned())],
    };
    let places = vec![
        AccessDescription {
            method: AccessMethod::Ocsp,
            location: name("http://a.test"),
        },
        AccessDescription {
            method: AccessMethod::CaIssuers,
            location: name("b.test"),
        },
    ];
    let key = key_of(&cert);
    let ExtKind::SubjectKeyId(id) = Ext::subject_key_id(&key).unwrap().kind() else {
        panic!("of another kind");
    };
    for (of, expected) in [
        ("subjectAltName", ExtKind::SubjectAltName(names)),
        (
            "basicConstraints",
            ExtKind::BasicConstraints(BasicConstraints {
                ca: true,
                path_len: Some(3),
            }),
        ),
        (
            "keyUsage",
            ExtKind::KeyUsage(KeyUsage::DIGITAL_SIGNATURE | KeyUsage::KEY_ENCIPHERMENT),
        ),
        (
            "extendedKeyUsage",
            ExtKind::ExtendedKeyUsage(vec![
                KeyPurpose::ServerAuth,
                KeyPurpose::Other(oid("1.2.3")),
            ]),
        ),
        ("subjectKeyIdentifier", ExtKind::SubjectKeyId(id)),
        ("nameConstraints", ExtKind::NameConstraints(limits)),
        (
            "crlDistributionPoints",
            ExtKind::CrlDistributionPoints(vec![name("http://a.test/crl").into()]),
        ),
        ("authorityInfoAccess", ExtKind::AuthorityInfoAccess(places)),
        (
            "certificatePolicies",
            ExtKind::CertificatePolicies(vec![oid("1.2.3").into(), oid("2.5.29.32.0").into()]),
        ),
        ("tlsfeature", ExtKind::TlsFeature(vec![5, 17])),
        ("1.2.3.4", ExtKind::Raw),
    ] {
        assert_eq!(kind_of(of), expected, "{of}");
    }
    let unknown = cert.extension(&oid("1.2.3.4")).unwrap().unwrap();
    assert!(unknown.is_critical());
    assert_eq!(unknown.value(), [5, 0]);
    assert_eq!(cert.extension(&oid("1.2.3.5")).unwrap(), None);
    // What is read is written again as it was.
    for ext in cert.extensions().unwrap() {
        let theirs = ext.to_openssl().unwrap();
        assert_eq!(Ext::from_openssl(&theirs).unwrap(), ext);
    }
}

#[test]
fn the_key_of_an_authority_is_named_by_its_own_word_for_it() {
    let hashed = theirs(&["subjectKeyIdentifier=hash"]);
    let own = theirs(&["subjectKeyIdentifier=01:02:03"]);
    let id = |cert: &Cert| match Ext::authority_key_id(cert).unwrap().kind() {
        ExtKind::AuthorityKeyId(id) => id.key_id.unwrap(),
        other => panic!("{other:?}"),
    };
    assert_eq!(id(&own), [1, 2, 3]);
    let key = key_of(&hashed);
    let of_key = Ext::subject_key_id(&key).unwrap().kind();
    assert_eq!(of_key, ExtKind::SubjectKeyId(id(&hashed)));
    let none = theirs(&["basicConstraints=CA:TRUE", "subjectKeyIdentifier=none"]);
    assert_eq!(id(&none).len(), 20);
}
