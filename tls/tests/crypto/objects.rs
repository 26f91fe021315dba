//! Both forms of each kind of object, and what is said of the wrong kind.

use greenling_tls::crypto::{self, Cert, Encoding};
use greenling_tls::{ConfigErrorKind, Error};

use crate::support::openssl_text;

fn kind(result: Result<Cert, Error>) -> ConfigErrorKind {
    match result {
        Err(Error::Config(error)) => error.kind(),
        other => panic!("{other:?}"),
    }
}

#[test]
fn both_forms_of_a_certificate_are_those_of_openssl() {
    let (cert, _) = crypto::self_signed(&["localhost"]).unwrap();
    let pem = cert.encode(Encoding::Pem).unwrap();
    let der = cert.encode(Encoding::Der).unwrap();
    let theirs = openssl_text(&["x509", "-inform", "DER"], &der);
    assert_eq!(theirs.as_bytes(), pem);
    let read = Cert::decode(Encoding::Pem, theirs.as_bytes()).unwrap();
    assert_eq!(read.encode(Encoding::Der).unwrap(), der);
}

#[test]
fn a_request_in_place_of_a_certificate_is_named() {
    let request = b"-----BEGIN CERTIFICATE REQUEST-----\n-----END CERTIFICATE REQUEST-----\n";
    let found = kind(Cert::decode(Encoding::Pem, request));
    assert_eq!(found, ConfigErrorKind::WrongObject);
}
