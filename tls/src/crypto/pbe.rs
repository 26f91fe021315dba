//! How much work an encryption by passphrase asks for.
//!
//! A file says itself how often its key is derived (RFC 8018, section 4.2), and
//! OpenSSL does what it says: a hostile one keeps a thread busy for hours before
//! the passphrase turns out to be wrong. So the numbers are read here first, and
//! added up for the file as a whole.

use openssl::error::ErrorStack;

use super::der::{self, INTEGER, OCTET_STRING, OID, Reader, SEQUENCE};
use crate::config_error::{ConfigError, ConfigErrorKind};

/// The most iterations that one file may ask for in all: some seconds of work,
/// and ten times what is recommended for any single derivation.
pub(crate) const ITERATIONS_MAX: u32 = 10_000_000;

/// `pkcs-5` (RFC 8018, appendix C).
const PKCS5: &[u8] = &[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x05];
/// `pkcs-12PbeIds` (RFC 7292, appendix C).
const PKCS12_PBE: &[u8] = &[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x0c, 0x01];
/// `id-scrypt` (RFC 7914, section 7).
const SCRYPT: &[u8] = &[0x2b, 0x06, 0x01, 0x04, 0x01, 0xda, 0x47, 0x04, 0x0b];
/// The members of `pkcs-5`.
const PBKDF2: u8 = 12;
const PBES2: u8 = 13;
const PBMAC1: u8 = 14;

/// Whether OpenSSL has not got the cipher, whatever the passphrase. What a wrong one
/// makes of the input may be of an unsupported form as well, but for the decoders.
pub(crate) fn is_unsupported(stack: &ErrorStack) -> bool {
    stack.errors().iter().any(|error| match error.reason() {
        Some("unsupported") => error.library() == Some("digital envelope routines"),
        Some(reason) => ["unknown pbe algorithm", "unsupported encryption"].contains(&reason),
        None => false,
    })
}

/// What a file has asked for so far.
#[derive(Debug, Default)]
pub(crate) struct Work(u64);

/// Why a file is not worked on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Refused {
    /// It asks for more than [`ITERATIONS_MAX`].
    TooMuch,
    /// The parameters of an encryption cannot be read.
    Malformed,
}

impl Refused {
    /// The error about a file that messages call `subject`.
    pub(crate) fn explain(self, subject: &str) -> ConfigError {
        let (kind, detail) = match self {
            Refused::TooMuch => (
                ConfigErrorKind::Rejected,
                "opening it takes more than 10,000,000 rounds of hashing",
            ),
            Refused::Malformed => (
                ConfigErrorKind::Malformed,
                "has damaged parameters of encryption",
            ),
        };
        ConfigError::new(kind, subject, detail)
    }
}

impl Work {
    /// Adds so many iterations.
    pub(crate) fn add(&mut self, iterations: u64) -> Result<(), Refused> {
        self.0 = self.0.saturating_add(iterations);
        if self.0 > u64::from(ITERATIONS_MAX) {
            return Err(Refused::TooMuch);
        }
        Ok(())
    }

    /// Adds the iterations of an `EncryptedPrivateKeyInfo` (RFC 5958, section 3).
    pub(crate) fn add_sealed_key(&mut self, sealed: &[u8]) -> Result<(), Refused> {
        let algorithm = Reader::only(sealed, SEQUENCE).and_then(|mut fields| fields.next());
        self.add_algorithm(algorithm.ok_or(Refused::Malformed)?.whole)
    }

    /// Adds the iterations of an `AlgorithmIdentifier` in DER.
    pub(crate) fn add_algorithm(&mut self, algorithm: &[u8]) -> Result<(), Refused> {
        let iterations = iterations(algorithm).ok_or(Refused::Malformed)?;
        self.add(iterations)
    }
}

/// The iterations of an `AlgorithmIdentifier`. OpenSSL derives no key by an
/// algorithm that is not listed here, so others cost nothing.
fn iterations(algorithm: &[u8]) -> Option<u64> {
    let mut fields = Reader::only(algorithm, SEQUENCE)?;
    let oid = fields.take(OID)?;
    if let Some(&[member]) = oid.strip_prefix(PKCS5) {
        let mut parameters = fields.sequence()?;
        return match member {
            PBKDF2 => {
                parameters.next()?; // the salt, or where it comes from
                integer(&mut parameters)
            }
            // Both begin with the derivation. They do not nest, in spite of what
            // the syntax allows, so neither does this.
            PBES2 | PBMAC1 => {
                let derivation = parameters.next()?.whole;
                let is_nested = |member| oid_of(derivation) == Some(&[PKCS5, &[member]].concat());
                if is_nested(PBES2) || is_nested(PBMAC1) {
                    return None;
                }
                iterations(derivation)
            }
            _ => salt_and_count(&mut parameters),
        };
    }
    if oid.starts_with(PKCS12_PBE) {
        return salt_and_count(&mut fields.sequence()?);
    }
    if oid == SCRYPT {
        let mut parameters = fields.sequence()?;
        parameters.take(OCTET_STRING)?;
        let cost = integer(&mut parameters)?;
        let block = integer(&mut parameters)?;
        let parallel = integer(&mut parameters)?;
        // Salsa20/8 runs twice for every 64 bytes of every block.
        let runs = cost.saturating_mul(block).saturating_mul(parallel);
        return Some(runs.saturating_mul(2));
    }
    Some(0)
}

