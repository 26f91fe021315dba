//! What else travels in structures, and how they travel.

use std::time::Duration;

use greenling_tls::crypto::{
    Cert, Crl, Digest, Encoding, Name, Pkcs7, Pkcs7Flags, Pkcs7Kind, PrivateKey, TestCa, Timestamp,
};
use greenling_tls::{ConfigErrorKind, Error};

use super::{Signer, TEXT, crlf};
use crate::boxes::{key_pem, pem};
use crate::support::{fault, kind};

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
    let key = PrivateKey::decode(
        Encoding::Pem,
        include_bytes!("../data/rsa.pem"),
        None::<&str>,
    )
    .unwrap();
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
