//! What is written, as others read it.

use greenling_tls::ConfigErrorKind;
use greenling_tls::crypto::{self, Digest, Passphrase, Pkcs12};
use openssl::base64::encode_block;

use super::der::last_parts;
use super::{Chain, FEW, SECRET, export, info};
use crate::boxes::{der, key_pem, pem};
use crate::support::{kind, run};

#[test]
fn openssl_reads_what_is_written_and_finds_it_well_protected() {
    let chain = Chain::new();
    let builder = Pkcs12::builder()
        .identity(&chain.leaf, &chain.key)
        .ca([chain.root.clone()])
        .friendly_name("our name")
        .iterations(FEW);
    let (content, algorithms) = info(&builder.build(SECRET).unwrap(), SECRET);
    // Once for the certificate, once for its key.
    assert_eq!(content.matches("friendlyName: our name").count(), 2);
    assert_eq!(content.matches("localKeyID").count(), 2);
    let at = |part: &[u8]| {
        let part = String::from_utf8(part.to_vec()).unwrap();
        content.find(&part).unwrap_or_else(|| panic!("{content}"))
    };
    assert!(at(&pem(&chain.leaf)) < at(&pem(&chain.root)));
    assert!(at(&pem(&chain.root)) < at(&key_pem(&chain.key)));
    let encryption = "PBES2, PBKDF2, AES-256-CBC, Iteration 3000, PRF hmacWithSHA256";
    assert_eq!(algorithms.matches(encryption).count(), 2, "{algorithms}");
    assert!(
        algorithms.contains("MAC: sha256, Iteration 3000"),
        "{algorithms}"
    );

    let builder = builder.mac_digest(Digest::Sha512).iterations(1);
    let (_, algorithms) = info(&builder.build(SECRET).unwrap(), SECRET);
    assert!(
        algorithms.contains("MAC: sha512, Iteration 1\n"),
        "{algorithms}"
    );
    assert!(
        algorithms.contains("AES-256-CBC, Iteration 1,"),
        "{algorithms}"
    );
}

#[test]
fn an_empty_passphrase_and_none_are_written_apart_and_open_both() {
    let chain = Chain::new();
    let build = |passphrase: Option<&str>| {
        Pkcs12::builder()
            .identity(&chain.leaf, &chain.key)
            .ca([chain.root.clone()])
            .iterations(FEW)
            .build(passphrase)
            .unwrap()
    };
    let files = [build(None), build(Some(""))];
    for file in &files {
        chain.is_in(&Pkcs12::open(file, Passphrase::None).unwrap());
        chain.is_in(&Pkcs12::open(file, "").unwrap());
        info(file, "");
        assert_eq!(
            kind(Pkcs12::open(file, "x")),
            ConfigErrorKind::WrongPassphrase
        );
    }
    // RFC 7292, appendix B.1: an empty one is hashed as two zero bytes.
    for (file, hashed) in files.iter().zip([&b""[..], &[0, 0]]) {
        assert!(mac_is_of(file, hashed));
    }
    assert_eq!(
        kind(Pkcs12::open(
            &export(&chain.pem(), SECRET, &[]),
            Passphrase::None
        )),
        ConfigErrorKind::EncryptedKey
    );
    assert_eq!(
        kind(Pkcs12::open(&export(&chain.pem(), SECRET, &[]), "")),
        ConfigErrorKind::WrongPassphrase
    );
}

/// Whether the MAC of an archive, which is at its end, is that of a passphrase in the
/// form in which it is hashed. By the words of RFC 7292, appendix B.2, with SHA-256.
fn mac_is_of(file: &[u8], passphrase: &[u8]) -> bool {
    let (mac, salt, content) = last_parts(file);
    let fill = |bytes: &[u8]| -> Vec<u8> {
        let length = bytes.len().div_ceil(64) * 64;
        bytes.iter().copied().cycle().take(length).collect()
    };
    let mut key = [vec![3; 64], fill(&salt), fill(passphrase)].concat();
    for _ in 0..FEW {
        key = openssl::sha::sha256(&key).to_vec();
    }
    let key = openssl::pkey::PKey::hmac(&key).unwrap();
    let digest = openssl::hash::MessageDigest::sha256();
    let mut signer = openssl::sign::Signer::new(digest, &key).unwrap();
    signer.sign_oneshot_to_vec(&content).unwrap() == mac
}

