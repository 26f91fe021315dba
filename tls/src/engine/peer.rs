//! Who the peer is, by its certificate.
//!
//! Certificates are what the peer *showed*. Only [`Engine::peer_identity`] and
//! [`Engine::verified_chain`] answer what was checked, and they answer nothing
//! while a handshake is under way: a certificate arrives before the proof that
//! its sender has the key.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use openssl::nid::Nid;
use openssl::ssl::SslVerifyMode;
use openssl::x509::{GeneralNameRef, X509VerifyResult};

use super::{Engine, Role};
use crate::crypto::{Cert, Name};
use crate::error::VerifyError;
#[cfg(feature = "aws-lc")]
use crate::ssl::missing::SslRefExt;
use crate::ssl::peer_authorities;

impl Engine {
    /// The certificate that the peer showed. With a verifying context it has been
    /// checked; with others this may be anything.
    #[doc(alias = "SSL_get1_peer_certificate")]
    #[doc(alias = "SSL_get_peer_certificate")]
    #[doc(alias = "get_peer_certificate")]
    #[doc(alias = "getpeercert")]
    pub fn peer_certificate(&self) -> Option<Cert> {
        self.ssl().peer_certificate().map(Cert::from)
    }

    /// The chain that the peer sent, beginning with its own certificate, in the
    /// order in which it came. Empty when a session was resumed, but for the
    /// certificate itself where the session has it.
    #[doc(alias = "SSL_get_peer_cert_chain")]
    #[doc(alias = "get_peer_cert_chain")]
    #[doc(alias = "get_unverified_chain")]
    pub fn peer_certificate_chain(&self) -> Vec<Cert> {
        let sent = self.ssl().peer_cert_chain();
        let sent = sent.into_iter().flatten().map(Cert::from);
        // OpenSSL leaves a client's own certificate out.
        let leaf = match self.role {
            Role::Server => self.peer_certificate(),
            Role::Client => None,
        };
        let mut chain: Vec<Cert> = leaf.into_iter().chain(sent).collect();
        if chain.is_empty() {
            chain.extend(self.peer_certificate());
        }
        chain
    }

    /// The chain by which the peer was verified, from its certificate to the trust
    /// anchor. `None` if it was not, and when a session was resumed: the check was
    /// made when that session began.
    #[doc(alias = "SSL_get0_verified_chain")]
    #[doc(alias = "get_verified_chain")]
    pub fn verified_chain(&self) -> Option<Vec<Cert>> {
        if !self.is_peer_verified() {
            return None;
        }
        let chain = self.ssl().verified_chain()?;
        Some(chain.iter().map(Cert::from).collect())
    }

    /// The chain of a peer that was refused, as far as it was built when the fault was
    /// found: what [`VerifyError::depth`] counts in. `None` where there was no fault,
    /// or none in a chain.
    #[doc(alias = "X509_STORE_CTX_get0_chain")]
    pub fn refused_chain(&self) -> Option<Vec<Cert>> {
        self.verify_result().err()?;
        let chain = self.ssl().verified_chain()?;
        Some(chain.iter().map(Cert::from).collect())
    }

    /// What OpenSSL found about the peer's certificate. Success also when there is
    /// none; [`Engine::peer_identity`] is the question to ask before trusting it.
    ///
    /// # Errors
    ///
    /// The fault, unless a callback of the application accepted it.
    #[doc(alias = "SSL_get_verify_result")]
    #[doc(alias = "get_verify_result")]
    pub fn verify_result(&self) -> Result<(), VerifyError> {
        match self.ssl().verify_result() {
            X509VerifyResult::OK => Ok(()),
            fault => Err(VerifyError::from(fault)),
        }
    }

    /// Who the peer is, if this connection has verified that: its handshake is
    /// done, its context asks for certificates, no fault was found in the peer's or
    /// the application accepted it, and the application has approved where it is to.
    /// `None` also once the connection has failed.
    ///
    /// This is what a server with client authentication decides by, and what a
    /// client shows as the name of its server.
    pub fn peer_identity(&self) -> Option<PeerIdentity> {
        if !self.is_peer_verified() {
            return None;
        }
        let certificate = self.peer_certificate()?;
        Some(self.connection.inquire(|_| PeerIdentity::of(certificate)))
    }

