//! Encrypted keys: those of others, ours for others, and where passphrases come from.

use std::cell::Cell;
use std::io;
use std::panic::{AssertUnwindSafe, catch_unwind};

use greenling_tls::crypto::{Curve, KeyAlg, KeyCipher, Passphrase, PrivateKey, Protect};
use greenling_tls::{ConfigErrorKind, Encoding};
use zeroize::Zeroizing;

use crate::keys::{DSA, RSA, read};
use crate::support::{kind, openssl, openssl_text};

/// Not all of it is text.
const PASSPHRASE: &[u8] = b"open \xc3\xa4 sesame\xff";

/// Where `openssl` finds the passphrase: on its first line of input.
const PASSIN: [&str; 2] = ["-passin", "stdin"];
const PASSOUT: [&str; 2] = ["-passout", "stdin"];

/// The passphrase and what it opens.
fn behind(passphrase: &[u8], bytes: &[u8]) -> Vec<u8> {
    [passphrase, b"\n", bytes].concat()
}

fn ec() -> PrivateKey {
    PrivateKey::generate(KeyAlg::Ec(Curve::P256)).unwrap()
}

/// Cheap for a test.
fn protect() -> Protect {
    Protect::new(PASSPHRASE).iterations(1000)
}

/// `openssl` takes the passphrase from one stream and the key from a file.
fn opened_by_openssl(form: &str, key: &[u8], passphrase: &[u8]) -> Result<Vec<u8>, String> {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("key");
    std::fs::write(&path, key).unwrap();
    let path = path.to_str().unwrap();
    let arguments = ["pkey", "-inform", form, "-in", path, "-pubout"];
    openssl(
        &[&arguments[..], &PASSIN].concat(),
        &behind(passphrase, b""),
    )
}

#[test]
fn openssl_opens_what_is_written() {
    let key = ec();
    let public = key.public_key().encode(Encoding::Pem).unwrap();
    for (cipher, name) in [
        (KeyCipher::Aes128Cbc, "aes-128-cbc"),
        (KeyCipher::Aes192Cbc, "aes-192-cbc"),
        (KeyCipher::Aes256Cbc, "aes-256-cbc"),
        (KeyCipher::DesEde3Cbc, "des-ede3-cbc"),
    ] {
        let protect = protect().cipher(cipher);
        let pem = key.encode(Encoding::Pem, Some(&protect)).unwrap();
        assert!(pem.starts_with(b"-----BEGIN ENCRYPTED PRIVATE KEY-----\n"));
        assert_eq!(opened_by_openssl("PEM", &pem, PASSPHRASE).unwrap(), public);
        let der = key.encode(Encoding::Der, Some(&protect)).unwrap();
        assert_eq!(opened_by_openssl("DER", &der, PASSPHRASE).unwrap(), public);
        let parts = openssl_text(&["asn1parse", "-inform", "DER"], &der);
        for part in [
            "PBES2",
            "PBKDF2",
            "hmacWithSHA256",
            "INTEGER           :03E8",
            name,
        ] {
            assert!(parts.contains(part), "no {part} in {parts}");
        }
        let old = key
            .encode_traditional(Encoding::Pem, Some(&protect))
            .unwrap();
        let text = String::from_utf8(old.to_vec()).unwrap();
        assert!(
            text.contains(&format!("DEK-Info: {},", name.to_uppercase())),
            "{text}"
        );
        assert_eq!(opened_by_openssl("PEM", &old, PASSPHRASE).unwrap(), public);
        for written in [pem, old] {
            let ours = PrivateKey::decode(Encoding::Pem, &written, PASSPHRASE).unwrap();
            assert_eq!(ours, key);
        }
    }
    let pem = key.encode(Encoding::Pem, Some(&protect())).unwrap();
    assert!(opened_by_openssl("PEM", &pem, b"wrong").is_err());
    for pem in [RSA, DSA] {
        let key = read(Encoding::Pem, pem);
        let public = key.public_key().encode(Encoding::Pem).unwrap();
        let old = key
            .encode_traditional(Encoding::Pem, Some(&protect()))
            .unwrap();
        assert_eq!(opened_by_openssl("PEM", &old, PASSPHRASE).unwrap(), public);
    }
}

/// The default costs something to guess at.
#[test]
fn a_passphrase_is_hashed_a_hundred_thousand_times_by_default() {
    let der = ec()
        .encode(Encoding::Der, Some(&Protect::new("sesame")))
        .unwrap();
    let parts = openssl_text(&["asn1parse", "-inform", "DER"], &der);
    assert!(parts.contains("INTEGER           :0186A0"), "{parts}");
    assert!(parts.contains("aes-256-cbc"), "{parts}");
}

