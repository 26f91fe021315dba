//! Extensions in the text form of the manual: what python3-openssl makes of each text is
//! what we make of it.

use std::ops::BitOr;

use greenling_tls::crypto::{
    self, BasicConstraints, Cert, Encoding, Ext, ExtContext, ExtKind, GeneralName, KeyPurpose,
    KeyUsage, NameConstraints, NameRange, Oid,
};
use greenling_tls::{ConfigErrorKind, Error};

use crate::support::{hex, python, unhex};

/// Name, critical, value.
const TEXTS: &[(&str, bool, &str)] = &[
    ("basicConstraints", true, "CA:TRUE"),
    ("basicConstraints", false, "CA:false, pathlen:10"),
    ("keyUsage", true, "digitalSignature, keyCertSign, cRLSign"),
    ("extendedKeyUsage", false, "serverAuth,clientAuth,1.2.3.4"),
    (
        "subjectAltName",
        false,
        "DNS:a.test,IP:127.0.0.1,IP:::1,email:a@b.test,URI:http://a/",
    ),
    ("subjectAltName", true, "RID:1.2.3.4"),
    ("subjectAltName", false, "otherName:1.2.3;UTF8:x"),
    ("subjectAltName", false, "email:copy"),
    ("issuerAltName", false, "issuer:copy"),
    ("subjectKeyIdentifier", false, "hash"),
    ("subjectKeyIdentifier", false, "01:02:03"),
    ("authorityKeyIdentifier", false, "keyid:always"),
    (
        "authorityKeyIdentifier",
        false,
        "keyid:always,issuer:always",
    ),
    (
        "nameConstraints",
        true,
        "permitted;DNS:a.test,excluded;IP:10.0.0.0/255.0.0.0",
    ),
    ("crlDistributionPoints", false, "URI:http://a.test/crl"),
    ("authorityInfoAccess", false, "OCSP;URI:http://a.test/"),
    ("policyConstraints", true, "requireExplicitPolicy:3"),
    ("inhibitAnyPolicy", true, "2"),
    ("tlsfeature", false, "status_request"),
    ("noCheck", false, "ignored"),
    ("nsComment", false, "a comment, with: signs"),
    ("nsCertType", false, "client, server"),
    ("1.2.3.4.5", true, "DER:05:00"),
    ("1.2.3.4.5", false, "ASN1:UTF8String:text"),
    ("subjectAltName", false, "DER:01:02"),
    ("basicConstraints", false, "critical,CA:TRUE"),
    // What neither takes.
    ("noSuchExtension", false, "x"),
    ("", false, ""),
    ("basicConstraints", false, ""),
    ("basicConstraints", false, "CA:MAYBE"),
    ("basicConstraints", false, "pathlen:x"),
    ("keyUsage", false, "noSuchUsage"),
    ("subjectAltName", false, ""),
    ("subjectAltName", false, "IP:1.2.3"),
    ("subjectAltName", false, "a.test"),
    ("subjectAltName", false, "@section"),
    ("subjectAltName", false, "dirName:section"),
    ("certificatePolicies", false, "@section"),
    ("certificatePolicies", false, "1.2.3.4, anyPolicy"),
    (
        "proxyCertInfo",
        false,
        "language:id-ppl-anyLanguage,policy:file:/etc/hostname",
    ),
    ("1.2.3.4.5", false, "DER:0"),
    ("1.2.3.4.5", false, "ASN1:SEQUENCE:section"),
    ("1.2.3.4.5", false, "text"),
];

/// Reads a subject, an issuer and one row a line; answers each row with critical, short
/// name and value of the extension, or with nothing.
const PYTHON: &str = r#"
import sys
from OpenSSL import crypto
lines = sys.stdin.read().split("\n")
load = lambda text: crypto.load_certificate(crypto.FILETYPE_ASN1, bytes.fromhex(text))
subject, issuer = load(lines[0]), load(lines[1])
for line in lines[2:]:
    critical, name, value = line.split(" ")
    name, value = bytes.fromhex(name), bytes.fromhex(value)
    try:
        ext = crypto.X509Extension(name, critical == "1", value, subject=subject, issuer=issuer)
        data = ext.get_data().hex()
        print(ext.get_critical(), ext.get_short_name().decode(), data)
    except crypto.Error:
        print()
"#;

