//! The number by which an issuer tells its certificates apart.

use std::cmp::Ordering;
use std::fmt;

use openssl::asn1::{Asn1Integer, Asn1IntegerRef};
use openssl::bn::BigNum;

use super::call::call;
use crate::config_error::{ConfigError, ConfigErrorKind};
use crate::error::Error;

/// What a serial number that a certificate gets may take (RFC 5280, section 4.1.2.2).
const OCTETS_MAX: usize = 20;

/// Longer numbers are not turned into decimal digits.
const DECIMAL_MAX: usize = 1024;

/// What is handed to OpenSSL, which counts octets in an `int`.
const ASN1_MAX: usize = 64 * 1024;

/// The serial number of a certificate: unique among those of its issuer.
///
/// A new certificate gets a positive one that is no longer than 20 octets. In
/// certificates made by others it may be anything: zero, negative or longer.
///
/// # Scheduling
///
/// Never switches, except where a method says so.
///
/// # Examples
///
/// ```
/// use greenling_tls::crypto::Serial;
///
/// let serial = Serial::from(0x0102_u64);
/// assert_eq!(serial.to_string(), "0102");
/// assert_eq!(serial.to_decimal(), "258");
/// assert_eq!(serial, Serial::from_hex("01:02")?);
/// # Ok::<(), greenling_tls::Error>(())
/// ```
#[doc(alias = "ASN1_INTEGER")]
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct Serial {
    negative: bool,
    /// Big endian, without zeros in front; zero is one octet.
    magnitude: Vec<u8>,
}

impl Serial {
    /// A new number of 159 random bits: the most that 20 octets hold beside the sign.
    ///
    /// # Errors
    ///
    /// [`Error::Ssl`] when OpenSSL has no random bits.
    #[doc(alias = "BN_rand")]
    pub fn random() -> Result<Serial, Error> {
        let mut octets = [0; OCTETS_MAX];
        loop {
            call(|| openssl::rand::rand_bytes(&mut octets))?;
            octets[0] &= 0x7f;
            if octets != [0; OCTETS_MAX] {
                return Ok(Serial::from_bytes(&octets));
            }
        }
    }

    /// The positive number that these octets are in big endian order. No octets are
    /// zero.
    pub fn from_bytes(octets: &[u8]) -> Serial {
        Serial::signed(false, octets)
    }

    /// Reads hexadecimal digits, as `openssl x509 -serial` prints them; pairs may be
    /// set off by colons, and a minus may stand in front.
    ///
    /// # Errors
    ///
    /// [`Error::Config`] of the kind [`BadValue`](ConfigErrorKind::BadValue) for
    /// anything else.
    pub fn from_hex(text: &str) -> Result<Serial, Error> {
        let (negative, digits) = match text.strip_prefix('-') {
            Some(digits) => (true, digits),
            None => (false, text),
        };
        let octets = octets(digits).ok_or_else(|| {
            let shown: String = text.chars().take(64).collect();
            ConfigError::new(
                ConfigErrorKind::BadValue,
                format!("serial number {shown:?}"),
                "is not made of hexadecimal digits",
            )
        })?;
        Ok(Serial::signed(negative, &octets))
    }

    /// The number without its sign, in big endian order; zero is one octet.
    pub fn as_bytes(&self) -> &[u8] {
        &self.magnitude
    }

    /// Whether it is below zero, which RFC 5280 forbids and some old issuers used.
    pub fn is_negative(&self) -> bool {
        self.negative
    }

    /// In decimal digits, as Python's `get_serial_number()` is printed.
    ///
    /// A number of more than 1024 octets, as only an attack has, is in hexadecimal
    /// digits after `0x`: the time that decimal ones take grows with the square of it.
    #[doc(alias = "get_serial_number")]
    pub fn to_decimal(&self) -> String {
        const GROUP: u64 = 1_000_000_000;
        if self.magnitude.len() > DECIMAL_MAX {
            let digits = self.to_string();
            return match digits.strip_prefix('-') {
                Some(digits) => format!("-0x{digits}"),
                None => format!("0x{digits}"),
            };
        }
        // Groups of nine digits, the lowest first.
        let mut groups: Vec<u64> = vec![0];
        for octet in &self.magnitude {
            let mut carry = u64::from(*octet);
            for group in &mut groups {
                let sum = *group * 256 + carry;
                *group = sum % GROUP;
                carry = sum / GROUP;
            }
            if carry > 0 {
                groups.push(carry);
            }
        }
        let mut text = if self.negative { "-" } else { "" }.to_owned();
        for (index, group) in groups.iter().rev().enumerate() {
            let width = if index == 0 { 1 } else { 9 };
            text.push_str(&format!("{group:0width$}"));
        }
        text
    }

