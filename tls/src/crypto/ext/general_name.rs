//! The names that extensions are made of.

use std::fmt;
use std::net::IpAddr;
use std::str::FromStr;

use super::Oid;
use super::check::{dns_fault, email_fault, uri_fault};
use crate::config_error::{ConfigError, ConfigErrorKind};
use crate::crypto::Name;
use crate::crypto::der::{self, Item, Reader};
use crate::error::Error;

/// One name of a subject or issuer (RFC 5280, section 4.2.1.6).
///
/// [`GeneralName::parse`] tells what kind of name a text is.
///
/// # Scheduling
///
/// Never switches, except where a method says so.
#[doc(alias = "GENERAL_NAME")]
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum GeneralName {
    /// A host, `example.com`, or all of a domain, `*.example.com`. Internationalised
    /// names are in their `xn--` form.
    #[doc(alias = "dNSName")]
    Dns(String),
    /// An IP address.
    #[doc(alias = "iPAddress")]
    Ip(IpAddr),
    /// A mailbox.
    #[doc(alias = "rfc822Name")]
    Email(String),
    /// An absolute URI.
    #[doc(alias = "uniformResourceIdentifier")]
    Uri(String),
    /// A distinguished name.
    #[doc(alias = "directoryName")]
    #[doc(alias = "dirName")]
    Directory(Name),
    /// A registered identifier.
    #[doc(alias = "registeredID")]
    Rid(Oid),
    /// A name of a kind that `kind` stands for.
    #[doc(alias = "otherName")]
    Other {
        /// The kind.
        kind: Oid,
        /// The name, one value in DER form.
        value: Vec<u8>,
    },
    /// A name of a kind that has no use here, or a damaged one: its DER form.
    Raw(Vec<u8>),
}

const OTHER: u8 = der::context_of_parts(0);
const EMAIL: u8 = der::context(1);
const DNS: u8 = der::context(2);
const DIRECTORY: u8 = der::context_of_parts(4);
const URI: u8 = der::context(6);
const IP: u8 = der::context(7);
const RID: u8 = der::context(8);

impl GeneralName {
    /// Tells names apart by what they look like: an IP address (in brackets or not), a
    /// URI by its `://` or `urn:`, a mailbox by its `@`; the rest are DNS names.
    ///
    /// # Errors
    ///
    /// [`Error::Config`] when it is none of them.
    pub fn parse(text: &str) -> Result<GeneralName, Error> {
        let bare = text
            .strip_prefix('[')
            .and_then(|rest| rest.strip_suffix(']'))
            .unwrap_or(text);
        let name = if let Ok(ip) = bare.parse() {
            GeneralName::Ip(ip)
        } else if text.contains("://") || text.starts_with("urn:") {
            GeneralName::Uri(text.to_owned())
        } else if text.contains('@') {
            GeneralName::Email(text.to_owned())
        } else {
            GeneralName::Dns(text.to_owned())
        };
        name.check()?;
        Ok(name)
    }

    /// What must hold for a name that is put into a certificate. Those of others are
    /// read as they are.
    pub(super) fn check(&self) -> Result<(), ConfigError> {
        let (text, kind, fault) = match self {
            GeneralName::Dns(text) => (text, ConfigErrorKind::ServerName, dns_fault(text)),
            GeneralName::Email(text) => (text, ConfigErrorKind::BadValue, email_fault(text)),
            GeneralName::Uri(text) => (text, ConfigErrorKind::BadValue, uri_fault(text)),
            GeneralName::Other { value: bytes, .. } | GeneralName::Raw(bytes) => {
                let mut reader = Reader::new(bytes);
                let is_one = reader.next().and_then(|_| reader.end()).is_some();
                return if is_one { Ok(()) } else { Err(not_one_value()) };
            }
            GeneralName::Ip(_) | GeneralName::Directory(_) | GeneralName::Rid(_) => return Ok(()),
        };
        match fault {
            None => Ok(()),
            Some(fault) => Err(ConfigError::new(kind, shown(text), fault)),
        }
    }

    pub(super) fn to_der(&self) -> Vec<u8> {
        match self {
            GeneralName::Dns(text) => der::value(DNS, text),
            GeneralName::Email(text) => der::value(EMAIL, text),
            GeneralName::Uri(text) => der::value(URI, text),
            GeneralName::Ip(IpAddr::V4(ip)) => der::value(IP, ip.octets()),
            GeneralName::Ip(IpAddr::V6(ip)) => der::value(IP, ip.octets()),
            GeneralName::Directory(name) => der::value(DIRECTORY, name.to_der()),
            GeneralName::Rid(oid) => der::value(RID, oid.content()),
            GeneralName::Other { kind, value } => {
                let explicit = der::value(der::context_of_parts(0), value);
                der::parts(OTHER, [kind.to_der(), explicit])
            }
            GeneralName::Raw(bytes) => bytes.clone(),
        }
    }

    pub(super) fn read(reader: &mut Reader<'_>) -> Option<GeneralName> {
        let item = reader.next()?;
        Some(decode(&item).unwrap_or_else(|| GeneralName::Raw(item.whole.to_vec())))
    }

