//! Certificates: what the program `openssl` and python3-openssl see in ours, and we in
//! theirs; what is refused, and what is read although it is broken.

use std::net::IpAddr;
use std::time::Duration;

use greenling_tls::crypto::{
    self, Attr, BasicConstraints, Cert, CertBuilder, Csr, Curve, Digest, Encoding, Ext,
    GeneralName, KeyAlg, KeyUsage, Name, Oid, Passphrase, PrivateKey, Serial, TestCa, Timestamp,
};
use greenling_tls::{ConfigErrorKind, Error};

use crate::keys::RSA;
use crate::support::{hex, openssl, openssl_text, python, unhex};

const DAY: Duration = Duration::from_secs(24 * 3600);

fn p256() -> PrivateKey {
    PrivateKey::generate(KeyAlg::Ec(Curve::P256)).unwrap()
}

fn named(name: &str) -> CertBuilder {
    let subject = name.parse().unwrap();
    Cert::builder()
        .subject(subject)
        .valid_for(Timestamp::now() - DAY, 2 * DAY)
}

fn alt_names(names: &[&str]) -> Ext {
    let names = names.iter().map(|name| GeneralName::parse(name).unwrap());
    Ext::subject_alt_name(names).unwrap()
}

fn time(text: &str) -> Timestamp {
    Timestamp::parse_generalized(text).unwrap()
}

fn fault<T: std::fmt::Debug>(result: Result<T, Error>) -> (ConfigErrorKind, String) {
    match result {
        Err(Error::Config(error)) => (error.kind(), error.to_string()),
        other => panic!("{other:?}"),
    }
}

/// All that a certificate says, without the signature.
fn to_be_signed(cert: &Cert) -> Vec<u8> {
    let der = cert.encode(Encoding::Der).unwrap();
    // Both lengths have two octets in the certificates here.
    assert_eq!((der[1], der[5]), (0x82, 0x82));
    let length = usize::from(der[6]) << 8 | usize::from(der[7]);
    der[4..8 + length].to_vec()
}

/// A certificate with every field that there is a setter for.
fn full(key: &PrivateKey) -> Cert {
    let subject = Name::builder()
        .set(Attr::Country, "DE")
        .set(Attr::StateOrProvince, "Bavaria")
        .set(Attr::Locality, "München")
        .set(Attr::Organization, "Example")
        .set(Attr::OrganizationalUnit, "Unit")
        .set(Attr::CommonName, "www")
        .set(Attr::EmailAddress, "a@b.test")
        .build()
        .unwrap();
    let issuer = "/O=Issuer/CN=above".parse().unwrap();
    Cert::builder()
        .version(2)
        .serial(Serial::from_hex("0123456789ABCDEF0123456789").unwrap())
        .subject(subject)
        .issuer(issuer)
        .not_before(time("20260101000000Z"))
        .not_after(time("20510101010000+0100"))
        .public_key(&key.public_key())
        .exts([
            Ext::basic_constraints(BasicConstraints::LEAF).unwrap(),
            alt_names(&["www.example.com", "127.0.0.1"]),
        ])
        .sign(key, Digest::Sha256)
        .unwrap()
}

/// Reads certificates and prints what they say, then makes two with the key.
const PYTHON: &str = r#"
import sys, hashlib
from OpenSSL.crypto import *
key, *certs = [bytes.fromhex(line.strip()) for line in sys.stdin]
for der in certs:
    x = load_certificate(FILETYPE_ASN1, der)
    s = x.get_subject()
    print('|'.join(map(str, [
        x.get_version(), x.get_serial_number(), x.subject_name_hash(), s.hash(),
        int.from_bytes(hashlib.md5(s.der()).digest()[:4], 'little'),
        s.der().hex(), x.get_issuer().der().hex(), x.get_notBefore().decode(),
        x.get_notAfter().decode(), int(x.has_expired()), x.digest('sha256').decode(),
        x.digest('md5').decode(), x.get_signature_algorithm().decode(),
        dump_publickey(FILETYPE_ASN1, x.get_pubkey()).hex(), x.get_extension_count(),
        s.countryName, s.stateOrProvinceName, s.localityName, s.organizationName,
        s.organizationalUnitName, s.commonName, s.emailAddress,
        ';'.join('%s=%s' % (k.decode(), v.hex()) for k, v in s.get_components())])))
