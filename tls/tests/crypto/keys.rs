//! Keys of every kind, in every form that is not encrypted.

use greenling_tls::Encoding;
use greenling_tls::crypto::{self, Curve, Digest, KeyAlg, PrivateKey, PublicKey};

use crate::support::{hex, openssl, openssl_text, python, unhex};

/// A key of 2048 bits; new ones take long.
pub(crate) const RSA: &[u8] = include_bytes!("data/rsa.pem");
/// One of 2048 bits, of which a search for parameters takes longer still.
pub(crate) const DSA: &[u8] = include_bytes!("data/dsa.pem");

/// One of each kind.
pub(crate) fn all() -> Vec<PrivateKey> {
    let fixed = [RSA, DSA].map(|pem| read(Encoding::Pem, pem));
    let made = [
        KeyAlg::Ec(Curve::P256),
        KeyAlg::Ec(Curve::P384),
        KeyAlg::Ec(Curve::P521),
        KeyAlg::Ed25519,
        KeyAlg::X25519,
    ];
    let made = made.map(|algorithm| {
        let key = PrivateKey::generate(algorithm).unwrap();
        assert_eq!(key.algorithm(), algorithm);
        key
    });
    fixed.into_iter().chain(made).collect()
}

pub(crate) fn read(encoding: Encoding, bytes: &[u8]) -> PrivateKey {
    PrivateKey::decode(encoding, bytes, None::<&str>).unwrap()
}

/// What the first line of `openssl pkey -text` and its curve say of a kind.
fn text_of(algorithm: KeyAlg) -> &'static str {
    match algorithm {
        KeyAlg::Rsa(2048) | KeyAlg::Dsa(2048) => "Private-Key: (2048 bit",
        KeyAlg::Ec(Curve::P256) => "NIST CURVE: P-256",
        KeyAlg::Ec(Curve::P384) => "NIST CURVE: P-384",
        KeyAlg::Ec(Curve::P521) => "NIST CURVE: P-521",
        KeyAlg::Ed25519 => "ED25519 Private-Key:",
        KeyAlg::X25519 => "X25519 Private-Key:",
        other => panic!("{other}"),
    }
}

#[test]
fn openssl_reads_what_is_written() {
    for key in all() {
        let pem = key.encode(Encoding::Pem, None).unwrap();
        assert!(pem.starts_with(b"-----BEGIN PRIVATE KEY-----\n"));
        let text = openssl_text(&["pkey", "-noout", "-text"], &pem);
        assert!(text.contains(text_of(key.algorithm())), "{text}");

        // Both halves, and their DER.
        let der = key.encode(Encoding::Der, None).unwrap();
        let public = &["pkey", "-inform", "DER", "-pubout", "-outform", "DER"];
        let public = openssl(public, &der).unwrap();
        assert_eq!(key.public_key().encode(Encoding::Der).unwrap(), public);
    }
}

#[test]
fn the_traditional_form_is_written_and_read_where_there_is_one() {
    for key in all() {
        let label = match key.algorithm() {
            KeyAlg::Rsa(_) => "RSA",
            KeyAlg::Dsa(_) => "DSA",
            KeyAlg::Ec(_) => "EC",
            _ => {
                let refused = key.encode_traditional(Encoding::Pem, None);
                assert!(
                    refused
                        .unwrap_err()
                        .to_string()
                        .contains("no traditional form")
                );
                continue;
            }
        };
        let pem = key.encode_traditional(Encoding::Pem, None).unwrap();
        assert!(pem.starts_with(format!("-----BEGIN {label} PRIVATE KEY-----\n").as_bytes()));
        let theirs = openssl(&["pkey", "-traditional"], &pem).unwrap();
        assert_eq!(theirs, pem[..]);
        assert_eq!(read(Encoding::Pem, &theirs), key);

        let der = key.encode_traditional(Encoding::Der, None).unwrap();
        let plain = openssl(&["pkey", "-inform", "DER", "-traditional"], &der).unwrap();
        assert_eq!(plain, pem[..]);
        assert_eq!(read(Encoding::Der, &der), key);
    }
}

