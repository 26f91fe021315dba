//! Signatures that are good.

use greenling_tls::Error;
use greenling_tls::crypto::{self, Encoding, Pkcs7, Pkcs7Flags};

use super::{Signer, TEXT, crlf};
use crate::boxes::{key_pem, pem};

#[test]
fn openssl_verifies_what_is_signed() {
    let signer = Signer::new();
    let none = Pkcs7Flags::default();
    let smime = |more: &[&str], structure: &Pkcs7| {
        let verify = ["smime", "-verify", "-inform", "PEM", "-CAfile", "@root.pem"];
        let pem = structure.encode(Encoding::Pem);
        signer.openssl(&[&verify, more].concat(), &pem)
    };
    let attached = signer.sign(TEXT, none);
    assert_eq!(smime(&[], &attached), TEXT);
    assert_eq!(smime(&[], &signer.sign(TEXT, Pkcs7Flags::CRLF)), crlf(TEXT));
    assert_eq!(
        smime(&["-text"], &signer.sign(TEXT, Pkcs7Flags::TEXT)),
        crlf(TEXT)
    );
    let without = Pkcs7Flags::NO_ATTRIBUTES | Pkcs7Flags::NO_CERTS;
    let without = signer.sign(TEXT, without);
    assert_eq!(smime(&["-certfile", "@cert.pem"], &without), TEXT);
    let detached = signer.sign(TEXT, Pkcs7Flags::DETACHED);
    signer.write("content", TEXT);
    assert_eq!(smime(&["-content", "@content", "-binary"], &detached), TEXT);

    let cms = [
        "cms",
        "-verify",
        "-binary",
        "-inform",
        "DER",
        "-CAfile",
        "@root.pem",
    ];
    assert_eq!(signer.openssl(&cms, &attached.encode(Encoding::Der)), TEXT);
    let parse = ["asn1parse", "-inform", "DER"];
    let shown = |structure: &Pkcs7| {
        let shown = signer.openssl(&parse, &structure.encode(Encoding::Der));
        String::from_utf8(shown).unwrap()
    };
    assert!(shown(&attached).contains("signingTime"));
    assert!(shown(&attached).contains("S/MIME Capabilities"));
    assert!(shown(&attached).contains(":sha256"));
    assert!(!shown(&without).contains("signingTime"));
    assert!(!shown(&signer.sign(TEXT, Pkcs7Flags::NO_CAPABILITIES)).contains("S/MIME Cap"));
}

#[test]
fn what_openssl_signs_is_verified() {
    let signer = Signer::new();
    let store = signer.store();
    let sign = |tool: &str, more: &[&str]| {
        let fixed = ["-sign", "-signer", "@cert.pem", "-inkey", "@key.pem"];
        signer.openssl(&[&[tool], &fixed[..], more].concat(), TEXT)
    };
    let der = ["-outform", "DER", "-nodetach", "-binary"];
    let none = Pkcs7Flags::default();
    for (tool, more) in [
        ("smime", &[][..]),
        ("smime", &["-noattr"]),
        ("smime", &["-md", "sha512", "-certfile", "@root.pem"]),
        ("cms", &[]),
        ("cms", &["-noattr"]),
    ] {
        let made = sign(tool, &[&der, more].concat());
        let read = Pkcs7::decode(Encoding::Der, &made).unwrap();
        assert!(read.is_signed() && !read.is_detached());
        assert_eq!(read.verify(&store, &[], None, none).unwrap(), TEXT);
        assert_eq!(read.signers(&[], none).unwrap()[0], signer.cert);
        let certs = 1 + usize::from(more.contains(&"-certfile"));
        assert_eq!((read.certificates().len(), read.signer_count()), (certs, 1));
    }
    let text = sign("smime", &["-text", "-nodetach", "-outform", "PEM"]);
    let text = Pkcs7::decode(Encoding::Pem, &text).unwrap();
    let found = text.verify(&store, &[], None, Pkcs7Flags::TEXT).unwrap();
    assert_eq!(found, crlf(TEXT));
    assert!(
        text.verify(&store, &[], None, none)
            .unwrap()
            .starts_with(b"Content-Type: text/plain")
    );

    let detached = sign("smime", &["-binary", "-outform", "PEM", "-nocerts"]);
    let detached = Pkcs7::decode(Encoding::Pem, &detached).unwrap();
    assert!(detached.is_detached() && detached.certificates().is_empty());
    let certs = [signer.cert.clone()];
    let found = detached.verify(&store, &certs, Some(TEXT), none).unwrap();
    assert_eq!(found, TEXT);
    // Two signatures; both have to be good.
    let first = signer.sign(TEXT, none);
    let (other, key) = crypto::self_signed(&["other"]).unwrap();
    signer.write("other.pem", &pem(&other));
    signer.write("other.key", &key_pem(&key));
    let resign = [
        "smime",
        "-resign",
        "-inform",
        "DER",
        "-nodetach",
        "-outform",
        "DER",
    ];
    let resign = [
        &resign[..],
        &["-signer", "@other.pem", "-inkey", "@other.key"],
    ]
    .concat();
    let both = signer.openssl(&resign, &first.encode(Encoding::Der));
    let both = Pkcs7::decode(Encoding::Der, &both).unwrap();
    assert_eq!(both.signer_count(), 2);
    assert_eq!(
        both.dangerous_verify_signatures(&[], None, none).unwrap(),
        TEXT
    );
    assert!(matches!(
        both.verify(&store, &[], None, none),
        Err(Error::Certificate(_))
    ));
}