key = load_privatekey(FILETYPE_ASN1, key)
x = X509()
x.set_version(2)
x.set_serial_number(0x0123456789ABCDEF0123456789)
s = x.get_subject()
s.C, s.ST, s.L, s.O = 'DE', 'Bavaria', 'München', 'Example'
s.OU, s.CN, s.emailAddress = 'Unit', 'www', 'a@b.test'
i = X509().get_subject()
i.O, i.CN = 'Issuer', 'above'
x.set_issuer(i)
x.set_notBefore(b'20260101000000Z')
x.set_notAfter(b'20510101000000Z')
x.set_pubkey(key)
x.add_extensions([X509Extension(b'basicConstraints', True, b'CA:FALSE'),
    X509Extension(b'subjectAltName', False, b'DNS:www.example.com, IP:127.0.0.1')])
x.sign(key, 'sha256')
print(dump_certificate(FILETYPE_ASN1, x).hex())
x.set_version(0)
x.set_notBefore(b'20260101000000-0230')
x.gmtime_adj_notAfter(-1)
x.sign(key, 'sha256')
print(dump_certificate(FILETYPE_ASN1, x).hex())
"#;

/// The line that the program above prints for it.
fn line(cert: &Cert) -> String {
    let subject = cert.subject();
    let key = cert.public_key().unwrap();
    let or_none = |value: Option<String>| value.unwrap_or_else(|| "None".to_owned());
    let components = subject.components();
    let components: Vec<String> = components
        .iter()
        .map(|(name, value)| format!("{name}={}", hex(value)))
        .collect();
    [
        cert.version().to_string(),
        cert.serial().to_decimal(),
        cert.subject_hash().to_string(),
        subject.hash().to_string(),
        cert.subject_hash_old().to_string(),
        hex(&subject.to_der()),
        hex(&cert.issuer().to_der()),
        cert.not_before().to_generalized(),
        cert.not_after().to_generalized(),
        u8::from(cert.has_expired()).to_string(),
        cert.fingerprint_hex(Digest::Sha256).unwrap(),
        cert.fingerprint_hex(Digest::Md5).unwrap(),
        cert.signature_algorithm(),
        hex(&key.encode(Encoding::Der).unwrap()),
        cert.extensions().unwrap().len().to_string(),
        or_none(subject.country()),
        or_none(subject.state_or_province()),
        or_none(subject.locality()),
        or_none(subject.organization()),
        or_none(subject.organizational_unit()),
        or_none(subject.common_name()),
        or_none(subject.email_address()),
        components.join(";"),
    ]
    .join("|")
}

#[test]
fn python_sees_the_same_in_a_certificate_and_makes_the_same() {
    let key = p256();
    let ed25519 = PrivateKey::generate(KeyAlg::Ed25519).unwrap();
    let expired = Cert::builder()
        .subject("/CN=old/CN=two/DC=x+UID=y".parse().unwrap())
        .not_before(time("19500101000000Z"))
        .not_after(time("20200229000000Z"))
        .sign(&ed25519, Digest::Sha256)
        .unwrap();
    let certs = [
        full(&key),
        expired,
        crypto::self_signed(&["localhost"]).unwrap().0,
    ];
    let mut lines = vec![hex(&key.encode(Encoding::Der, None).unwrap())];
    lines.extend(
        certs
            .iter()
            .map(|cert| hex(&cert.encode(Encoding::Der).unwrap())),
    );
    let Some(answers) = python("OpenSSL", PYTHON, lines.join("\n").as_bytes()) else {
        return;
    };
    let answers: Vec<&str> = answers.lines().collect();
    let (seen, made) = answers.split_at(certs.len());
    for (cert, seen) in certs.iter().zip(seen) {
        assert_eq!(line(cert), *seen);
    }

    let read = |index: usize| Cert::decode(Encoding::Der, &unhex(made[index])).unwrap();
    // Python writes times of this century as GeneralizedTime too, which RFC 5280 forbids.
    let first = read(0).edit().unwrap().sign(&key, Digest::Sha256).unwrap();
    assert_eq!(to_be_signed(&first), to_be_signed(&certs[0]));
    read(0).verify_signature(&key.public_key()).unwrap();
    let second = read(1);
    assert_eq!(second.version(), 0);
    assert_eq!(second.not_before().to_generalized(), "20260101023000Z");
    assert!(second.has_expired());
    assert!(second.not_after() <= Timestamp::now());
}

