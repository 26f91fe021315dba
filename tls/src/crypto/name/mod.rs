//! Distinguished names (RFC 5280, section 4.1.2.4): who a certificate is about, and who
//! has signed it.
//!
//! A name is a list of relative names, each of one attribute and its value or, rarely,
//! of several. It is taken apart once, when it is made, and kept beside OpenSSL's form
//! of it, which knows how names are compared and hashed.

mod attr;
mod builder;
#[allow(unsafe_code, reason = "calls functions of libcrypto")]
mod sys;
mod text;

use std::cmp::Ordering;
use std::fmt;
use std::hash::{Hash, Hasher};
use std::str::FromStr;
use std::sync::Arc;

use openssl::error::ErrorStack;
use openssl::nid::Nid;
use openssl::x509::{X509Name, X509NameEntryRef, X509NameRef};

pub use attr::Attr;
pub use builder::NameBuilder;

use super::call::{call, look};
use super::der::{self, Reader};
use super::encoding::Encoding;
use super::ext::Oid;
use super::object::Kind;
use crate::error::Error;
use crate::ssl::index_of_rdn;
#[cfg(feature = "aws-lc")]
use crate::ssl::missing::Asn1ObjectRefExt;

const KIND: Kind = Kind {
    subject: "name",
    labels: &[],
};

/// A distinguished name: who issued a certificate, or whom it is about.
///
/// Cheap to clone: a counted reference to what never changes. Names are equal when
/// OpenSSL takes them for the same: letters in upper and lower case are, and so are
/// one space and several (RFC 5280, section 7.1).
///
/// Parses from the form `/C=DE/O=Example/CN=localhost`, as `openssl req -subj` takes
/// it, and is shown as in RFC 4514, the last attribute first.
///
/// # Scheduling
///
/// Never switches, except where a method says so.
///
/// # Examples
///
/// ```
/// use greenling_tls::crypto::{Attr, Name};
///
/// let name = Name::builder()
///     .add(Attr::Country, "DE")
///     .add(Attr::Organization, "Example, Inc.")
///     .add(Attr::CommonName, "localhost")
///     .build()?;
/// assert_eq!(name.common_name().as_deref(), Some("localhost"));
/// assert_eq!(name.to_string(), r"CN=localhost,O=Example\, Inc.,C=DE");
/// assert_eq!(name, "/C=DE/O=Example, Inc./CN=localhost".parse()?);
/// # Ok::<(), greenling_tls::Error>(())
/// ```
#[doc(alias = "X509Name")]
#[doc(alias = "X509NameType")]
#[doc(alias = "X509_NAME")]
#[derive(Clone)]
pub struct Name(Arc<Inner>);

struct Inner {
    name: X509Name,
    der: Vec<u8>,
    entries: Vec<Entry>,
}

/// An attribute with its value.
struct Entry {
    /// `None` when the object identifier is damaged.
    attr: Option<Attr>,
    /// OpenSSL's short name or, where it has none, the object identifier.
    short: String,
    /// The same for long names.
    long: String,
    has_name: bool,
    /// The value as OpenSSL has it: mostly without its tag and length.
    bytes: Vec<u8>,
    /// The value in DER form; empty when the name is not in DER form, but in BER.
    der: Vec<u8>,
    /// The value as text, if its type is one of text.
    text: Option<String>,
    /// Whether it belongs to the same relative name as the entry before it.
    joined: bool,
}

impl Name {
    /// Starts a new name.
    pub fn builder() -> NameBuilder {
        NameBuilder::default()
    }

    /// Starts from a copy of this name.
    pub fn edit(&self) -> NameBuilder {
        NameBuilder::from(self)
    }

    /// The value of an attribute; the first, if there are several. `None` also when
    /// the value is damaged or no text.
    ///
    /// It comes from whoever made the certificate and may hold any character, a NUL
    /// too.
    #[doc(alias = "X509_NAME_get_text_by_NID")]
    #[doc(alias = "X509_NAME_get_index_by_NID")]
    pub fn get(&self, attr: Attr) -> Option<String> {
        self.values(&attr).next()
    }

    /// All values of an attribute, in the order of the name.
    pub fn get_all(&self, attr: Attr) -> Vec<String> {
        self.values(&attr).collect()
    }

