//! Requests: ours as `openssl req` and python3-openssl see them, and theirs as we do.

use greenling_tls::crypto::{
    Attr, Csr, Curve, Digest, Encoding, Ext, ExtKind, GeneralName, KeyAlg, KeyUsage, Name, Oid,
    Passphrase, PrivateKey,
};
use greenling_tls::{ConfigErrorKind, Error};

use crate::exts::one_of_each;
use crate::support::{hex, kind, openssl, openssl_text, python, unhex};

/// A key of 2048 bits; new ones take long.
const RSA: &[u8] = include_bytes!("data/rsa.pem");

fn rsa() -> PrivateKey {
    PrivateKey::decode(Encoding::Pem, RSA, Passphrase::None).unwrap()
}

fn new(algorithm: KeyAlg) -> PrivateKey {
    PrivateKey::generate(algorithm).unwrap()
}

fn subject() -> Name {
    Name::builder()
        .set(Attr::Country, "DE")
        .set(Attr::Organization, "Müller, Söhne + Co")
        .set(Attr::CommonName, "www.a.test")
        .build()
        .unwrap()
}

fn names() -> Ext {
    let names = ["www.a.test", "::1"].map(|name| GeneralName::parse(name).unwrap());
    Ext::subject_alt_name(names).unwrap()
}

#[test]
fn openssl_reads_and_verifies_ours_by_every_kind_of_key() {
    for (key, digest, signed) in [
        (rsa(), Digest::Sha256, "sha256WithRSAEncryption"),
        (rsa(), Digest::Sha512, "sha512WithRSAEncryption"),
        (
            new(KeyAlg::Ec(Curve::P256)),
            Digest::Sha256,
            "ecdsa-with-SHA256",
        ),
        (
            new(KeyAlg::Ec(Curve::P521)),
            Digest::Sha384,
            "ecdsa-with-SHA384",
        ),
        (new(KeyAlg::Ed25519), Digest::default(), "ED25519"),
    ] {
        let request = Csr::builder()
            .subject(subject())
            .ext(names())
            .challenge_password("pass word")
            .sign(&key, digest)
            .unwrap();
        request.verify().unwrap();
        let pem = request.encode(Encoding::Pem).unwrap();
        let text = openssl_text(
            &[
                "req",
                "-verify",
                "-text",
                "-pubkey",
                "-nameopt",
                "multiline,utf8",
            ],
            &pem,
        );
        for expected in [
            "Version: 1 (0x0)",
            "countryName               = DE\n",
            "organizationName          = M\\C3\\BCller, S\\C3\\B6hne + Co\n",
            "commonName                = www.a.test\n",
            "DNS:www.a.test, IP Address:0:0:0:0:0:0:0:1\n",
            ":pass word\n",
            signed,
            str::from_utf8(&key.public_key().encode(Encoding::Pem).unwrap()).unwrap(),
            // The same form comes out again.
            str::from_utf8(&pem).unwrap(),
        ] {
            assert!(text.contains(expected), "{expected} is not in\n{text}");
        }
        let der = request.encode(Encoding::Der).unwrap();
        let again = Csr::decode(Encoding::Der, &der).unwrap();
        let der_by_openssl = openssl(&["req", "-outform", "DER"], &pem).unwrap();
        assert_eq!(der_by_openssl, again.encode(Encoding::Der).unwrap());
        let printed = openssl_text(&["req", "-text", "-noout"], &pem);
        assert_eq!(body(&again.to_text().unwrap()), body(&printed));
    }
}

/// All but the line of the subject, which the program writes in a way of its own.
fn body(text: &str) -> Vec<&str> {
    let is_subject = |line: &&str| line.trim_start().starts_with("Subject: ");
    text.lines().filter(|line| !is_subject(line)).collect()
}

#[test]
fn those_of_openssl_are_read_and_verified() {
    let key = new(KeyAlg::Ec(Curve::P384));
    let secret = key.encode(Encoding::Pem, None).unwrap();
    let made = openssl(
        &[
            "req",
            "-new",
            "-key",
            "/dev/stdin",
            "-config",
            "/dev/null",
            "-subj",
            "/C=DE/CN=a.test",
            "-addext",
            "subjectAltName=DNS:a.test,IP:10.0.0.1",
            "-addext",
            "keyUsage=critical,digitalSignature",
            "-addext",
            "1.2.3.4=DER:05:00",
        ],
        &secret,
    );
    let request = Csr::decode(Encoding::Pem, &made.unwrap()).unwrap();
    request.verify().unwrap();
    request.verify_with(&key.public_key()).unwrap();
    assert_eq!(request.public_key().unwrap(), key.public_key());
    assert_eq!(request.version(), 0);
    assert_eq!(request.subject().country().as_deref(), Some("DE"));
    assert_eq!(request.subject().common_name().as_deref(), Some("a.test"));
    assert!(format!("{request:?}").contains("a.test"));
    let kinds: Vec<_> = request
        .extensions()
        .unwrap()
        .iter()
        .map(Ext::kind)
        .collect();
    let names = ["a.test", "10.0.0.1"].map(|name| GeneralName::parse(name).unwrap());
    assert_eq!(
        kinds,
        [
            ExtKind::SubjectAltName(names.to_vec()),
            ExtKind::KeyUsage(KeyUsage::DIGITAL_SIGNATURE),
            ExtKind::Raw,
        ]
    );
    assert!(request.extensions().unwrap()[1].is_critical());
    assert_eq!(request.challenge_password().unwrap(), None);
}

