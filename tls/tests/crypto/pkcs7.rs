//! PKCS #7 structures, made and read by the program `openssl` and python3-openssl.

use std::time::Duration;

use greenling_tls::crypto::{
    self, Cert, Crl, Digest, Encoding, Ext, KeyAlg, KeyPurpose, Name, Pkcs7, Pkcs7Flags, Pkcs7Kind,
    PrivateKey, Purpose, TestCa, Timestamp, TrustStore, VerifyOptions,
};
use greenling_tls::{ConfigErrorKind, Error};
use openssl::base64::encode_block;
use tempfile::TempDir;

use crate::boxes::{der, fault, key_pem, kind, pem, run};

const TEXT: &[u8] = b"first line\nsecond line\n";

/// A root, and a signer below it, for whom nothing is said that signatures might not
/// be used for.
struct Signer {
    root: Cert,
    cert: Cert,
    key: PrivateKey,
    folder: TempDir,
}

impl Signer {
    fn new() -> Signer {
        let ca = TestCa::new("root of signers").unwrap();
        let (cert, key) = certificate(&ca, Timestamp::now(), None);
        let signer = Signer {
            root: ca.root().clone(),
            cert,
            key,
            folder: tempfile::tempdir().unwrap(),
        };
        signer.write("root.pem", &pem(&signer.root));
        signer.write("cert.pem", &pem(&signer.cert));
        signer.write("key.pem", &key_pem(&signer.key));
        signer
    }

    fn write(&self, name: &str, content: &[u8]) -> String {
        let path = self.folder.path().join(name);
        std::fs::write(&path, content).unwrap();
        path.to_str().unwrap().to_owned()
    }

    fn path(&self, name: &str) -> String {
        self.folder.path().join(name).to_str().unwrap().to_owned()
    }

    fn store(&self) -> TrustStore {
        let store = TrustStore::builder().add_cert(self.root.clone());
        store.build().unwrap()
    }

    fn sign(&self, content: &[u8], flags: Pkcs7Flags) -> Pkcs7 {
        Pkcs7::sign(&self.cert, &self.key, &[], content, flags).unwrap()
    }

    /// Runs `openssl`, in whose arguments files of this folder begin with an `@`.
    fn openssl(&self, arguments: &[&str], input: &[u8]) -> Vec<u8> {
        let arguments: Vec<String> = arguments
            .iter()
            .map(|argument| match argument.strip_prefix('@') {
                Some(name) => self.path(name),
                None => (*argument).to_owned(),
            })
            .collect();
        let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
        let output = run("openssl", &arguments, input);
        let messages = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "{arguments:?}: {messages}");
        output.stdout
    }
}

/// A certificate with a P-256 key that is valid for an hour, for one purpose or any.
fn certificate(ca: &TestCa, from: Timestamp, purpose: Option<KeyPurpose>) -> (Cert, PrivateKey) {
    let key = PrivateKey::generate(KeyAlg::Ec(crypto::Curve::P256)).unwrap();
    let purpose = purpose.map(|purpose| Ext::extended_key_usage([purpose]).unwrap());
    let cert = Cert::builder()
        .subject("/CN=signer.test".parse::<Name>().unwrap())
        .issued_by(ca.root())
        .valid_for(from, Duration::from_secs(3600))
        .public_key(&key.public_key())
        .exts(purpose)
        .sign(ca.key(), Digest::Sha256)
        .unwrap();
    (cert, key)
}

fn crlf(text: &[u8]) -> Vec<u8> {
    String::from_utf8(text.to_vec())
        .unwrap()
        .replace('\n', "\r\n")
        .into_bytes()
}

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

