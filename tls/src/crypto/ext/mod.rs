//! Extensions of certificates, requests and revocation lists (RFC 5280, section 4.2).
//!
//! An [`Ext`] is the bytes that stand in the certificate: what was read is written
//! again as it was. [`Ext::kind`] looks inside; what it does not know, or what is
//! damaged, is [`ExtKind::Raw`] and never an error, since one odd extension must not
//! hide the rest of a certificate. Values are encoded here and not by OpenSSL's text
//! form, in which a comma in a name would begin the next name.

mod check;
mod conf;
mod constraints;
mod general_name;
mod key_id;
mod kind;
mod links;
mod make;
mod oid;
mod policy;
mod read;
#[allow(
    unsafe_code,
    reason = "walks lists of extensions, has them printed and read"
)]
mod sys;
mod usage;

use std::fmt;
use std::sync::Arc;

use openssl::asn1::{Asn1Object, Asn1OctetString};
use openssl::x509::{X509Extension, X509ExtensionRef};

use super::call::{call, check_size};
use super::der::{self, Reader};
use crate::config_error::{ConfigError, ConfigErrorKind};
use crate::error::Error;

pub use conf::ExtContext;
pub use constraints::{NameConstraints, NameRange};
pub use general_name::GeneralName;
pub use key_id::AuthorityKeyId;
pub use kind::ExtKind;
pub use links::{AccessDescription, AccessMethod, DistributionPoint};
pub use oid::Oid;
pub use policy::Policy;
pub use usage::{BasicConstraints, KeyPurpose, KeyUsage};

/// An extension of a certificate, a request or a revocation list.
///
/// Cheap to clone, and never changes. The functions that make the usual ones check what
/// they are given and mark as critical what RFC 5280 says must be; [`Ext::critical`]
/// changes that. [`Ext::raw`] takes any other, and [`Ext::parse_conf`] the text form of
/// OpenSSL's configuration files.
///
/// # Scheduling
///
/// Never switches, except where a method says so.
///
/// # Examples
///
/// ```
/// use greenling_tls::crypto::{Ext, ExtKind, GeneralName};
///
/// let names = Ext::subject_alt_name([GeneralName::parse("localhost")?])?;
/// assert_eq!(names.short_name(), "subjectAltName");
/// assert_eq!(names.to_text()?, "DNS:localhost");
/// let ExtKind::SubjectAltName(names) = names.kind() else {
///     panic!("of another kind");
/// };
/// assert_eq!(names, [GeneralName::Dns("localhost".to_owned())]);
/// # Ok::<(), greenling_tls::Error>(())
/// ```
#[doc(alias = "X509Extension")]
#[doc(alias = "X509ExtensionType")]
#[doc(alias = "X509_EXTENSION")]
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct Ext {
    oid: Oid,
    critical: bool,
    value: Arc<[u8]>,
}

impl Ext {
    /// Any extension: its value is in DER form, of which nothing is checked.
    ///
    /// # Errors
    ///
    /// [`Error::Config`] when the value is larger than 64 MiB.
    #[doc(alias = "X509_EXTENSION_create_by_OBJ")]
    pub fn raw(oid: Oid, critical: bool, value: impl AsRef<[u8]>) -> Result<Ext, Error> {
        let value = value.as_ref();
        check_size("extension", value)?;
        Ok(Ext::new(oid, critical, value))
    }

    fn new(oid: Oid, critical: bool, value: &[u8]) -> Ext {
        Ext {
            oid,
            critical,
            value: Arc::from(value),
        }
    }

    /// The same, critical or not: who does not know a critical extension must refuse
    /// the certificate.
    #[must_use]
    pub fn critical(mut self, critical: bool) -> Ext {
        self.critical = critical;
        self
    }

    /// Whether it is critical.
    #[doc(alias = "get_critical")]
    #[doc(alias = "X509_EXTENSION_get_critical")]
    pub fn is_critical(&self) -> bool {
        self.critical
    }

    /// Which extension it is.
    #[doc(alias = "X509_EXTENSION_get_object")]
    pub fn oid(&self) -> &Oid {
        &self.oid
    }

    /// OpenSSL's name for it, as "subjectAltName", or the dotted form of its identifier.
    #[doc(alias = "get_short_name")]
    pub fn short_name(&self) -> String {
        self.oid
            .short_name()
            .unwrap_or_else(|| self.oid.to_string())
    }

    /// The DER form of its value.
    #[doc(alias = "get_data")]
    #[doc(alias = "X509_EXTENSION_get_data")]
    pub fn value(&self) -> &[u8] {
        &self.value
    }

    /// What it says; [`ExtKind::Raw`] when that is damaged or of no known kind.
    pub fn kind(&self) -> ExtKind {
        ExtKind::read(self)
    }

    /// The value as OpenSSL prints it, or bytes in hexadecimal when it does not know
    /// how.
    ///
    /// For people only: a name that has a comma in it cannot be told from two names.
    ///
    /// # Errors
    ///
    /// [`Error::Ssl`] when OpenSSL is out of memory.
    #[doc(alias = "X509V3_EXT_print")]
    pub fn to_text(&self) -> Result<String, Error> {
        let extension = self.to_openssl()?;
        let text = call(|| sys::text(&extension))?;
        Ok(String::from_utf8_lossy(&text).trim_end().to_owned())
    }

    /// The same as a type of the crate `openssl`.
    ///
    /// # Errors
    ///
    /// [`Error::Ssl`] when OpenSSL takes no identifier like this.
    pub fn to_openssl(&self) -> Result<X509Extension, Error> {
        let oid = self.oid.to_string();
        Ok(call(|| {
            let oid = Asn1Object::from_str(&oid)?;
            let value = Asn1OctetString::new_from_bytes(&self.value)?;
            X509Extension::new_from_der(&oid, self.critical, &value)
        })?)
    }

    /// From a type of the crate `openssl`.
    ///
    /// # Errors
    ///
    /// [`Error::Ssl`] when OpenSSL is out of memory.
    pub fn from_openssl(extension: &X509ExtensionRef) -> Result<Ext, Error> {
        let der = call(|| extension.to_der())?;
        let read = || {
            let mut outer = Reader::new(&der);
            let found = Ext::read(&mut outer)?;
            outer.end()?;
            Some(found)
        };
        read().ok_or_else(|| malformed("is not in DER form").into())
    }

    /// Reads the next one of a list in DER form.
    pub(crate) fn read(list: &mut Reader<'_>) -> Option<Ext> {
        let mut parts = list.sequence()?;
        let oid = Oid::from_content(parts.take(der::OID)?)?;
        let critical = match parts.maybe(der::BOOLEAN)? {
            Some(content) => der::boolean(content)?,
            None => false,
        };
        let value = parts.take(der::OCTET_STRING)?;
        parts.end()?;
        Some(Ext::new(oid, critical, value))
    }
}

pub(super) fn malformed(detail: &str) -> ConfigError {
    ConfigError::new(ConfigErrorKind::Malformed, "extension", detail)
}

/// Shows the value as octets, since all else could be made to look like something else.
impl fmt::Debug for Ext {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Ext")
            .field("oid", &self.oid)
            .field("critical", &self.critical)
            .field("value", &format_args!("{}", hex(&self.value)))
            .finish()
    }
}

fn hex(bytes: &[u8]) -> String {
    use fmt::Write;
    bytes.iter().fold(String::new(), |mut text, byte| {
        write!(text, "{byte:02x}").expect("a String takes everything");
        text
    })
}
