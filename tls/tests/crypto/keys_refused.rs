//! What is not a key, or not the kind that was expected: never a panic, and always a
//! word on what was found.

use std::process::{Command, Stdio};

use greenling_tls::crypto::{self, Curve, KeyAlg, Passphrase, PrivateKey, Protect, PublicKey};
use greenling_tls::{ConfigErrorKind, Encoding, Error};

use crate::keys::RSA;
use crate::support::{kind, openssl};

fn decode(encoding: Encoding, bytes: &[u8]) -> Result<PrivateKey, Error> {
    PrivateKey::decode(encoding, bytes, "sesame")
}

/// Each object in both forms, and what it is called.
fn objects() -> Vec<(&'static str, [Vec<u8>; 2])> {
    let (certificate, key) = crypto::self_signed(&["localhost"]).unwrap();
    let pem = key.encode(Encoding::Pem, None).unwrap();
    let run = |arguments: &[&str], input: &[u8]| {
        ["PEM", "DER"]
            .map(|form| openssl(&[arguments, &["-outform", form]].concat(), input).unwrap())
    };
    let request = ["req", "-new", "-key", "/dev/stdin", "-subj", "/CN=x"];
    let both = [Encoding::Pem, Encoding::Der];
    vec![
        (
            "a certificate",
            both.map(|form| certificate.encode(form).unwrap()),
        ),
        ("a certificate request", run(&request, &pem)),
        (
            "a public key",
            both.map(|form| key.public_key().encode(form).unwrap()),
        ),
        (
            "a private key",
            both.map(|form| key.encode(form, None).unwrap().to_vec()),
        ),
        ("an encrypted private key", {
            let protect = Protect::new("sesame").iterations(1);
            both.map(|form| key.encode(form, Some(&protect)).unwrap().to_vec())
        }),
    ]
}

#[test]
fn another_object_is_called_by_its_name() {
    for (name, forms) in objects() {
        for (encoding, bytes) in [Encoding::Pem, Encoding::Der].into_iter().zip(&forms) {
            let as_private = decode(encoding, bytes).map(drop);
            let as_public = PublicKey::decode(encoding, bytes).map(drop);
            let refused = match name {
                "a private key" | "an encrypted private key" => {
                    as_private.unwrap();
                    vec![as_public]
                }
                "a public key" => {
                    as_public.unwrap();
                    vec![as_private]
                }
                _ => vec![as_private, as_public],
            };
            for error in refused {
                let error = error.unwrap_err();
                assert!(
                    error.to_string().ends_with(&format!("is {name}")),
                    "{error}"
                );
                assert_eq!(kind(Err::<(), _>(error)), ConfigErrorKind::WrongObject);
            }
        }
    }
}

#[test]
fn a_file_may_hold_other_things_around_the_key() {
    let (certificate, key) = crypto::self_signed(&["localhost"]).unwrap();
    let certificate = certificate.encode(Encoding::Pem).unwrap();
    let pem = key.encode(Encoding::Pem, None).unwrap();
    let windows = String::from_utf8(pem.to_vec())
        .unwrap()
        .replace('\n', "\r\n");
    let around = [
        b"Bag Attributes\n",
        &certificate[..],
        windows.as_bytes(),
        RSA,
    ]
    .concat();
    assert_eq!(decode(Encoding::Pem, &around).unwrap(), key, "the first");
    let theirs = openssl(&["pkey", "-pubout"], &around).unwrap();
    assert_eq!(key.public_key().encode(Encoding::Pem).unwrap(), theirs);
}

#[test]
fn one_form_in_place_of_the_other_and_what_follows_are_refused() {
    let key = PrivateKey::generate(KeyAlg::Ed25519).unwrap();
    let pem = key.encode(Encoding::Pem, None).unwrap();
    let der = key.encode(Encoding::Der, None).unwrap();
    let public = key.public_key().encode(Encoding::Der).unwrap();
    for (encoding, bytes, text) in [
        (Encoding::Der, &pem[..], "is in PEM form"),
        (Encoding::Pem, &der, "is not in PEM form"),
        (Encoding::Pem, b"", "is not in PEM form"),
        (Encoding::Der, b"", "is empty"),
        (
            Encoding::Der,
            &[&der[..], b"\n"].concat(),
            "is followed by 1 more",
        ),
        (
            Encoding::Der,
            &[&der[..], &der].concat(),
            "is followed by 48 more",
        ),
        (
            Encoding::Pem,
            b"-----BEGIN PRIVATE KEY-----\n",
            "is damaged",
        ),
        (
            Encoding::Pem,
            &[&pem[..40], b"\n-----END PRIVATE KEY-----\n"].concat(),
            "is damaged",
        ),
        (
            Encoding::Der,
            &[0x30, 0x84, 0xff, 0xff, 0xff, 0xff, 0],
            "is cut short",
        ),
        // A length that is not told, which DER has not got.
        (
            Encoding::Der,
            &[0x30, 0x80, 0x30, 0x80, 6, 1, 1, 0, 0, 4, 0, 0, 0],
            "is followed by",
        ),
    ] {
        let error = decode(encoding, bytes).unwrap_err();
        assert!(error.to_string().contains(text), "{error}");
        assert_eq!(kind(Err::<(), _>(error)), ConfigErrorKind::Malformed);
    }
    for (encoding, bytes) in [
        (Encoding::Der, &[&public[..], b"\0"].concat()[..]),
        (Encoding::Der, b"\x30\x00"),
        (
            Encoding::Pem,
            b"-----BEGIN PUBLIC KEY-----\nAAAA\n-----END PUBLIC KEY-----\n",
        ),
    ] {
        let refused = PublicKey::decode(encoding, bytes);
        assert_eq!(kind(refused), ConfigErrorKind::Malformed);
    }
    let huge = vec![0x30; (64 << 20) + 1];
    assert_eq!(
        kind(decode(Encoding::Der, &huge)),
        ConfigErrorKind::TooLarge
    );
    assert_eq!(
        kind(PublicKey::decode(Encoding::Pem, &huge)),
        ConfigErrorKind::TooLarge
    );
}

