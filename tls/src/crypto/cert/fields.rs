//! What a certificate says.

use crate::config_error::{ConfigError, ConfigErrorKind};
use crate::crypto::call::{call, look};
use crate::crypto::digest::Digest;
use crate::crypto::ext::{ExtKind, GeneralName};
use crate::crypto::key::PublicKey;
use crate::crypto::name::Name;
use crate::crypto::serial::Serial;
use crate::crypto::time::Timestamp;
use crate::error::Error;

use super::{Cert, KIND};

impl Cert {
    /// Whom it is about.
    #[doc(alias = "get_subject")]
    #[doc(alias = "X509_get_subject_name")]
    pub fn subject(&self) -> Name {
        Name::copy_of(self.0.subject_name())
    }

    /// Who has signed it.
    #[doc(alias = "get_issuer")]
    #[doc(alias = "X509_get_issuer_name")]
    pub fn issuer(&self) -> Name {
        Name::copy_of(self.0.issuer_name())
    }

    /// Its number among the certificates of its issuer.
    #[doc(alias = "get_serial_number")]
    #[doc(alias = "X509_get_serialNumber")]
    pub fn serial(&self) -> Serial {
        Serial::from_asn1(self.0.serial_number())
    }

    /// Its version, counted from 0: 2 stands for version 3, which nearly all have. A
    /// number that is none counts as -1.
    #[doc(alias = "get_version")]
    #[doc(alias = "X509_get_version")]
    pub fn version(&self) -> i32 {
        #[cfg(feature = "aws-lc")]
        use crate::ssl::missing::X509RefExt;
        look(|| self.0.version())
    }

    /// The first second in which it is valid. A time that cannot be read counts as
    /// [`Timestamp::MAX`], so that the certificate never is.
    #[doc(alias = "get_notBefore")]
    #[doc(alias = "X509_get0_notBefore")]
    pub fn not_before(&self) -> Timestamp {
        Timestamp::from_asn1(self.0.not_before()).unwrap_or(Timestamp::MAX)
    }

    /// The last second in which it is valid. A time that cannot be read counts as
    /// [`Timestamp::MIN`], so that the certificate never is.
    #[doc(alias = "get_notAfter")]
    #[doc(alias = "X509_get0_notAfter")]
    pub fn not_after(&self) -> Timestamp {
        Timestamp::from_asn1(self.0.not_after()).unwrap_or(Timestamp::MIN)
    }

    /// Whether its last second has passed at `time`; whether its first has come is not
    /// looked at.
    #[doc(alias = "has_expired")]
    pub fn is_expired_at(&self, time: Timestamp) -> bool {
        time > self.not_after()
    }

    /// Whether its last second has passed.
    #[doc(alias = "X509.has_expired")]
    pub fn has_expired(&self) -> bool {
        self.is_expired_at(Timestamp::now())
    }

    /// Whether `time` is in the period in which it is valid. Nothing else is checked.
    #[doc(alias = "X509_cmp_time")]
    pub fn is_valid_at(&self, time: Timestamp) -> bool {
        (self.not_before()..=self.not_after()).contains(&time)
    }

    /// The key that it is about.
    ///
    /// # Errors
    ///
    /// [`Error::Config`] of the kind [`Malformed`](ConfigErrorKind::Malformed) when it is
    /// damaged or of an algorithm that OpenSSL does not know.
    #[doc(alias = "get_pubkey")]
    #[doc(alias = "X509_get_pubkey")]
    pub fn public_key(&self) -> Result<PublicKey, Error> {
        let key = call(|| self.0.public_key()).map_err(|stack| {
            let detail = "holds a public key that OpenSSL cannot read";
            ConfigError::new(ConfigErrorKind::Malformed, KIND.subject, detail).because_ssl(stack)
        })?;
        Ok(key.into())
    }

    /// The digest of its DER form.
    ///
    /// # Errors
    ///
    /// [`Error::Ssl`] when this build of OpenSSL lacks the digest.
    #[doc(alias = "digest")]
    #[doc(alias = "X509_digest")]
    pub fn fingerprint(&self, digest: Digest) -> Result<Vec<u8>, Error> {
        Ok(call(|| self.0.digest(digest.openssl()))?.to_vec())
    }

