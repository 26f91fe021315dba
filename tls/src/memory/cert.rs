//! A certificate as Python's `getpeercert()` tells it.

use std::net::IpAddr;

use openssl::nid::Nid;
use openssl::x509::{GeneralNameRef, X509Ref};

use crate::crypto::{Cert, Name};
use crate::ssl::on_system_stack;

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
    pub(super) fn of(cert: &Cert) -> PeerCert {
        let certificate = cert.as_x509();
        let version = cert.version() + 1;
        let (subject, issuer, serial) = (cert.subject(), cert.issuer(), cert.serial());
        on_system_stack(|| PeerCert {
            subject: subject.relative_names(),
            issuer: issuer.relative_names(),
            version,
            serial_number: serial.to_string(),
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

fn alt_name(general: &GeneralNameRef) -> AltName {
    if let Some(dns) = general.dnsname() {
        AltName::Dns(dns.to_owned())
    } else if let Some(email) = general.email() {
        AltName::Email(email.to_owned())
    } else if let Some(uri) = general.uri() {
        AltName::Uri(uri.to_owned())
    } else if let Some(directory) = general.directory_name() {
        AltName::DirName(Name::copy_of(directory).relative_names())
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