/// Reads a private key and requests; of each it says what it sees. Then makes one of its
/// own, with the extensions of the first.
const PYTHON: &str = r#"
import sys
from OpenSSL import crypto
from cryptography import x509
lines = sys.stdin.read().split("\n")
key = crypto.load_privatekey(crypto.FILETYPE_ASN1, bytes.fromhex(lines[0]))
load = lambda form, text: crypto.load_certificate_request(form, bytes.fromhex(text))
first = load(crypto.FILETYPE_ASN1, lines[1])
second = load(crypto.FILETYPE_PEM, lines[2])
assert second.get_subject() == first.get_subject()
assert first.verify(key) and second.verify(key)
print(first.get_version(), first.get_subject().C, first.get_subject().CN, first.get_subject().O)
print(first.get_pubkey().type() == crypto.TYPE_RSA, first.get_pubkey().bits())
for ext in first.get_extensions():
    print(ext.get_short_name().decode(), ext.get_critical(), ext.get_data().hex())
names = first.to_cryptography().extensions.get_extension_for_class(x509.SubjectAlternativeName)
print([str(name.value) for name in list(names.value)[:7]])
print(crypto.dump_certificate_request(crypto.FILETYPE_ASN1, second).hex() == lines[1])
try:
    print(load(crypto.FILETYPE_ASN1, lines[3]).verify(key))
except crypto.Error:
    print("refused")
own = crypto.X509Req()
own.get_subject().CN = "\u00fcber"
own.get_subject().emailAddress = "a@b.test"
own.set_version(0)
own.set_pubkey(key)
own.add_extensions(first.get_extensions())
own.sign(key, "sha384")
print(crypto.dump_certificate_request(crypto.FILETYPE_PEM, own).hex())
"#;

#[test]
fn python3_openssl_reads_ours_and_we_read_its() {
    let key = rsa();
    let exts = one_of_each();
    let request = Csr::builder().subject(subject()).exts(exts.clone());
    let request = request.sign(&key, Digest::Sha256).unwrap();
    let der = |request: &Csr| hex(&request.encode(Encoding::Der).unwrap());
    let mut changed = request.encode(Encoding::Der).unwrap();
    *changed.last_mut().unwrap() ^= 1;
    let lines = [
        hex(&key.encode(Encoding::Der, None).unwrap()),
        der(&request),
        hex(&request.encode(Encoding::Pem).unwrap()),
        hex(&changed),
    ];
    let Some(seen) = python("OpenSSL", PYTHON, lines.join("\n").as_bytes()) else {
        return;
    };
    let mut seen = seen.lines();
    assert_eq!(seen.next(), Some("0 DE www.a.test Müller, Söhne + Co"));
    assert_eq!(seen.next(), Some("True 2048"));
    for ext in &exts {
        let short_name = ext.oid().short_name().unwrap_or("UNDEF".to_owned());
        let critical = u8::from(ext.is_critical());
        let expected = format!("{short_name} {critical} {}", hex(ext.value()));
        assert_eq!(seen.next(), Some(&*expected));
    }
    // No name became two.
    assert_eq!(
        seen.next(),
        Some(
            "['www.a.test', '*.a.test', 'xn--bcher-kva.test', '127.0.0.1', '2001:db8::1', \
             \"o'neil,dns@a.test\", 'http://a.test/x,DNS:evil.test']"
        )
    );
    assert_eq!(seen.next(), Some("True"));
    assert_eq!(seen.next(), Some("refused"));
    let changed = Csr::decode(Encoding::Der, &changed).unwrap();
    assert_eq!(kind(changed.verify()), ConfigErrorKind::BadSignature);
    let theirs = unhex(seen.next().unwrap());
    let theirs = Csr::decode(Encoding::Pem, &theirs).unwrap();
    theirs.verify().unwrap();
    assert_eq!(theirs.public_key().unwrap(), key.public_key());
    assert_eq!(theirs.subject().common_name().as_deref(), Some("über"));
    assert_eq!(
        theirs.subject().email_address().as_deref(),
        Some("a@b.test")
    );
    assert_eq!(theirs.extensions().unwrap(), exts);
    assert_eq!(theirs.attributes().unwrap().len(), 1);
}

