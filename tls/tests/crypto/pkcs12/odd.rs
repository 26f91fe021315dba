//! Passphrases and files that are not what they should be.

use std::cell::Cell;

use greenling_tls::ConfigErrorKind;
use greenling_tls::crypto::{Passphrase, Pkcs12};
use zeroize::Zeroizing;

use super::der::{archive, bags, tlv, with_iterations};
use super::{Chain, FEW, SECRET, export, info};
use crate::boxes::{der, pem};
use crate::support::{fault, kind, run};

#[test]
fn work_without_end_is_refused_before_it_is_begun() {
    let chain = Chain::new();
    let few = FEW.to_string();
    let iter = ["-iter", &few];
    let mac = export(
        &chain.pem(),
        SECRET,
        &[&iter[..], &["-certpbe", "NONE"]].concat(),
    );
    let key = [&iter[..], &["-certpbe", "NONE", "-nomac"]].concat();
    let key = export(&chain.pem(), SECRET, &key);
    // In these the certificates come first.
    let certs = [&iter[..], &["-nomac"]].concat();
    let certs = export(&chain.pem(), SECRET, &certs);
    let old = [&iter[..], &["-descert", "-nomac"]].concat();
    let old = export(&chain.pem(), SECRET, &old);
    for file in [&key, &certs, &old] {
        let unchanged = with_iterations(file, &FEW.to_be_bytes()[2..]);
        chain.is_in(&Pkcs12::open(&unchanged, SECRET).unwrap());
    }
    for file in [mac, key, certs, old] {
        for number in [&[0x7f, 0xff, 0xff, 0xff][..], &[0x7f; 9]] {
            let (kind, text) = fault(Pkcs12::open(&with_iterations(&file, number), SECRET));
            assert_eq!(kind, ConfigErrorKind::Rejected, "{text}");
            assert!(text.contains("10,000,000 rounds"), "{text}");
        }
        let negative = with_iterations(&file, &[0x80; 8]);
        let (kind, text) = fault(Pkcs12::open(&negative, SECRET));
        let kinds = [ConfigErrorKind::Malformed, ConfigErrorKind::Rejected];
        assert!(kinds.contains(&kind), "{text}");
    }
}

#[test]
fn passphrases_that_cannot_be_are_refused() {
    let chain = Chain::new();
    let file = export(&chain.pem(), SECRET, &[]);
    let builder = Pkcs12::builder().identity(&chain.leaf, &chain.key);
    let long = "x".repeat(1025);
    for bad in ["a\0b", "\0", &long] {
        assert_eq!(
            kind(Pkcs12::open(&file, bad)),
            ConfigErrorKind::BadPassphrase
        );
        assert_eq!(kind(builder.build(bad)), ConfigErrorKind::BadPassphrase);
    }
    let without_mac = export(&chain.pem(), SECRET, &["-nomac"]);
    for file in [&file, &without_mac] {
        assert_eq!(
            kind(Pkcs12::open(file, "wrong")),
            ConfigErrorKind::WrongPassphrase
        );
    }
    // Beyond ASCII, and as long as may be.
    for good in ["pässwörd 名", &long[1..]] {
        let file = builder.clone().iterations(FEW).build(good).unwrap();
        info(&file, good);
        Pkcs12::open(&file, good).unwrap();
        Pkcs12::open(&export(&chain.pem(), good, &[]), good).unwrap();
    }
}

#[test]
fn somebody_is_asked_for_a_passphrase_only_if_there_is_need() {
    let chain = Chain::new();
    let asked = Cell::new(0);
    let ask = || {
        Passphrase::ask(|| {
            asked.set(asked.get() + 1);
            Ok(Zeroizing::new(SECRET.as_bytes().to_vec()))
        })
    };
    let open = ["-nomac", "-keypbe", "NONE", "-certpbe", "NONE"];
    let open = export(&chain.pem(), SECRET, &open);
    chain.is_in(&Pkcs12::open(&open, ask()).unwrap());
    chain.is_in(&Pkcs12::open(&open, Passphrase::None).unwrap());
    assert_eq!(asked.get(), 0);
    let closed = export(&chain.pem(), SECRET, &["-nomac", "-certpbe", "NONE"]);
    chain.is_in(&Pkcs12::open(&closed, ask()).unwrap());
    assert_eq!(asked.get(), 1);
    let closed = export(&chain.pem(), SECRET, &[]);
    chain.is_in(&Pkcs12::open(&closed, ask()).unwrap());
    assert_eq!(asked.get(), 2);
}