/// No part of any form is a key, nor asks on the terminal, which would hang.
#[test]
fn no_beginning_of_a_key_is_one() {
    let key = PrivateKey::generate(KeyAlg::Ec(Curve::P256)).unwrap();
    let protect = Protect::new("sesame").iterations(1);
    let written = |protect, encoding| key.encode(encoding, protect).unwrap().to_vec();
    for (encoding, bytes) in [
        (Encoding::Der, written(None, Encoding::Der)),
        (Encoding::Der, written(Some(&protect), Encoding::Der)),
        (Encoding::Pem, written(None, Encoding::Pem)),
        (Encoding::Pem, written(Some(&protect), Encoding::Pem)),
    ] {
        // The last line of the PEM form is whole without its end.
        let whole = bytes.trim_ascii_end().len();
        for length in 0..whole {
            let Err(Error::Config(_)) = decode(encoding, &bytes[..length]) else {
                panic!("{encoding:?} of {length} bytes");
            };
            assert!(PublicKey::decode(encoding, &bytes[..length]).is_err());
        }
        assert_eq!(decode(encoding, &bytes).unwrap(), key);
    }
}

/// OpenSSL would ask for the passphrase of the private key, which nobody wants: seen
/// in a process of its own, which has no terminal, so that the question is printed.
#[test]
fn a_public_key_is_found_behind_an_encrypted_private_one() {
    const ALONE: &str = "GREENLING_TEST_ALONE";
    if std::env::var_os(ALONE).is_none() {
        let name = "keys_refused::a_public_key_is_found_behind_an_encrypted_private_one";
        let alone = Command::new("setsid")
            .arg("--wait")
            .arg(std::env::current_exe().unwrap())
            .args(["--exact", name, "--nocapture"])
            .env(ALONE, "1")
            .stdin(Stdio::null())
            .output()
            .unwrap();
        let messages = String::from_utf8_lossy(&alone.stderr);
        assert!(alone.status.success(), "{messages}");
        assert!(!messages.contains("phrase"), "{messages}");
        return;
    }
    let key = PrivateKey::generate(KeyAlg::Ec(Curve::P256)).unwrap();
    let protect = Protect::new("sesame").iterations(1);
    let public = key.public_key().encode(Encoding::Pem).unwrap();
    for secret in [
        key.encode_traditional(Encoding::Pem, Some(&protect)),
        key.encode(Encoding::Pem, Some(&protect)),
        key.encode(Encoding::Pem, None),
    ] {
        let file = [&secret.unwrap()[..], &public].concat();
        let found = PublicKey::decode(Encoding::Pem, &file).unwrap();
        assert_eq!(found, key.public_key());
    }
}

/// What was encrypted is not taken for what is not, whatever its first bytes say, and
/// no passphrase is asked for behind our back.
#[test]
fn an_encrypted_key_in_disguise_asks_nobody() {
    let key = PrivateKey::generate(KeyAlg::Ed25519).unwrap();
    let protect = Protect::new("sesame").iterations(1);
    let pem = key.encode(Encoding::Pem, Some(&protect)).unwrap();
    let disguised = String::from_utf8(pem.to_vec()).unwrap();
    let disguised = disguised.replace("ENCRYPTED PRIVATE", "PRIVATE");
    let refused = PrivateKey::decode(Encoding::Pem, disguised.as_bytes(), Passphrase::None);
    assert_eq!(kind(refused), ConfigErrorKind::Malformed);
    let der = key.encode(Encoding::Der, Some(&protect)).unwrap();
    // A second octet string, which does not belong there.
    let mut longer = [&der[..], &[4, 0]].concat();
    longer[1] += 2;
    longer[2] = longer[2].wrapping_add(u8::from(longer[1] == 0x83) * 2);
    assert!(PrivateKey::decode(Encoding::Der, &longer, Passphrase::None).is_err());
}

#[test]
fn sizes_that_are_of_no_use_are_not_made() {
    for bits in [0, 512, 1023, 16385, u32::MAX] {
        let refused = PrivateKey::generate(KeyAlg::Rsa(bits));
        assert_eq!(kind(refused), ConfigErrorKind::BadValue, "{bits}");
    }
    if !cfg!(feature = "legacy") {
        let refused = PrivateKey::generate(KeyAlg::Rsa(1024));
        assert_eq!(kind(refused), ConfigErrorKind::BadValue);
    }
    for algorithm in [KeyAlg::Dsa(2048), KeyAlg::Other("ED448")] {
        let Err(Error::Unsupported(_)) = PrivateKey::generate(algorithm) else {
            panic!("{algorithm}");
        };
    }
}
