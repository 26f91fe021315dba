//! Object identifiers: names of extensions, purposes and policies.

use std::fmt;
use std::str::FromStr;
use std::sync::Arc;

use openssl::asn1::Asn1Object;
use openssl::nid::Nid;

use crate::config_error::{ConfigError, ConfigErrorKind};
use crate::crypto::call::call;
use crate::crypto::der;
use crate::error::Error;
#[cfg(feature = "aws-lc")]
use crate::ssl::missing::Asn1ObjectRefExt;

/// Longer ones have no use, and who shows them would have to work for it
/// (CVE-2023-2650).
const LENGTH_MAX: usize = 4096;

/// An object identifier (ITU-T X.660), such as `2.5.29.17` for subjectAltName.
///
/// Read from dotted text with [`FromStr`], or found by OpenSSL's name for it with
/// [`Oid::by_name`]; shown in dotted form. An arc of more than 128 bits, which no
/// registry hands out, is shown in hexadecimal.
///
/// # Scheduling
///
/// Never switches, except where a method says so.
///
/// # Examples
///
/// ```
/// use greenling_tls::crypto::Oid;
///
/// let oid: Oid = "1.3.6.1.5.5.7.3.1".parse()?;
/// assert_eq!(oid.short_name().as_deref(), Some("serverAuth"));
/// assert_eq!(Oid::by_name("serverAuth"), Some(oid));
/// # Ok::<(), greenling_tls::Error>(())
/// ```
#[doc(alias = "ASN1_OBJECT")]
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Oid {
    /// The content octets of the DER form.
    content: Arc<[u8]>,
}

impl Oid {
    /// The one that OpenSSL knows by this short or long name, as "serverAuth" or "TLS
    /// Web Server Authentication".
    #[doc(alias = "OBJ_txt2obj")]
    #[doc(alias = "OBJ_sn2nid")]
    pub fn by_name(name: &str) -> Option<Oid> {
        let looks_dotted = name.bytes().all(|b| b.is_ascii_digit() || b == b'.');
        if looks_dotted || name.contains('\0') || name.len() > LENGTH_MAX {
            return None;
        }
        call(|| Asn1Object::from_str(name))
            .ok()
            .and_then(|object| Oid::from_content(object.as_slice()))
    }

    /// The name that OpenSSL has for it, as "subjectAltName".
    #[doc(alias = "get_short_name")]
    #[doc(alias = "OBJ_nid2sn")]
    pub fn short_name(&self) -> Option<String> {
        let nid = self.nid()?;
        nid.short_name().ok().map(str::to_owned)
    }

    /// The name for people that OpenSSL has for it, as "X509v3 Subject Alternative Name".
    #[doc(alias = "OBJ_nid2ln")]
    pub fn long_name(&self) -> Option<String> {
        let nid = self.nid()?;
        nid.long_name().ok().map(str::to_owned)
    }

    fn nid(&self) -> Option<Nid> {
        // None that has a name is nearly as long.
        if self.content.len() > 64 {
            return None;
        }
        let dotted = self.to_string();
        call(|| Asn1Object::from_str(&dotted))
            .ok()
            .map(|object| object.nid())
            .filter(|nid| *nid != Nid::UNDEF)
    }

    /// From the content octets of a DER value.
    pub(crate) fn from_content(content: &[u8]) -> Option<Oid> {
        let mut starts_arc = true;
        for byte in content {
            // An arc with leading zeros has another form too.
            if starts_arc && *byte == 0x80 {
                return None;
            }
            starts_arc = byte & 0x80 == 0;
        }
        let is_whole = starts_arc && !content.is_empty();
        is_whole.then(|| Oid {
            content: Arc::from(content),
        })
    }

    /// One that the code writes itself.
    pub(crate) fn known(content: &'static [u8]) -> Oid {
        Oid::from_content(content).expect("a constant is well formed")
    }

    pub(crate) fn content(&self) -> &[u8] {
        &self.content
    }

    pub(crate) fn to_der(&self) -> Vec<u8> {
        der::value(der::OID, &self.content)
    }
}

impl FromStr for Oid {
    type Err = Error;