    /// All of them, whatever tag stands before.
    pub(super) fn read_all(content: &[u8]) -> Option<Vec<GeneralName>> {
        Reader::new(content).all(GeneralName::read)
    }

    /// Several as one value with this tag.
    pub(super) fn all_to_der(tag: u8, names: &[GeneralName]) -> Vec<u8> {
        der::parts(tag, names.iter().map(GeneralName::to_der))
    }
}

fn decode(item: &Item<'_>) -> Option<GeneralName> {
    Some(match item.tag {
        DNS => GeneralName::Dns(ia5(item.content)?),
        EMAIL => GeneralName::Email(ia5(item.content)?),
        URI => GeneralName::Uri(ia5(item.content)?),
        IP => GeneralName::Ip(address(item.content)?),
        RID => GeneralName::Rid(Oid::from_content(item.content)?),
        DIRECTORY => GeneralName::Directory(Name::from_der(item.content).ok()?),
        OTHER => {
            let mut parts = Reader::new(item.content);
            let kind = Oid::from_content(parts.take(der::OID)?)?;
            let mut inside = Reader::new(parts.take(der::context_of_parts(0))?);
            let value = inside.next()?.whole.to_vec();
            inside.end()?;
            parts.end()?;
            GeneralName::Other { kind, value }
        }
        _ => return None,
    })
}

/// An IA5String, which is ASCII.
pub(super) fn ia5(content: &[u8]) -> Option<String> {
    let text = str::from_utf8(content).ok()?;
    text.is_ascii().then(|| text.to_owned())
}

pub(super) fn address(octets: &[u8]) -> Option<IpAddr> {
    if let Ok(octets) = <[u8; 4]>::try_from(octets) {
        return Some(IpAddr::from(octets));
    }
    <[u8; 16]>::try_from(octets).ok().map(IpAddr::from)
}

/// A part of a text that may be long or have odd characters.
pub(super) fn shown(text: &str) -> String {
    let start: String = text.chars().take(80).collect();
    let more = if start.len() < text.len() { "..." } else { "" };
    format!("{start:?}{more}")
}

fn not_one_value() -> ConfigError {
    let what = "does not hold one value in DER form";
    ConfigError::new(ConfigErrorKind::BadValue, "name", what)
}

impl FromStr for GeneralName {
    type Err = Error;

    /// As [`GeneralName::parse`].
    fn from_str(text: &str) -> Result<GeneralName, Error> {
        GeneralName::parse(text)
    }
}

impl From<IpAddr> for GeneralName {
    fn from(ip: IpAddr) -> GeneralName {
        GeneralName::Ip(ip)
    }
}

/// For people, with OpenSSL's word for the kind of name before it. What is no printable
/// character is shown by its number.
impl fmt::Display for GeneralName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            GeneralName::Dns(text) => write!(f, "DNS:{}", text.escape_debug()),
            GeneralName::Ip(ip) => write!(f, "IP Address:{ip}"),
            GeneralName::Email(text) => write!(f, "email:{}", text.escape_debug()),
            GeneralName::Uri(text) => write!(f, "URI:{}", text.escape_debug()),
            GeneralName::Directory(name) => write!(f, "DirName:{name}"),
            GeneralName::Rid(oid) => write!(f, "Registered ID:{oid}"),
            GeneralName::Other { kind, value } => {
                write!(f, "othername:{kind}:{}", super::hex(value))
            }
            GeneralName::Raw(bytes) => write!(f, "<{}>", super::hex(bytes)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_told_apart_by_what_they_look_like() {
        for (text, shown) in [
            ("a.test", "DNS:a.test"),
            ("*.a.test", "DNS:*.a.test"),
            ("127.0.0.1", "IP Address:127.0.0.1"),
            ("::1", "IP Address:::1"),
            ("[::1]", "IP Address:::1"),
            ("a@b.test", "email:a@b.test"),
            ("https://a@b.test/", "URI:https://a@b.test/"),
            ("urn:uuid:1", "URI:urn:uuid:1"),
        ] {
            let name: GeneralName = text.parse().expect(text);
            assert_eq!(name.to_string(), shown);
        }
        for bad in [
            "",
            "[",
            "[a]",
            "127.1",
            "a:1",
            "a@",
            "://",
            "a b",
            "\u{fc}.test",
        ] {
            assert!(GeneralName::parse(bad).is_err(), "{bad:?}");
        }
    }

    #[test]
    fn names_without_a_text_are_shown_by_their_kind() {
        let oid: Oid = "1.2.3".parse().unwrap();
        let directory = Name::builder().build().unwrap();
        let other = GeneralName::Other {
            kind: oid.clone(),
            value: vec![5, 0],
        };
        for (name, shown) in [
            (GeneralName::Rid(oid), "Registered ID:1.2.3"),
            (GeneralName::Directory(directory), "DirName:"),
            (other, "othername:1.2.3:0500"),
        ] {
            assert_eq!(name.to_string(), shown);
        }
        let ip = IpAddr::from([10, 0, 0, 1]);
        assert_eq!(GeneralName::from(ip), GeneralName::Ip(ip));
        assert_eq!(shown(&"x".repeat(100)).len(), 85);
    }
}
