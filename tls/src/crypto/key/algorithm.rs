//! Kinds of keys.

use std::fmt;

use openssl::nid::Nid;
use openssl::pkey::{HasPublic, Id, PKeyRef};

/// The kind of a key, with its size or curve.
///
/// # Scheduling
///
/// Never switches, except where a method says so.
#[doc(alias = "TYPE_RSA")]
#[doc(alias = "TYPE_DSA")]
#[doc(alias = "EVP_PKEY_RSA")]
#[doc(alias = "EVP_PKEY_EC")]
#[doc(alias = "EVP_PKEY_ED25519")]
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum KeyAlg {
    /// RSA (RFC 8017) with a modulus of so many bits.
    Rsa(u32),
    /// ECDSA or ECDH on a curve.
    Ec(Curve),
    /// Ed25519 (RFC 8032), which signs data and not a digest of it.
    Ed25519,
    /// X25519 (RFC 7748), which agrees on keys and does not sign.
    X25519,
    /// DSA (FIPS 186-4) with a modulus of so many bits: read everywhere, made by
    /// [`legacy::generate_dsa`](crate::crypto::legacy::generate_dsa) only.
    Dsa(u32),
    /// Another kind, by OpenSSL's name for it: such keys are read and not made here.
    Other(&'static str),
}

/// A curve of FIPS 186-4, which certificates may use.
///
/// # Scheduling
///
/// Never switches, except where a method says so.
#[doc(alias = "get_elliptic_curve")]
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
#[non_exhaustive]
pub enum Curve {
    /// NIST P-256, also called prime256v1 and secp256r1: the default, and the one
    /// that everybody has.
    #[default]
    P256,
    /// NIST P-384, also called secp384r1.
    P384,
    /// NIST P-521, also called secp521r1.
    P521,
}

impl Curve {
    const ALL: [Curve; 3] = [Curve::P256, Curve::P384, Curve::P521];

    /// The curve called `name`, by NIST, SEC 2 or OpenSSL.
    #[doc(alias = "get_elliptic_curve")]
    #[doc(alias = "EC_curve_nist2nid")]
    pub fn by_name(name: &str) -> Option<Curve> {
        let known = Curve::ALL.iter();
        let names = |curve: &Curve| match curve {
            Curve::P256 => ["P-256", "prime256v1", "secp256r1"],
            Curve::P384 => ["P-384", "secp384r1", "secp384r1"],
            Curve::P521 => ["P-521", "secp521r1", "secp521r1"],
        };
        let mut known = known.filter(|curve| {
            let names = names(curve);
            names.iter().any(|known| known.eq_ignore_ascii_case(name))
        });
        known.next().copied()
    }

    /// All that keys can be made for.
    #[doc(alias = "get_elliptic_curves")]
    #[doc(alias = "EC_get_builtin_curves")]
    pub fn all() -> &'static [Curve] {
        &Curve::ALL
    }

    /// NIST's name, such as `P-256`.
    pub fn name(self) -> &'static str {
        match self {
            Curve::P256 => "P-256",
            Curve::P384 => "P-384",
            Curve::P521 => "P-521",
        }
    }

    /// OpenSSL's number of the curve.
    pub(super) fn nid(self) -> Nid {
        match self {
            Curve::P256 => Nid::X9_62_PRIME256V1,
            Curve::P384 => Nid::SECP384R1,
            Curve::P521 => Nid::SECP521R1,
        }
    }
}

/// NIST's name.
impl fmt::Display for Curve {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl KeyAlg {
    /// What `key` is.
    pub(super) fn of<T: HasPublic>(key: &PKeyRef<T>) -> KeyAlg {
        match key.id() {
            Id::RSA => KeyAlg::Rsa(key.bits()),
            Id::DSA => KeyAlg::Dsa(key.bits()),
            Id::ED25519 => KeyAlg::Ed25519,
            Id::X25519 => KeyAlg::X25519,
            Id::EC => {
                let curve = key.ec_key().ok().and_then(|key| key.group().curve_name());
                let known = Curve::ALL
                    .into_iter()
                    .find(|known| Some(known.nid()) == curve);
                match (known, curve) {
                    (Some(known), _) => KeyAlg::Ec(known),
                    (None, Some(other)) => KeyAlg::Other(other.short_name().unwrap_or("EC")),
                    (None, None) => KeyAlg::Other("EC"),
                }
            }
            other => {
                let name = Nid::from_raw(other.as_raw()).short_name();
                KeyAlg::Other(name.unwrap_or("unknown"))
            }
        }
    }

    /// Whether keys of this kind make signatures. Of unknown ones OpenSSL will tell.
    pub(crate) fn signs(self) -> bool {
        !matches!(
            self,
            KeyAlg::X25519 | KeyAlg::Other("X448" | "dhKeyAgreement")
        )
    }

    /// Whether a signature is of the data itself and takes no digest.
    pub(crate) fn hashes_itself(self) -> bool {
        matches!(
            self,
            KeyAlg::Ed25519 | KeyAlg::Other("ED448" | "UNDEF" | "unknown")
        )
    }
}

/// Such as `RSA-2048`, `P-256` or `Ed25519`.
impl fmt::Display for KeyAlg {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            KeyAlg::Rsa(bits) => write!(f, "RSA-{bits}"),
            KeyAlg::Dsa(bits) => write!(f, "DSA-{bits}"),
            KeyAlg::Ec(curve) => curve.fmt(f),
            KeyAlg::Ed25519 => f.write_str("Ed25519"),
            KeyAlg::X25519 => f.write_str("X25519"),
            KeyAlg::Other(name) => f.write_str(name),
        }
    }
}
