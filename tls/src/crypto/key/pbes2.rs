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

use super::protect::{ITERATIONS_MAX, KeyCipher};
use crate::crypto::der::{self, INTEGER, NULL, OCTET_STRING, OID, Reader, SEQUENCE, value};

const PBES2: &[u8] = b"\x2a\x86\x48\x86\xf7\x0d\x01\x05\x0d";
const PBKDF2: &[u8] = b"\x2a\x86\x48\x86\xf7\x0d\x01\x05\x0c";
const HMAC_SHA256: &[u8] = b"\x2a\x86\x48\x86\xf7\x0d\x02\x09";
const SCRYPT: &[u8] = b"\x2b\x06\x01\x04\x01\xda\x47\x04\x0b";

/// NIST SP 800-132 asks for 16 bytes.
const SALT_LENGTH: usize = 16;

/// The work of scrypt, as the product of its three numbers, that we do for a key. 128
/// times what RFC 7914 recommends.
const SCRYPT_MAX: u64 = 1 << 24;

/// How deep numbers are looked for; PBES2 needs four.
const DEPTH_MAX: usize = 8;

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

/// Whether opening this `EncryptedPrivateKeyInfo` takes longer than anyone means it
/// to: OpenSSL hashes as often as the input says, for hours if need be. `None` when
/// that cannot be told, since it is not in DER.
pub(super) fn is_excessive(sealed: &[u8]) -> Option<bool> {
    let algorithm = Reader::only(sealed, SEQUENCE)?.next()?;
    let mut numbers = Vec::new();
    integers(Reader::new(algorithm.whole), DEPTH_MAX, &mut numbers)?;
    let mut octets = algorithm.content.windows(SCRYPT.len());
    if octets.any(|part| part == SCRYPT) {
        let work = numbers.iter().take(3);
        let work = work.fold(1, |work: u64, number| work.saturating_mul(*number));
        return Some(work > SCRYPT_MAX);
    }
    let most = numbers.into_iter().max().unwrap_or(0);
    Some(most > u64::from(ITERATIONS_MAX))
}

/// All integers among these values and inside them, in order.
fn integers(mut values: Reader<'_>, depth: usize, found: &mut Vec<u64>) -> Option<()> {
    while !values.is_empty() {
        let item = values.next()?;
        match item.tag {
            INTEGER => {
                let digits = der::magnitude(item.content)?;
                let whole = digits
                    .iter()
                    .fold(0, |sum, digit| sum << 8 | u64::from(*digit));
                found.push(if digits.len() > 8 { u64::MAX } else { whole });
            }
            SEQUENCE if depth == 0 => return None,
            SEQUENCE => integers(Reader::new(item.content), depth - 1, found)?,
            _ => {}
        }
    }
    Some(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sealed(oid: &[u8], numbers: &[u32]) -> Vec<u8> {
        let numbers = numbers
            .iter()
            .map(|number| der::integer(&number.to_be_bytes()));
        let algorithm = [value(OID, oid), der::parts(SEQUENCE, numbers)];
        let parts = [
            der::parts(SEQUENCE, algorithm),
            value(OCTET_STRING, [0; 16]),
        ];
        der::parts(SEQUENCE, parts)
    }

    #[test]
    fn work_without_end_is_recognised() {
        for (oid, numbers, excessive) in [
            (PBKDF2, &[2048][..], false),
            (PBKDF2, &[10_000_000], false),
            (PBKDF2, &[10_000_001], true),
            (PBKDF2, &[u32::MAX, 32], true),
            (SCRYPT, &[16384, 8, 1, 32], false),
            (SCRYPT, &[16384, 8, 1000], true),
            (SCRYPT, &[u32::MAX, u32::MAX, u32::MAX], true),
        ] {
            let sealed = sealed(oid, numbers);
            assert_eq!(is_excessive(&sealed), Some(excessive), "{numbers:?}");
        }
    }

    #[test]
    fn what_is_damaged_or_nested_without_end_is_not_opened() {
        let mut damaged = sealed(PBKDF2, &[2048]);
        damaged.truncate(10);
        assert_eq!(is_excessive(&damaged), None);
        let nested = (0..20).fold(der::integer(&[1]), |inner, _| value(SEQUENCE, inner));
        let parts = [value(SEQUENCE, nested), value(OCTET_STRING, [0; 16])];
        assert_eq!(is_excessive(&der::parts(SEQUENCE, parts)), None);
        let indefinite = [0x30, 0x80, 0x30, 0x80, 0, 0, 0, 0];
        assert_eq!(is_excessive(&indefinite), None);
    }
}