#[test]
fn what_openssl_has_encrypted_is_opened() {
    let key = ec();
    let plain = key.encode(Encoding::Pem, None).unwrap();
    let old = key.encode_traditional(Encoding::Pem, None).unwrap();
    let input = behind(PASSPHRASE, &plain);
    let pkcs8 = |arguments: &[&str]| {
        openssl(
            &[&["pkcs8", "-topk8"], &PASSOUT[..], arguments].concat(),
            &input,
        )
    };
    for arguments in [
        &["-v2", "aes-128-cbc"][..],
        &["-v2", "des3", "-v2prf", "hmacWithSHA1"],
        &["-v2", "aes-256-cbc", "-iter", "5000"],
        &["-scrypt"],
        &["-v1", "PBE-SHA1-3DES"],
    ] {
        let pem = pkcs8(arguments).unwrap();
        assert_eq!(
            PrivateKey::decode(Encoding::Pem, &pem, PASSPHRASE).unwrap(),
            key
        );
        let der = pkcs8(&[arguments, &["-outform", "DER"]].concat()).unwrap();
        assert_eq!(
            PrivateKey::decode(Encoding::Der, &der, PASSPHRASE).unwrap(),
            key
        );
    }
    let traditional = |arguments: &[&str]| {
        let input = behind(PASSPHRASE, &old);
        openssl(&[&["ec"], &PASSOUT[..], arguments].concat(), &input).unwrap()
    };
    let old = traditional(&["-aes256"]);
    assert!(String::from_utf8_lossy(&old).contains("Proc-Type: 4,ENCRYPTED"));
    assert_eq!(
        PrivateKey::decode(Encoding::Pem, &old, PASSPHRASE).unwrap(),
        key
    );

    // What only the legacy provider has: opened in PKCS #8, named in the other form.
    let legacy = ["-provider", "legacy", "-provider", "default"];
    let forgotten = pkcs8(&[&["-v1", "PBE-MD5-DES"], &legacy[..]].concat()).unwrap();
    let opened = PrivateKey::decode(Encoding::Pem, &forgotten, PASSPHRASE);
    assert_eq!(opened.unwrap(), key);
    let refused = PrivateKey::decode(Encoding::Pem, &forgotten, "wrong");
    assert_eq!(kind(refused), ConfigErrorKind::WrongPassphrase);
    let forgotten = traditional(&[&["-des"], &legacy[..]].concat());
    let refused = PrivateKey::decode(Encoding::Pem, &forgotten, PASSPHRASE);
    assert_eq!(kind(refused), ConfigErrorKind::UnsupportedLegacyAlgorithm);
}

/// Every form in which a key can be encrypted.
fn encrypted() -> [(Encoding, Vec<u8>); 3] {
    let key = ec();
    let protect = protect();
    let pem = key.encode(Encoding::Pem, Some(&protect)).unwrap();
    let der = key.encode(Encoding::Der, Some(&protect)).unwrap();
    let old = key
        .encode_traditional(Encoding::Pem, Some(&protect))
        .unwrap();
    [
        (Encoding::Pem, pem.to_vec()),
        (Encoding::Der, der.to_vec()),
        (Encoding::Pem, old.to_vec()),
    ]
}

#[test]
fn passphrases_that_open_nothing_are_told_apart() {
    use ConfigErrorKind::{BadPassphrase, EncryptedKey, WrongPassphrase};
    let too_long = vec![b'x'; 1025];
    for (encoding, key) in encrypted() {
        for (passphrase, expected) in [
            (None, EncryptedKey),
            (Some(&b"wrong"[..]), WrongPassphrase),
            (Some(b""), WrongPassphrase),
            (Some(&too_long[..1024]), WrongPassphrase),
            (Some(&too_long), BadPassphrase),
            (Some(b"open\0sesame"), BadPassphrase),
            (Some(b"\0"), BadPassphrase),
        ] {
            let refused = PrivateKey::decode(encoding, &key, passphrase);
            assert_eq!(kind(refused), expected, "{passphrase:?}");
        }
    }
}

