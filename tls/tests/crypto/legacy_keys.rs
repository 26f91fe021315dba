//! DSA keys, made.

use greenling_tls::crypto::{Digest, KeyAlg, legacy};
use greenling_tls::{ConfigErrorKind, Encoding};

use crate::support::{kind, openssl_text};

#[test]
fn openssl_takes_a_new_dsa_key() {
    let key = legacy::generate_dsa(1024).unwrap();
    assert_eq!(key.algorithm(), KeyAlg::Dsa(1024));
    let pem = key.encode_traditional(Encoding::Pem, None).unwrap();
    let text = openssl_text(&["dsa", "-text", "-noout"], &pem);
    assert!(text.contains("Private-Key: (1024 bit"), "{text}");
    let verdict = openssl_text(&["pkey", "-check", "-noout"], &pem);
    assert!(verdict.contains("Key is valid"), "{verdict}");
    let signature = key.sign(Digest::Sha256, b"message").unwrap();
    key.public_key()
        .verify(Digest::Sha256, b"message", &signature)
        .unwrap();
}

#[test]
fn sizes_without_a_standard_are_not_made() {
    for bits in [0, 512, 1025, 4096, u32::MAX] {
        let refused = legacy::generate_dsa(bits);
        assert_eq!(kind(refused), ConfigErrorKind::BadValue, "{bits}");
    }
}