#[test]
fn each_text_means_what_it_means_to_python3_openssl() {
    let (issuer, _) = crypto::self_signed(&["issuer.test", "127.0.0.1"]).unwrap();
    let subject = with_mail();
    let der = |cert: &Cert| hex(&cert.encode(Encoding::Der).unwrap());
    let mut lines = vec![der(&subject), der(&issuer)];
    lines.extend(TEXTS.iter().map(|(name, critical, value)| {
        let critical = u8::from(*critical);
        format!(
            "{critical} {} {}",
            hex(name.as_bytes()),
            hex(value.as_bytes())
        )
    }));
    let Some(theirs) = python("OpenSSL", PYTHON, lines.join("\n").as_bytes()) else {
        return;
    };
    let theirs: Vec<_> = theirs.lines().collect();
    assert_eq!(theirs.len(), TEXTS.len());
    let context = ExtContext::new().subject(&subject).issuer(&issuer);
    for ((name, critical, value), theirs) in TEXTS.iter().zip(&theirs) {
        let ours = Ext::parse_conf(name, *critical, value, &context);
        let Ok(ours) = ours else {
            assert_eq!(*theirs, "", "only python3-openssl takes {name}={value}");
            continue;
        };
        let parts: Vec<_> = theirs.split(' ').collect();
        let [critical, short_name, data] = parts[..] else {
            panic!("only we take {name}={value}: {ours:?}");
        };
        assert_eq!(ours.is_critical(), critical == "1", "{name}={value}");
        assert_eq!(ours.value(), unhex(data), "{name}={value}");
        // Theirs calls what has no name "UNDEF".
        let known = ours.oid().short_name();
        assert_eq!(known.as_deref().unwrap_or("UNDEF"), short_name);
    }
    let taken = theirs.iter().filter(|line| !line.is_empty()).count();
    assert_eq!(taken, 26);
}

#[test]
fn values_have_the_bytes_that_openssl_makes_of_their_text() {
    let name = |text: &str| GeneralName::parse(text).unwrap();
    let alone = |usage| (Ext::key_usage(usage), usage.to_string());
    let usages = [
        KeyUsage::DIGITAL_SIGNATURE,
        KeyUsage::NON_REPUDIATION,
        KeyUsage::KEY_ENCIPHERMENT,
        KeyUsage::DATA_ENCIPHERMENT,
        KeyUsage::KEY_AGREEMENT,
        KeyUsage::KEY_CERT_SIGN,
        KeyUsage::CRL_SIGN,
        KeyUsage::ENCIPHER_ONLY,
        KeyUsage::DECIPHER_ONLY,
    ];
    let all = usages
        .into_iter()
        .fold(KeyUsage::default(), KeyUsage::bitor);
    assert!(usages.iter().all(|usage| all.contains(*usage)));
    let names = [
        "a.test", "*.b.test", "10.0.0.1", "::1", "a@b.test", "urn:a:b",
    ];
    let written = "DNS:a.test,DNS:*.b.test,IP:10.0.0.1,IP:::1,email:a@b.test,URI:urn:a:b";
    let authority = |path_len| BasicConstraints {
        path_len,
        ..BasicConstraints::AUTHORITY
    };
    let purposes = [
        (KeyPurpose::ServerAuth, "serverAuth"),
        (KeyPurpose::ClientAuth, "clientAuth"),
        (KeyPurpose::CodeSigning, "codeSigning"),
        (KeyPurpose::EmailProtection, "emailProtection"),
        (KeyPurpose::TimeStamping, "timeStamping"),
        (KeyPurpose::OcspSigning, "OCSPSigning"),
        (KeyPurpose::Any, "anyExtendedKeyUsage"),
    ];
    let purposes = purposes.map(|(purpose, text)| (Ext::extended_key_usage([purpose]), text));
    let ranges = |range| NameConstraints {
        permitted: vec![range],
        excluded: Vec::new(),
    };
    let usages = usages.into_iter().chain([all]).map(alone);
    let purposes = purposes.map(|(made, text)| (made, text.to_owned()));
    let others = [
        (Ext::subject_alt_name(names.map(name)), written),
        (Ext::issuer_alt_name(names.map(name)), written),
        (Ext::basic_constraints(BasicConstraints::LEAF), "CA:FALSE"),
        (Ext::basic_constraints(authority(None)), "CA:TRUE"),
        (
            Ext::basic_constraints(authority(Some(0))),
            "CA:TRUE,pathlen:0",
        ),
        (
            Ext::basic_constraints(authority(Some(128))),
            "CA:TRUE,pathlen:128",
        ),
        (
            Ext::name_constraints(ranges(NameRange::Ip("10.1.2.3".parse().unwrap(), 0))),
            "permitted;IP:0.0.0.0/0.0.0.0",
        ),
        (
            Ext::name_constraints(ranges(NameRange::Ip("10.1.2.3".parse().unwrap(), 32))),
            "permitted;IP:10.1.2.3/255.255.255.255",
        ),
        (
            Ext::crl_distribution_points([name("http://a.test/crl")]),
            "URI:http://a.test/crl",
        ),
        (Ok(Ext::must_staple()), "status_request"),
    ];
    let others = others.map(|(made, text)| (made, text.to_owned()));
    for (made, text) in usages.chain(purposes).chain(others) {
        let made = made.unwrap();
        let context = ExtContext::new();
        let parsed = Ext::parse_conf(&made.short_name(), made.is_critical(), &text, &context);
        assert_eq!(made, parsed.unwrap(), "{text}");
    }
}

