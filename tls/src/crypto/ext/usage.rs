//! What a key and its certificate may be used for.

use std::fmt;
use std::ops::{BitOr, BitOrAssign};

use super::Oid;
use crate::crypto::der::{self, Reader};

/// Whether the subject is an authority, and how long a path may be below it (RFC 5280,
/// section 4.2.1.9).
#[doc(alias = "BASIC_CONSTRAINTS")]
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub struct BasicConstraints {
    /// Whether it may sign certificates.
    pub ca: bool,
    /// How many intermediates may follow before the last certificate.
    #[doc(alias = "pathlen")]
    pub path_len: Option<u32>,
}

impl BasicConstraints {
    /// For an authority.
    pub const AUTHORITY: BasicConstraints = BasicConstraints {
        ca: true,
        path_len: None,
    };
    /// For all others.
    pub const LEAF: BasicConstraints = BasicConstraints {
        ca: false,
        path_len: None,
    };

    pub(super) fn to_der(self) -> Vec<u8> {
        // What is the default is left out (X.690, section 11.5).
        let ca = self.ca.then(|| der::value(der::BOOLEAN, [0xff]));
        let path_len = self
            .path_len
            .map(|length| der::integer(&length.to_be_bytes()));
        der::parts(der::SEQUENCE, ca.into_iter().chain(path_len))
    }

    pub(super) fn read(bytes: &[u8]) -> Option<BasicConstraints> {
        let mut parts = Reader::only(bytes, der::SEQUENCE)?;
        // Some authorities write the default, and everybody reads it.
        let ca = match parts.maybe(der::BOOLEAN)? {
            Some(content) => der::boolean(content)?,
            None => false,
        };
        let path_len = match parts.maybe(der::INTEGER)? {
            Some(content) => Some(der::unsigned(content)?),
            None => None,
        };
        parts.end()?;
        Some(BasicConstraints { ca, path_len })
    }
}

/// What the key may be used for: a set of bits (RFC 5280, section 4.2.1.3).
///
/// # Scheduling
///
/// Never switches, except where a method says so.
///
/// # Examples
///
/// ```
/// use greenling_tls::crypto::KeyUsage;
///
/// let usage = KeyUsage::KEY_CERT_SIGN | KeyUsage::CRL_SIGN;
/// assert!(usage.contains(KeyUsage::CRL_SIGN));
/// assert_eq!(usage.to_string(), "keyCertSign, cRLSign");
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub struct KeyUsage(u16);

/// The bits in their order, with OpenSSL's words for them.
const USAGES: [(KeyUsage, &str); 9] = [
    (KeyUsage::DIGITAL_SIGNATURE, "digitalSignature"),
    (KeyUsage::NON_REPUDIATION, "nonRepudiation"),
    (KeyUsage::KEY_ENCIPHERMENT, "keyEncipherment"),
    (KeyUsage::DATA_ENCIPHERMENT, "dataEncipherment"),
    (KeyUsage::KEY_AGREEMENT, "keyAgreement"),
    (KeyUsage::KEY_CERT_SIGN, "keyCertSign"),
    (KeyUsage::CRL_SIGN, "cRLSign"),
    (KeyUsage::ENCIPHER_ONLY, "encipherOnly"),
    (KeyUsage::DECIPHER_ONLY, "decipherOnly"),
];

impl KeyUsage {
    /// Signatures other than those on certificates and revocation lists.
    #[doc(alias = "digitalSignature")]
    pub const DIGITAL_SIGNATURE: KeyUsage = KeyUsage(1 << 0);
    /// Signatures that commit the signer; also called content commitment.
    #[doc(alias = "nonRepudiation")]
    #[doc(alias = "contentCommitment")]
    pub const NON_REPUDIATION: KeyUsage = KeyUsage(1 << 1);
    /// Encryption of keys, as RSA key exchange does.
    #[doc(alias = "keyEncipherment")]
    pub const KEY_ENCIPHERMENT: KeyUsage = KeyUsage(1 << 2);
    /// Encryption of data without a key in between.
    #[doc(alias = "dataEncipherment")]
    pub const DATA_ENCIPHERMENT: KeyUsage = KeyUsage(1 << 3);
    /// Key agreement, as Diffie-Hellman.
    #[doc(alias = "keyAgreement")]
    pub const KEY_AGREEMENT: KeyUsage = KeyUsage(1 << 4);
    /// Signatures on certificates.
    #[doc(alias = "keyCertSign")]
    pub const KEY_CERT_SIGN: KeyUsage = KeyUsage(1 << 5);
    /// Signatures on revocation lists.
    #[doc(alias = "cRLSign")]
    pub const CRL_SIGN: KeyUsage = KeyUsage(1 << 6);
    /// With key agreement: only to encrypt.
    #[doc(alias = "encipherOnly")]
    pub const ENCIPHER_ONLY: KeyUsage = KeyUsage(1 << 7);
    /// With key agreement: only to decrypt.
    #[doc(alias = "decipherOnly")]
    pub const DECIPHER_ONLY: KeyUsage = KeyUsage(1 << 8);

    /// Whether all of `other` are in it.
    pub const fn contains(self, other: KeyUsage) -> bool {
        self.0 & other.0 == other.0
    }

    /// Whether there are none.
    pub const fn is_empty(self) -> bool {
        self.0 == 0
    }

