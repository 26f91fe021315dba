//! What others write, as it is read.

use std::process::Command;
use std::time::Duration;

use greenling_tls::crypto::{
    self, BasicConstraints, Cert, Curve, Digest, Encoding, Ext, KeyAlg, Name, Pkcs12, PrivateKey,
    Timestamp,
};
use greenling_tls::{ConfigErrorKind, Identity};
use openssl::x509::X509;

use super::der::content;
use super::{Chain, FEW, SECRET, ders, export, info};
use crate::boxes::{der, key_pem, pem};
use crate::support::{fault, kind, run};

#[test]
fn what_openssl_writes_is_read() {
    let chain = Chain::new();
    let name = ["-name", "größer 名", "-caname", "above"];
    let archive = Pkcs12::open(&export(&chain.pem(), SECRET, &name), SECRET).unwrap();
    chain.is_in(&archive);
    assert_eq!(archive.friendly_name.as_deref(), Some("größer 名"));
    let above = X509::from(archive.ca[0].clone());
    assert_eq!(above.alias(), Some(&b"above"[..]));
    for more in [
        &["-macalg", "sha1"][..],
        &["-macalg", "md5"],
        &["-macalg", "sha512", "-iter", "1"],
        &["-nomac"],
        &["-noiter", "-nomaciter", "-descert"],
        &["-keypbe", "aes-128-cbc", "-certpbe", "NONE"],
    ] {
        chain.is_in(&Pkcs12::open(&export(&chain.pem(), SECRET, more), SECRET).unwrap());
    }
}

/// Each encrypts with what OpenSSL 3 has in its legacy provider only. The default
/// library context must refuse it before and after.
#[test]
fn old_algorithms_are_read_without_allowing_them_to_others() {
    let chain = Chain::new();
    let files: Vec<Vec<u8>> = [
        &["-legacy"][..],
        &[
            "-legacy",
            "-keypbe",
            "PBE-SHA1-RC4-128",
            "-certpbe",
            "PBE-SHA1-RC2-128",
        ],
        &[
            "-legacy",
            "-keypbe",
            "PBE-SHA1-DES",
            "-certpbe",
            "PBE-SHA1-RC4-40",
        ],
        &["-legacy", "-keypbe", "PBE-SHA1-RC2-40"],
    ]
    .iter()
    .map(|more| export(&chain.pem(), SECRET, more))
    .collect();
    for file in &files {
        let by_default = || {
            openssl::pkcs12::Pkcs12::from_der(file)
                .unwrap()
                .parse2(SECRET)
        };
        let is_refused = || {
            let stack = by_default().err().expect("no legacy provider");
            assert!(stack.to_string().contains("unsupported"), "{stack}");
        };
        is_refused();
        let archive = Pkcs12::open(file, SECRET).unwrap();
        chain.is_in(&archive);
        is_refused();
        // Keys that belonged to the other library context could not do this.
        let key = archive.key.as_ref().unwrap();
        let signature = key.sign(Digest::Sha256, b"a message").unwrap();
        let public = openssl::pkey::PKey::from(chain.key.public_key());
        let digest = openssl::hash::MessageDigest::sha256();
        let mut verifier = openssl::sign::Verifier::new(digest, &public).unwrap();
        assert!(verifier.verify_oneshot(&signature, b"a message").unwrap());
        assert_eq!(
            kind(Pkcs12::open(file, "wrong")),
            ConfigErrorKind::WrongPassphrase
        );
    }
}

#[test]
fn keys_in_old_encryptions_are_read_in_the_same_way() {
    let (_, key) = crypto::self_signed(&["key.test"]).unwrap();
    let plain = key_pem(&key);
    for scheme in ["PBE-SHA1-RC2-40", "PBE-MD5-DES", "PBE-SHA1-RC4-128"] {
        let old = ["pkcs8", "-topk8", "-v1", scheme, "-passout", "pass:sesame"];
        let providers = ["-provider", "legacy", "-provider", "default"];
        let pem = run("openssl", &[&old[..], &providers].concat(), &plain).stdout;
        let der = [&old[..], &providers, &["-outform", "DER"]].concat();
        let der = run("openssl", &der, &plain).stdout;
        for (encoding, bytes) in [(Encoding::Pem, pem), (Encoding::Der, der)] {
            let read = PrivateKey::decode(encoding, &bytes, "sesame").unwrap();
            assert_eq!(read, key);
            assert!(read.sign(Digest::Sha256, b"a message").is_ok());
            let wrong = PrivateKey::decode(encoding, &bytes, "other");
            assert_eq!(kind(wrong), ConfigErrorKind::WrongPassphrase);
        }
    }
}