    /// Whether a new certificate may have it (RFC 5280, section 4.1.2.2).
    pub(super) fn check_for_use(&self) -> Result<(), ConfigError> {
        let fault = if self.negative {
            "is negative"
        } else if self.is_zero() {
            "is zero, and must be positive"
        } else if self.octets_encoded() > OCTETS_MAX {
            "is longer than 20 octets"
        } else {
            return Ok(());
        };
        Err(self.fault(fault))
    }

    /// For OpenSSL.
    pub(crate) fn to_asn1(&self) -> Result<Asn1Integer, Error> {
        if self.magnitude.len() > ASN1_MAX {
            return Err(self.fault("is longer than 64 KiB").into());
        }
        let integer = call(|| {
            let mut number = BigNum::from_slice(&self.magnitude)?;
            number.set_negative(self.negative);
            number.to_asn1_integer()
        })?;
        Ok(integer)
    }

    pub(crate) fn from_asn1(integer: &Asn1IntegerRef) -> Serial {
        let number = call(|| integer.to_bn()).expect("memory for a serial number");
        Serial::signed(number.is_negative(), &number.to_vec())
    }

    fn signed(negative: bool, octets: &[u8]) -> Serial {
        let zeros = octets.iter().take_while(|octet| **octet == 0).count();
        let magnitude = match &octets[zeros..] {
            [] => vec![0],
            significant => significant.to_vec(),
        };
        let negative = negative && magnitude != [0];
        Serial {
            negative,
            magnitude,
        }
    }

    fn is_zero(&self) -> bool {
        self.magnitude == [0]
    }

    /// How many octets it takes in DER, where the highest bit of a positive number is
    /// clear.
    fn octets_encoded(&self) -> usize {
        self.magnitude.len() + usize::from(self.magnitude[0] >= 0x80)
    }

    fn fault(&self, detail: &str) -> ConfigError {
        let shown: String = self.to_string().chars().take(64).collect();
        let subject = format!("serial number {shown}");
        ConfigError::new(ConfigErrorKind::BadValue, subject, detail)
    }
}

impl From<u64> for Serial {
    fn from(number: u64) -> Serial {
        Serial::from_bytes(&number.to_be_bytes())
    }
}

/// By value.
impl Ord for Serial {
    fn cmp(&self, other: &Serial) -> Ordering {
        let by_size = |one: &Serial, other: &Serial| {
            let lengths = one.magnitude.len().cmp(&other.magnitude.len());
            lengths.then_with(|| one.magnitude.cmp(&other.magnitude))
        };
        match (self.negative, other.negative) {
            (false, false) => by_size(self, other),
            (true, true) => by_size(other, self),
            (false, true) => Ordering::Greater,
            (true, false) => Ordering::Less,
        }
    }
}

impl PartialOrd for Serial {
    fn partial_cmp(&self, other: &Serial) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

/// In pairs of upper-case hexadecimal digits, as `openssl x509 -serial` prints it.
impl fmt::Display for Serial {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.negative {
            f.write_str("-")?;
        }
        self.magnitude
            .iter()
            .try_for_each(|octet| write!(f, "{octet:02X}"))
    }
}

impl fmt::Debug for Serial {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Serial({self})")
    }
}

/// A lone digit may stand in front: leading zeros are often left out.
fn octets(text: &str) -> Option<Vec<u8>> {
    let digit = |byte: &u8| char::from(*byte).to_digit(16).map(|digit| digit as u8);
    let mut octets = Vec::with_capacity(text.len() / 2 + 1);
    for group in text.as_bytes().split(|byte| *byte == b':') {
        let (first, pairs) = group.split_at(group.len() % 2);
        if group.is_empty() || text.contains(':') && group.len() > 2 {
            return None;
        }
        if let [lone] = first {
            octets.push(digit(lone)?);
        }
        for pair in pairs.chunks_exact(2) {
            octets.push(digit(&pair[0])? << 4 | digit(&pair[1])?);
        }
    }
    Some(octets)
}
