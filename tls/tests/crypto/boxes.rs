//! What the tests of both kinds of containers share.

use greenling_tls::crypto::{Cert, Encoding, PrivateKey, TestCa};

pub(crate) fn der(cert: &Cert) -> Vec<u8> {
    cert.encode(Encoding::Der).unwrap()
}

pub(crate) fn pem(cert: &Cert) -> Vec<u8> {
    cert.encode(Encoding::Pem).unwrap()
}

pub(crate) fn key_pem(key: &PrivateKey) -> Vec<u8> {
    key.as_pkey().private_key_to_pem_pkcs8().unwrap()
}

/// A leaf that this authority has issued, with its key.
pub(crate) fn issue(ca: &TestCa, name: &str) -> (Cert, PrivateKey) {
    let identity = ca.issue(&[name]).unwrap();
    (identity.certificate(), identity.private_key())
}
