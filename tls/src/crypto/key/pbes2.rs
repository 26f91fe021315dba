//! Encrypted private keys in the form of PKCS #8 (RFC 5958), by PBES2 (RFC 8018).
//!
//! OpenSSL's own writer takes no number of iterations but uses 2048, and the
//! `openssl` crate's leaves a copy of the passphrase in memory.

use openssl::error::ErrorStack;
use openssl::hash::MessageDigest;
use openssl::pkcs5::pbkdf2_hmac;
use openssl::rand::rand_bytes;
use openssl::symm::encrypt;
use zeroize::Zeroizing;

use super::protect::KeyCipher;
use crate::crypto::der::{self, NULL, OCTET_STRING, OID, SEQUENCE, value};

const PBES2: &[u8] = b"\x2a\x86\x48\x86\xf7\x0d\x01\x05\x0d";
const PBKDF2: &[u8] = b"\x2a\x86\x48\x86\xf7\x0d\x01\x05\x0c";
const HMAC_SHA256: &[u8] = b"\x2a\x86\x48\x86\xf7\x0d\x02\x09";

/// NIST SP 800-132 asks for 16 bytes.
const SALT_LENGTH: usize = 16;

/// An `EncryptedPrivateKeyInfo` with `key`, which is a `PrivateKeyInfo`, inside.
pub(super) fn seal(
    key: &[u8],
    cipher: KeyCipher,
    iterations: u32,
    passphrase: &[u8],
) -> Result<Vec<u8>, ErrorStack> {
    let mut salt = [0; SALT_LENGTH];
    rand_bytes(&mut salt)?;
    let algorithm = cipher.openssl();
    let mut iv = vec![0; algorithm.iv_len().unwrap_or(0)];
    rand_bytes(&mut iv)?;
    let mut secret = Zeroizing::new(vec![0; algorithm.key_len()]);
    let digest = MessageDigest::sha256();
    pbkdf2_hmac(passphrase, &salt, iterations as usize, digest, &mut secret)?;
    let sealed = encrypt(algorithm, &secret, Some(&iv), key)?;

    let hash = der::parts(SEQUENCE, [value(OID, HMAC_SHA256), value(NULL, [])]);
    let derivation = [
        value(OCTET_STRING, salt),
        der::integer(&iterations.to_be_bytes()),
        hash,
    ];
    let derivation = [value(OID, PBKDF2), der::parts(SEQUENCE, derivation)];
    let encryption = [value(OID, oid(cipher)), value(OCTET_STRING, iv)];
    let schemes = [derivation, encryption].map(|parts| der::parts(SEQUENCE, parts));
    let scheme = [value(OID, PBES2), der::parts(SEQUENCE, schemes)];
    Ok(der::parts(
        SEQUENCE,
        [der::parts(SEQUENCE, scheme), value(OCTET_STRING, sealed)],
    ))
}

fn oid(cipher: KeyCipher) -> &'static [u8] {
    match cipher {
        KeyCipher::Aes128Cbc => b"\x60\x86\x48\x01\x65\x03\x04\x01\x02",
        KeyCipher::Aes192Cbc => b"\x60\x86\x48\x01\x65\x03\x04\x01\x16",
        KeyCipher::Aes256Cbc => b"\x60\x86\x48\x01\x65\x03\x04\x01\x2a",
        KeyCipher::DesEde3Cbc => b"\x2a\x86\x48\x86\xf7\x0d\x03\x07",
    }
}