    /// The digest of its DER form in upper-case hexadecimal digits with colons, as
    /// `openssl x509 -fingerprint` prints it and pyOpenSSL's `digest` gives it.
    ///
    /// # Errors
    ///
    /// As [`Cert::fingerprint`].
    #[doc(alias = "X509.digest")]
    pub fn fingerprint_hex(&self, digest: Digest) -> Result<String, Error> {
        let octets = self.fingerprint(digest)?;
        let pairs: Vec<String> = octets.iter().map(|octet| format!("{octet:02X}")).collect();
        Ok(pairs.join(":"))
    }

    /// The hash of the subject by which directories are searched; see [`Name::hash`].
    #[doc(alias = "subject_name_hash")]
    #[doc(alias = "X509_subject_name_hash")]
    pub fn subject_hash(&self) -> u32 {
        self.subject().hash()
    }

    /// The same as OpenSSL had it before version 1.0; see [`Name::hash_md5`].
    #[doc(alias = "X509_subject_name_hash_old")]
    pub fn subject_hash_old(&self) -> u32 {
        self.subject().hash_md5()
    }

    /// The hash of the issuer; see [`Name::hash`].
    #[doc(alias = "X509_issuer_name_hash")]
    pub fn issuer_hash(&self) -> u32 {
        self.issuer().hash()
    }

    /// The same as OpenSSL had it before version 1.0; see [`Name::hash_md5`].
    #[doc(alias = "X509_issuer_name_hash_old")]
    pub fn issuer_hash_old(&self) -> u32 {
        self.issuer().hash_md5()
    }

    /// What it was signed with, such as `ecdsa-with-SHA256`; the object identifier in
    /// digits where OpenSSL has no name for it.
    #[doc(alias = "get_signature_algorithm")]
    #[doc(alias = "X509_get_signature_nid")]
    pub fn signature_algorithm(&self) -> String {
        look(|| self.0.signature_algorithm().object().to_string())
    }

    /// Checks that the holder of the private key to `key` has signed it. That says
    /// nothing of whether it is valid.
    ///
    /// # Errors
    ///
    /// [`Error::Config`] of the kind [`BadSignature`](ConfigErrorKind::BadSignature).
    #[doc(alias = "X509_verify")]
    pub fn verify_signature(&self, key: &PublicKey) -> Result<(), Error> {
        let detail = "was not signed by this key";
        let error = ConfigError::new(ConfigErrorKind::BadSignature, KIND.subject, detail);
        match call(|| self.0.verify(key.as_pkey())) {
            Ok(true) => Ok(()),
            Ok(false) => Err(error.into()),
            Err(stack) => Err(error.because_ssl(stack).into()),
        }
    }

    /// Whether it was signed by its own key, as roots are.
    #[doc(alias = "X509_self_signed")]
    pub fn is_self_signed(&self) -> bool {
        let signed = |key| self.verify_signature(&key).is_ok();
        self.issued(self) && self.public_key().is_ok_and(signed)
    }

    /// Whether `other` says that this one is above it: by its issuer's name and, where
    /// there is one, the identifier of its issuer's key. The signature is not checked.
    #[doc(alias = "X509_check_issued")]
    pub fn issued(&self, other: &Cert) -> bool {
        use openssl::x509::X509VerifyResult;
        look(|| self.0.issued(&other.0)) == X509VerifyResult::OK
    }

    /// The names of whom it is for: hosts, addresses, mailboxes. None when it says
    /// nothing of them, or only what is damaged.
    ///
    /// They come from whoever made the certificate and may hold any character. To ask
    /// whether it is for somebody, take [`Cert::matches_host`] and its like.
    #[doc(alias = "subjectAltName")]
    pub fn subject_alt_names(&self) -> Vec<GeneralName> {
        let mut exts = self.extensions().unwrap_or_default().into_iter();
        exts.find_map(|ext| match ext.kind() {
            ExtKind::SubjectAltName(names) => Some(names),
            _ => None,
        })
        .unwrap_or_default()
    }

    /// The name that a container such as a PKCS #12 file has given it. It is not part of
    /// the certificate.
    #[doc(alias = "get_friendlyname")]
    #[doc(alias = "X509_alias_get0")]
    pub fn alias(&self) -> Option<String> {
        let name = self.0.alias()?;
        Some(String::from_utf8_lossy(name).into_owned())
    }
}