#[test]
fn openssl_sees_every_field() {
    let cert = full(&p256());
    let pem = cert.encode(Encoding::Pem).unwrap();
    let mut arguments = vec![
        "x509", "-noout", "-subject", "-issuer", "-nameopt", "RFC2253",
    ];
    arguments.extend([
        "-nameopt",
        "-esc_msb",
        "-serial",
        "-dates",
        "-hash",
        "-issuer_hash",
    ]);
    arguments.extend([
        "-subject_hash_old",
        "-issuer_hash_old",
        "-fingerprint",
        "-sha256",
    ]);
    let theirs = openssl_text(&arguments, &pem);
    let ours = format!(
        "subject={}\nissuer={}\nserial={}\n\
         notBefore=Jan  1 00:00:00 2026 GMT\nnotAfter=Jan  1 00:00:00 2051 GMT\n\
         {:08x}\n{:08x}\n{:08x}\n{:08x}\nsha256 Fingerprint={}\n",
        cert.subject(),
        cert.issuer(),
        cert.serial(),
        cert.subject_hash(),
        cert.issuer_hash(),
        cert.subject_hash_old(),
        cert.issuer_hash_old(),
        cert.fingerprint_hex(Digest::Sha256).unwrap(),
    );
    assert_eq!(theirs, ours);

    let text = openssl_text(&["x509", "-noout", "-text", "-nameopt", "compat"], &pem);
    assert_eq!(cert.to_text().unwrap(), text);
    for part in [
        "Version: 3 (0x2)",
        "Signature Algorithm: ecdsa-with-SHA256",
        "Public-Key: (256 bit)",
        "X509v3 Basic Constraints: critical",
        "DNS:www.example.com, IP Address:127.0.0.1",
    ] {
        assert!(text.contains(part), "{part} is not in {text}");
    }
}

#[test]
fn openssl_verifies_what_an_authority_signs() {
    let ca = TestCa::new("root").unwrap();
    let leaf = |key: &PrivateKey, name: &str| {
        let builder = named(name)
            .issued_by(ca.root())
            .public_key(&key.public_key());
        let pem = builder.sign(ca.key(), Digest::Sha384).unwrap();
        pem.encode(Encoding::Pem).unwrap()
    };
    let directory = tempfile::tempdir().unwrap();
    let path = |name: &str| directory.path().join(name).to_str().unwrap().to_owned();
    std::fs::write(path("root"), ca.root_pem().unwrap()).unwrap();
    std::fs::write(path("p256"), leaf(&p256(), "/CN=p256")).unwrap();
    let ed25519 = PrivateKey::generate(KeyAlg::Ed25519).unwrap();
    std::fs::write(path("ed25519"), leaf(&ed25519, "/CN=ed25519")).unwrap();
    let x25519 = PrivateKey::generate(KeyAlg::X25519).unwrap();
    std::fs::write(path("x25519"), leaf(&x25519, "/CN=x25519")).unwrap();
    let own = named("/CN=own").sign(&ed25519, Digest::Sha256).unwrap();
    std::fs::write(path("own"), own.encode(Encoding::Pem).unwrap()).unwrap();
    let (root, own) = (path("root"), path("own"));
    let arguments = ["verify", "-x509_strict", "-CAfile", &root];
    let leaves = [path("p256"), path("ed25519"), path("x25519")];
    let leaves: Vec<&str> = leaves.iter().map(String::as_str).collect();
    let theirs = openssl_text(&[&arguments[..], &leaves].concat(), b"");
    assert_eq!(theirs.matches(": OK").count(), 3, "{theirs}");
    let theirs = openssl_text(&["verify", "-CAfile", &own, &own], b"");
    assert!(theirs.ends_with(": OK\n"), "{theirs}");
}

