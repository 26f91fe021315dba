//! The blocks of a file in PEM form (RFC 7468).

use openssl::base64;
use openssl::error::ErrorStack;

const BEGIN: &[u8] = b"-----BEGIN ";
const END: &[u8] = b"-----END ";
const DASHES: &[u8] = b"-----";

/// Characters on a line of base64.
const LINE: usize = 64;

/// One object with the lines around it.
pub(super) struct Block<'a> {
    /// What its first line calls it.
    pub(super) label: &'a str,
    /// All of it, both lines included; what there is when it has no end.
    pub(super) text: &'a [u8],
    /// What is between them.
    body: &'a [u8],
    /// Whether it has an end.
    closed: bool,
}

impl Block<'_> {
    /// Whether it has the header of RFC 1421 that says so.
    pub(super) fn has_encryption_header(&self) -> bool {
        let header = b"Proc-Type: 4,ENCRYPTED";
        self.body.windows(header.len()).any(|part| part == header)
    }

    /// Whether it has a header of RFC 1421 at all: base64 has no colon.
    fn has_header(&self) -> bool {
        self.body.contains(&b':')
    }

    /// What the base64 stands for.
    pub(super) fn der(&self) -> Result<Vec<u8>, ErrorStack> {
        if !self.closed {
            return Err(ErrorStack::get());
        }
        let printable = |byte: &u8| !byte.is_ascii_whitespace();
        let text: Vec<u8> = self.body.iter().copied().filter(printable).collect();
        match std::str::from_utf8(&text) {
            Ok(text) => base64::decode_block(text),
            Err(_) => Err(ErrorStack::get()),
        }
    }
}

/// The blocks of a file, in order.
pub(super) fn blocks(bytes: &[u8]) -> impl Iterator<Item = Block<'_>> {
    let mut lines = Lines { bytes, at: 0 };
    std::iter::from_fn(move || {
        let (start, label) =
            lines.find_map(|(start, line)| Some((start, label_of(line, BEGIN)?)))?;
        let inside = lines.at;
        let mut end = bytes.len();
        let mut closed = false;
        while let Some((at, line)) = lines.next() {
            let begins = label_of(line, BEGIN).is_some();
            if begins {
                lines.at = at; // the block before has no end
            }
            closed = label_of(line, END) == Some(label);
            if begins || closed {
                end = at;
                break;
            }
        }
        Some(Block {
            label,
            text: &bytes[start..lines.at],
            body: &bytes[inside..end],
            closed,
        })
    })
}

/// The blocks of such objects, without what is around them, as OpenSSL may read them.
/// `None` if one has a header: OpenSSL's readers could ask on the terminal for its
/// passphrase, though nothing is encrypted but keys, which are read by other functions.
///
/// OpenSSL also takes lines for the begin of a block that are none here (it cuts long
/// lines, and leaves out control characters at their end). Without the colon of a header
/// in the whole text, whatever it finds there is not encrypted.
pub(crate) fn without_headers(bytes: &[u8], labels: &[&str]) -> Option<Vec<u8>> {
    let mut plain = Vec::new();
    for block in blocks(bytes).filter(|block| labels.contains(&block.label)) {
        if block.has_header() {
            return None;
        }
        plain.extend_from_slice(block.text);
        if !block.text.ends_with(b"\n") {
            plain.push(b'\n');
        }
    }
    Some(plain)
}

/// Writes a block.
pub(super) fn write(label: &str, der: &[u8]) -> Vec<u8> {
    let mut text = format!("-----BEGIN {label}-----\n").into_bytes();
    for line in base64::encode_block(der).as_bytes().chunks(LINE) {
        text.extend_from_slice(line);
        text.push(b'\n');
    }
    text.extend_from_slice(format!("-----END {label}-----\n").as_bytes());
    text
}

fn label_of<'a>(line: &'a [u8], begin: &[u8]) -> Option<&'a str> {
    let label = line.trim_ascii_end().strip_prefix(begin)?;
    std::str::from_utf8(label.strip_suffix(DASHES)?).ok()
}

/// Lines with the places where they begin.
struct Lines<'a> {
    bytes: &'a [u8],
    at: usize,
}

impl<'a> Iterator for Lines<'a> {
    type Item = (usize, &'a [u8]);

    fn next(&mut self) -> Option<(usize, &'a [u8])> {
        let start = self.at;
        let rest = self.bytes.get(start..).filter(|rest| !rest.is_empty())?;
        let newline = rest.iter().position(|byte| *byte == b'\n');
        let length = newline.map_or(rest.len(), |index| index + 1);
        self.at += length;
        Some((start, &rest[..length]))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn blocks_are_found_between_other_text() {
        let one = write("ONE", &[7; 100]);
        let file = [
            &b"text\r\n"[..],
            &one,
            b"more\n-----BEGIN TWO-----\r\nBw==\n",
        ]
        .concat();
        let found: Vec<_> = blocks(&file).collect();
        assert_eq!([found[0].label, found[1].label], ["ONE", "TWO"]);
        assert_eq!(found[0].text, one);
        assert_eq!(found[0].der().unwrap(), [7; 100]);
        assert!(found[1].der().is_err(), "it has no end");
        assert_eq!(found.len(), 2);
        let unended = [&b"-----BEGIN ONE-----\n"[..], &one].concat();
        assert_eq!(blocks(&unended).nth(1).unwrap().text, one);
        assert_eq!(blocks(b"").count(), 0);
    }
}
