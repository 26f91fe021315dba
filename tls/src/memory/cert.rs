//! A certificate as Python's `getpeercert()` tells it.

use std::net::IpAddr;

use openssl::nid::Nid;
use openssl::x509::{GeneralNameRef, X509NameRef, X509Ref};

#[cfg(feature = "aws-lc")]
use crate::ssl::missing::X509RefExt;
use crate::ssl::{index_of_rdn, on_system_stack};

/// One relative distinguished name: pairs of an attribute's long name, such as
/// `commonName`, and its value. Nearly always there is just one.
pub type RelativeName = Vec<(String, String)>;

/// What Python's `getpeercert()` tells of a certificate, field by field.
///
/// For decisions take the certificate itself
/// ([`Engine::peer_certificate`](crate::Engine::peer_certificate)); this is for display,
/// and for programs that were written to it.
#[doc(alias = "getpeercert")]
#[derive(Debug, Clone, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct PeerCert {
    /// `subject`: the name of its owner, from the most general part on.
    pub subject: Vec<RelativeName>,
    /// `issuer`: the name of who signed it.
    pub issuer: Vec<RelativeName>,
    /// `version`, counted from 1: nearly always 3.
    pub version: i32,
    /// `serialNumber` in upper-case hexadecimal digits, an even number of them.
    #[doc(alias = "serialNumber")]
    pub serial_number: String,
    /// `notBefore`, such as `Jan  5 09:34:43 2018 GMT`.
    #[doc(alias = "notBefore")]
    pub not_before: String,
    /// `notAfter`, in the same form.
    #[doc(alias = "notAfter")]
    pub not_after: String,
    /// `subjectAltName`: whom it is for.
    #[doc(alias = "subjectAltName")]
    pub subject_alt_name: Vec<AltName>,
    /// `OCSP`: URIs of the responders that know whether it was revoked.
    #[doc(alias = "OCSP")]
    pub ocsp: Vec<String>,
    /// `caIssuers`: URIs where the issuer's certificate is.
    #[doc(alias = "caIssuers")]
    pub ca_issuers: Vec<String>,
    /// `crlDistributionPoints`: URIs of lists of revoked certificates.
    #[doc(alias = "crlDistributionPoints")]
    pub crl_distribution_points: Vec<String>,
}

/// One name in a certificate's subjectAltName (RFC 5280, section 4.2.1.6).
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum AltName {
    /// `DNS`.
    Dns(String),
    /// `IP Address`, as [`IpAddr`] writes it; Python writes IPv6 addresses in full.
    IpAddress(String),
    /// `email`.
    Email(String),
    /// `URI`.
    Uri(String),
    /// `DirName`.
    DirName(Vec<RelativeName>),
    /// A kind that is not told apart here, or a value that cannot be read.
    Other,
}

impl PeerCert {
    pub(super) fn of(certificate: &X509Ref) -> PeerCert {
        on_system_stack(|| PeerCert {
            subject: name(certificate.subject_name()),
            issuer: name(certificate.issuer_name()),
            version: certificate.version() + 1,
            serial_number: serial_number(certificate),
            not_before: certificate.not_before().to_string(),
            not_after: certificate.not_after().to_string(),
            subject_alt_name: certificate
                .subject_alt_names()
                .map_or_else(Vec::new, |names| names.iter().map(alt_name).collect()),
            ocsp: locations(certificate, Nid::AD_OCSP),
            ca_issuers: locations(certificate, Nid::AD_CA_ISSUERS),
            crl_distribution_points: crl_distribution_points(certificate),
        })
    }
}

fn name(name: &X509NameRef) -> Vec<RelativeName> {
    let mut parts: Vec<RelativeName> = Vec::new();
    let mut last = None;
    for entry in name.entries() {
        let attribute = entry.object().to_string();
        let value = entry.data().to_string().unwrap_or_default();
        let index = index_of_rdn(entry);
        match parts.last_mut() {
            Some(part) if last == Some(index) => part.push((attribute, value)),
            _ => parts.push(vec![(attribute, value)]),
        }
        last = Some(index);
    }
    parts
}

fn serial_number(certificate: &X509Ref) -> String {
    let number = certificate.serial_number().to_bn();
    let Ok(digits) = number.and_then(|number| number.to_hex_str().map(|hex| hex.to_string()))
    else {
        return String::new();
    };
    // A bignum of nothing has one digit.
    if digits == "0" {
        "00".to_owned()
    } else {
        digits
    }
}

fn alt_name(general: &GeneralNameRef) -> AltName {
    if let Some(dns) = general.dnsname() {
        AltName::Dns(dns.to_owned())
    } else if let Some(email) = general.email() {
        AltName::Email(email.to_owned())
    } else if let Some(uri) = general.uri() {
        AltName::Uri(uri.to_owned())
    } else if let Some(directory) = general.directory_name() {
        AltName::DirName(name(directory))
    } else if let Some(ip) = general.ipaddress().and_then(ip) {
        AltName::IpAddress(ip.to_string())
    } else {
        AltName::Other
    }
}

fn ip(octets: &[u8]) -> Option<IpAddr> {
    if let Ok(octets) = <[u8; 4]>::try_from(octets) {
        return Some(IpAddr::from(octets));
    }
    <[u8; 16]>::try_from(octets).ok().map(IpAddr::from)
}

/// URIs of the authority's information access (RFC 5280, section 4.2.2.1).
fn locations(certificate: &X509Ref, method: Nid) -> Vec<String> {
    let Some(descriptions) = certificate.authority_info() else {
        return Vec::new();
    };
    descriptions
        .iter()
        .filter(|description| description.method().nid() == method)
        .filter_map(|description| Some(description.location().uri()?.to_owned()))
        .collect()
}

fn crl_distribution_points(certificate: &X509Ref) -> Vec<String> {
    let Some(points) = certificate.crl_distribution_points() else {
        return Vec::new();
    };
    points
        .iter()
        .filter_map(|point| point.distpoint()?.fullname())
        .flat_map(|names| names.iter())
        .filter_map(|name| Some(name.uri()?.to_owned()))
        .collect()
}