#[test]
fn an_issuer_is_known_by_name_key_and_signature() {
    let ca = TestCa::new("root").unwrap();
    let root = ca.root();
    let identity = ca.issue(&["localhost"]).unwrap();
    let leaf = identity.certificate();
    assert!(root.is_self_signed() && root.issued(root) && root.issued(&leaf));
    assert!(!leaf.is_self_signed() && !leaf.issued(root));
    assert_eq!(leaf.issuer(), root.subject());
    leaf.verify_signature(&root.public_key().unwrap()).unwrap();
    // Of the same name, but with another key.
    let other = TestCa::new("root").unwrap();
    assert!(!other.root().issued(&leaf));
    let keys = [
        other.root().public_key().unwrap(),
        PrivateKey::generate(KeyAlg::Ed25519).unwrap().public_key(),
    ];
    for key in keys {
        let (kind, _) = fault(leaf.verify_signature(&key));
        assert_eq!(kind, ConfigErrorKind::BadSignature);
    }
    // A name alone makes nothing signed by itself.
    let forged = named("/CN=x").issuer("/CN=x".parse().unwrap());
    let forged = forged
        .public_key(&p256().public_key())
        .sign(&p256(), Digest::Sha256);
    assert!(!forged.unwrap().is_self_signed());

    let text = openssl_text(
        &["x509", "-noout", "-ext", "authorityKeyIdentifier"],
        &leaf.encode(Encoding::Pem).unwrap(),
    );
    let id = root.extension(&Oid::by_name("subjectKeyIdentifier").unwrap());
    let id = id.unwrap().unwrap().to_text().unwrap();
    assert!(text.contains(&id), "{text}");
}

#[test]
fn what_makes_no_sense_is_not_signed() {
    let key = p256();
    let public = key.public_key();
    let ca = TestCa::new("root").unwrap();
    let usage = Ext::key_usage(KeyUsage::DIGITAL_SIGNATURE).unwrap();
    let empty: Name = "/".parse().unwrap();
    let now = Timestamp::now();
    use ConfigErrorKind::{BadValue, KeyMismatch, Missing};
    for (builder, kind, reason) in [
        (Cert::builder().valid_for(now, DAY), Missing, "subject"),
        (
            Cert::builder().subject(empty.clone()),
            Missing,
            "first time",
        ),
        (
            Cert::builder().subject(empty.clone()).not_before(now),
            Missing,
            "last time",
        ),
        (
            named("/CN=x").not_after(now - 2 * DAY),
            BadValue,
            "before it begins",
        ),
        (named("/CN=x").issued_by(ca.root()), Missing, "public key"),
        (
            named("/CN=x").issuer("/CN=y".parse().unwrap()),
            Missing,
            "public key",
        ),
        (
            named("/CN=x").public_key(&p256().public_key()),
            KeyMismatch,
            "itself",
        ),
        (
            named("/CN=x").issued_by(ca.root()).public_key(&public),
            KeyMismatch,
            "issuer",
        ),
        (named("/"), BadValue, "without a name"),
        (
            named("/CN=x").issuer(empty).public_key(&public),
            BadValue,
            "without a name",
        ),
        (named("/CN=x").version(3), BadValue, "version 3"),
        (named("/CN=x").version(-1), BadValue, "version -1"),
        (named("/CN=x").version(0).ext(usage), BadValue, "extensions"),
    ] {
        let (found, message) = fault(builder.sign(&key, Digest::Sha256));
        assert_eq!(found, kind, "{message}");
        assert!(message.contains(reason), "{message}");
    }
    let old = named("/CN=x")
        .version(0)
        .sign(&key, Digest::Sha256)
        .unwrap();
    assert_eq!(old.version(), 0);
    let x25519 = PrivateKey::generate(KeyAlg::X25519).unwrap();
    let refused = named("/CN=x").sign(&x25519, Digest::Sha256).unwrap_err();
    assert!(matches!(refused, Error::Unsupported(_)), "{refused:?}");
}

