//! Signatures that are not good, and signers who are not trusted.

use std::time::Duration;

use greenling_tls::crypto::{
    self, Cert, Digest, Encoding, Ext, KeyAlg, KeyPurpose, Name, Pkcs7, Pkcs7Flags, PrivateKey,
    Purpose, TestCa, Timestamp, TrustStore, VerifyOptions,
};
use greenling_tls::{ConfigErrorKind, Error};

use super::{Signer, TEXT, certificate};
use crate::support::{fault, kind};

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