#[test]
fn a_signature_of_another_or_over_something_else_is_refused() {
    let key = new(KeyAlg::Ec(Curve::P256));
    let request = Csr::builder().subject(subject()).ext(names());
    let request = request.sign(&key, Digest::Sha256).unwrap();
    for other in [rsa(), new(KeyAlg::Ec(Curve::P256)), new(KeyAlg::Ed25519)] {
        let refused = request.verify_with(&other.public_key());
        assert_eq!(kind(refused), ConfigErrorKind::BadSignature);
    }
    let good = request.encode(Encoding::Der).unwrap();
    let at = good
        .windows(10)
        .position(|part| part == b"www.a.test")
        .unwrap();
    for at in [at, good.len() - 1] {
        let mut bad = good.clone();
        bad[at] ^= 1;
        let changed = Csr::decode(Encoding::Der, &bad).unwrap();
        assert_eq!(kind(changed.verify()), ConfigErrorKind::BadSignature);
    }
}

#[test]
fn what_cannot_be_signed_is_refused() {
    use ConfigErrorKind::{BadValue, KeyMismatch};
    let key = new(KeyAlg::Ed25519);
    let sign = |builder: greenling_tls::crypto::CsrBuilder| builder.sign(&key, Digest::default());
    let other = new(KeyAlg::Ed25519).public_key();
    assert_eq!(kind(sign(Csr::builder().public_key(&other))), KeyMismatch);
    sign(Csr::builder().public_key(&key.public_key())).unwrap();
    for version in [-1, 1, 2, i32::MAX] {
        assert_eq!(kind(sign(Csr::builder().version(version))), BadValue);
    }
    let twice = Csr::builder().ext(names()).ext(names().critical(true));
    assert_eq!(kind(sign(twice)), BadValue);
    for password in ["", &"x".repeat(256)] {
        let builder = Csr::builder().challenge_password(password);
        assert!(!format!("{builder:?}").contains("xxx"));
        assert_eq!(kind(sign(builder)), BadValue);
    }
    assert_eq!(
        kind(sign(Csr::builder().challenge_password([0xff]))),
        BadValue
    );
    let with_nul = sign(Csr::builder().challenge_password("a\0b")).unwrap();
    assert_eq!(&*with_nul.challenge_password().unwrap().unwrap(), b"a\0b");
    let exchange = new(KeyAlg::X25519);
    let result = Csr::builder().sign(&exchange, Digest::default());
    assert!(matches!(result, Err(Error::Unsupported(_))));
    if cfg!(not(feature = "legacy")) {
        for digest in [Digest::Md5, Digest::Sha1] {
            let result = Csr::builder().sign(&rsa(), digest);
            assert_eq!(kind(result), ConfigErrorKind::Rejected);
        }
    }
}

#[test]
fn an_empty_request_has_nothing_to_be_read() {
    let key = new(KeyAlg::Ed25519);
    let request = Csr::builder().sign(&key, Digest::default()).unwrap();
    assert!(request.subject().is_empty());
    assert!(request.extensions().unwrap().is_empty());
    assert!(request.attributes().unwrap().is_empty());
    assert_eq!(request.challenge_password().unwrap(), None);
}

#[test]
fn damage_is_an_error_wherever_it_is() {
    let key = new(KeyAlg::Ed25519);
    let request = Csr::builder().subject(subject()).ext(names());
    let request = request.challenge_password("secret");
    let good = request.sign(&key, Digest::default()).unwrap();
    let good = good.encode(Encoding::Der).unwrap();
    for cut in 0..good.len() {
        let result = Csr::decode(Encoding::Der, &good[..cut]);
        assert_eq!(kind(result), ConfigErrorKind::Malformed, "{cut}");
    }
    let longer = [&good[..], &[0]].concat();
    assert_eq!(
        kind(Csr::decode(Encoding::Der, &longer)),
        ConfigErrorKind::Malformed
    );
    let mut read = 0;
    for at in 0..good.len() {
        let mut bad = good.clone();
        bad[at] ^= 0x55;
        let Ok(changed) = Csr::decode(Encoding::Der, &bad) else {
            continue;
        };
        read += 1;
        assert!(changed.verify().is_err(), "{at}");
        let _ = (changed.extensions(), changed.challenge_password());
        let _ = (changed.attributes(), changed.to_text(), changed.subject());
    }
    assert!(read > 50, "{read}");
    // Inside of an extension OpenSSL does not look.
    let oid = Oid::by_name("subjectAltName").unwrap();
    assert_eq!(oid.to_string(), "2.5.29.17");
    let at = good
        .windows(3)
        .position(|part| part == [0x55, 0x1d, 0x11])
        .unwrap();
    let mut bad = good.clone();
    bad[at + 3] = 0x05;
    let changed = Csr::decode(Encoding::Der, &bad).unwrap();
    assert_eq!(kind(changed.extensions()), ConfigErrorKind::Malformed);
}

#[test]
fn what_is_no_request_is_named() {
    let result = Csr::decode(Encoding::Pem, RSA);
    assert_eq!(kind(result), ConfigErrorKind::WrongObject);
    let text = Csr::decode(Encoding::Pem, RSA).unwrap_err().to_string();
    assert!(text.contains("is a private key"), "{text}");
}