#[test]
fn a_request_gets_its_name_key_and_alternative_names_only() {
    let (key, ca) = (p256(), TestCa::new("root").unwrap());
    let pem = key.encode(Encoding::Pem, None).unwrap();
    let mut arguments = vec!["req", "-new", "-key", "/dev/stdin", "-subj", "/CN=asks"];
    arguments.extend(["-addext", "subjectAltName=DNS:a.test,IP:::1,email:a@b.test"]);
    arguments.extend(["-addext", "basicConstraints=critical,CA:TRUE"]);
    let request = openssl_text(&arguments, &pem);
    let request = Csr::decode(Encoding::Pem, request.as_bytes()).unwrap();
    let builder = Cert::builder().request(&request).unwrap();
    let builder = builder
        .valid_for(Timestamp::now(), DAY)
        .issued_by(ca.root());
    let cert = builder.sign(ca.key(), Digest::Sha256).unwrap();
    let names = ["a.test", "::1", "a@b.test"].map(|name| GeneralName::parse(name).unwrap());
    assert_eq!(cert.subject_alt_names(), names);
    assert!(key.matches(&cert));
    let text = openssl_text(
        &["x509", "-noout", "-text"],
        &cert.encode(Encoding::Pem).unwrap(),
    );
    assert!(text.contains("Subject: CN = asks"), "{text}");
    assert!(text.contains("DNS:a.test, IP Address:0:0:0:0:0:0:0:1, email:a@b.test"));
    assert!(!text.contains("Basic Constraints"), "{text}");

    let mut forged = request.encode(Encoding::Der).unwrap();
    let name = forged
        .windows(4)
        .position(|window| window == b"asks")
        .unwrap();
    forged[name] = b'x';
    let forged = Csr::decode(Encoding::Der, &forged).unwrap();
    let (kind, _) = fault(Cert::builder().request(&forged));
    assert_eq!(kind, ConfigErrorKind::BadSignature);
}

#[test]
fn broken_digests_sign_with_the_feature_legacy_only() {
    let key = PrivateKey::decode(Encoding::Pem, RSA, Passphrase::None).unwrap();
    for (digest, name) in [
        (Digest::Sha1, "sha1WithRSAEncryption"),
        (Digest::Md5, "md5WithRSAEncryption"),
    ] {
        let signed = named("/CN=x").sign(&key, digest);
        if cfg!(feature = "legacy") {
            let cert = signed.unwrap();
            cert.verify_signature(&key.public_key()).unwrap();
            assert_eq!(cert.signature_algorithm(), name);
        } else {
            assert_eq!(fault(signed).0, ConfigErrorKind::Rejected);
        }
    }
}

#[test]
fn editing_keeps_all_but_the_signature() {
    let key = p256();
    let cert = full(&key);
    let again = cert.edit().unwrap().sign(&key, Digest::Sha256).unwrap();
    assert_eq!(to_be_signed(&again), to_be_signed(&cert));
    assert_ne!(again, cert);
    let san = Oid::by_name("subjectAltName").unwrap();
    let later = cert.edit().unwrap().not_after(Timestamp::MAX);
    let other = later
        .ext(alt_names(&["other"]))
        .sign(&key, Digest::Sha256)
        .unwrap();
    assert_eq!(other.extensions().unwrap().len(), 2);
    assert!(other.matches_host("other") && !other.matches_host("www.example.com"));
    assert_eq!(other.not_after(), Timestamp::MAX);
    let without = cert
        .edit()
        .unwrap()
        .without_ext(&san)
        .sign(&key, Digest::Sha256);
    assert!(without.unwrap().extension(&san).unwrap().is_none());
}

#[test]
fn only_the_alternative_names_say_whom_it_is_for() {
    let key = p256();
    let names = [
        "a.test",
        "*.b.test",
        "127.0.0.1",
        "2001:db8::1",
        "Me@C.test",
    ];
    let cert = named("/CN=common.test/emailAddress=common@x.test")
        .ext(alt_names(&names))
        .sign(&key, Digest::Sha256)
        .unwrap();
    for host in [
        "a.test",
        "A.TEST",
        "a.test.",
        "x.b.test",
        "127.0.0.1",
        "[2001:db8::1]",
    ] {
        assert!(cert.matches_host(host), "{host}");
    }
    let long = "x".repeat(300) + ".b.test";
    for host in [
        "",
        "common.test",
        "b.test",
        "x.y.b.test",
        "*.b.test",
        ".a.test",
        ".test",
        "a.test\0.evil",
        "127.0.0.2",
        "127.1",
        "ä.b.test",
        &long,
    ] {
        assert!(!cert.matches_host(host), "{host}");
    }
    let ip = |text: &str| text.parse::<IpAddr>().unwrap();
    assert!(cert.matches_ip(ip("127.0.0.1")) && cert.matches_ip(ip("2001:db8::1")));
    assert!(!cert.matches_ip(ip("127.0.0.2")) && !cert.matches_ip(ip("::1")));
    // The host's part in any case, the mailbox's as it stands (RFC 5280, section 4.2.1.6).
    assert!(cert.matches_email("Me@c.test"));
    for mailbox in ["", "me@C.test", "common@x.test", "Me@C.test\0", "C.test"] {
        assert!(!cert.matches_email(mailbox), "{mailbox}");
    }
    let bare = named("/CN=common.test").sign(&key, Digest::Sha256).unwrap();
    assert!(!bare.matches_host("common.test"));

    let pem = cert.encode(Encoding::Pem).unwrap();
    let theirs = openssl_text(&["x509", "-noout", "-checkhost", "x.b.test"], &pem);
    assert!(theirs.contains("does match"), "{theirs}");
}

