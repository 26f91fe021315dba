//! The functions that make the usual extensions.

use super::kind::TLS_FEATURE;
use super::{
    AccessDescription, BasicConstraints, DistributionPoint, Ext, ExtKind, GeneralName, KeyPurpose,
    KeyUsage, NameConstraints, Oid, Policy, key_id,
};
use crate::crypto::cert::Cert;
use crate::crypto::key::PublicKey;
use crate::crypto::serial::Serial;
use crate::error::Error;

/// The sections are those of RFC 5280.
impl Ext {
    /// The names of the subject: hosts, addresses, mailboxes (section 4.2.1.6). In a
    /// certificate whose subject is empty it must be critical.
    ///
    /// # Errors
    ///
    /// [`Error::Config`] when there is none, or one is not what it should be.
    #[doc(alias = "subjectAltName")]
    pub fn subject_alt_name(names: impl IntoIterator<Item = GeneralName>) -> Result<Ext, Error> {
        ExtKind::SubjectAltName(names.into_iter().collect()).try_into()
    }

    /// The names of the issuer (section 4.2.1.7).
    ///
    /// # Errors
    ///
    /// As [`Ext::subject_alt_name`].
    #[doc(alias = "issuerAltName")]
    pub fn issuer_alt_name(names: impl IntoIterator<Item = GeneralName>) -> Result<Ext, Error> {
        ExtKind::IssuerAltName(names.into_iter().collect()).try_into()
    }

    /// Whether the subject is an authority (section 4.2.1.9). Critical.
    ///
    /// # Errors
    ///
    /// [`Error::Config`] when there is a length and no authority.
    #[doc(alias = "basicConstraints")]
    pub fn basic_constraints(constraints: BasicConstraints) -> Result<Ext, Error> {
        ExtKind::BasicConstraints(constraints).try_into()
    }

    /// What the key may be used for (section 4.2.1.3). Critical.
    ///
    /// # Errors
    ///
    /// [`Error::Config`] when the set is empty.
    #[doc(alias = "keyUsage")]
    pub fn key_usage(usage: KeyUsage) -> Result<Ext, Error> {
        ExtKind::KeyUsage(usage).try_into()
    }

    /// What the certificate may be used for (section 4.2.1.12).
    ///
    /// # Errors
    ///
    /// [`Error::Config`] when there is no purpose.
    #[doc(alias = "extendedKeyUsage")]
    pub fn extended_key_usage(
        purposes: impl IntoIterator<Item = KeyPurpose>,
    ) -> Result<Ext, Error> {
        ExtKind::ExtendedKeyUsage(purposes.into_iter().collect()).try_into()
    }

    /// By what others know the subject's key: the SHA-1 digest of it, which is a name
    /// here and protects nothing (section 4.2.1.2, method 1).
    ///
    /// # Errors
    ///
    /// [`Error::Ssl`] when the key cannot be encoded.
    #[doc(alias = "subjectKeyIdentifier")]
    pub fn subject_key_id(key: &PublicKey) -> Result<Ext, Error> {
        ExtKind::SubjectKeyId(key_id::of_key(key.as_pkey())?).try_into()
    }

    /// By what the issuer's certificate knows its own key (section 4.2.1.1); without a
    /// subjectKeyIdentifier there, what [`Ext::subject_key_id`] would make of it.
    ///
    /// # Errors
    ///
    /// [`Error::Ssl`] when the issuer's key cannot be read.
    #[doc(alias = "authorityKeyIdentifier")]
    pub fn authority_key_id(issuer: &Cert) -> Result<Ext, Error> {
        ExtKind::AuthorityKeyId(key_id::of_issuer(issuer.as_x509())?).try_into()
    }

    /// Which names an authority may put into certificates (section 4.2.1.10). Critical.
    ///
    /// # Errors
    ///
    /// [`Error::Config`] when there is none, or one is not what it should be.
    #[doc(alias = "nameConstraints")]
    pub fn name_constraints(constraints: NameConstraints) -> Result<Ext, Error> {
        ExtKind::NameConstraints(constraints).try_into()
    }

    /// Where revocation lists are found (section 4.2.1.13). A [`GeneralName`] is a
    /// whole [`DistributionPoint`] by itself.
    ///
    /// # Errors
    ///
    /// [`Error::Config`] when there is no point, or one has no name or a bad one.
    #[doc(alias = "crlDistributionPoints")]
    pub fn crl_distribution_points<P: Into<DistributionPoint>>(
        points: impl IntoIterator<Item = P>,
    ) -> Result<Ext, Error> {
        let points = points.into_iter().map(Into::into).collect();
        ExtKind::CrlDistributionPoints(points).try_into()
    }

    /// Where OCSP responders and the issuer's certificate are found (section 4.2.2.1).
    ///
    /// # Errors
    ///
    /// [`Error::Config`] when there is nothing, or a bad name.
    #[doc(alias = "authorityInfoAccess")]
    pub fn authority_info_access(
        places: impl IntoIterator<Item = AccessDescription>,
    ) -> Result<Ext, Error> {
        ExtKind::AuthorityInfoAccess(places.into_iter().collect()).try_into()
    }

    /// Under which policies the certificate is issued (section 4.2.1.4). An [`Oid`] is
    /// a whole [`Policy`] by itself.
    ///
    /// # Errors
    ///
    /// [`Error::Config`] when there is none, or a text in one cannot be used.
    #[doc(alias = "certificatePolicies")]
    pub fn certificate_policies<P: Into<Policy>>(
        policies: impl IntoIterator<Item = P>,
    ) -> Result<Ext, Error> {
        let policies = policies.into_iter().map(Into::into).collect();
        ExtKind::CertificatePolicies(policies).try_into()
    }

    /// Says that servers must send an OCSP response with this certificate (RFC 7633).
    #[doc(alias = "tlsfeature")]
    pub fn must_staple() -> Ext {
        // A list of one number: the TLS extension status_request (RFC 6066, section 8).
        Ext::new(Oid::known(TLS_FEATURE), false, &[0x30, 3, 2, 1, 5])
    }

    /// The number of a revocation list (section 5.2.3).
    ///
    /// # Errors
    ///
    /// [`Error::Config`] when it is negative.
    #[doc(alias = "crlNumber")]
    pub fn crl_number(number: &Serial) -> Result<Ext, Error> {
        ExtKind::CrlNumber(number.clone()).try_into()
    }
}