    pub(super) fn to_der(self) -> Vec<u8> {
        // The first bit is the most significant; zeros at the end are left out
        // (X.690, section 11.2.2).
        let bits = self.0.reverse_bits().to_be_bytes();
        let used = 16 - self.0.leading_zeros() as usize;
        let octets = used.div_ceil(8);
        let mut content = vec![(octets * 8 - used) as u8];
        content.extend_from_slice(&bits[..octets]);
        der::value(der::BIT_STRING, content)
    }

    pub(super) fn read(bytes: &[u8]) -> Option<KeyUsage> {
        let mut reader = Reader::new(bytes);
        let content = reader.take(der::BIT_STRING)?;
        reader.end()?;
        KeyUsage::from_bits(content)
    }

    /// From the content of a BIT STRING, with zeros at its end or not.
    fn from_bits(content: &[u8]) -> Option<KeyUsage> {
        let (unused, octets) = content.split_first()?;
        let last = octets.last().copied().unwrap_or(0);
        let has_room = *unused < 8 && (*unused == 0 || !octets.is_empty());
        if !has_room || octets.len() > 2 || last.trailing_zeros() < u32::from(*unused) {
            return None;
        }
        let first = octets.first().copied().unwrap_or(0);
        let second = octets.get(1).copied().unwrap_or(0);
        let bits = u16::from_be_bytes([first, second]).reverse_bits();
        (bits < 1 << USAGES.len()).then_some(KeyUsage(bits))
    }
}

impl BitOr for KeyUsage {
    type Output = KeyUsage;

    fn bitor(self, other: KeyUsage) -> KeyUsage {
        KeyUsage(self.0 | other.0)
    }
}

impl BitOrAssign for KeyUsage {
    fn bitor_assign(&mut self, other: KeyUsage) {
        self.0 |= other.0;
    }
}

/// In the words of OpenSSL's text form, which [`Ext::parse_conf`](super::Ext::parse_conf)
/// takes.
impl fmt::Display for KeyUsage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let words: Vec<_> = USAGES
            .iter()
            .filter(|(bit, _)| self.contains(*bit))
            .map(|(_, word)| *word)
            .collect();
        f.write_str(&words.join(", "))
    }
}

/// One purpose of an extendedKeyUsage (RFC 5280, section 4.2.1.12).
///
/// # Scheduling
///
/// Never switches, except where a method says so.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum KeyPurpose {
    /// TLS servers.
    #[doc(alias = "serverAuth")]
    ServerAuth,
    /// TLS clients.
    #[doc(alias = "clientAuth")]
    ClientAuth,
    /// Signatures on programs.
    #[doc(alias = "codeSigning")]
    CodeSigning,
    /// Mail.
    #[doc(alias = "emailProtection")]
    EmailProtection,
    /// Trusted timestamps (RFC 3161).
    #[doc(alias = "timeStamping")]
    TimeStamping,
    /// Signatures on OCSP responses.
    #[doc(alias = "OCSPSigning")]
    OcspSigning,
    /// Anything.
    #[doc(alias = "anyExtendedKeyUsage")]
    Any,
    /// Another one.
    Other(Oid),
}

/// The purposes that have a name here.
const NAMED: [KeyPurpose; 7] = [
    KeyPurpose::ServerAuth,
    KeyPurpose::ClientAuth,
    KeyPurpose::CodeSigning,
    KeyPurpose::EmailProtection,
    KeyPurpose::TimeStamping,
    KeyPurpose::OcspSigning,
    KeyPurpose::Any,
];

impl KeyPurpose {
    /// What stands for it in certificates.
    pub fn oid(&self) -> Oid {
        Oid::known(match self {
            KeyPurpose::ServerAuth => b"\x2b\x06\x01\x05\x05\x07\x03\x01",
            KeyPurpose::ClientAuth => b"\x2b\x06\x01\x05\x05\x07\x03\x02",
            KeyPurpose::CodeSigning => b"\x2b\x06\x01\x05\x05\x07\x03\x03",
            KeyPurpose::EmailProtection => b"\x2b\x06\x01\x05\x05\x07\x03\x04",
            KeyPurpose::TimeStamping => b"\x2b\x06\x01\x05\x05\x07\x03\x08",
            KeyPurpose::OcspSigning => b"\x2b\x06\x01\x05\x05\x07\x03\x09",
            KeyPurpose::Any => b"\x55\x1d\x25\x00",
            KeyPurpose::Other(oid) => return oid.clone(),
        })
    }
}

impl From<Oid> for KeyPurpose {
    fn from(oid: Oid) -> KeyPurpose {
        let named = NAMED.into_iter().find(|purpose| purpose.oid() == oid);
        named.unwrap_or(KeyPurpose::Other(oid))
    }
}

pub(super) fn purposes_to_der(purposes: &[KeyPurpose]) -> Vec<u8> {
    der::parts(
        der::SEQUENCE,
        purposes.iter().map(|purpose| purpose.oid().to_der()),
    )
}

pub(super) fn read_purposes(bytes: &[u8]) -> Option<Vec<KeyPurpose>> {
    Reader::only(bytes, der::SEQUENCE)?
        .all(|reader| Oid::from_content(reader.take(der::OID)?).map(KeyPurpose::from))
}