#[test]
fn validity_includes_both_ends() {
    let cert = full(&p256());
    let (first, last) = (time("20260101000000Z"), time("20510101000000Z"));
    let second = Duration::from_secs(1);
    assert!(cert.is_valid_at(first) && cert.is_valid_at(last));
    assert!(!cert.is_valid_at(first - second) && !cert.is_valid_at(last + second));
    assert!(!cert.is_expired_at(last) && cert.is_expired_at(last + second));
    assert!(!cert.is_expired_at(Timestamp::MIN));
}

#[test]
fn chains_are_read_in_order_and_the_damaged_one_is_counted() {
    let first = crypto::self_signed(&["a"]).unwrap().0;
    let second = crypto::self_signed(&["b"]).unwrap().0;
    let pem = |cert: &Cert| cert.encode(Encoding::Pem).unwrap();
    let key = p256().encode(Encoding::Pem, None).unwrap();
    let text = [b"text\n", &pem(&first)[..], &key, &pem(&second), b"\nend"].concat();
    let chain = Cert::chain_from_pem(&text).unwrap();
    assert_eq!(chain, [first.clone(), second.clone()]);
    assert_eq!(Cert::decode(Encoding::Pem, &text).unwrap(), first);

    let mut broken = [pem(&first), pem(&second)].concat();
    let middle = broken.len() * 3 / 4;
    broken[middle] = b'!';
    let (kind, message) = fault(Cert::chain_from_pem(&broken));
    assert_eq!(kind, ConfigErrorKind::Malformed);
    assert!(
        message.starts_with("certificate 2: is damaged"),
        "{message}"
    );
    assert_eq!(
        fault(Cert::chain_from_pem(&key)).0,
        ConfigErrorKind::WrongObject
    );
    assert_eq!(
        fault(Cert::chain_from_pem(b"")).0,
        ConfigErrorKind::Malformed
    );
}

#[test]
fn trusted_certificates_of_openssl_have_an_alias() {
    let cert = crypto::self_signed(&["localhost"]).unwrap().0;
    let pem = cert.encode(Encoding::Pem).unwrap();
    let trusted = openssl_text(&["x509", "-trustout", "-setalias", "my own"], &pem);
    assert!(trusted.starts_with("-----BEGIN TRUSTED CERTIFICATE"));
    let read = Cert::decode(Encoding::Pem, trusted.as_bytes()).unwrap();
    assert_eq!(read.alias().as_deref(), Some("my own"));
    assert_eq!((cert.alias(), read), (None, cert));
}

/// OpenSSL would ask for a passphrase on the terminal.
#[test]
fn a_certificate_that_claims_to_be_encrypted_asks_nobody() {
    let pem = crypto::self_signed(&["localhost"])
        .unwrap()
        .0
        .encode(Encoding::Pem)
        .unwrap();
    let pem = String::from_utf8(pem).unwrap();
    let header = "CERTIFICATE-----\nProc-Type: 4,ENCRYPTED\n\
        DEK-Info: AES-128-CBC,00112233445566778899AABBCCDDEEFF\n\n";
    let text = pem.replacen("CERTIFICATE-----\n", header, 1);
    let answers = [
        fault(Cert::decode(Encoding::Pem, text.as_bytes())),
        fault(Cert::chain_from_pem(text.as_bytes())),
    ];
    for (kind, message) in answers {
        assert_eq!(kind, ConfigErrorKind::Malformed);
        let told = ["has a header, as encrypted keys have", "bad password read"];
        assert!(told.iter().any(|text| message.contains(text)), "{message}");
        assert!(!message.contains("problems getting password"), "{message}");
    }
}