#[test]
fn bad_signatures_are_told_apart_from_untrusted_signers() {
    let signer = Signer::new();
    let (store, none) = (signer.store(), Pkcs7Flags::default());
    let signed = signer.sign(TEXT, none);
    let untrusted = |result: Result<Vec<u8>, Error>, reason: &str| match result {
        Err(Error::Certificate(why)) => assert_eq!(why.reason(), reason),
        other => panic!("{other:?}"),
    };

    // Changed content, inside and beside.
    let mut changed = signed.encode(Encoding::Der);
    let at = changed
        .windows(5)
        .position(|five| five == b"first")
        .unwrap();
    changed[at] = b'F';
    let changed = Pkcs7::decode(Encoding::Der, &changed).unwrap();
    let (found, text) = fault(changed.verify(&store, &[], None, none));
    assert_eq!(found, ConfigErrorKind::BadSignature);
    assert!(text.contains("over other content"), "{text}");
    let detached = signer.sign(TEXT, Pkcs7Flags::DETACHED);
    let other = detached.verify(&store, &[], Some(b"other"), none);
    assert_eq!(kind(other), ConfigErrorKind::BadSignature);
    // The signature itself is at the end.
    let mut torn = signed.encode(Encoding::Der);
    *torn.last_mut().unwrap() ^= 1;
    let torn = Pkcs7::decode(Encoding::Der, &torn).unwrap();
    let torn = torn.verify(&store, &[], None, none);
    assert_eq!(kind(torn), ConfigErrorKind::BadSignature);

    // Somebody else's store, and an empty one.
    let other = TestCa::new("another root").unwrap();
    let others = TrustStore::builder().add_cert(other.root().clone());
    let missing = "unable to get local issuer certificate";
    untrusted(
        signed.verify(&others.build().unwrap(), &[], None, none),
        missing,
    );
    let empty = TrustStore::builder().build().unwrap();
    untrusted(signed.verify(&empty, &[], None, none), missing);
    assert_eq!(
        signed.dangerous_verify_signatures(&[], None, none).unwrap(),
        TEXT
    );

    // The signer's certificate has to be valid at the time, and good for the purpose.
    let soon = VerifyOptions::new().at(Timestamp::from_unix(Timestamp::now().as_unix() + 7200));
    untrusted(
        signed.verify_for(&store, &[], None, none, &soon),
        "certificate has expired",
    );
    let ca = TestCa::new("root of servers").unwrap();
    let store = TrustStore::builder()
        .add_cert(ca.root().clone())
        .build()
        .unwrap();
    let (cert, key) = certificate(&ca, Timestamp::now(), Some(KeyPurpose::ServerAuth));
    let signed = Pkcs7::sign(&cert, &key, &[], TEXT, none).unwrap();
    let wrong = "unsuitable certificate purpose";
    untrusted(signed.verify(&store, &[], None, none), wrong);
    let any = VerifyOptions::new().purpose(Purpose::Any);
    signed.verify_for(&store, &[], None, none, &any).unwrap();
    let long_ago = Timestamp::from_unix(Timestamp::now().as_unix() - 7200);
    let (cert, key) = certificate(&ca, long_ago, None);
    let signed = Pkcs7::sign(&cert, &key, &[], TEXT, none).unwrap();
    untrusted(
        signed.verify(&store, &[], None, none),
        "certificate has expired",
    );
}

#[test]
fn what_is_not_there_is_missed() {
    let signer = Signer::new();
    let (store, none) = (signer.store(), Pkcs7Flags::default());
    let without = signer.sign(TEXT, Pkcs7Flags::NO_CERTS);
    let (found, text) = fault(without.verify(&store, &[], None, none));
    assert_eq!(found, ConfigErrorKind::Missing);
    assert!(text.contains("neither in it nor was given"), "{text}");
    let certs = [signer.cert.clone()];
    assert_eq!(without.verify(&store, &certs, None, none).unwrap(), TEXT);
    let intern = signer.sign(TEXT, none);
    let only_given = intern.verify(&store, &[], None, Pkcs7Flags::NO_INTERN);
    assert_eq!(kind(only_given), ConfigErrorKind::Missing);
    let given = intern.verify(&store, &certs, None, Pkcs7Flags::NO_INTERN);
    assert_eq!(given.unwrap(), TEXT);

    let detached = signer.sign(TEXT, Pkcs7Flags::DETACHED);
    let (found, text) = fault(detached.verify(&store, &[], None, none));
    assert_eq!(found, ConfigErrorKind::Missing);
    assert!(text.contains("has its content elsewhere"), "{text}");
    let twice = intern.verify(&store, &[], Some(TEXT), none);
    assert_eq!(kind(twice), ConfigErrorKind::BadValue);

    let bundle = Pkcs7::certs_only(&certs, &[]).unwrap();
    for content in [None, Some(TEXT)] {
        let (found, text) = fault(bundle.verify(&store, &[], content, none));
        assert_eq!(found, ConfigErrorKind::Missing);
        assert!(text.contains("nobody has signed"), "{text}");
        assert_eq!(kind(bundle.signers(&[], none)), ConfigErrorKind::Missing);
    }
    // An intermediate that is only in the structure, and only used if it may be.
    let ca = TestCa::new("root of a chain").unwrap();
    let (middle, middle_key) = middle_of(&ca);
    let key = PrivateKey::generate(KeyAlg::Ec(crypto::Curve::P256)).unwrap();
    let leaf = Cert::builder()
        .subject("/CN=leaf".parse::<Name>().unwrap())
        .issued_by(&middle)
        .valid_for(Timestamp::now(), Duration::from_secs(3600))
        .public_key(&key.public_key())
        .sign(&middle_key, Digest::Sha256)
        .unwrap();
    let store = TrustStore::builder()
        .add_cert(ca.root().clone())
        .build()
        .unwrap();
    let signed = Pkcs7::sign(&leaf, &key, std::slice::from_ref(&middle), TEXT, none).unwrap();
    assert_eq!(signed.verify(&store, &[], None, none).unwrap(), TEXT);
    let without = signed.verify(&store, &[], None, Pkcs7Flags::NO_CHAIN);
    assert!(matches!(without, Err(Error::Certificate(_))));
    let given = signed.verify(&store, &[middle], None, Pkcs7Flags::NO_CHAIN);
    assert_eq!(given.unwrap(), TEXT);
}