    fn values(&self, attr: &Attr) -> impl Iterator<Item = String> {
        let found = self.0.entries.iter();
        let found = found.filter(move |entry| entry.attr.as_ref() == Some(attr));
        found.filter_map(|entry| entry.text.clone())
    }

    /// The country: two letters.
    #[doc(alias = "countryName")]
    #[doc(alias = "C")]
    pub fn country(&self) -> Option<String> {
        self.get(Attr::Country)
    }

    /// The state or province.
    #[doc(alias = "stateOrProvinceName")]
    #[doc(alias = "ST")]
    pub fn state_or_province(&self) -> Option<String> {
        self.get(Attr::StateOrProvince)
    }

    /// The locality: a city, for example.
    #[doc(alias = "localityName")]
    #[doc(alias = "L")]
    pub fn locality(&self) -> Option<String> {
        self.get(Attr::Locality)
    }

    /// The organization.
    #[doc(alias = "organizationName")]
    #[doc(alias = "O")]
    pub fn organization(&self) -> Option<String> {
        self.get(Attr::Organization)
    }

    /// The part of the organization.
    #[doc(alias = "organizationalUnitName")]
    #[doc(alias = "OU")]
    pub fn organizational_unit(&self) -> Option<String> {
        self.get(Attr::OrganizationalUnit)
    }

    /// What it is commonly called. Peers are not checked by it, but by the
    /// subjectAltName (RFC 9525).
    #[doc(alias = "commonName")]
    #[doc(alias = "CN")]
    pub fn common_name(&self) -> Option<String> {
        self.get(Attr::CommonName)
    }

    /// The e-mail address.
    #[doc(alias = "emailAddress")]
    pub fn email_address(&self) -> Option<String> {
        self.get(Attr::EmailAddress)
    }

    /// All attributes in order: the short name, or the object identifier where OpenSSL
    /// has no name for it, and the bytes of the value, in whatever encoding it has.
    #[doc(alias = "get_components")]
    #[doc(alias = "X509_NAME_get_entry")]
    pub fn components(&self) -> Vec<(String, Vec<u8>)> {
        let entries = self.0.entries.iter();
        entries
            .map(|entry| (entry.short.clone(), entry.bytes.clone()))
            .collect()
    }

    /// The relative names, each of pairs of a long name and a value; a value that is no
    /// text is empty.
    pub(crate) fn relative_names(&self) -> Vec<Vec<(String, String)>> {
        let relative = self.0.entries.chunk_by(|_, next| next.joined);
        let pair = |e: &Entry| (e.long.clone(), e.text.clone().unwrap_or_default());
        relative
            .map(|entries| entries.iter().map(pair).collect())
            .collect()
    }

    /// Whether it has no attribute at all.
    pub fn is_empty(&self) -> bool {
        self.0.entries.is_empty()
    }

    /// The hash by which a directory of certificates is searched (`c_rehash`): of names
    /// that are equal it is the same.
    ///
    /// It is 0 where OpenSSL is set up to do without SHA-1.
    #[doc(alias = "X509_NAME_hash_ex")]
    #[doc(alias = "X509_NAME_hash")]
    #[doc(alias = "subject_name_hash")]
    pub fn hash(&self) -> u32 {
        look(|| sys::hash(&self.0.name))
    }

    /// The hash of pyOpenSSL's manual, the first four bytes of the MD5 digest of the DER
    /// form, by which OpenSSL searched directories before version 1.0.
    ///
    /// It is 0 where OpenSSL is set up to do without MD5.
    #[doc(alias = "X509_NAME_hash_old")]
    pub fn hash_md5(&self) -> u32 {
        look(|| sys::hash_old(&self.0.name))
    }

    /// Its DER form.
    #[doc(alias = "der")]
    #[doc(alias = "i2d_X509_NAME")]
    pub fn to_der(&self) -> Vec<u8> {
        self.0.der.clone()
    }

    /// Reads its DER form, which nothing may follow.
    ///
    /// # Errors
    ///
    /// [`Error::Config`] of the kind [`Malformed`](crate::ConfigErrorKind::Malformed) or
    /// [`TooLarge`](crate::ConfigErrorKind::TooLarge).
    #[doc(alias = "d2i_X509_NAME")]
    pub fn from_der(der: &[u8]) -> Result<Name, Error> {
        let decode = X509Name::from_der;
        let name = KIND.decode(Encoding::Der, der, decode, decode)?;
        Ok(Name::of(name)?)
    }

