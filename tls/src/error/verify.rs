//! Why a certificate was refused.

use std::fmt;
use std::sync::Arc;

use openssl::x509::{X509NameRef, X509Ref, X509VerifyResult};

/// The longest subject that is kept, in bytes.
const SUBJECT_MAX: usize = 200;

/// Why a certificate was refused: an `X509_V_ERR_*` code and, where it is known,
/// the certificate at fault.
///
/// # Scheduling
///
/// Never switches, except where a method says so.
#[doc(alias = "SSL_get_verify_result")]
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct VerifyError {
    code: i32,
    place: Option<Place>,
}

/// Where in a chain a fault was found.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Place {
    depth: u32,
    subject: Option<Arc<str>>,
}

impl VerifyError {
    /// Wraps the code of `X509_verify_cert(3)`.
    pub fn from_code(code: i32) -> VerifyError {
        VerifyError { code, place: None }
    }

    /// The same, found at `depth`, where `certificate` is.
    pub(crate) fn at(self, depth: u32, certificate: Option<&X509Ref>) -> VerifyError {
        let subject = certificate.map(|certificate| one_line(certificate.subject_name()).into());
        VerifyError {
            place: Some(Place { depth, subject }),
            ..self
        }
    }

    /// The code, one of the `X509_V_ERR_*` numbers of `X509_STORE_CTX_get_error(3)`.
    #[doc(alias = "verify_code")]
    pub fn code(&self) -> i32 {
        self.code
    }

    /// OpenSSL's sentence for the code.
    #[doc(alias = "X509_verify_cert_error_string")]
    #[doc(alias = "verify_message")]
    pub fn reason(&self) -> &'static str {
        crate::ssl::verify_error_string(self.code)
    }

    /// Where in the chain the fault is: 0 is the peer's own certificate, the highest
    /// number the anchor's.
    #[doc(alias = "X509_STORE_CTX_get_error_depth")]
    pub fn depth(&self) -> Option<u32> {
        self.place.as_ref().map(|place| place.depth)
    }

    /// The subject of the certificate at fault, such as `CN=localhost`. The peer has
    /// written it: what is not printable is escaped, and it is cut when it is long.
    #[doc(alias = "X509_STORE_CTX_get_current_cert")]
    pub fn subject(&self) -> Option<&str> {
        self.place.as_ref()?.subject.as_deref()
    }
}

impl From<X509VerifyResult> for VerifyError {
    fn from(result: X509VerifyResult) -> VerifyError {
        VerifyError::from_code(result.as_raw())
    }
}

/// Whether only `X509_V_FLAG_X509_STRICT` leads to this code: from
/// `X509_V_ERR_PATHLEN_INVALID_FOR_NON_CA` to `_EXTENSIONS_REQUIRE_VERSION_3`.
fn is_of_strict_mode(code: i32) -> bool {
    (80..=93).contains(&code)
}

impl fmt::Display for VerifyError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} (code {}", self.reason(), self.code)?;
        if is_of_strict_mode(self.code) {
            f.write_str(", a check that `strict` asks for")?;
        }
        f.write_str(")")?;
        if let Some(place) = &self.place {
            write!(f, " at depth {}", place.depth)?;
        }
        match self.subject() {
            Some(subject) => write!(f, ", {subject}"),
            None => Ok(()),
        }
    }
}

/// A name in one line, such as `C=DE, CN=localhost`, fit for a log.
fn one_line(name: &X509NameRef) -> String {
    let mut text = String::new();
    for entry in name.entries() {
        let key = entry.object().nid().short_name().unwrap_or("?");
        let value = entry.data().to_string();
        let value = value.as_deref().unwrap_or("?").escape_debug();
        let separator = if text.is_empty() { "" } else { ", " };
        text.push_str(&format!("{separator}{key}={value}"));
        if text.len() > SUBJECT_MAX {
            let end = text.floor_char_boundary(SUBJECT_MAX);
            text.truncate(end);
            text.push_str("...");
            break;
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use openssl::x509::X509NameBuilder;

    use super::*;

    #[test]
    fn subjects_are_fit_for_a_log() {
        let mut name = X509NameBuilder::new().unwrap();
        name.append_entry_by_text("C", "DE").unwrap();
        name.append_entry_by_text("CN", "evil\nname").unwrap();
        assert_eq!(one_line(&name.build()), "C=DE, CN=evil\\nname");
        let mut name = X509NameBuilder::new().unwrap();
        for _ in 0..10 {
            name.append_entry_by_text("OU", &"ü".repeat(30)).unwrap();
        }
        let long = one_line(&name.build());
        assert!(
            long.ends_with("...") && long.len() <= SUBJECT_MAX + 3,
            "{long}"
        );
    }
}
