//! An authority that also issues what it should not, and revokes.

use std::ops::Range;
use std::sync::atomic::{AtomicU32, Ordering};

use greenling_tls::Identity;
use openssl::asn1::{Asn1Integer, Asn1Object, Asn1OctetString, Asn1Time};
use openssl::bn::BigNum;
use openssl::hash::MessageDigest;
use openssl::nid::Nid;
use openssl::pkey::{PKey, Private};
use openssl::x509::extension::{
    AuthorityKeyIdentifier, BasicConstraints, ExtendedKeyUsage, KeyUsage, SubjectAlternativeName,
    SubjectKeyIdentifier,
};
use openssl::x509::{X509, X509CrlBuilder, X509Extension, X509Name, X509Ref, X509RevokedBuilder};

use super::support::NAME;

pub(crate) struct Authority {
    key: PKey<Private>,
    certificate: X509,
}

/// A certificate to be issued; the default is a good one for a server.
pub(crate) struct Leaf {
    pub(crate) valid_days: Range<i64>,
    pub(crate) for_servers: bool,
    pub(crate) for_clients: bool,
    pub(crate) names_issuers_key: bool,
}

impl Default for Leaf {
    fn default() -> Leaf {
        Leaf {
            valid_days: -1..30,
            for_servers: true,
            for_clients: false,
            names_issuers_key: true,
        }
    }
}

impl Authority {
    pub(crate) fn root(name: &str) -> Authority {
        let key = PKey::ec_gen("P-256").unwrap();
        let certificate = certificate(name, &key, None, &key, None);
        Authority { key, certificate }
    }

    /// An authority that this one has certified.
    pub(crate) fn below(&self, name: &str) -> Authority {
        let key = PKey::ec_gen("P-256").unwrap();
        let certificate = certificate(name, &key, Some(&self.certificate), &self.key, None);
        Authority { key, certificate }
    }

    pub(crate) fn pem(&self) -> Vec<u8> {
        self.certificate.to_pem().unwrap()
    }

    pub(crate) fn certificate(&self) -> &X509 {
        &self.certificate
    }

    /// Issues a certificate for `localhost`.
    pub(crate) fn issue(&self, leaf: &Leaf) -> Identity {
        self.issue_with(leaf, &[])
    }

    /// As [`Authority::issue`], with the certificates that lead to a root.
    pub(crate) fn issue_with(&self, leaf: &Leaf, chain: &[&Authority]) -> Identity {
        let key = PKey::ec_gen("P-256").unwrap();
        let issuer = Some(&*self.certificate);
        let certificate = certificate("leaf", &key, issuer, &self.key, Some(leaf));
        let above = chain.iter().map(|authority| authority.certificate.clone());
        let chain = std::iter::once(certificate).chain(above);
        Identity::new(chain, key).unwrap()
    }

    /// A revocation list that is in force.
    pub(crate) fn crl(&self, revoked: &[&X509Ref]) -> Vec<u8> {
        let mut builder = X509CrlBuilder::new().unwrap();
        builder
            .set_issuer_name(self.certificate.subject_name())
            .unwrap();
        builder.set_last_update(&day(-1)).unwrap();
        builder.set_next_update(&day(30)).unwrap();
        for certificate in revoked {
            let mut entry = X509RevokedBuilder::new().unwrap();
            entry
                .set_serial_number(certificate.serial_number())
                .unwrap();
            entry.set_revocation_date(&day(-1)).unwrap();
            builder.add_revoked(entry.build()).unwrap();
        }
        let for_extensions = X509::builder().unwrap();
        let issuers_key = AuthorityKeyIdentifier::new()
            .keyid(true)
            .build(&for_extensions.x509v3_context(Some(&self.certificate), None))
            .unwrap();
        builder.append_extension2(&issuers_key).unwrap();
        let kind = Asn1Object::from_str("2.5.29.20").unwrap();
        let number = Asn1OctetString::new_from_bytes(&[2, 1, 1]).unwrap();
        let number = X509Extension::new_from_der(&kind, false, &number).unwrap();
        builder.append_extension2(&number).unwrap();
        builder.sign(&self.key, MessageDigest::sha256()).unwrap();
        builder.build().unwrap().to_pem().unwrap()
    }
}

/// The first certificate of an identity.
pub(crate) fn leaf_of(identity: &Identity) -> X509 {
    X509::from_pem(&identity.chain_pem().unwrap()).unwrap()
}

/// For a leaf, or else for an authority.
fn certificate(
    name: &str,
    key: &PKey<Private>,
    issuer: Option<&X509Ref>,
    signer: &PKey<Private>,
    leaf: Option<&Leaf>,
) -> X509 {
    let mut subject = X509Name::builder().unwrap();
    subject.append_entry_by_nid(Nid::COMMONNAME, name).unwrap();
    let subject = subject.build();
    let mut builder = X509::builder().unwrap();
    builder.set_version(2).unwrap();
    builder.set_serial_number(&serial()).unwrap();
    builder.set_subject_name(&subject).unwrap();
    let issuer_name = issuer.map_or(&*subject, |above| above.subject_name());
    builder.set_issuer_name(issuer_name).unwrap();
    builder.set_pubkey(key).unwrap();
    let days = leaf.map_or(-1..30, |leaf| leaf.valid_days.clone());
    builder.set_not_before(&day(days.start)).unwrap();
    builder.set_not_after(&day(days.end)).unwrap();
    let mut constraints = BasicConstraints::new();
    let mut usage = KeyUsage::new();
    match leaf {
        None => {
            constraints.critical().ca();
            usage.critical().key_cert_sign().crl_sign();
        }
        Some(_) => {
            usage.critical().digital_signature();
        }
    }
    builder
        .append_extension2(&constraints.build().unwrap())
        .unwrap();
    builder.append_extension2(&usage.build().unwrap()).unwrap();
    let subject_key = SubjectKeyIdentifier::new()
        .build(&builder.x509v3_context(issuer, None))
        .unwrap();
    builder.append_extension2(&subject_key).unwrap();
    if issuer.is_some() && leaf.is_none_or(|leaf| leaf.names_issuers_key) {
        let issuers_key = AuthorityKeyIdentifier::new()
            .keyid(true)
            .build(&builder.x509v3_context(issuer, None))
            .unwrap();
        builder.append_extension2(&issuers_key).unwrap();
    }
    if let Some(leaf) = leaf {
        let mut purposes = ExtendedKeyUsage::new();
        if leaf.for_servers {
            purposes.server_auth();
        }
        if leaf.for_clients {
            purposes.client_auth();
        }
        builder
            .append_extension2(&purposes.build().unwrap())
            .unwrap();
        let names = SubjectAlternativeName::new()
            .dns(NAME)
            .build(&builder.x509v3_context(issuer, None))
            .unwrap();
        builder.append_extension2(&names).unwrap();
    }
    builder.sign(signer, MessageDigest::sha256()).unwrap();
    builder.build()
}

fn serial() -> Asn1Integer {
    static NEXT: AtomicU32 = AtomicU32::new(1);
    let number = NEXT.fetch_add(1, Ordering::Relaxed);
    BigNum::from_u32(number).unwrap().to_asn1_integer().unwrap()
}

fn day(days: i64) -> Asn1Time {
    let now = std::time::UNIX_EPOCH.elapsed().unwrap().as_secs() as i64;
    Asn1Time::from_unix(now + days * 24 * 3600).unwrap()
}