/// In a process of its own, in which OpenSSL looks for its modules where none is.
#[test]
fn without_the_legacy_provider_the_error_says_so() {
    const VARIABLE: &str = "OPENSSL_MODULES";
    const ARCHIVE: &str = "GREENLING_TEST_ARCHIVE";
    let empty = tempfile::tempdir().unwrap();
    if let Some(path) = std::env::var_os(ARCHIVE) {
        let file = std::fs::read(path).unwrap();
        for _ in 0..2 {
            let (kind, text) = fault(Pkcs12::open(&file, SECRET));
            assert_eq!(kind, ConfigErrorKind::UnsupportedLegacyAlgorithm);
            assert!(text.contains("legacy provider"), "{text}");
            assert!(text.contains("RC2-40-CBC"), "{text}");
        }
        return;
    }
    let path = empty.path().join("legacy.p12");
    std::fs::write(&path, export(&Chain::new().pem(), SECRET, &["-legacy"])).unwrap();
    let output = Command::new(std::env::current_exe().unwrap())
        .args([
            "--exact",
            "pkcs12::read::without_the_legacy_provider_the_error_says_so",
        ])
        .env(ARCHIVE, &path)
        .env(VARIABLE, empty.path())
        .output()
        .unwrap();
    let text = String::from_utf8_lossy(&output.stdout);
    assert!(
        output.status.success() && text.contains("1 passed"),
        "{text}"
    );
}

#[test]
fn archives_without_a_key_or_certificate_have_what_they_have() {
    let chain = Chain::new();
    let certs = [pem(&chain.root), pem(&chain.leaf)].concat();
    let archive = Pkcs12::open(&export(&certs, SECRET, &["-nokeys"]), SECRET).unwrap();
    assert!(archive.cert.is_none() && archive.key.is_none());
    assert_eq!(ders(&archive.ca), [der(&chain.root), der(&chain.leaf)]);
    let made = Pkcs12::builder().ca(archive.ca).iterations(FEW);
    let (content, _) = info(&made.build(SECRET).unwrap(), SECRET);
    assert_eq!(content.matches("BEGIN CERTIFICATE").count(), 2);
    assert!(!content.contains("PRIVATE KEY"));

    let key = export(
        &key_pem(&chain.key),
        SECRET,
        &["-nocerts", "-name", "alone"],
    );
    let archive = Pkcs12::open(&key, SECRET).unwrap();
    assert!(archive.cert.is_none() && archive.ca.is_empty());
    assert!(
        archive
            .key
            .unwrap()
            .as_pkey()
            .public_eq(chain.key.as_pkey())
    );
    assert_eq!(archive.friendly_name.as_deref(), Some("alone"));
    let made = Pkcs12::builder().key(&chain.key).iterations(FEW);
    let (content, _) = info(&made.build(SECRET).unwrap(), SECRET);
    assert!(content.contains("PRIVATE KEY") && !content.contains("CERTIFICATE"));
}

#[test]
fn the_certificates_of_a_chain_are_put_in_order() {
    let mut above = chain_of_four();
    let (key, leaf) = above.pop().unwrap();
    let (stranger, _) = crypto::self_signed(&["stranger"]).unwrap();
    let mut others: Vec<Cert> = above.into_iter().map(|(_, cert)| cert).collect();
    others.insert(1, stranger.clone());
    let file = Pkcs12::builder()
        .identity(&leaf, &key)
        .ca(others.clone())
        .iterations(FEW)
        .build(SECRET)
        .unwrap();
    // The file has the order that was given: root, stranger, upper, lower.
    let (text, _) = info(&file, SECRET);
    let at = |cert: &Cert| text.find(std::str::from_utf8(&pem(cert)).unwrap()).unwrap();
    assert!(others.windows(2).all(|two| at(&two[0]) < at(&two[1])));
    let opened = Pkcs12::open(&file, SECRET).unwrap();
    let expected = [&others[3], &others[2], &others[0], &others[1]].map(der);
    assert_eq!(ders(&opened.ca), expected);
    Identity::from_pkcs12(&file, SECRET).unwrap();
}

/// A root, two authorities below it, and a leaf, each with its key.
fn chain_of_four() -> Vec<(PrivateKey, Cert)> {
    let mut chain: Vec<(PrivateKey, Cert)> = Vec::new();
    for name in ["root", "upper", "lower", "leaf"] {
        let key = PrivateKey::generate(KeyAlg::Ec(Curve::P256)).unwrap();
        let subject: Name = format!("/CN={name}").parse().unwrap();
        let cert = Cert::builder()
            .subject(subject.clone())
            .valid_for(Timestamp::now(), Duration::from_secs(3600))
            .public_key(&key.public_key())
            .ext(Ext::basic_constraints(BasicConstraints::AUTHORITY).unwrap());
        let cert = match chain.last() {
            Some((above, issuer)) => cert.issued_by(issuer).sign(above, Digest::Sha256),
            None => cert.issuer(subject).sign(&key, Digest::Sha256),
        };
        chain.push((key, cert.unwrap()));
    }
    chain
}

/// As programs write them that do not know the length in advance (ITU-T X.690, 8.1.3.6).
#[test]
fn indefinite_lengths_are_read() {
    let chain = Chain::new();
    let file = export(&chain.pem(), SECRET, &[]);
    let body = content(&file);
    let indefinite = [&[0x30, 0x80], body, &[0, 0]].concat();
    chain.is_in(&Pkcs12::open(&indefinite, SECRET).unwrap());
    let (_, text) = fault(Pkcs12::open(&[&indefinite[..], b"x"].concat(), SECRET));
    assert!(text.contains("followed by 1 more"), "{text}");
    let cut = Pkcs12::open(&indefinite[..indefinite.len() - 1], SECRET);
    assert_eq!(kind(cut), ConfigErrorKind::Malformed);
}
