//! The two text forms of names: with slashes, as OpenSSL's commands take it, and that
//! of RFC 4514, in which names are shown.

use std::fmt;

use super::{Attr, Entry, NameBuilder};
use crate::config_error::{ConfigError, ConfigErrorKind};
use crate::error::Error;

/// The tags of the ASN.1 types that hold text: UTF8String, NumericString,
/// PrintableString, T61String, IA5String, VisibleString, UniversalString and BMPString.
const TEXT_TAGS: [i32; 8] = [12, 18, 19, 20, 22, 26, 28, 30];

pub(super) fn is_text(tag: i32) -> bool {
    TEXT_TAGS.contains(&tag)
}

/// Reads `/C=DE/O=Example/CN=localhost`.
pub(super) fn parse(text: &str) -> Result<NameBuilder, Error> {
    let fault = |detail: String| {
        let shown: String = text.chars().take(80).collect();
        ConfigError::new(ConfigErrorKind::BadValue, format!("name {shown:?}"), detail)
    };
    let Some(mut rest) = text.strip_prefix('/') else {
        return Err(fault("does not begin with a slash".to_owned()).into());
    };
    let mut builder = NameBuilder::default();
    let mut joined = false;
    while !rest.is_empty() {
        let (attr, after) = rest
            .split_once('=')
            .ok_or_else(|| fault(format!("has no `=` in {rest:?}")))?;
        let attr: Attr = attr.parse()?;
        let (value, end, after) =
            value(after).ok_or_else(|| fault("ends with a backslash".to_owned()))?;
        builder = match joined {
            true => builder.add_to_last(attr, &value),
            false => builder.add(attr, &value),
        };
        joined = end == Some('+');
        if joined && after.is_empty() {
            return Err(fault("ends with a plus".to_owned()).into());
        }
        rest = after;
    }
    Ok(builder)
}

/// A value without its escapes, what ended it, and the text after that.
fn value(text: &str) -> Option<(String, Option<char>, &str)> {
    let mut value = String::new();
    let mut rest = text.chars();
    while let Some(character) = rest.next() {
        match character {
            '/' | '+' => return Some((value, Some(character), rest.as_str())),
            '\\' => value.push(rest.next()?),
            plain => value.push(plain),
        }
    }
    Some((value, None, ""))
}

/// Writes the form of RFC 4514, section 2: the last relative name first, and in it, as
/// OpenSSL does, the last attribute.
pub(super) fn write(entries: &[Entry], f: &mut fmt::Formatter<'_>) -> fmt::Result {
    let relative = entries.chunk_by(|_, next| next.joined);
    for (index, entries) in relative.rev().enumerate() {
        if index > 0 {
            f.write_str(",")?;
        }
        for (index, entry) in entries.iter().rev().enumerate() {
            if index > 0 {
                f.write_str("+")?;
            }
            write_entry(entry, f)?;
        }
    }
    Ok(())
}

/// Values of an attribute without a name, and such as are no text, are written in DER.
fn write_entry(entry: &Entry, f: &mut fmt::Formatter<'_>) -> fmt::Result {
    write!(f, "{}=", entry.short)?;
    match &entry.text {
        Some(text) if entry.has_name => write_text(text, f),
        _ => write_der(entry, f),
    }
}

fn write_text(text: &str, f: &mut fmt::Formatter<'_>) -> fmt::Result {
    let last = text.chars().count().saturating_sub(1);
    for (index, character) in text.chars().enumerate() {
        match character {
            '"' | '+' | ',' | ';' | '<' | '>' | '\\' => write!(f, "\\{character}")?,
            '#' if index == 0 => f.write_str("\\#")?,
            ' ' if index == 0 || index == last => f.write_str("\\ ")?,
            hidden if is_hidden(hidden) => {
                for octet in hidden.encode_utf8(&mut [0; 4]).bytes() {
                    write!(f, "\\{octet:02X}")?;
                }
            }
            plain => write!(f, "{plain}")?,
        }
    }
    Ok(())
}

/// Control characters, and those that turn the direction of what stands around them.
fn is_hidden(character: char) -> bool {
    let marks = '\u{200e}'..='\u{200f}';
    let separators_and_turns = '\u{2028}'..='\u{202e}';
    let isolates = '\u{2066}'..='\u{2069}';
    character.is_control()
        || [marks, separators_and_turns, isolates]
            .iter()
            .any(|range| range.contains(&character))
}

fn write_der(entry: &Entry, f: &mut fmt::Formatter<'_>) -> fmt::Result {
    f.write_str("#")?;
    let mut octets = entry.der.iter();
    octets.try_for_each(|octet| write!(f, "{octet:02X}"))
}