    /// Reads the dotted form.
    fn from_str(text: &str) -> Result<Oid, Error> {
        encode(text).ok_or_else(|| {
            let shown: String = text.chars().take(80).collect();
            let what = "is no object identifier in dotted form";
            ConfigError::new(ConfigErrorKind::BadValue, format!("{shown:?}"), what).into()
        })
    }
}

fn encode(text: &str) -> Option<Oid> {
    if text.len() > LENGTH_MAX {
        return None;
    }
    let mut arcs = text.split('.').map(arc);
    let (first, second) = (arcs.next()??, arcs.next()??);
    if first > 2 || first < 2 && second > 39 {
        return None;
    }
    let mut content = Vec::new();
    push(&mut content, second.checked_add(first * 40)?);
    for arc in arcs {
        push(&mut content, arc?);
    }
    Oid::from_content(&content)
}

/// Digits only: `parse` would take a plus sign.
fn arc(text: &str) -> Option<u128> {
    let has_one_form = text == "0" || !text.starts_with('0');
    let is_number = has_one_form && text.bytes().all(|b| b.is_ascii_digit());
    text.parse().ok().filter(|_| is_number)
}

fn push(content: &mut Vec<u8>, arc: u128) {
    let digits = (128 - arc.leading_zeros()).div_ceil(7).max(1);
    for digit in (0..digits).rev() {
        let more = if digit == 0 { 0 } else { 0x80 };
        content.push(more | (arc >> (7 * digit)) as u8 & 0x7f);
    }
}

impl fmt::Display for Oid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let arcs = self.content.split_inclusive(|byte| byte & 0x80 == 0);
        for (index, arc) in arcs.enumerate() {
            let number = arc.iter().try_fold(0u128, |sum, byte| {
                Some(sum.checked_mul(128)? | u128::from(byte & 0x7f))
            });
            match (index, number) {
                (0, Some(number)) => {
                    let first = (number / 40).min(2);
                    write!(f, "{first}.{}", number - first * 40)?;
                }
                (0, None) => f.write_str("2.")?,
                (_, Some(number)) => write!(f, ".{number}")?,
                (_, None) => f.write_str(".")?,
            }
            if number.is_none() {
                f.write_str("0x")?;
                for byte in arc {
                    write!(f, "{byte:02x}")?;
                }
            }
        }
        Ok(())
    }
}

impl fmt::Debug for Oid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Oid({self})")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dotted_text_survives() {
        for text in [
            "0.0",
            "0.39",
            "1.2.840.113549.1.9.14",
            "2.5.29.17",
            "2.999.3",
            "2.25.340282366920938463463374607431768211455",
            "2.16383.16384.127.128",
        ] {
            assert_eq!(text.parse::<Oid>().expect(text).to_string(), text);
        }
        let long = "1.2".to_owned() + &".3".repeat(3000);
        for bad in [
            "",
            "1",
            ".1",
            "1.",
            "3.1",
            "0.40",
            "1.40",
            "1..2",
            "1.+2",
            "1.02",
            "1.2.x",
            "1.2 ",
            "2.25.340282366920938463463374607431768211456",
            &long,
        ] {
            assert!(bad.parse::<Oid>().is_err(), "{bad:?}");
        }
    }

    #[test]
    fn what_is_too_large_to_count_is_shown_all_the_same() {
        let content = [&[0x55][..], &[0xff; 30], &[0x01]].concat();
        let oid = Oid::from_content(&content).expect("well formed");
        assert!(oid.to_string().starts_with("2.5.0xffff"));
        assert_eq!(oid.short_name(), None);
        for bad in [&[][..], &[0x80, 1], &[0x55, 0x81], &[0x55, 0x80, 1]] {
            assert_eq!(Oid::from_content(bad), None);
        }
    }

    #[test]
    fn names_are_openssls() {
        let server = Oid::by_name("serverAuth").expect("known");
        assert_eq!(server.to_string(), "1.3.6.1.5.5.7.3.1");
        assert_eq!(server.short_name().as_deref(), Some("serverAuth"));
        for unknown in ["", "no such name", "1.2.3", "a\0b"] {
            assert_eq!(Oid::by_name(unknown), None, "{unknown:?}");
        }
    }
}
