//! Signed public keys: ours as `openssl spkac` and python3-openssl see them, and theirs
//! as we do.

use greenling_tls::crypto::legacy::{Spkac, SpkacBuilder};
use greenling_tls::crypto::{Curve, Digest, Encoding, KeyAlg, Passphrase, PrivateKey};
use greenling_tls::{ConfigErrorKind, Error};

use crate::support::{hex, kind, openssl, openssl_text, python};

fn rsa() -> PrivateKey {
    let pem = include_bytes!("data/rsa.pem");
    PrivateKey::decode(Encoding::Pem, pem, Passphrase::None).unwrap()
}

fn new(algorithm: KeyAlg) -> PrivateKey {
    PrivateKey::generate(algorithm).unwrap()
}

#[test]
fn openssl_verifies_ours_by_every_kind_of_key() {
    for (key, signed) in [
        (rsa(), "sha256WithRSAEncryption"),
        (new(KeyAlg::Ec(Curve::P256)), "ecdsa-with-SHA256"),
        (new(KeyAlg::Ed25519), "ED25519"),
    ] {
        let ours = Spkac::builder()
            .public_key(&key.public_key())
            .challenge("a, \"b\": c")
            .sign(&key, Digest::Sha256)
            .unwrap();
        let file = format!("SPKAC={}\n", ours.to_base64());
        let text = openssl_text(&["spkac", "-verify"], file.as_bytes());
        assert!(text.contains("Challenge String: a, \"b\": c\n"), "{text}");
        assert!(text.contains(signed), "{text}");
        let public = openssl(&["spkac", "-noout", "-pubkey"], file.as_bytes()).unwrap();
        assert_eq!(public, key.public_key().encode(Encoding::Pem).unwrap());
        let again = Spkac::from_base64(&ours.to_base64()).unwrap();
        assert_eq!(again, ours);
        again.verify(&key.public_key()).unwrap();
        assert_eq!(Spkac::from_der(ours.to_der()).unwrap(), ours);
        // `openssl` tells of a bad signature by its status.
        let mut bad = ours.to_der().to_vec();
        let last = bad.len() - 1;
        bad[last] ^= 1;
        let bad = Spkac::from_der(&bad).unwrap();
        assert_eq!(
            kind(bad.verify(bad.public_key())),
            ConfigErrorKind::BadSignature
        );
        let file = format!("SPKAC={}\n", bad.to_base64());
        let refused = openssl(&["spkac", "-noout", "-verify"], file.as_bytes());
        assert!(refused.is_err());
    }
}

#[test]
fn those_of_openssl_are_read_and_verified() {
    let key = rsa();
    let pem = key.encode(Encoding::Pem, None).unwrap();
    for digest in ["md5", "sha256"] {
        let arguments = [
            "spkac",
            "-key",
            "/dev/stdin",
            "-challenge",
            "hello",
            "-digest",
            digest,
        ];
        let text = openssl_text(&arguments, &pem);
        let theirs = Spkac::from_base64(text.strip_prefix("SPKAC=").unwrap()).unwrap();
        assert_eq!(theirs.challenge(), "hello");
        assert_eq!(*theirs.public_key(), key.public_key());
        theirs.verify(theirs.public_key()).unwrap();
        // Lines of any length are one text.
        let mut lines = theirs.to_base64();
        lines.insert_str(64, "\r\n");
        assert_eq!(Spkac::from_base64(&format!(" {lines}\n")).unwrap(), theirs);
        let other = new(KeyAlg::Ec(Curve::P256)).public_key();
        assert_eq!(kind(theirs.verify(&other)), ConfigErrorKind::BadSignature);
    }
}

/// This release makes them and reads none.
const PYTHON: &str = r#"
import sys
from OpenSSL import crypto
key = crypto.load_privatekey(crypto.FILETYPE_ASN1, bytes.fromhex(sys.stdin.read()))
theirs = crypto.NetscapeSPKI()
theirs.set_pubkey(key)
theirs.sign(key, "sha512")
assert theirs.verify(key)
print(crypto.dump_publickey(crypto.FILETYPE_ASN1, theirs.get_pubkey()).hex())
print(theirs.b64_encode().decode())
"#;

#[test]
fn those_of_python3_openssl_are_read_and_verified() {
    let key = rsa();
    let secret = hex(&key.encode(Encoding::Der, None).unwrap());
    let Some(made) = python("OpenSSL", PYTHON, secret.as_bytes()) else {
        return;
    };
    let (public, made) = made.trim_end().split_once('\n').unwrap();
    let theirs = Spkac::from_base64(made).unwrap();
    theirs.verify(&key.public_key()).unwrap();
    assert_eq!(theirs.challenge(), "");
    let read = theirs.public_key().encode(Encoding::Der).unwrap();
    assert_eq!(hex(&read), public);
    assert_eq!(theirs.to_base64(), made);
}

#[test]
fn what_cannot_be_signed_is_refused() {
    let key = new(KeyAlg::Ed25519);
    let other = new(KeyAlg::Ed25519).public_key();
    let mixed = SpkacBuilder::new().public_key(&other);
    let mixed = mixed.sign(&key, Digest::default());
    assert_eq!(kind(mixed), ConfigErrorKind::KeyMismatch);
    for challenge in ["a\0b", "\u{fc}"] {
        let odd = SpkacBuilder::new().challenge(challenge);
        let odd = odd.sign(&key, Digest::default());
        assert_eq!(kind(odd), ConfigErrorKind::BadValue);
    }
    let exchange = new(KeyAlg::X25519);
    let result = SpkacBuilder::new().sign(&exchange, Digest::default());
    assert!(matches!(result, Err(Error::Unsupported(_))));
    if cfg!(not(feature = "legacy")) {
        let md5 = SpkacBuilder::new().sign(&rsa(), Digest::Md5);
        assert_eq!(kind(md5), ConfigErrorKind::Rejected);
    }
}

#[test]
fn damage_is_an_error_wherever_it_is() {
    use ConfigErrorKind::{BadSignature, Malformed};
    let key = new(KeyAlg::Ed25519);
    let good = Spkac::builder()
        .challenge("hello")
        .sign(&key, Digest::default());
    let good = good.unwrap();
    let text = good.to_base64();
    for cut in 0..text.len() {
        assert_eq!(kind(Spkac::from_base64(&text[..cut])), Malformed, "{cut}");
    }
    for cut in 0..good.to_der().len() {
        let short = &good.to_der()[..cut];
        assert_eq!(kind(Spkac::from_der(short)), Malformed, "{cut}");
    }
    let longer = [good.to_der(), &[0]].concat();
    assert_eq!(kind(Spkac::from_der(&longer)), Malformed);
    let twice = text.repeat(2);
    for odd in [
        "",
        " \n",
        "=",
        "====",
        "not base64!",
        "AAAA",
        "\0",
        "\u{fc}",
        &twice,
    ] {
        assert_eq!(kind(Spkac::from_base64(odd)), Malformed, "{odd:?}");
    }
    for at in 0..good.to_der().len() {
        let mut bad = good.to_der().to_vec();
        bad[at] ^= 0x15;
        match Spkac::from_der(&bad) {
            Ok(changed) => assert_eq!(kind(changed.verify(&key.public_key())), BadSignature),
            result => assert_eq!(kind(result), Malformed, "{at}"),
        }
    }
    assert!(!format!("{good:?}").is_empty());
}