/// Asks everything there is to ask.
fn question(cert: &Cert, key: &PrivateKey) {
    let _ = (line_or_nothing(cert), cert.to_text(), format!("{cert:?}"));
    let _ = (cert.is_self_signed(), cert.alias(), cert.has_expired());
    let _ = (cert.matches_host("localhost"), cert.matches_email("a@b"));
    let _ = (cert.issuer().to_string(), cert.subject().edit().build());
    let edited = cert.edit().and_then(|builder| {
        builder
            .public_key(&key.public_key())
            .sign(key, Digest::Sha256)
    });
    drop(edited);
}

fn line_or_nothing(cert: &Cert) -> Option<String> {
    cert.public_key().ok()?;
    cert.extensions().ok()?;
    Some(line(cert))
}

#[test]
fn times_that_are_none_make_a_certificate_that_is_never_valid() {
    let der = crypto::self_signed(&["localhost"])
        .unwrap()
        .0
        .encode(Encoding::Der)
        .unwrap();
    let key = p256();
    // The two UTCTimes, of thirteen characters each.
    let first = der
        .windows(2)
        .position(|window| window == [0x17, 13])
        .unwrap()
        + 2;
    for nonsense in [
        "2613010000 0Z",
        "xxxxxxxxxxxxx",
        "\0\0\0\0\0\0\0\0\0\0\0\0\0",
    ] {
        for at in [first, first + 15] {
            let mut bad = der.clone();
            bad[at..at + 13].copy_from_slice(nonsense.as_bytes());
            let cert = Cert::decode(Encoding::Der, &bad).unwrap();
            assert!(!cert.is_valid_at(Timestamp::now()), "{nonsense}");
            assert_eq!(cert.not_before() == Timestamp::MAX, at == first);
            assert_eq!(cert.not_after() == Timestamp::MIN, at != first);
            question(&cert, &key);
        }
    }
}

#[test]
fn damaged_certificates_are_refused_or_read_without_a_panic() {
    let key = p256();
    let der = full(&key).encode(Encoding::Der).unwrap();
    for length in 0..der.len() {
        let (kind, _) = fault(Cert::decode(Encoding::Der, &der[..length]));
        assert_eq!(kind, ConfigErrorKind::Malformed, "{length}");
    }
    let followed = [&der[..], b"x"].concat();
    assert_eq!(
        fault(Cert::decode(Encoding::Der, &followed)).0,
        ConfigErrorKind::Malformed
    );
    let mut read = 0;
    for at in (0..der.len()).step_by(2) {
        let mut bad = der.clone();
        bad[at] ^= 1 << (at % 8);
        if let Ok(cert) = Cert::decode(Encoding::Der, &bad) {
            question(&cert, &key);
            read += 1;
        }
    }
    assert!(read > der.len() / 8, "{read} of {} were read", der.len());
}

#[test]
fn openssl_reads_what_the_helpers_make() {
    let (cert, key) = crypto::self_signed(&["localhost", "*.a.test", "::1"]).unwrap();
    let text = openssl_text(
        &["x509", "-noout", "-text"],
        &cert.encode(Encoding::Pem).unwrap(),
    );
    for part in [
        "DNS:localhost, DNS:*.a.test, IP Address:0:0:0:0:0:0:0:1",
        "TLS Web Server Authentication",
        "CA:FALSE",
        "Digital Signature",
    ] {
        assert!(text.contains(part), "{part} is not in {text}");
    }
    assert!(key.matches(&cert));
    let directory = tempfile::tempdir().unwrap();
    let ca = TestCa::new("my tests").unwrap();
    let root = directory.path().join("root.pem");
    std::fs::write(&root, ca.root_pem().unwrap()).unwrap();
    let leaf = ca.issue_client("alice").unwrap().certificate();
    let leaf = leaf.encode(Encoding::Pem).unwrap();
    let root = root.to_str().unwrap();
    let arguments = [
        "verify",
        "-x509_strict",
        "-purpose",
        "sslclient",
        "-CAfile",
        root,
    ];
    assert_eq!(openssl_text(&arguments, &leaf), "stdin: OK\n");
    let arguments = ["verify", "-purpose", "sslserver", "-CAfile", root];
    assert!(openssl(&arguments, &leaf).is_err());
    assert_eq!(fault(TestCa::new("")).0, ConfigErrorKind::BadValue);
    assert_eq!(fault(crypto::self_signed(&[])).0, ConfigErrorKind::Missing);
    let wrong = fault(crypto::self_signed(&["a@b.test"]));
    assert_eq!(wrong.0, ConfigErrorKind::ServerName);
}