#[test]
fn what_cannot_be_written_is_refused() {
    let chain = Chain::new();
    let (stranger, _) = crypto::self_signed(&["stranger"]).unwrap();
    let good = Pkcs12::builder().identity(&chain.leaf, &chain.key);
    for (builder, expected) in [
        (Pkcs12::builder(), ConfigErrorKind::Missing),
        (
            Pkcs12::builder().identity(&stranger, &chain.key),
            ConfigErrorKind::KeyMismatch,
        ),
        (
            good.clone().friendly_name("a\0b"),
            ConfigErrorKind::BadValue,
        ),
        (good.clone().friendly_name("🔑"), ConfigErrorKind::BadValue),
        (good.clone().iterations(0), ConfigErrorKind::BadValue),
        (
            good.clone().iterations(10_000_001),
            ConfigErrorKind::BadValue,
        ),
        (
            good.clone().mac_digest(Digest::Md5),
            ConfigErrorKind::Rejected,
        ),
    ] {
        assert_eq!(kind(builder.build(SECRET)), expected);
    }
    let shown = format!("{:?}", good.build(SECRET).unwrap());
    assert!(shown.starts_with("Secret("), "{shown}");
}

/// A name replaces the one that the certificate had in another archive.
#[test]
fn friendly_names_are_kept_or_replaced() {
    let chain = Chain::new();
    let first = export(
        &chain.pem(),
        SECRET,
        &["-name", "first", "-caname", "above"],
    );
    let first = Pkcs12::open(&first, SECRET).unwrap();
    let builder = Pkcs12::builder()
        .identity(first.cert.as_ref().unwrap(), first.key.as_ref().unwrap())
        .ca(first.ca)
        .iterations(FEW);
    for (builder, name) in [
        (builder.clone().friendly_name("second"), Some("second")),
        (builder.clone().friendly_name(""), None),
        (builder, None),
    ] {
        let file = builder.build(SECRET).unwrap();
        let (text, _) = info(&file, SECRET);
        assert_eq!(
            text.matches("friendlyName: second").count(),
            name.map_or(0, |_| 2)
        );
        assert!(
            text.contains("friendlyName: above") && !text.contains("first"),
            "{text}"
        );
        let opened = Pkcs12::open(&file, SECRET).unwrap();
        assert_eq!(opened.friendly_name.as_deref(), name);
    }
}

#[cfg(feature = "legacy")]
#[test]
fn old_programs_get_triple_des() {
    let chain = Chain::new();
    let builder = Pkcs12::builder().identity(&chain.leaf, &chain.key);
    let file = builder.legacy_3des().iterations(FEW).build(SECRET).unwrap();
    let (_, algorithms) = info(&file, SECRET);
    let encryption = "pbeWithSHA1And3-KeyTripleDES-CBC, Iteration 3000";
    assert_eq!(algorithms.matches(encryption).count(), 2, "{algorithms}");
    assert!(
        algorithms.contains("MAC: sha1, Iteration 3000"),
        "{algorithms}"
    );
    Pkcs12::open(&file, SECRET).unwrap();
}

/// Opens ours, prints what it finds, and writes one of its own with the same.
const PYTHON: &str = r#"
import sys, base64, warnings
warnings.simplefilter("ignore")
from OpenSSL import crypto
ours = crypto.load_pkcs12(base64.b64decode(sys.stdin.read()), b"correct horse")
dump = lambda cert: base64.b64encode(crypto.dump_certificate(crypto.FILETYPE_ASN1, cert)).decode()
print(ours.get_friendlyname().decode())
print(dump(ours.get_certificate()))
print(" ".join(dump(cert) for cert in ours.get_ca_certificates()))
theirs = crypto.PKCS12()
theirs.set_privatekey(ours.get_privatekey())
theirs.set_certificate(ours.get_certificate())
theirs.set_ca_certificates(ours.get_ca_certificates())
theirs.set_friendlyname("größer 名".encode())
print(base64.b64encode(theirs.export(b"correct horse", iter=1000, maciter=1000)).decode())
theirs.set_ca_certificates(None)
print(base64.b64encode(theirs.export()).decode())
"#;

#[test]
fn python3_openssl_reads_ours_and_we_read_its() {
    let chain = Chain::new();
    let ours = Pkcs12::builder()
        .identity(&chain.leaf, &chain.key)
        .ca([chain.root.clone()])
        .friendly_name("größer 名")
        .iterations(FEW)
        .build(SECRET)
        .unwrap();
    let output = run(
        "/usr/bin/python3",
        &["-c", PYTHON],
        encode_block(&ours).as_bytes(),
    );
    let messages = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{messages}");
    let text = String::from_utf8(output.stdout).unwrap();
    let lines: Vec<&str> = text.lines().collect();
    assert_eq!(lines[0], "größer 名");
    assert_eq!(lines[1], encode_block(&der(&chain.leaf)));
    assert_eq!(lines[2], encode_block(&der(&chain.root)));
    let decode = |line: &str| openssl::base64::decode_block(line).unwrap();
    let theirs = Pkcs12::open(&decode(lines[3]), SECRET).unwrap();
    chain.is_in(&theirs);
    assert_eq!(theirs.friendly_name.as_deref(), Some("größer 名"));
    let unlocked = Pkcs12::open(&decode(lines[4]), Passphrase::None).unwrap();
    assert_eq!(der(&unlocked.cert.unwrap()), der(&chain.leaf));
}