#[test]
fn what_openssl_makes_is_read() {
    let made = |arguments: &[&str]| openssl(&[&["genpkey"], arguments].concat(), b"").unwrap();
    for (arguments, algorithm, bits, security) in [
        (&["-algorithm", "ED25519"][..], KeyAlg::Ed25519, 256, 128),
        (&["-algorithm", "X25519"], KeyAlg::X25519, 253, 128),
        (&["-algorithm", "ED448"], KeyAlg::Other("ED448"), 456, 224),
        (&["-algorithm", "X448"], KeyAlg::Other("X448"), 448, 224),
        (
            &["-algorithm", "EC", "-pkeyopt", "group:P-256"],
            KeyAlg::Ec(Curve::P256),
            256,
            128,
        ),
        (
            &["-algorithm", "EC", "-pkeyopt", "group:secp384r1"],
            KeyAlg::Ec(Curve::P384),
            384,
            192,
        ),
        (
            &["-algorithm", "EC", "-pkeyopt", "group:P-521"],
            KeyAlg::Ec(Curve::P521),
            521,
            256,
        ),
        (
            &["-algorithm", "EC", "-pkeyopt", "group:secp256k1"],
            KeyAlg::Other("secp256k1"),
            256,
            128,
        ),
    ] {
        let pem = made(arguments);
        let key = read(Encoding::Pem, &pem);
        assert_eq!(key.algorithm(), algorithm);
        assert_eq!(
            (key.bits(), key.security_bits()),
            (bits, security),
            "{key:?}"
        );
        let public = key.public_key();
        assert_eq!((public.bits(), public.security_bits()), (bits, security));
        let theirs = openssl(&["pkey", "-pubout"], &pem).unwrap();
        assert_eq!(public.encode(Encoding::Pem).unwrap(), theirs);
        assert_eq!(PublicKey::decode(Encoding::Pem, &theirs).unwrap(), public);
    }
    let rsa = read(Encoding::Pem, RSA);
    assert_eq!((rsa.algorithm(), rsa.bits()), (KeyAlg::Rsa(2048), 2048));
    assert_eq!(rsa.security_bits(), 112);
    let dsa = read(Encoding::Pem, DSA);
    assert_eq!((dsa.algorithm(), dsa.bits()), (KeyAlg::Dsa(2048), 2048));
    // As `openssl ecparam` writes it: the curve first, in a block of its own.
    let arguments = ["ecparam", "-genkey", "-name", "prime256v1"];
    let with_parameters = openssl(&arguments, b"").unwrap();
    let key = read(Encoding::Pem, &with_parameters);
    assert_eq!(key.algorithm(), KeyAlg::Ec(Curve::P256));
}

#[test]
fn python_sees_the_same_keys_and_writes_them() {
    let keys: Vec<PrivateKey> = all().into_iter().take(4).collect();
    let pem = |key: &PrivateKey| hex(&key.encode(Encoding::Pem, None).unwrap());
    let lines: Vec<String> = keys.iter().map(pem).collect();
    let script = "
import sys
from OpenSSL import crypto as c
names = {c.TYPE_RSA: 'rsa', c.TYPE_DSA: 'dsa', c.TYPE_EC: 'ec'}
for line in sys.stdin:
    key = c.load_privatekey(c.FILETYPE_PEM, bytes.fromhex(line))
    print(names[key.type()], key.bits(), c.dump_privatekey(c.FILETYPE_ASN1, key).hex(),
          c.dump_publickey(c.FILETYPE_ASN1, key).hex(),
          c.dump_privatekey(c.FILETYPE_PEM, key, 'aes-128-cbc', b'sesame').hex())
";
    let Some(answer) = python("OpenSSL", script, lines.join("\n").as_bytes()) else {
        return;
    };
    let answers: Vec<&str> = answer.lines().collect();
    assert_eq!(answers.len(), keys.len());
    let kinds = ["rsa 2048", "dsa 2048", "ec 256", "ec 384"];
    for ((line, key), kind) in answers.iter().zip(&keys).zip(kinds) {
        let parts: Vec<&str> = line.split(' ').collect();
        assert_eq!(parts[..2].join(" "), kind);
        assert_eq!(read(Encoding::Der, &unhex(parts[2])), *key);
        assert_eq!(
            key.public_key().encode(Encoding::Der).unwrap(),
            unhex(parts[3])
        );
        let opened = PrivateKey::decode(Encoding::Pem, &unhex(parts[4]), "sesame");
        assert_eq!(opened.unwrap(), *key);
    }
}

#[test]
fn the_public_key_of_pkcs1_is_read() {
    let key = read(Encoding::Pem, RSA).public_key();
    let pem = key.encode(Encoding::Pem).unwrap();
    for form in ["PEM", "DER"] {
        let arguments = ["rsa", "-pubin", "-RSAPublicKey_out", "-outform", form];
        let pkcs1 = openssl(&arguments, &pem).unwrap();
        let encoding = match form {
            "PEM" => Encoding::Pem,
            _ => Encoding::Der,
        };
        assert_eq!(PublicKey::decode(encoding, &pkcs1).unwrap(), key);
    }
}

