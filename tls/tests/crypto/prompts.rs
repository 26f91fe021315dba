//! Whatever claims to be encrypted and is no key is refused. OpenSSL's own readers would
//! ask for a passphrase on the terminal, and the thread would wait for it.

use greenling_tls::crypto::{
    Crl, Csr, Curve, Digest, Encoding, KeyAlg, Pkcs7, PrivateKey, PublicKey, TestCa, Timestamp,
    TrustStore,
};
use greenling_tls::{ContextBuilder, Error, Identity};

/// The same object, with a header. OpenSSL accepts more forms of it than one.
fn encrypted(pem: &[u8], header: &str) -> Vec<u8> {
    let text = String::from_utf8(pem.to_vec()).unwrap();
    let header =
        format!("-----\n{header}\nDEK-Info: AES-128-CBC,00112233445566778899AABBCCDDEEFF\n\n");
    text.replacen("-----\n", &header, 1).into_bytes()
}

/// A key, and a request in PEM form for a certificate of it.
fn key_and_request() -> (PrivateKey, Vec<u8>) {
    let key = PrivateKey::generate(KeyAlg::Ec(Curve::P256)).unwrap();
    let subject = "/CN=any".parse().unwrap();
    let request = Csr::builder().subject(subject).sign(&key, Digest::Sha256);
    let request = request.unwrap().encode(Encoding::Pem).unwrap();
    (key, request)
}

/// What the refusal says.
fn fault<T>(result: Result<T, Error>) -> String {
    match result {
        Err(Error::Config(fault)) => fault.to_string(),
        Err(other) => panic!("{other}"),
        Ok(_) => panic!("not refused"),
    }
}

#[test]
fn nobody_is_asked_for_a_passphrase_but_for_keys() {
    let ca = TestCa::new("any").unwrap();
    let (key, request) = key_and_request();
    let public = key.public_key().encode(Encoding::Pem).unwrap();
    let list = Crl::builder()
        .issued_by(ca.root())
        .next_update(Timestamp::MAX);
    let list = list.sign(ca.key(), Digest::Sha256).unwrap();
    let list = list.encode(Encoding::Pem).unwrap();
    let box_of_certs = Pkcs7::certs_only(&[ca.root().clone()], &[]).unwrap();
    let box_of_certs = box_of_certs.encode(Encoding::Pem);
    let root = ca.root_pem().unwrap();
    let plain = key.encode(Encoding::Pem, None).unwrap();
    for header in [
        "Proc-Type: 4,ENCRYPTED",
        "Proc-Type:4,ENCRYPTED",
        "Proc-Type: \t4,\tENCRYPTED",
    ] {
        let of = |pem: &[u8]| encrypted(pem, header);
        for told in [
            fault(Csr::decode(Encoding::Pem, &of(&request))),
            fault(PublicKey::decode(Encoding::Pem, &of(&public))),
            fault(Crl::decode(Encoding::Pem, &of(&list))),
            fault(Pkcs7::decode(Encoding::Pem, &of(&box_of_certs))),
            fault(TrustStore::builder().add_pem(of(&root)).build()),
            fault(Identity::from_pem(&of(&root), &plain)),
            fault(ContextBuilder::client().trust_pem(of(&root)).build()),
        ] {
            // This is what OpenSSL says when nobody answers.
            assert!(!told.contains("getting password"), "{told}");
        }
    }
}

/// OpenSSL takes for the begin of an object what is none by RFC 7468: it cuts long lines,
/// and leaves out control characters at their end.
#[test]
fn nor_for_what_only_openssl_sees() {
    let ca = TestCa::new("any").unwrap();
    let (key, request) = key_and_request();
    let public = key.public_key().encode(Encoding::Pem).unwrap();
    let root = ca.root_pem().unwrap();
    let plain = ca.key().encode(Encoding::Pem, None).unwrap();
    let long = "x".repeat(254);
    for (before, after) in [("", "-----\u{1}\n"), (&*long, "-----\n")] {
        let hidden = |pem: &[u8]| {
            let object = encrypted(pem, "Proc-Type: 4,ENCRYPTED");
            let object = String::from_utf8(object).unwrap();
            let hidden = format!("{before}{}", object.replacen("-----\n", after, 1));
            [hidden.as_bytes(), pem].concat()
        };
        Csr::decode(Encoding::Pem, &hidden(&request)).unwrap();
        PublicKey::decode(Encoding::Pem, &hidden(&public)).unwrap();
        Identity::from_pem(&hidden(&root), &plain).unwrap();
    }
}
