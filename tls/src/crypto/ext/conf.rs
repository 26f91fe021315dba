//! The text form that OpenSSL's configuration files have for extensions, and the
//! manual of pyOpenSSL with them.

use std::ffi::CString;

use openssl::x509::X509;

use super::kind::{fault, not_empty};
use super::{Ext, ExtKind, sys};
use crate::config_error::{ConfigError, ConfigErrorKind};
use crate::crypto::call::{call, check_size};
use crate::crypto::cert::Cert;
use crate::crypto::key::PublicKey;
use crate::error::Error;

/// Longer than any name that OpenSSL knows.
const NAME_MAX: usize = 256;

/// What a text form may refer to: `hash` to the subject's key, `keyid` and `issuer` to
/// the authority, `copy` to names of either.
///
/// # Scheduling
///
/// Never switches, except where a method says so.
#[derive(Debug, Clone, Copy, Default)]
pub struct ExtContext<'a> {
    subject: Option<&'a Cert>,
    subject_key: Option<&'a PublicKey>,
    issuer: Option<&'a Cert>,
}

impl<'a> ExtContext<'a> {
    /// Nothing to refer to.
    pub fn new() -> ExtContext<'a> {
        ExtContext::default()
    }

    /// The certificate that gets the extension, or one with the same key and name.
    #[must_use]
    pub fn subject(mut self, subject: &'a Cert) -> ExtContext<'a> {
        self.subject = Some(subject);
        self
    }

    /// The key of a certificate that does not exist yet.
    #[must_use]
    pub fn subject_key(mut self, key: &'a PublicKey) -> ExtContext<'a> {
        self.subject_key = Some(key);
        self
    }

    /// The certificate of the authority that will sign.
    #[must_use]
    pub fn issuer(mut self, issuer: &'a Cert) -> ExtContext<'a> {
        self.issuer = Some(issuer);
        self
    }

    /// A certificate with what the text may refer to and nothing else. Never the
    /// subject itself: `email:move` takes the mailbox out of its name.
    fn stand_in(&self) -> Result<Option<X509>, Error> {
        if self.subject.is_none() && self.subject_key.is_none() {
            return Ok(None);
        }
        let copied = self.subject.map_or(Ok(Vec::new()), Cert::extensions)?;
        let copied = copied
            .iter()
            .map(Ext::to_openssl)
            .collect::<Result<Vec<_>, Error>>()?;
        let subject = self.subject.map(Cert::as_x509);
        let certificate = call(|| {
            let mut builder = X509::builder()?;
            if let Some(subject) = subject {
                builder.set_subject_name(subject.subject_name())?;
                builder.set_pubkey(&*subject.public_key()?)?;
            }
            if let Some(key) = self.subject_key {
                builder.set_pubkey(key.as_pkey())?;
            }
            for extension in &copied {
                builder.append_extension2(extension)?;
            }
            Ok(builder.build())
        })?;
        Ok(Some(certificate))
    }
}

impl Ext {
    /// Makes an extension from OpenSSL's text form, as `subjectAltName` with
    /// `DNS:localhost, IP:127.0.0.1` (x509v3_config(5)).
    ///
    /// The text is a small language in which a comma begins the next part, so text from
    /// elsewhere must not become part of a value: the other functions that make
    /// extensions take any. A value may itself begin with `critical,`. There is no file
    /// with sections to refer to (`@name`), which is why `certificatePolicies` and
    /// `proxyCertInfo` have no text form here.
    ///
    /// # Errors
    ///
    /// [`Error::Config`] when there is a NUL in it, or OpenSSL does not understand it,
    /// with its reasons.
    ///
    /// # Examples
    ///
    /// ```
    /// use greenling_tls::crypto::{BasicConstraints, Ext, ExtContext, ExtKind};
    ///
    /// let text = "CA:TRUE, pathlen:0";
    /// let ext = Ext::parse_conf("basicConstraints", true, text, &ExtContext::new())?;
    /// let constraints = BasicConstraints { ca: true, path_len: Some(0) };
    /// assert_eq!(ext.kind(), ExtKind::BasicConstraints(constraints));
    /// # Ok::<(), greenling_tls::Error>(())
    /// ```
    #[doc(alias = "X509Extension")]
    #[doc(alias = "X509V3_EXT_nconf")]
    pub fn parse_conf(
        name: &str,
        critical: bool,
        value: &str,
        context: &ExtContext<'_>,
    ) -> Result<Ext, Error> {
        check_size("extension", value.as_bytes())?;
        // OpenSSL's messages repeat the value up to 1024 bytes; `openssl` takes no half
        // of a character.
        if value.len() > 512 && !value.is_ascii() {
            return Err(fault("has a text form beyond ASCII of more than 512 bytes").into());
        }
        let value = match critical {
            true => format!("critical,{value}"),
            false => value.to_owned(),
        };
        // OpenSSL's messages repeat the name.
        let texts = (CString::new(name), CString::new(value));
        let ((Ok(short), Ok(value)), ..=NAME_MAX) = (texts, name.len()) else {
            return Err(fault("has a NUL in its text form, or too long a name").into());
        };
        let subject = context.stand_in()?;
        let issuer = context.issuer.map(Cert::as_x509);
        let made = call(|| sys::from_text(&short, &value, subject.as_deref(), issuer));
        let made = made.map_err(|stack| {
            let subject = format!("extension {name:?}");
            let what = "is not understood by OpenSSL";
            ConfigError::new(ConfigErrorKind::BadValue, subject, what).because_ssl(stack)
        })?;
        let ext = Ext::from_openssl(&made)?;
        // What `copy` makes of names that are not there.
        if let ExtKind::SubjectAltName(names) | ExtKind::IssuerAltName(names) = ext.kind() {
            not_empty(&names, "names")?;
        }
        Ok(ext)
    }
}