/// A certificate whose subject has a mailbox that a text can copy.
fn with_mail() -> Cert {
    let arguments = [
        "req",
        "-x509",
        "-newkey",
        "ed25519",
        "-nodes",
        "-keyout",
        "/dev/null",
        "-outform",
        "DER",
        "-config",
        "/dev/null",
        "-subj",
        "/CN=x/emailAddress=a@b.test",
    ];
    let der = crate::support::openssl(&arguments, b"").unwrap();
    Cert::decode(Encoding::Der, &der).unwrap()
}

fn fault(name: &str, value: &str, context: &ExtContext<'_>) -> (ConfigErrorKind, String) {
    match Ext::parse_conf(name, false, value, context) {
        Err(Error::Config(error)) => (error.kind(), error.to_string()),
        other => panic!("{other:?}"),
    }
}

#[test]
fn what_a_text_refers_to_must_be_there() {
    let nothing = ExtContext::new();
    for (name, value) in [
        ("subjectKeyIdentifier", "hash"),
        ("authorityKeyIdentifier", "keyid:always"),
        ("issuerAltName", "issuer:copy"),
        ("subjectAltName", "email:copy"),
    ] {
        fault(name, value, &nothing);
    }
    // What is moved stays where it was: the subject is somebody's.
    let subject = with_mail();
    let context = ExtContext::new().subject(&subject).issuer(&subject);
    for value in ["email:move", "email:copy"] {
        let mail = Ext::parse_conf("subjectAltName", false, value, &context).unwrap();
        let names = vec![GeneralName::Email("a@b.test".to_owned())];
        assert_eq!(mail.kind(), ExtKind::SubjectAltName(names));
    }
    // It has no names to copy, and an empty list is none.
    let (kind, _) = fault("issuerAltName", "issuer:copy", &context);
    assert_eq!(kind, ConfigErrorKind::Missing);
    let (issuer, key) = crypto::self_signed(&["issuer.test"]).unwrap();
    let key = key.public_key();
    let context = ExtContext::new().subject_key(&key).issuer(&issuer);
    let hash = Ext::parse_conf("subjectKeyIdentifier", false, "hash", &context).unwrap();
    assert_eq!(hash, Ext::subject_key_id(&key).unwrap());
    let keyid = Ext::parse_conf("authorityKeyIdentifier", false, "keyid", &context).unwrap();
    assert_eq!(keyid, Ext::authority_key_id(&issuer).unwrap());
    let copied = Ext::parse_conf("issuerAltName", false, "issuer:copy", &context).unwrap();
    let names = vec![GeneralName::Dns("issuer.test".to_owned())];
    assert_eq!(copied.kind(), ExtKind::IssuerAltName(names));
}

#[test]
fn odd_texts_are_errors_that_name_the_extension() {
    let context = ExtContext::new();
    let (kind, text) = fault("subjectAltName", "x:y", &context);
    assert_eq!(kind, ConfigErrorKind::BadValue);
    assert!(text.contains("subjectAltName"), "{text}");
    for (name, value) in [
        ("subjectAltName", "DNS:a\0.test"),
        ("subjectAltName\0", "DNS:a.test"),
        (&"x".repeat(10_000), "x"),
    ] {
        assert_eq!(fault(name, value, &context).0, ConfigErrorKind::BadValue);
    }
    // A line break is a character like others, and part of one name.
    let broken = Ext::parse_conf("subjectAltName", false, "DNS:a\nDNS:b", &context).unwrap();
    let names = vec![GeneralName::Dns("a\nDNS:b".to_owned())];
    assert_eq!(broken.kind(), ExtKind::SubjectAltName(names));
    let oid: Oid = "1.2.3.4.5".parse().unwrap();
    let null = Ext::parse_conf("1.2.3.4.5", true, "ASN1:NULL", &context).unwrap();
    assert_eq!(null, Ext::raw(oid, true, [5, 0]).unwrap());
}
