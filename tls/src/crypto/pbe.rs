//! How much work an encryption by passphrase asks for.
//!
//! A file says itself how often its key is derived (RFC 8018, section 4.2), and
//! OpenSSL does what it says: a hostile one keeps a thread busy for hours before
//! the passphrase turns out to be wrong. So the numbers are read here first, and
//! added up for the file as a whole.

/// The most iterations that one file may ask for in all: some seconds of work,
/// and ten times what is recommended for any single derivation.
pub(crate) const ITERATIONS_MAX: u64 = 10_000_000;

const INTEGER: u8 = 0x02;
const OCTET_STRING: u8 = 0x04;
const OID: u8 = 0x06;
const SEQUENCE: u8 = 0x30;

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

impl Work {
    /// Adds so many iterations.
    pub(crate) fn add(&mut self, iterations: u64) -> Result<(), Refused> {
        self.0 = self.0.saturating_add(iterations);
        if self.0 > ITERATIONS_MAX {
            return Err(Refused::TooMuch);
        }
        Ok(())
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
    let mut outer = Reader(algorithm);
    let mut fields = Reader(outer.value(SEQUENCE)?);
    let oid = fields.value(OID)?;
    if let Some(&[member]) = oid.strip_prefix(PKCS5) {
        let mut parameters = Reader(fields.value(SEQUENCE)?);
        return match member {
            PBKDF2 => {
                parameters.skip()?; // the salt, or where it comes from
                parameters.integer()
            }
            // Both begin with the derivation. They do not nest, in spite of what
            // the syntax allows, so neither does this.
            PBES2 | PBMAC1 => {
                let derivation = parameters.whole()?;
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
        return salt_and_count(&mut Reader(fields.value(SEQUENCE)?));
    }
    if oid == SCRYPT {
        let mut parameters = Reader(fields.value(SEQUENCE)?);
        parameters.value(OCTET_STRING)?;
        let (cost, block, parallel) = (
            parameters.integer()?,
            parameters.integer()?,
            parameters.integer()?,
        );
        // Salsa20/8 runs twice for every 64 bytes of every block.
        let runs = cost.saturating_mul(block).saturating_mul(parallel);
        return Some(runs.saturating_mul(2));
    }
    Some(0)
}

/// `PBEParameter` and `pkcs-12PbeParams`.
fn salt_and_count(parameters: &mut Reader<'_>) -> Option<u64> {
    parameters.value(OCTET_STRING)?;
    parameters.integer()
}

fn oid_of(algorithm: &[u8]) -> Option<&[u8]> {
    Reader(Reader(algorithm).value(SEQUENCE)?).value(OID)
}

/// Reads values of definite length, one after the other.
struct Reader<'a>(&'a [u8]);

impl<'a> Reader<'a> {
    /// The content of the next value, which must have this tag.
    fn value(&mut self, tag: u8) -> Option<&'a [u8]> {
        let (found, content, _) = self.next()?;
        (found == tag).then_some(content)
    }

    /// The next value with its header.
    fn whole(&mut self) -> Option<&'a [u8]> {
        self.next().map(|(_, _, whole)| whole)
    }

    fn skip(&mut self) -> Option<()> {
        self.next().map(|_| ())
    }

    /// The next value, a number; the largest there is for those that are negative
    /// or have more than eight bytes.
    fn integer(&mut self) -> Option<u64> {
        let content = self.value(INTEGER)?;
        let first = content.first()?;
        if first & 0x80 != 0 {
            return Some(u64::MAX);
        }
        let start = content.iter().take_while(|byte| **byte == 0).count();
        let digits = &content[start..];
        if digits.len() > size_of::<u64>() {
            return Some(u64::MAX);
        }
        Some(
            digits
                .iter()
                .fold(0, |sum, digit| sum << 8 | u64::from(*digit)),
        )
    }

    fn next(&mut self) -> Option<(u8, &'a [u8], &'a [u8])> {
        let (&[tag, first], rest) = self.0.split_first_chunk()?;
        let (header, length) = if first < 0x80 {
            (2, usize::from(first))
        } else {
            let count = usize::from(first & 0x7f);
            let digits = rest.get(..count).filter(|d| (1..=4).contains(&d.len()))?;
            let length = digits
                .iter()
                .fold(0, |sum, digit| sum << 8 | usize::from(*digit));
            (2 + count, length)
        };
        let (whole, rest) = self.0.split_at_checked(header.checked_add(length)?)?;
        self.0 = rest;
        Some((tag, &whole[header..], whole))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tlv(tag: u8, content: &[u8]) -> Vec<u8> {
        let length = u8::try_from(content.len()).expect("short");
        [&[tag, length], content].concat()
    }

    fn algorithm(oid: &[u8], parameters: &[&[u8]]) -> Vec<u8> {
        let parameters = tlv(SEQUENCE, &parameters.concat());
        tlv(SEQUENCE, &[tlv(OID, oid), parameters].concat())
    }

    #[test]
    fn the_iterations_of_every_scheme_are_found() {
        let salt = tlv(OCTET_STRING, b"saltsalt");
        let count = tlv(INTEGER, &[0x08, 0x00]);
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
            tlv(INTEGER, &[0x40, 0x00]),
            tlv(INTEGER, &[8]),
            tlv(INTEGER, &[2]),
        );
        let scrypt = algorithm(SCRYPT, &[&salt, &cost, &eight, &two]);
        assert_eq!(iterations(&scrypt), Some(16384 * 8 * 2 * 2));
        assert_eq!(iterations(&cipher), Some(0));
    }

    #[test]
    fn absurd_numbers_are_too_much_and_damage_is_damage() {
        let salt = tlv(OCTET_STRING, b"salt");
        let oid = [PKCS12_PBE, &[6]].concat();
        for number in [&[0x80][..], &[1; 9], &[0x7f, 0xff, 0xff, 0xff]] {
            let old = algorithm(&oid, &[&salt, &tlv(INTEGER, number)]);
            assert_eq!(Work::default().add_algorithm(&old), Err(Refused::TooMuch));
        }
        let good = algorithm(&oid, &[&salt, &tlv(INTEGER, &[1])]);
        for cut in 0..good.len() {
            let refused = Work::default().add_algorithm(&good[..cut]);
            assert_eq!(refused, Err(Refused::Malformed), "{cut}");
        }
        let mut work = Work::default();
        assert_eq!(work.add(ITERATIONS_MAX), Ok(()));
        assert_eq!(work.add_algorithm(&good), Err(Refused::TooMuch));
    }
}
