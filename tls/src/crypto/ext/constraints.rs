//! Which names an authority may put into certificates.

use std::net::IpAddr;

use super::check::domain_fault;
use super::general_name::{GeneralName, address, shown};
use super::kind::not_empty;
use crate::config_error::{ConfigError, ConfigErrorKind};
use crate::crypto::Name;
use crate::crypto::der::{self, Reader};

/// The names that certificates below an authority may have (RFC 5280, section 4.2.1.10).
#[doc(alias = "NAME_CONSTRAINTS")]
#[derive(Debug, Clone, PartialEq, Eq, Hash, Default)]
pub struct NameConstraints {
    /// Of the kinds that occur here, only names in one of these are good.
    #[doc(alias = "permittedSubtrees")]
    pub permitted: Vec<NameRange>,
    /// No name in any of these is.
    #[doc(alias = "excludedSubtrees")]
    pub excluded: Vec<NameRange>,
}

/// All names below one.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum NameRange {
    /// A domain with all hosts in it; an empty one is all there are. OpenSSL takes a
    /// dot at its beginning to leave out the domain itself.
    Dns(String),
    /// The addresses that agree with this one in as many bits.
    Ip(IpAddr, u8),
    /// One mailbox, all of a host, or, with a dot before it, all of a domain.
    Email(String),
    /// The host of a URI or, with a dot before it, a domain.
    Uri(String),
    /// What begins with this distinguished name.
    Directory(Name),
    /// Another kind of name: its DER form.
    Raw(Vec<u8>),
}

const PERMITTED: u8 = der::context_of_parts(0);
const EXCLUDED: u8 = der::context_of_parts(1);
const IP: u8 = der::context(7);

impl NameConstraints {
    pub(super) fn check(&self) -> Result<(), ConfigError> {
        let all: Vec<_> = self.permitted.iter().chain(&self.excluded).collect();
        not_empty(&all, "names")?;
        all.into_iter().try_for_each(NameRange::check)
    }

    pub(super) fn to_der(&self) -> Vec<u8> {
        let lists = [(PERMITTED, &self.permitted), (EXCLUDED, &self.excluded)];
        let lists = lists.into_iter().filter(|(_, ranges)| !ranges.is_empty());
        let lists = lists.map(|(tag, ranges)| {
            let subtree = |range: &NameRange| der::value(der::SEQUENCE, range.to_der());
            der::parts(tag, ranges.iter().map(subtree))
        });
        der::parts(der::SEQUENCE, lists)
    }

    pub(super) fn read(bytes: &[u8]) -> Option<NameConstraints> {
        let mut parts = Reader::only(bytes, der::SEQUENCE)?;
        let mut list = |tag| match parts.maybe(tag)? {
            Some(content) => Reader::new(content).all(NameRange::read),
            None => Some(Vec::new()),
        };
        let (permitted, excluded) = (list(PERMITTED)?, list(EXCLUDED)?);
        parts.end()?;
        Some(NameConstraints {
            permitted,
            excluded,
        })
    }
}

impl NameRange {
    fn check(&self) -> Result<(), ConfigError> {
        let (text, fault) = match self {
            NameRange::Dns(domain) => (domain, domain_fault(domain)),
            NameRange::Uri(host) if host.is_empty() => (host, Some("is empty")),
            NameRange::Uri(host) => (host, domain_fault(host)),
            NameRange::Email(mailbox) if mailbox.contains('@') => {
                return GeneralName::Email(mailbox.clone()).check();
            }
            NameRange::Email(host) if host.is_empty() => (host, Some("is empty")),
            NameRange::Email(host) => (host, domain_fault(host)),
            NameRange::Ip(ip, bits) => {
                if *bits <= width(ip) {
                    return Ok(());
                }
                let network = format!("{ip}/{bits}");
                let what = "has more bits than an address";
                return Err(ConfigError::new(ConfigErrorKind::BadValue, network, what));
            }
            NameRange::Raw(bytes) => return GeneralName::Raw(bytes.clone()).check(),
            NameRange::Directory(_) => return Ok(()),
        };
        match fault {
            None => Ok(()),
            Some(fault) => {
                let kind = ConfigErrorKind::BadValue;
                Err(ConfigError::new(kind, shown(text), fault))
            }
        }
    }

    /// The base of a subtree.
    fn to_der(&self) -> Vec<u8> {
        let name = match self.clone() {
            NameRange::Dns(domain) => GeneralName::Dns(domain),
            NameRange::Email(text) => GeneralName::Email(text),
            NameRange::Uri(host) => GeneralName::Uri(host),
            NameRange::Directory(name) => GeneralName::Directory(name),
            NameRange::Raw(bytes) => GeneralName::Raw(bytes),
            NameRange::Ip(ip, bits) => return der::value(IP, network(ip, bits)),
        };
        name.to_der()
    }

    /// A subtree: its base and nothing more, since RFC 5280 does not use the rest.
    fn read(list: &mut Reader<'_>) -> Option<NameRange> {
        let mut parts = list.sequence()?;
        let mut base = parts.clone();
        let item = parts.next()?;
        parts.end()?;
        if item.tag == IP {
            return Some(match read_network(item.content) {
                Some((ip, bits)) => NameRange::Ip(ip, bits),
                None => NameRange::Raw(item.whole.to_vec()),
            });
        }
        Some(match GeneralName::read(&mut base)? {
            GeneralName::Dns(domain) => NameRange::Dns(domain),
            GeneralName::Email(text) => NameRange::Email(text),
            GeneralName::Uri(host) => NameRange::Uri(host),
            GeneralName::Directory(name) => NameRange::Directory(name),
            _ => NameRange::Raw(item.whole.to_vec()),
        })
    }
}

/// How many bits an address has.
fn width(ip: &IpAddr) -> u8 {
    if ip.is_ipv4() { 32 } else { 128 }
}

/// An address and its mask, each in as many octets.
fn network(ip: IpAddr, bits: u8) -> Vec<u8> {
    let mut octets = match ip {
        IpAddr::V4(ip) => ip.octets().to_vec(),
        IpAddr::V6(ip) => ip.octets().to_vec(),
    };
    let mask: Vec<u8> = (0..octets.len())
        .map(|index| {
            let ones = usize::from(bits).saturating_sub(8 * index).min(8);
            !(0xff_u16 >> ones) as u8
        })
        .collect();
    for (octet, mask) in octets.iter_mut().zip(&mask) {
        *octet &= mask;
    }
    octets.extend(mask);
    octets
}

/// The other way round; nothing when the mask has ones after a zero.
fn read_network(octets: &[u8]) -> Option<(IpAddr, u8)> {
    let (start, mask) = octets.split_at(octets.len() / 2);
    let ip = address(start)?;
    let bits: u32 = mask.iter().map(|octet| octet.count_ones()).sum();
    let bits = u8::try_from(bits).ok()?;
    (network(ip, bits) == octets).then_some((ip, bits))
}
