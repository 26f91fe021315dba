//! One object in PEM or DER form: found, told from other objects, and read.

use openssl::error::ErrorStack;
use openssl::pkcs7::Pkcs7;
use openssl::pkcs12::Pkcs12;
use openssl::pkey::PKey;
use openssl::x509::{X509, X509Crl, X509Req};

use super::call::{call, check_size};
use super::encoding::Encoding;
use super::{der, pem};
use crate::config_error::{ConfigError, ConfigErrorKind};

/// A kind of object, as messages and PEM labels (RFC 7468) name it.
pub(crate) struct Kind<'a> {
    /// What messages call it.
    pub(crate) subject: &'a str,
    /// The labels that OpenSSL reads as this kind.
    pub(crate) labels: &'static [&'static str],
}

/// What labels stand for, so that a message can say what was found instead.
const KNOWN: &[(&str, &str)] = &[
    ("CERTIFICATE", "a certificate"),
    ("X509 CERTIFICATE", "a certificate"),
    ("TRUSTED CERTIFICATE", "a certificate"),
    ("CERTIFICATE REQUEST", "a certificate request"),
    ("NEW CERTIFICATE REQUEST", "a certificate request"),
    ("X509 CRL", "a list of revoked certificates"),
    ("PRIVATE KEY", "a private key"),
    ("ENCRYPTED PRIVATE KEY", "an encrypted private key"),
    ("RSA PRIVATE KEY", "a private key"),
    ("EC PRIVATE KEY", "a private key"),
    ("DSA PRIVATE KEY", "a private key"),
    ("PUBLIC KEY", "a public key"),
    ("RSA PUBLIC KEY", "a public key"),
    ("PKCS7", "a PKCS #7 structure"),
    ("CMS", "a CMS structure"),
    ("EC PARAMETERS", "parameters of a key"),
    ("DH PARAMETERS", "parameters of a key"),
    ("DSA PARAMETERS", "parameters of a key"),
];

impl Kind<'_> {
    /// Reads one object with the parser of its encoding.
    ///
    /// In PEM form text around it and objects of other kinds before it are skipped,
    /// as OpenSSL does it. In DER form nothing may follow.
    pub(crate) fn decode<T>(
        &self,
        encoding: Encoding,
        bytes: &[u8],
        parse_pem: impl FnOnce(&[u8]) -> Result<T, ErrorStack>,
        parse_der: impl FnOnce(&[u8]) -> Result<T, ErrorStack>,
    ) -> Result<T, ConfigError> {
        self.check_form(encoding, bytes)?;
        let parsed = match encoding {
            Encoding::Der => call(|| parse_der(bytes)),
            Encoding::Pem => {
                let plain = pem::without_headers(bytes, self.labels).ok_or_else(|| {
                    let detail = "has a header, as encrypted keys have";
                    ConfigError::new(ConfigErrorKind::Malformed, self.subject, detail)
                })?;
                call(|| parse_pem(&plain))
            }
        };
        parsed.map_err(|stack| self.damaged(encoding, bytes, stack))
    }

    /// The error for what OpenSSL cannot read: another object, or a damaged one.
    pub(crate) fn damaged(
        &self,
        encoding: Encoding,
        bytes: &[u8],
        stack: ErrorStack,
    ) -> ConfigError {
        match found(encoding, bytes) {
            Some(what) => {
                let kind = ConfigErrorKind::WrongObject;
                ConfigError::new(kind, self.subject, format!("is {what}"))
            }
            None => ConfigError::new(ConfigErrorKind::Malformed, self.subject, "is damaged")
                .because_ssl(stack),
        }
    }

    /// Whether the input can be of this kind at all, as far as its size and form tell.
    pub(crate) fn check_form(&self, encoding: Encoding, bytes: &[u8]) -> Result<(), ConfigError> {
        check_size(self.subject, bytes)?;
        let error = |kind, detail: String| Err(ConfigError::new(kind, self.subject, detail));
        match encoding {
            Encoding::Pem => {
                let found: Vec<&str> = pem::blocks(bytes).map(|block| block.label).collect();
                if found.iter().any(|label| self.labels.contains(label)) {
                    return Ok(());
                }
                let named = |label: &&str| KNOWN.iter().find(|(known, _)| known == label);
                match found.first() {
                    Some(label) => {
                        let what = named(label).map_or("another object", |(_, what)| what);
                        error(ConfigErrorKind::WrongObject, format!("is {what}"))
                    }
                    None => error(
                        ConfigErrorKind::Malformed,
                        "is not in PEM form: it has no BEGIN line".to_owned(),
                    ),
                }
            }
            Encoding::Der => {
                if bytes.starts_with(b"-----BEGIN ") {
                    return error(
                        ConfigErrorKind::Malformed,
                        "is in PEM form, where DER is expected".to_owned(),
                    );
                }
                match der::items(bytes).next() {
                    None => error(ConfigErrorKind::Malformed, "is empty".to_owned()),
                    Some(first) if first.len() != bytes.len() => error(
                        ConfigErrorKind::Malformed,
                        format!("is followed by {} more bytes", bytes.len() - first.len()),
                    ),
                    Some(first) if der::is_cut_short(first) => {
                        error(ConfigErrorKind::Malformed, "is cut short".to_owned())
                    }
                    Some(_) => Ok(()),
                }
            }
        }
    }
}