    /// The same as a type of the crate `openssl`.
    pub fn as_x509_name(&self) -> &X509NameRef {
        &self.0.name
    }

    /// A copy of a name in a certificate.
    pub(crate) fn copy_of(name: &X509NameRef) -> Name {
        call(|| name.to_owned())
            .and_then(Name::of)
            .expect("memory for a copy of a name that was parsed before")
    }

    fn of(name: X509Name) -> Result<Name, ErrorStack> {
        let (der, entries) = call(|| {
            let der = name.to_der()?;
            let mut values = values(&der).unwrap_or_default().into_iter();
            let mut last = None;
            let entries = name.entries().map(|entry| {
                let relative = index_of_rdn(entry);
                let joined = last.replace(relative) == Some(relative);
                Entry::of(entry, values.next(), joined)
            });
            let entries = entries.collect();
            Ok((der, entries))
        })?;
        Ok(Name(Arc::new(Inner { name, der, entries })))
    }
}

impl Entry {
    fn of(entry: &X509NameEntryRef, value: Option<&[u8]>, joined: bool) -> Entry {
        let object = entry.object();
        let nid = object.nid();
        let oid = Oid::from_content(object.to_owned().as_slice());
        let known = nid != Nid::UNDEF;
        let number = || match &oid {
            Some(oid) => oid.to_string(),
            None => object.to_string(),
        };
        let name = |name: Result<&str, ErrorStack>| match name {
            Ok(name) if known => name.to_owned(),
            _ => number(),
        };
        let (short, long) = (name(nid.short_name()), name(nid.long_name()));
        let data = entry.data();
        Entry {
            attr: oid.map(Attr::from),
            has_name: known,
            short,
            long,
            bytes: data.as_slice().to_vec(),
            der: value.unwrap_or_default().to_vec(),
            text: text::is_text(sys::tag(data))
                .then(|| data.to_string().ok())
                .flatten(),
            joined,
        }
    }
}

/// The values of a name in DER form, one after the other.
fn values(der: &[u8]) -> Option<Vec<&[u8]>> {
    let mut values = Vec::new();
    let mut name = Reader::only(der, der::SEQUENCE)?;
    while !name.is_empty() {
        let mut relative = Reader::new(name.next()?.content);
        while !relative.is_empty() {
            let mut pair = relative.sequence()?;
            pair.take(der::OID)?;
            values.push(pair.next()?.whole);
        }
    }
    Some(values)
}

/// From `/C=DE/O=Example/CN=localhost`: a backslash takes the character after it
/// literally, and a plus adds to the last relative name. A slash alone is the empty
/// name.
impl FromStr for Name {
    type Err = Error;

    fn from_str(text: &str) -> Result<Name, Error> {
        text::parse(text)?.build()
    }
}

/// As in RFC 4514, the last relative name first; what cannot be printed is escaped.
impl fmt::Display for Name {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        text::write(&self.0.entries, f)
    }
}

impl fmt::Debug for Name {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Name({self})")
    }
}

/// As OpenSSL sorts them, by the length of the canonical form first.
impl Ord for Name {
    fn cmp(&self, other: &Name) -> Ordering {
        if Arc::ptr_eq(&self.0, &other.0) {
            return Ordering::Equal;
        }
        call(|| self.0.name.try_cmp(&other.0.name)).unwrap_or_else(|_| self.0.der.cmp(&other.0.der))
    }
}

impl PartialOrd for Name {
    fn partial_cmp(&self, other: &Name) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl PartialEq for Name {
    fn eq(&self, other: &Name) -> bool {
        self.cmp(other) == Ordering::Equal
    }
}

impl Eq for Name {}

impl Hash for Name {
    fn hash<H: Hasher>(&self, state: &mut H) {
        state.write_u32(Name::hash(self));
    }
}

/// OpenSSL encodes a name that was changed at its first use, so a copy is taken, which
/// everyone may share.
impl From<X509Name> for Name {
    fn from(name: X509Name) -> Name {
        Name::copy_of(&name)
    }
}

/// A copy.
impl From<&X509NameRef> for Name {
    fn from(name: &X509NameRef) -> Name {
        Name::copy_of(name)
    }
}

/// A copy.
impl From<Name> for X509Name {
    fn from(name: Name) -> X509Name {
        call(|| name.0.name.to_owned()).expect("memory for a name")
    }
}