    fn is_peer_verified(&self) -> bool {
        self.state.established
            && self.state.failed.is_none()
            && self.connection.is_init_finished()
            && self.is_approved()
            && self.ssl().verify_mode().contains(SslVerifyMode::PEER)
            && self.verify_result().is_ok()
    }

    /// The names of authorities that the peer sent to say whose certificates it
    /// takes: on a client, those in the server's request (RFC 8446, section 4.2.4).
    #[doc(alias = "SSL_get0_peer_CA_list")]
    #[doc(alias = "SSL_get_client_CA_list")]
    #[doc(alias = "get_client_ca_list")]
    pub fn peer_ca_names(&self) -> Vec<Name> {
        let Some(names) = peer_authorities(self.ssl()) else {
            return Vec::new();
        };
        let copies = |_: &_| names.iter().map(Name::from).collect();
        self.connection.inquire(copies)
    }
}

/// The names in a certificate that was verified; see [`Engine::peer_identity`].
///
/// Names that are not printable ASCII are left out: none such is allowed, and a
/// NUL in the middle has fooled many a program.
///
/// # Scheduling
///
/// Never switches, except where a method says so.
#[doc(alias = "subjectAltName")]
#[derive(Debug, Clone)]
pub struct PeerIdentity {
    certificate: Cert,
    common_name: Option<String>,
    dns_names: Vec<String>,
    ip_addresses: Vec<IpAddr>,
    emails: Vec<String>,
    uris: Vec<String>,
}

impl PeerIdentity {
    fn of(certificate: Cert) -> PeerIdentity {
        let alternatives = certificate.as_x509().subject_alt_names();
        let names = || alternatives.iter().flatten();
        let texts = |part: fn(&GeneralNameRef) -> Option<&str>| {
            names().filter_map(part).filter_map(printable).collect()
        };
        let dns_names = texts(GeneralNameRef::dnsname);
        let emails = texts(GeneralNameRef::email);
        let uris = texts(GeneralNameRef::uri);
        let ip_addresses = names()
            .filter_map(|name| ip_address(name.ipaddress()?))
            .collect();
        let common_name = certificate
            .as_x509()
            .subject_name()
            .entries_by_nid(Nid::COMMONNAME)
            .last()
            .and_then(|entry| entry.data().to_string().ok())
            .filter(|text| !text.contains(char::is_control));
        PeerIdentity {
            common_name,
            dns_names,
            ip_addresses,
            emails,
            uris,
            certificate,
        }
    }

    /// The certificate.
    pub fn certificate(&self) -> &Cert {
        &self.certificate
    }

    /// The subject as a whole.
    #[doc(alias = "X509.get_subject")]
    pub fn subject(&self) -> Name {
        self.certificate.subject()
    }

    /// The last common name of the subject: a label for people.
    #[doc(alias = "commonName")]
    pub fn common_name(&self) -> Option<&str> {
        self.common_name.as_deref()
    }

    /// The DNS names. One that begins with `*.` stands for many.
    pub fn dns_names(&self) -> &[String] {
        &self.dns_names
    }

    /// The IP addresses.
    pub fn ip_addresses(&self) -> &[IpAddr] {
        &self.ip_addresses
    }

    /// The e-mail addresses.
    pub fn emails(&self) -> &[String] {
        &self.emails
    }

    /// The URIs.
    pub fn uris(&self) -> &[String] {
        &self.uris
    }

    /// The SPIFFE ID: the only URI, if it is one with the scheme `spiffe`. More
    /// than one URI makes a certificate that names no workload (X.509-SVID,
    /// section 2).
    pub fn spiffe_id(&self) -> Option<&str> {
        match &self.uris[..] {
            [only] if only.starts_with("spiffe://") => Some(only),
            _ => None,
        }
    }
}

fn printable(text: &str) -> Option<String> {
    let all = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_graphic());
    all.then(|| text.to_owned())
}

/// An address is 4 or 16 bytes; with a mask behind it, it is no address of a host.
fn ip_address(bytes: &[u8]) -> Option<IpAddr> {
    if let Ok(v4) = <[u8; 4]>::try_from(bytes) {
        return Some(IpAddr::V4(Ipv4Addr::from(v4)));
    }
    let v6 = <[u8; 16]>::try_from(bytes).ok()?;
    Some(IpAddr::V6(Ipv6Addr::from(v6)))
}