#[test]
fn a_key_is_not_written_with_a_passphrase_that_others_cut() {
    let key = ec();
    for passphrase in [&b"open\0sesame"[..], b"", &[b'x'; 1025]] {
        let protect = Protect::new(passphrase);
        for refused in [
            key.encode(Encoding::Pem, Some(&protect)),
            key.encode(Encoding::Der, Some(&protect)),
            key.encode_traditional(Encoding::Pem, Some(&protect)),
        ] {
            assert_eq!(kind(refused), ConfigErrorKind::BadPassphrase);
        }
    }
    for iterations in [0, 10_000_001, u32::MAX] {
        let protect = protect().iterations(iterations);
        let refused = key.encode(Encoding::Pem, Some(&protect));
        assert_eq!(kind(refused), ConfigErrorKind::BadValue);
    }
    let refused = key.encode_traditional(Encoding::Der, Some(&protect()));
    assert!(
        refused
            .unwrap_err()
            .to_string()
            .contains("in PEM form only")
    );
}

#[test]
fn a_function_is_asked_when_the_key_is_encrypted_and_then_once() {
    let asked = Cell::new(0);
    let ask = || {
        Passphrase::ask(|| {
            asked.set(asked.get() + 1);
            Ok(Zeroizing::new(PASSPHRASE.to_vec()))
        })
    };
    PrivateKey::decode(Encoding::Pem, RSA, ask()).unwrap();
    let plain = ec().encode(Encoding::Der, None).unwrap();
    PrivateKey::decode(Encoding::Der, &plain, ask()).unwrap();
    let (certificate, _) = greenling_tls::crypto::self_signed(&["localhost"]).unwrap();
    let certificate = certificate.encode(Encoding::Der).unwrap();
    PrivateKey::decode(Encoding::Der, &certificate, ask()).unwrap_err();
    assert_eq!(asked.get(), 0);
    for (encoding, key) in encrypted() {
        asked.set(0);
        PrivateKey::decode(encoding, &key, ask()).unwrap();
        assert_eq!(asked.get(), 1);
    }
}

#[test]
fn a_function_may_fail_panic_or_answer_nonsense() {
    for (encoding, key) in encrypted() {
        let decode = |ask: Passphrase<'_>| PrivateKey::decode(encoding, &key, ask);
        let failed = Passphrase::ask(|| Err(io::Error::other("nobody is there")));
        let error = decode(failed).unwrap_err();
        assert!(error.to_string().contains("nobody is there"), "{error}");
        assert_eq!(kind(Err::<(), _>(error)), ConfigErrorKind::BadPassphrase);
        let nonsense = Passphrase::ask(|| Ok(Zeroizing::new(vec![0; 3])));
        assert_eq!(kind(decode(nonsense)), ConfigErrorKind::BadPassphrase);
        let panics = Passphrase::ask(|| std::panic::resume_unwind(Box::new("no")));
        let payload = catch_unwind(AssertUnwindSafe(|| decode(panics))).unwrap_err();
        assert_eq!(payload.downcast_ref(), Some(&"no"));
        // Nothing was left behind.
        decode(PASSPHRASE.into()).unwrap();
    }
}

#[test]
fn work_that_would_take_hours_is_refused() {
    let protect = Protect::new("sesame").iterations(0x01_0000);
    let der = ec().encode(Encoding::Der, Some(&protect)).unwrap();
    let count = [2, 3, 1, 0, 0];
    let at = der.windows(5).position(|part| part == count).unwrap();
    // The number takes a byte from the salt, so that all lengths stay as they are.
    let mut endless = der.to_vec();
    assert_eq!(endless[at - 18..at - 16], [4, 16]);
    endless[at - 17] = 15;
    endless[at - 1..at + 5].copy_from_slice(&[2, 4, 0x7f, 0xff, 0xff, 0xff]);
    let refused = PrivateKey::decode(Encoding::Der, &endless, "sesame");
    assert_eq!(kind(refused), ConfigErrorKind::Rejected);
}

#[test]
fn nothing_secret_is_shown() {
    let bytes = Zeroizing::new(b"sesame".to_vec());
    for (passphrase, text) in [
        (Passphrase::None, "Passphrase::None"),
        (Passphrase::from("sesame"), "Passphrase::Bytes(..)"),
        (Passphrase::from(b"sesame"), "Passphrase::Bytes(..)"),
        (Passphrase::from(bytes), "Passphrase::Owned(..)"),
        (Passphrase::ask(|| unreachable!()), "Passphrase::Ask(..)"),
    ] {
        assert_eq!(format!("{passphrase:?}"), text);
    }
    let shown = format!("{:?}", Protect::new("sesame"));
    assert!(
        !shown.contains("sesame") && shown.contains("100000"),
        "{shown}"
    );
    let secret = ec().encode(Encoding::Pem, None).unwrap();
    assert!(!format!("{secret:?}").contains("PRIVATE"));
}
