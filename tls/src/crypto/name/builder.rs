//! Making names: what attributes may hold is OpenSSL's table of strings, which follows
//! RFC 5280, appendix A.

use openssl::x509::X509Name;

use super::{Attr, Name, sys};
use crate::config_error::{ConfigError, ConfigErrorKind};
use crate::crypto::call::call;
use crate::error::Error;

/// The longest value of any attribute (`ub-name` of RFC 5280, appendix A).
const VALUE_MAX: usize = 32_768;

/// How much of a value messages show.
const SHOWN_MAX: usize = 80;

/// Makes a [`Name`]. Attributes stand in the order in which they were given; by habit
/// that is from the country down to the common name.
///
/// # Scheduling
///
/// Never switches, except where a method says so.
#[derive(Debug, Clone, Default)]
#[must_use = "a builder does nothing until `build`"]
pub struct NameBuilder {
    /// The name that is edited.
    origin: Option<Name>,
    parts: Vec<Part>,
}

#[derive(Debug, Clone)]
struct Part {
    /// `None` for one of a name that is edited, when its object identifier is damaged.
    attr: Option<Attr>,
    value: Value,
    /// Whether it belongs to the same relative name as the part before it.
    joined: bool,
}

#[derive(Debug, Clone)]
enum Value {
    Text(String),
    /// An entry of the name that is edited, kept as it is.
    Entry(usize),
}

impl Part {
    fn is(&self, attr: &Attr) -> bool {
        self.attr.as_ref() == Some(attr)
    }
}

impl NameBuilder {
    /// Gives an attribute this value and no other, in the place that it had, or else at
    /// the end.
    #[doc(alias = "X509_NAME_add_entry_by_NID")]
    #[doc(alias = "X509_NAME_delete_entry")]
    pub fn set(mut self, attr: Attr, value: &str) -> NameBuilder {
        match self.parts.iter().position(|part| part.is(&attr)) {
            None => self.add(attr, value),
            Some(first) => {
                self.parts[first].value = Value::Text(value.to_owned());
                self.remove_from(first + 1, &attr);
                self
            }
        }
    }

    /// Appends an attribute, also if the name has one of the kind.
    #[doc(alias = "X509_NAME_add_entry_by_txt")]
    pub fn add(self, attr: Attr, value: &str) -> NameBuilder {
        self.push(attr, value, false)
    }

    /// Appends an attribute to the last relative name, which has several then.
    pub fn add_to_last(self, attr: Attr, value: &str) -> NameBuilder {
        let joined = !self.parts.is_empty();
        self.push(attr, value, joined)
    }

    /// Takes all values of an attribute out.
    pub fn remove(mut self, attr: Attr) -> NameBuilder {
        self.remove_from(0, &attr);
        self
    }

    /// The finished name. One without attributes is allowed, for certificates that say
    /// whom they are about by subjectAltName only.
    ///
    /// # Errors
    ///
    /// [`Error::Config`] of the kind [`BadValue`](ConfigErrorKind::BadValue) that names
    /// the attribute: its value is empty, too long (64 characters for most), contains
    /// a NUL or characters that the attribute cannot hold, or is a country that does
    /// not have two letters.
    pub fn build(self) -> Result<Name, Error> {
        let mut singles = Vec::new();
        for part in &self.parts {
            if let (Some(attr), Value::Text(text)) = (&part.attr, &part.value) {
                singles.push(single(attr, text)?);
            }
        }
        let name = call(|| {
            let origin = self.origin.iter();
            let kept: Vec<_> = origin
                .flat_map(|name| name.as_x509_name().entries())
                .collect();
            let mut new = singles.iter().flat_map(|name| name.entries());
            let entries = self.parts.iter().filter_map(|part| {
                let entry = match part.value {
                    Value::Entry(index) => kept.get(index).copied(),
                    Value::Text(_) => new.next(),
                };
                Some((entry?, part.joined))
            });
            sys::assemble(&entries.collect::<Vec<_>>())
        })?;
        Ok(Name::of(name)?)
    }

    fn push(mut self, attr: Attr, value: &str, joined: bool) -> NameBuilder {
        self.parts.push(Part {
            attr: Some(attr),
            value: Value::Text(value.to_owned()),
            joined,
        });
        self
    }

    fn remove_from(&mut self, start: usize, attr: &Attr) {
        let mut index = start;
        while index < self.parts.len() {
            if !self.parts[index].is(attr) {
                index += 1;
                continue;
            }
            let removed = self.parts.remove(index);
            if let Some(next) = self.parts.get_mut(index) {
                // What belonged to the removed one's relative name must not join the one
                // before it.
                next.joined &= removed.joined;
            }
        }
    }
}

impl From<&Name> for NameBuilder {
    fn from(name: &Name) -> NameBuilder {
        let entries = name.0.entries.iter().enumerate();
        let parts = entries.map(|(index, entry)| Part {
            attr: entry.attr.clone(),
            value: Value::Entry(index),
            joined: entry.joined,
        });
        NameBuilder {
            origin: Some(name.clone()),
            parts: parts.collect(),
        }
    }
}

/// A name of one attribute, checked.
fn single(attr: &Attr, value: &str) -> Result<X509Name, ConfigError> {
    let fault = |detail: String| {
        let subject = format!("attribute {}", attr.long_name());
        ConfigError::new(ConfigErrorKind::BadValue, subject, detail)
    };
    if value.is_empty() {
        return Err(fault("is empty".to_owned()));
    }
    if value.len() > VALUE_MAX {
        return Err(fault(format!("is longer than {VALUE_MAX} bytes")));
    }
    if value.contains('\0') {
        return Err(fault("contains a NUL".to_owned()));
    }
    let oid = attr.oid().to_string();
    call(|| {
        let mut name = X509Name::builder()?;
        name.append_entry_by_text(&oid, value)?;
        Ok(name.build())
    })
    .map_err(|stack| {
        let shown: String = value.chars().take(SHOWN_MAX).collect();
        fault(format!("cannot be {shown:?}")).because_ssl(stack)
    })
}