#[test]
fn a_key_knows_its_certificate() {
    let (certificate, key) = crypto::self_signed(&["localhost"]).unwrap();
    assert!(key.matches(&certificate));
    let pem = certificate.encode(Encoding::Pem).unwrap();
    let theirs = openssl(&["x509", "-noout", "-pubkey"], &pem).unwrap();
    assert_eq!(key.public_key().encode(Encoding::Pem).unwrap(), theirs);
    let other = PrivateKey::generate(KeyAlg::Ec(Curve::P256)).unwrap();
    assert!(!other.matches(&certificate));
    assert!(
        !read(Encoding::Pem, RSA).matches(&certificate),
        "another kind"
    );
}

#[test]
fn a_key_whose_parts_do_not_belong_together_is_found_out() {
    for key in all() {
        key.check()
            .unwrap_or_else(|error| panic!("{key:?}: {error}"));
    }
    // The public half is at the end of the traditional form of an EC key.
    let [ours, theirs] = [(); 2].map(|()| {
        let key = PrivateKey::generate(KeyAlg::Ec(Curve::P256)).unwrap();
        key.encode_traditional(Encoding::Der, None)
            .unwrap()
            .to_vec()
    });
    let half = ours.len() - 65;
    let mixed = [&ours[..half], &theirs[half..]].concat();
    let verdict = openssl(&["pkey", "-inform", "DER", "-noout", "-check"], &mixed);
    assert!(verdict.is_err(), "openssl takes it");
    let refused = read(Encoding::Der, &mixed).check().unwrap_err();
    assert!(
        refused.to_string().contains("do not belong together"),
        "{refused}"
    );
}

#[test]
fn keys_pass_to_the_openssl_crate_and_back() {
    let key = read(Encoding::Pem, RSA);
    let theirs = openssl::pkey::PKey::from(key.clone());
    assert!(theirs.public_eq(key.as_pkey()));
    assert_eq!(PrivateKey::from(theirs), key);
    let public = openssl::pkey::PKey::from(key.public_key());
    assert_eq!(PublicKey::from(public), key.public_key());
    // A kind without a public form, which no file has.
    let secret = openssl::pkey::PKey::hmac(b"secret").unwrap();
    let odd = PrivateKey::from(secret);
    assert_eq!(odd.algorithm(), KeyAlg::Other("HMAC"));
    assert!(odd.public_key().encode(Encoding::Der).is_err());
    assert!(odd.encode(Encoding::Pem, None).is_err());
}

#[test]
fn names_lead_to_curves_and_digests() {
    for curve in Curve::all() {
        assert_eq!(Curve::by_name(curve.name()), Some(*curve));
        assert_eq!(curve.to_string(), curve.name());
    }
    for (name, curve) in [
        ("prime256v1", Some(Curve::P256)),
        ("SECP384R1", Some(Curve::P384)),
        ("P-224", None),
    ] {
        assert_eq!(Curve::by_name(name), curve);
    }
    assert_eq!(Digest::by_name("whirlpool"), None);
    assert_eq!(Digest::by_name("SHA3-384"), Some(Digest::Sha3_384));
    let shown = all()
        .iter()
        .map(|key| format!("{key:?}"))
        .collect::<Vec<_>>();
    assert_eq!(shown[0], "PrivateKey(RSA-2048)");
    assert_eq!(shown[2], "PrivateKey(P-256)");
    let public = read(Encoding::Pem, RSA).public_key();
    assert_eq!(format!("{public:?}"), "PublicKey(RSA-2048)");
}

/// Python's `hashlib` is another way to OpenSSL, and has names of its own.
#[test]
fn digests_are_those_of_python() {
    let script = "
import hashlib
for name in 'md5 sha1 sha224 sha256 sha384 sha512 sha3_256 sha3_384 sha3_512'.split():
    print(name, hashlib.new(name, b'abc').hexdigest())
";
    let mut seen = 0;
    let Some(answer) = python("hashlib", script, b"") else {
        return;
    };
    for line in answer.lines() {
        let (name, expected) = line.split_once(' ').unwrap();
        let digest = Digest::by_name(&name.replace('_', "-")).unwrap();
        let hash = digest.hash(b"abc").unwrap();
        assert_eq!(hex(&hash), expected, "{digest}");
        assert_eq!(hash.len(), digest.size());
        seen += 1;
    }
    assert_eq!(seen, 9);
}