#[test]
fn what_is_no_archive_is_named() {
    let chain = Chain::new();
    let file = export(&chain.pem(), SECRET, &[]);
    let pkcs7 = [
        "crl2pkcs7",
        "-nocrl",
        "-outform",
        "DER",
        "-certfile",
        "/dev/stdin",
    ];
    let pkcs7 = run("openssl", &pkcs7, &pem(&chain.leaf)).stdout;
    let key = chain.key.as_pkey().private_key_to_pkcs8().unwrap();
    let trailing = [&file[..], b"more"].concat();
    for (bytes, expected, text) in [
        (&pkcs7[..], ConfigErrorKind::WrongObject, "is a PKCS #7"),
        (
            &der(&chain.leaf),
            ConfigErrorKind::WrongObject,
            "is a certificate",
        ),
        (&key, ConfigErrorKind::WrongObject, "is a private key"),
        (&chain.pem(), ConfigErrorKind::Malformed, "is in PEM form"),
        (b"", ConfigErrorKind::Malformed, "is empty"),
        (
            b"\x30\x03\x02\x01\x03",
            ConfigErrorKind::Malformed,
            "is damaged",
        ),
        (&trailing, ConfigErrorKind::Malformed, "followed by 4 more"),
    ] {
        let (kind, message) = fault(Pkcs12::open(bytes, SECRET));
        assert_eq!(kind, expected, "{message}");
        assert!(message.contains(text), "{message}");
    }
    for length in 1..file.len() {
        let cut = Pkcs12::open(&file[..length], SECRET);
        assert_eq!(kind(cut), ConfigErrorKind::Malformed, "{length}");
    }
}

/// RFC 7292, section 4.2.6; no program that is still in use writes them.
#[test]
fn bags_within_bags_are_opened_to_some_depth() {
    let chain = Chain::new();
    let open = ["-nomac", "-keypbe", "NONE", "-certpbe", "NONE"];
    let open = export(&chain.pem(), SECRET, &open);
    let nested_in = |bags, depth| {
        (0..depth).fold(bags, |inner: Vec<u8>, _| {
            let oid = b"\x06\x0b\x2a\x86\x48\x86\xf7\x0d\x01\x0c\x0a\x01\x06";
            let value = tlv(0xa0, &tlv(0x30, &inner));
            tlv(0x30, &[&oid[..], &value].concat())
        })
    };
    let nested = |depth| nested_in(bags(&open), depth);
    for depth in [0, 1, 4] {
        let archive = archive(&nested(depth), b"");
        chain.is_in(&Pkcs12::open(&archive, Passphrase::None).unwrap());
    }
    let deep = Pkcs12::open(&archive(&nested(60), b""), Passphrase::None);
    assert_eq!(kind(deep), ConfigErrorKind::Malformed);
    // What somebody's private key protects is left out.
    let sealed = b"\x30\x0b\x06\x09\x2a\x86\x48\x86\xf7\x0d\x01\x07\x03";
    let beside = archive(&nested(0), sealed);
    chain.is_in(&Pkcs12::open(&beside, Passphrase::None).unwrap());
    // A key that is encrypted is found at any depth, and somebody is asked for it.
    let closed = export(&chain.pem(), SECRET, &["-nomac", "-certpbe", "NONE"]);
    let closed = archive(&nested_in(bags(&closed), 2), b"");
    assert_eq!(
        kind(Pkcs12::open(&closed, Passphrase::None)),
        ConfigErrorKind::EncryptedKey
    );
    chain.is_in(&Pkcs12::open(&closed, SECRET).unwrap());
}

/// The digest of the MAC is changed to one that nobody knows.
#[test]
fn a_mac_of_an_unknown_kind_is_named() {
    let mut file = export(&Chain::new().pem(), SECRET, &["-macalg", "sha256"]);
    let sha256 = b"\x60\x86\x48\x01\x65\x03\x04\x02\x01";
    let at = file.windows(9).rposition(|part| part == sha256).unwrap();
    file[at + 8] = 0x70;
    let (kind, text) = fault(Pkcs12::open(&file, SECRET));
    assert_eq!(kind, ConfigErrorKind::Rejected, "{text}");
    assert!(text.contains("a MAC that this version"), "{text}");
}
