//! The kinds of structures, and what is none.

use greenling_tls::ConfigErrorKind;
use greenling_tls::crypto::{self, Encoding, Pkcs7, Pkcs7Flags, Pkcs7Kind};
use openssl::base64::encode_block;

use super::{Signer, TEXT};
use crate::boxes::{der, pem};
use crate::support::{fault, kind, run};

/// Prints what it thinks of each structure that it is given.
const PYTHON: &str = r#"
import sys, base64, warnings
warnings.simplefilter("ignore")
from OpenSSL import crypto
for line in sys.stdin:
    found = crypto.load_pkcs7_data(crypto.FILETYPE_ASN1, base64.b64decode(line))
    print(found.get_type_name().decode(), *(int(x) for x in (found.type_is_signed(),
        found.type_is_enveloped(), found.type_is_signedAndEnveloped(), found.type_is_data())))
"#;

#[test]
fn python3_openssl_sees_the_same_kinds() {
    let signer = Signer::new();
    let secret = [
        "-secretkey",
        "000102030405060708090a0b0c0d0e0f",
        "-aes-128-cbc",
    ];
    let encrypted = ["cms", "-EncryptedData_encrypt", "-outform", "DER"];
    let digested = ["cms", "-digest_create", "-nodetach", "-outform", "DER"];
    let octets = b"\x04\x03abc";
    // SEQUENCE { OID, [0] { what is inside } }; OpenSSL makes none of these two.
    let by_hand = |number: u8, inside: &[u8]| {
        let oid = [&b"\x06\x09\x2a\x86\x48\x86\xf7\x0d\x01\x07"[..], &[number]].concat();
        let tagged = match u8::try_from(inside.len()).unwrap() {
            0 => Vec::new(),
            length => [&[0xa0, length], inside].concat(),
        };
        let length = u8::try_from(oid.len() + tagged.len()).unwrap();
        [&[0x30, length], &oid[..], &tagged].concat()
    };
    let cases = [
        (by_hand(1, octets), Pkcs7Kind::Data),
        (
            signer
                .sign(TEXT, Pkcs7Flags::default())
                .encode(Encoding::Der),
            Pkcs7Kind::Signed,
        ),
        (by_hand(4, b""), Pkcs7Kind::SignedAndEnveloped),
        (signer.openssl(&digested, TEXT), Pkcs7Kind::Digested),
        (
            signer.openssl(&[&encrypted[..], &secret].concat(), TEXT),
            Pkcs7Kind::Encrypted,
        ),
        (by_hand(2, b""), Pkcs7Kind::Signed),
        (by_hand(3, b""), Pkcs7Kind::Enveloped),
    ];
    let lines: Vec<String> = cases.iter().map(|(der, _)| encode_block(der)).collect();
    let output = run(
        "/usr/bin/python3",
        &["-c", PYTHON],
        lines.join("\n").as_bytes(),
    );
    let messages = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{messages}");
    let theirs = String::from_utf8(output.stdout).unwrap();
    assert_eq!(theirs.lines().count(), cases.len());
    for ((der, kind), theirs) in cases.iter().zip(theirs.lines()) {
        let ours = Pkcs7::decode(Encoding::Der, der).unwrap();
        assert_eq!(ours.kind(), *kind);
        let predicates = [
            ours.is_signed(),
            ours.is_enveloped(),
            ours.is_signed_and_enveloped(),
            ours.is_data(),
        ];
        let [signed, enveloped, both, data] = predicates.map(u8::from);
        let ours_says = format!("{} {signed} {enveloped} {both} {data}", ours.type_name());
        assert_eq!(ours_says, theirs);
        let expected = (*kind == Pkcs7Kind::Data).then(|| b"abc".to_vec());
        assert_eq!(ours.data(), expected);
        // Whatever is absent, nothing is looked up in it.
        let _ = (ours.certificates(), ours.signer_count(), ours.is_detached());
        assert!(ours.crls().unwrap().is_empty());
        let _ = ours.dangerous_verify_signatures(&[], Some(TEXT), Pkcs7Flags::default());
        let _ = (ours.decrypt(&signer.cert, &signer.key), ours.to_smime(None));
    }
}

#[test]
fn what_is_no_structure_is_named() {
    let signer = Signer::new();
    let signed = signer.sign(TEXT, Pkcs7Flags::default());
    let bytes = signed.encode(Encoding::Der);
    let archive = crypto::Pkcs12::builder().cert(&signer.cert).iterations(1);
    let archive = archive.build("sesame").unwrap();
    let long = [&bytes[..], b"more"].concat();
    let signed_pem = signed.encode(Encoding::Pem);
    for (encoding, bytes, expected, text) in [
        (
            Encoding::Der,
            &archive[..],
            ConfigErrorKind::WrongObject,
            "is a PKCS #12 archive",
        ),
        (
            Encoding::Der,
            &der(&signer.cert),
            ConfigErrorKind::WrongObject,
            "is a certificate",
        ),
        (
            Encoding::Pem,
            &pem(&signer.cert),
            ConfigErrorKind::WrongObject,
            "is a certificate",
        ),
        (
            Encoding::Pem,
            &bytes,
            ConfigErrorKind::Malformed,
            "no BEGIN line",
        ),
        (
            Encoding::Der,
            &signed_pem,
            ConfigErrorKind::Malformed,
            "is in PEM form",
        ),
        (Encoding::Der, b"", ConfigErrorKind::Malformed, "is empty"),
        (
            Encoding::Der,
            &long,
            ConfigErrorKind::Malformed,
            "followed by 4 more",
        ),
    ] {
        let (found, message) = fault(Pkcs7::decode(encoding, bytes));
        assert_eq!(found, expected, "{message}");
        assert!(message.contains(text), "{message}");
    }
    for length in 1..bytes.len() {
        let cut = Pkcs7::decode(Encoding::Der, &bytes[..length]);
        assert_eq!(kind(cut), ConfigErrorKind::Malformed, "{length}");
    }
    let again = Pkcs7::decode(Encoding::Pem, &signed_pem).unwrap();
    assert_eq!(again, signed);
    let shown = format!("{again:?}");
    assert!(shown.starts_with("Pkcs7 { kind: Signed, "), "{shown}");
}