/// An authority below another one.
fn middle_of(ca: &TestCa) -> (Cert, PrivateKey) {
    let key = PrivateKey::generate(KeyAlg::Ec(crypto::Curve::P256)).unwrap();
    let cert = Cert::builder()
        .subject("/CN=middle".parse::<Name>().unwrap())
        .issued_by(ca.root())
        .valid_for(Timestamp::now(), Duration::from_secs(3600))
        .public_key(&key.public_key())
        .ext(Ext::parse_conf("basicConstraints", true, "CA:TRUE", &Default::default()).unwrap())
        .sign(ca.key(), Digest::Sha256)
        .unwrap();
    (cert, key)
}

#[test]
fn bundles_carry_certificates_and_revocation_lists() {
    let signer = Signer::new();
    let certs = [signer.cert.clone(), signer.root.clone()];
    let crl = revocation_list(&signer);
    let bundle = Pkcs7::certs_only(&certs, std::slice::from_ref(&crl)).unwrap();
    let print = ["pkcs7", "-print_certs"];
    let text = signer.openssl(&print, &bundle.encode(Encoding::Pem));
    let text = String::from_utf8(text).unwrap();
    for part in [
        pem(&certs[0]),
        pem(&certs[1]),
        crl.encode(Encoding::Pem).unwrap(),
    ] {
        assert!(text.contains(std::str::from_utf8(&part).unwrap()), "{text}");
    }
    signer.write("crl.pem", &crl.encode(Encoding::Pem).unwrap());
    let make = [
        "crl2pkcs7",
        "-in",
        "@crl.pem",
        "-certfile",
        "@cert.pem",
        "-certfile",
        "@root.pem",
    ];
    let theirs = signer.openssl(&make, b"");
    let theirs = Pkcs7::decode(Encoding::Pem, &theirs).unwrap();
    assert_eq!(theirs, bundle);
    assert_eq!(theirs.certificates(), certs);
    let found = theirs.crls().unwrap();
    assert_eq!(found.len(), 1);
    let der = |crl: &Crl| crl.encode(Encoding::Der).unwrap();
    assert_eq!(der(&found[0]), der(&crl));
    assert!(theirs.is_detached() && theirs.signer_count() == 0);
}

/// By `openssl ca`, which needs a configuration and a database.
fn revocation_list(signer: &Signer) -> Crl {
    let ca = TestCa::new("root of a list").unwrap();
    let database = signer.write("database", b"");
    signer.write("ca.pem", &pem(ca.root()));
    signer.write("ca.key", &key_pem(ca.key()));
    let config = format!("[ca]\ndefault_ca=x\n[x]\ndatabase={database}\ndefault_md=sha256\n");
    signer.write("config", config.as_bytes());
    let make = [
        "ca", "-gencrl", "-config", "@config", "-cert", "@ca.pem", "-keyfile", "@ca.key",
    ];
    let crl = signer.openssl(&[&make[..], &["-crldays", "1"]].concat(), b"");
    Crl::decode(Encoding::Pem, &crl).unwrap()
}