/// What DER that was refused is instead, if OpenSSL reads it as something else.
fn found(encoding: Encoding, bytes: &[u8]) -> Option<&'static str> {
    if encoding == Encoding::Pem {
        return None; // the labels have told
    }
    let is = |read: fn(&[u8]) -> Result<(), ErrorStack>| call(|| read(bytes)).is_ok();
    // What begins with a version is never tried as what does not: asking OpenSSL for a
    // private key takes a millisecond, and damaged certificates may be many.
    let has_version = der::first_inside(bytes) == Some(der::INTEGER);
    if der::is_encrypted_key(bytes) {
        Some("an encrypted private key")
    } else if has_version && is(|der| PKey::private_key_from_der(der).map(drop)) {
        Some("a private key")
    } else if has_version && is(|der| Pkcs12::from_der(der).map(drop)) {
        Some("a PKCS #12 archive")
    } else if has_version {
        None
    } else if is(|der| X509::from_der(der).map(drop)) {
        Some("a certificate")
    } else if is(|der| X509Req::from_der(der).map(drop)) {
        Some("a certificate request")
    } else if is(|der| X509Crl::from_der(der).map(drop)) {
        Some("a list of revoked certificates")
    } else if is(|der| PKey::public_key_from_der(der).map(drop)) {
        Some("a public key")
    } else if is(|der| Pkcs7::from_der(der).map(drop)) {
        Some("a PKCS #7 structure")
    } else {
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const CERTIFICATE: Kind<'_> = Kind {
        subject: "certificate",
        labels: &["CERTIFICATE"],
    };

    fn fault(encoding: Encoding, bytes: &[u8]) -> (ConfigErrorKind, String) {
        let error = CERTIFICATE.check_form(encoding, bytes).unwrap_err();
        (error.kind(), error.to_string())
    }

    #[test]
    fn what_was_found_instead_is_named() {
        let key = b"text\r\n-----BEGIN PRIVATE KEY-----\r\n";
        let (kind, text) = fault(Encoding::Pem, key);
        assert_eq!(kind, ConfigErrorKind::WrongObject);
        assert_eq!(text, "certificate: is a private key");
        let both = [&key[..], b"-----BEGIN CERTIFICATE-----\n"].concat();
        assert!(CERTIFICATE.check_form(Encoding::Pem, &both).is_ok());
    }

    #[test]
    fn forms_that_cannot_be_are_told_apart() {
        for (encoding, bytes, text) in [
            (Encoding::Pem, &b"\x30\x00"[..], "no BEGIN line"),
            (
                Encoding::Der,
                b"-----BEGIN CERTIFICATE-----\n",
                "in PEM form",
            ),
            (Encoding::Der, b"", "is empty"),
            (Encoding::Der, b"\x30\x01\x00\x00", "followed by 1 more"),
            (Encoding::Der, b"\x30\x02\x00", "cut short"),
        ] {
            let (kind, message) = fault(encoding, bytes);
            assert_eq!(kind, ConfigErrorKind::Malformed);
            assert!(message.contains(text), "{message}");
        }
    }
}