/// `PBEParameter` and `pkcs-12PbeParams`.
fn salt_and_count(parameters: &mut Reader<'_>) -> Option<u64> {
    parameters.take(OCTET_STRING)?;
    integer(parameters)
}

fn oid_of(algorithm: &[u8]) -> Option<&[u8]> {
    Reader::only(algorithm, SEQUENCE)?.take(OID)
}

/// The next value, a number; the largest there is for those of more than eight bytes.
fn integer(values: &mut Reader<'_>) -> Option<u64> {
    let digits = der::magnitude(values.take(INTEGER)?)?;
    if digits.len() > size_of::<u64>() {
        return Some(u64::MAX);
    }
    let number = digits
        .iter()
        .fold(0, |sum, digit| sum << 8 | u64::from(*digit));
    Some(number)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::crypto::der::value;

    fn algorithm(oid: &[u8], parameters: &[&[u8]]) -> Vec<u8> {
        let parameters = der::parts(SEQUENCE, parameters);
        der::parts(SEQUENCE, [value(OID, oid), parameters])
    }

    #[test]
    fn the_iterations_of_every_scheme_are_found() {
        let salt = value(OCTET_STRING, b"saltsalt");
        let count = value(INTEGER, [0x08, 0x00]);
        let old = algorithm(&[PKCS12_PBE, &[6]].concat(), &[&salt, &count]);
        assert_eq!(iterations(&old), Some(2048));
        let older = algorithm(&[PKCS5, &[3]].concat(), &[&salt, &count]);
        assert_eq!(iterations(&older), Some(2048));
        let pbkdf2 = algorithm(&[PKCS5, &[PBKDF2]].concat(), &[&salt, &count]);
        assert_eq!(iterations(&pbkdf2), Some(2048));
        let cipher = algorithm(&[0x60], &[]);
        for scheme in [PBES2, PBMAC1] {
            let oid = [PKCS5, &[scheme]].concat();
            assert_eq!(
                iterations(&algorithm(&oid, &[&pbkdf2, &cipher])),
                Some(2048)
            );
            let nested = algorithm(&oid, &[&pbkdf2, &cipher]);
            assert_eq!(iterations(&algorithm(&oid, &[&nested, &cipher])), None);
        }
        let (cost, eight, two) = (
            value(INTEGER, [0x40, 0x00]),
            value(INTEGER, [8]),
            value(INTEGER, [2]),
        );
        let scrypt = algorithm(SCRYPT, &[&salt, &cost, &eight, &two]);
        assert_eq!(iterations(&scrypt), Some(16384 * 8 * 2 * 2));
        assert_eq!(iterations(&cipher), Some(0));
    }

    #[test]
    fn absurd_numbers_are_too_much_and_damage_is_damage() {
        let salt = value(OCTET_STRING, b"salt");
        let oid = [PKCS12_PBE, &[6]].concat();
        for number in [&[1; 9][..], &[0x7f, 0xff, 0xff, 0xff]] {
            let old = algorithm(&oid, &[&salt, &value(INTEGER, number)]);
            assert_eq!(Work::default().add_algorithm(&old), Err(Refused::TooMuch));
        }
        let good = algorithm(&oid, &[&salt, &value(INTEGER, [1])]);
        for cut in 0..good.len() {
            let refused = Work::default().add_algorithm(&good[..cut]);
            assert_eq!(refused, Err(Refused::Malformed), "{cut}");
        }
        let mut work = Work::default();
        assert_eq!(work.add(ITERATIONS_MAX.into()), Ok(()));
        assert_eq!(work.add_algorithm(&good), Err(Refused::TooMuch));
    }

    #[test]
    fn a_sealed_key_asks_by_the_algorithm_before_it() {
        let sealed = |cost: &[u8]| {
            let salt = value(OCTET_STRING, b"salt");
            let numbers = [cost, &[8], &[1]].map(|number| value(INTEGER, number));
            let [cost, block, parallel] = &numbers;
            let scheme = algorithm(SCRYPT, &[&salt, cost, block, parallel]);
            der::parts(SEQUENCE, [scheme, value(OCTET_STRING, [0; 16])])
        };
        let good = sealed(&[0x40, 0]);
        assert_eq!(Work::default().add_sealed_key(&good), Ok(()));
        let endless = sealed(&[0x7f; 8]);
        let refused = Work::default().add_sealed_key(&endless);
        assert_eq!(refused, Err(Refused::TooMuch));
        for bad in [
            &good[..10],
            &[],
            &[0x30, 0],
            &[0x30, 0x80, 0x30, 0x80, 0, 0, 0, 0],
        ] {
            let refused = Work::default().add_sealed_key(bad);
            assert_eq!(refused, Err(Refused::Malformed));
        }
    }
}
