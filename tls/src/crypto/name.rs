//! Distinguished names (RFC 5280, section 4.1.2.4).

use openssl::x509::{X509Name, X509NameRef};

/// A distinguished name: who issued a certificate, or whom it is about.
///
/// # Scheduling
///
/// Never switches, except where a method says so.
#[doc(alias = "X509Name")]
pub struct Name(X509Name);

impl Name {
    /// The same as a type of the crate `openssl`.
    pub fn as_x509_name(&self) -> &X509NameRef {
        &self.0
    }
}

impl From<X509Name> for Name {
    fn from(inner: X509Name) -> Name {
        Name(inner)
    }
}

impl std::fmt::Debug for Name {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.0.fmt(f)
    }
}