#[test]
fn electronic_mail_is_read_and_written() {
    let signer = Signer::new();
    let (store, none) = (signer.store(), Pkcs7Flags::default());
    let verify = ["smime", "-verify", "-CAfile", "@root.pem"];
    let opaque = signer.sign(TEXT, Pkcs7Flags::CRLF);
    let message = opaque.to_smime(None).unwrap();
    assert!(message.starts_with(b"MIME-Version: 1.0"));
    assert_eq!(signer.openssl(&verify, &message), crlf(TEXT));
    let beside = signer.sign(TEXT, Pkcs7Flags::CRLF | Pkcs7Flags::DETACHED);
    let message = beside.to_smime(Some(TEXT)).unwrap();
    assert!(message.windows(16).any(|part| part == b"multipart/signed"));
    assert_eq!(signer.openssl(&verify, &message), crlf(TEXT));
    assert_eq!(kind(beside.to_smime(None)), ConfigErrorKind::Missing);
    assert_eq!(kind(opaque.to_smime(Some(TEXT))), ConfigErrorKind::BadValue);

    let sign = [
        "smime",
        "-sign",
        "-signer",
        "@cert.pem",
        "-inkey",
        "@key.pem",
    ];
    let (read, content) = Pkcs7::from_smime(&signer.openssl(&sign, TEXT)).unwrap();
    assert!(read.is_detached());
    let found = read.verify(&store, &[], content.as_deref(), none).unwrap();
    assert_eq!(found, crlf(TEXT));
    let opaque = [&sign[..], &["-nodetach"]].concat();
    let (read, content) = Pkcs7::from_smime(&signer.openssl(&opaque, TEXT)).unwrap();
    assert!(content.is_none());
    assert_eq!(read.verify(&store, &[], None, none).unwrap(), crlf(TEXT));
    for bad in [
        &b""[..],
        b"Content-Type: text/plain\n\nhello\n",
        &message[..message.len() / 2],
    ] {
        assert_eq!(kind(Pkcs7::from_smime(bad)), ConfigErrorKind::Malformed);
    }
}

/// The only algorithm for which PKCS #7 is encrypted.
#[test]
fn encrypted_content_is_read_and_written() {
    let signer = Signer::new();
    let key =
        PrivateKey::decode(Encoding::Pem, include_bytes!("data/rsa.pem"), None::<&str>).unwrap();
    let cert = Cert::builder()
        .subject("/CN=recipient".parse::<Name>().unwrap())
        .issuer("/CN=recipient".parse::<Name>().unwrap())
        .valid_for(Timestamp::now(), Duration::from_secs(3600))
        .public_key(&key.public_key())
        .sign(&key, Digest::Sha256)
        .unwrap();
    signer.write("rsa.pem", &pem(&cert));
    signer.write("rsa.key", &key_pem(&key));
    let sealed = Pkcs7::encrypt(std::slice::from_ref(&cert), TEXT).unwrap();
    assert_eq!(sealed.kind(), Pkcs7Kind::Enveloped);
    let open = [
        "smime", "-decrypt", "-inform", "PEM", "-recip", "@rsa.pem", "-inkey", "@rsa.key",
    ];
    assert_eq!(signer.openssl(&open, &sealed.encode(Encoding::Pem)), TEXT);
    let seal = [
        "smime",
        "-encrypt",
        "-binary",
        "-outform",
        "DER",
        "-aes-128-cbc",
        "@rsa.pem",
    ];
    let theirs = signer.openssl(&seal, TEXT);
    let theirs = Pkcs7::decode(Encoding::Der, &theirs).unwrap();
    assert!(theirs.is_enveloped());
    assert_eq!(theirs.decrypt(&cert, &key).unwrap(), TEXT);

    let other = theirs.decrypt(&signer.cert, &signer.key);
    assert_eq!(kind(other), ConfigErrorKind::KeyMismatch);
    let signed = signer.sign(TEXT, Pkcs7Flags::default());
    assert_eq!(
        kind(signed.decrypt(&cert, &key)),
        ConfigErrorKind::WrongObject
    );
    let (found, text) = fault(sealed.dangerous_verify_signatures(&[], None, Pkcs7Flags::default()));
    assert_eq!(found, ConfigErrorKind::WrongObject);
    assert!(
        text.contains("is not signed but pkcs7-envelopedData"),
        "{text}"
    );
    assert_eq!(kind(Pkcs7::encrypt(&[], TEXT)), ConfigErrorKind::Missing);
    let elliptic = Pkcs7::encrypt(std::slice::from_ref(&signer.cert), TEXT);
    assert!(matches!(elliptic, Err(Error::Unsupported(_))));
}

#[test]
fn keys_that_cannot_sign_are_refused() {
    let signer = Signer::new();
    let none = Pkcs7Flags::default();
    let (_, other) = crypto::self_signed(&["other"]).unwrap();
    let mismatch = Pkcs7::sign(&signer.cert, &other, &[], TEXT, none);
    assert_eq!(kind(mismatch), ConfigErrorKind::KeyMismatch);
    let key = PrivateKey::generate(KeyAlg::Ed25519).unwrap();
    let cert = Cert::builder()
        .subject("/CN=edwards".parse::<Name>().unwrap())
        .issuer("/CN=edwards".parse::<Name>().unwrap())
        .valid_for(Timestamp::now(), Duration::from_secs(3600))
        .public_key(&key.public_key())
        .sign(&key, Digest::Sha256)
        .unwrap();
    let refused = Pkcs7::sign(&cert, &key, &[], TEXT, none);
    assert!(matches!(refused, Err(Error::Unsupported(_))));
}

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
