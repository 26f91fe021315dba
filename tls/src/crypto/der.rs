//! Reading and writing DER (ITU-T X.690) by hand: extensions and the attributes of
//! requests, where certificates end, whether a key is encrypted.
//!
//! The text form that OpenSSL has for extensions gives commas and colons a meaning, so
//! values never pass through it. A crate for ASN.1 would bring ten others for what is
//! a page here. [`Reader`] takes DER only: one form for each length, nothing left
//! over. `None` says that the bytes are damaged; whoever reads knows what to make of it.

pub(crate) const BOOLEAN: u8 = 0x01;
pub(crate) const INTEGER: u8 = 0x02;
pub(crate) const BIT_STRING: u8 = 0x03;
pub(crate) const OCTET_STRING: u8 = 0x04;
pub(crate) const NULL: u8 = 0x05;
pub(crate) const OID: u8 = 0x06;
pub(crate) const SEQUENCE: u8 = 0x30;
pub(crate) const SET: u8 = 0x31;

/// The tag `[number]` of a value that has no parts.
pub(crate) const fn context(number: u8) -> u8 {
    0x80 | number
}

/// The tag `[number]` of a value that has parts.
pub(crate) const fn context_of_parts(number: u8) -> u8 {
    0xa0 | number
}

/// One value: its tag, what is inside, and both together.
#[derive(Clone, Copy)]
pub(crate) struct Item<'a> {
    pub(crate) tag: u8,
    pub(crate) content: &'a [u8],
    pub(crate) whole: &'a [u8],
}

/// Values that stand one after the other.
#[derive(Clone)]
pub(crate) struct Reader<'a>(&'a [u8]);

impl<'a> Reader<'a> {
    pub(crate) fn new(bytes: &'a [u8]) -> Reader<'a> {
        Reader(bytes)
    }

    /// The parts of the one value that `bytes` are.
    pub(crate) fn only(bytes: &'a [u8], tag: u8) -> Option<Reader<'a>> {
        let mut outer = Reader(bytes);
        let content = outer.take(tag)?;
        outer.end()?;
        Some(Reader(content))
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The next value, whatever it is.
    pub(crate) fn next(&mut self) -> Option<Item<'a>> {
        let (start, length) = header(self.0)?;
        let (whole, rest) = self.0.split_at_checked(start + length)?;
        let tag = whole[0];
        // Tags of several octets occur in nothing that is read here, and a length of
        // 0x80 would be one that is not told.
        let is_shortest = start == header_length(length) && whole[1] != 0x80;
        if !is_shortest || tag & 0x1f == 0x1f {
            return None;
        }
        self.0 = rest;
        Some(Item {
            tag,
            content: &whole[start..],
            whole,
        })
    }

    /// The content of the next value, which must have this tag.
    pub(crate) fn take(&mut self, tag: u8) -> Option<&'a [u8]> {
        self.next()
            .filter(|item| item.tag == tag)
            .map(|item| item.content)
    }

    /// The content of the next value if it has this tag, and nothing otherwise.
    pub(crate) fn maybe(&mut self, tag: u8) -> Option<Option<&'a [u8]>> {
        if self.0.first() == Some(&tag) {
            self.take(tag).map(Some)
        } else {
            Some(None)
        }
    }

    /// The parts of the next value, which must be a SEQUENCE.
    pub(crate) fn sequence(&mut self) -> Option<Reader<'a>> {
        self.take(SEQUENCE).map(Reader)
    }

    /// Says that there must be nothing more.
    pub(crate) fn end(&self) -> Option<()> {
        self.is_empty().then_some(())
    }

    /// Reads until the end by `one`.
    pub(crate) fn all<T>(mut self, one: impl Fn(&mut Reader<'a>) -> Option<T>) -> Option<Vec<T>> {
        let mut found = Vec::new();
        while !self.is_empty() {
            found.push(one(&mut self)?);
        }
        Some(found)
    }
}

/// The values that stand one after the other. What is left when one is cut short
/// comes last, for whoever parses it to complain about.
pub(crate) fn items(mut bytes: &[u8]) -> impl Iterator<Item = &[u8]> {
    std::iter::from_fn(move || {
        if bytes.is_empty() {
            return None;
        }
        let length = header(bytes).map_or(bytes.len(), |(start, length)| start + length);
        let (item, rest) = bytes.split_at_checked(length).unwrap_or((bytes, &[]));
        bytes = rest;
        Some(item)
    })
}

/// Whether it is an `EncryptedPrivateKeyInfo` (RFC 5958, section 3): an algorithm and
/// octets. Plain keys begin with their version, certificates hold more.
pub(crate) fn is_encrypted_key(bytes: &[u8]) -> bool {
    let parts = || {
        let mut outer = Reader::only(bytes, SEQUENCE)?;
        outer.sequence()?.take(OID)?;
        outer.take(OCTET_STRING)?;
        outer.end()
    };
    parts().is_some()
}

/// Whether the first value claims to be longer than what there is.
pub(crate) fn is_cut_short(bytes: &[u8]) -> bool {
    header(bytes).is_none_or(|(start, length)| bytes.len() < start + length)
}

/// The tag of what comes first inside of the first value.
pub(crate) fn first_inside(bytes: &[u8]) -> Option<u8> {
    let (start, _) = header(bytes)?;
    bytes.get(start).copied()
}

/// Where the content of the first value begins, and its length.
fn header(bytes: &[u8]) -> Option<(usize, usize)> {
    let (&[_, first], rest) = bytes.split_first_chunk()?;
    if first < 0x80 {
        return Some((2, usize::from(first)));
    }
    let count = usize::from(first & 0x7f);
    let digits = rest.get(..count).filter(|digits| digits.len() <= 4)?;
    let length = digits
        .iter()
        .fold(0, |sum, digit| sum << 8 | usize::from(*digit));
    Some((2 + count, length))
}

/// How many octets the shortest form of a tag and this length has.
fn header_length(length: usize) -> usize {
    match length {
        0..0x80 => 2,
        _ => 2 + length_digits(length),
    }
}

/// How many octets it takes to write `length`.
fn length_digits(length: usize) -> usize {
    (usize::BITS - length.leading_zeros()).div_ceil(8) as usize
}

/// What a BOOLEAN holds.
pub(crate) fn boolean(content: &[u8]) -> Option<bool> {
    match content {
        [0] => Some(false),
        [0xff] => Some(true),
        _ => None,
    }
}

/// What an INTEGER holds that is not negative and has 32 bits at most.
pub(crate) fn unsigned(content: &[u8]) -> Option<u32> {
    let magnitude = magnitude(content)?;
    if magnitude.len() > 4 {
        return None;
    }
    Some(
        magnitude
            .iter()
            .fold(0, |sum, byte| sum << 8 | u32::from(*byte)),
    )
}

/// The octets of an INTEGER that is not negative, without leading zeros.
pub(crate) fn magnitude(content: &[u8]) -> Option<&[u8]> {
    match content {
        [] => None,
        [0] => Some(&[]),
        [0, next, ..] => (next & 0x80 != 0).then(|| &content[1..]),
        [first, ..] => (first & 0x80 == 0).then_some(content),
    }
}

/// A value with this tag.
pub(crate) fn value(tag: u8, content: impl AsRef<[u8]>) -> Vec<u8> {
    let content = content.as_ref();
    let mut bytes = Vec::with_capacity(content.len() + 6);
    bytes.push(tag);
    let length = content.len();
    if length < 0x80 {
        bytes.push(length as u8);
    } else {
        let digits = length_digits(length);
        bytes.push(0x80 | digits as u8);
        let length = length.to_be_bytes();
        bytes.extend_from_slice(&length[length.len() - digits..]);
    }
    bytes.extend_from_slice(content);
    bytes
}

/// A value with this tag, of parts that are encoded already.
pub(crate) fn parts<P: AsRef<[u8]>>(tag: u8, parts: impl IntoIterator<Item = P>) -> Vec<u8> {
    let mut content = Vec::new();
    for part in parts {
        content.extend_from_slice(part.as_ref());
    }
    value(tag, content)
}

/// An INTEGER from octets, the most significant first, that is not negative.
pub(crate) fn integer(magnitude: &[u8]) -> Vec<u8> {
    value(INTEGER, integer_content(magnitude))
}

/// What is inside of it.
pub(crate) fn integer_content(magnitude: &[u8]) -> Vec<u8> {
    let zeros = magnitude.iter().take_while(|byte| **byte == 0).count();
    let mut content = magnitude[zeros..].to_vec();
    if content.first().is_none_or(|first| first & 0x80 != 0) {
        content.insert(0, 0);
    }
    content
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lengths_are_written_in_the_shortest_form_and_read_in_no_other() {
        for length in [0, 1, 0x7f, 0x80, 0xff, 0x100, 0xffff, 0x1_0000] {
            let bytes = value(OCTET_STRING, vec![7; length]);
            let item = Reader::new(&bytes).next().expect("a value");
            assert_eq!((item.tag, item.content.len()), (OCTET_STRING, length));
            assert_eq!(item.whole, bytes);
            for cut in 0..bytes.len().min(8) {
                assert!(Reader::new(&bytes[..cut]).next().is_none());
            }
        }
        for bad in [
            &[0x04, 0x80][..],
            &[0x04, 0x81, 0x01, 0],
            &[0x04, 0x82, 0x00, 0x80],
            &[0x04, 0x85, 0, 0, 0, 0, 1, 0],
            &[0x1f, 0x01, 0x00],
            &[0x04, 0x84, 0xff, 0xff, 0xff, 0xff],
            &[0x04, 0xff],
        ] {
            assert!(Reader::new(bad).next().is_none(), "{bad:x?}");
        }
    }

    #[test]
    fn integers_have_one_form() {
        for (number, encoded) in [
            (&[0, 0][..], &[2, 1, 0][..]),
            (&[], &[2, 1, 0]),
            (&[0x7f], &[2, 1, 0x7f]),
            (&[0x80], &[2, 2, 0, 0x80]),
            (&[0, 1, 2], &[2, 2, 1, 2]),
        ] {
            assert_eq!(integer(number), encoded);
        }
        assert_eq!(unsigned(&[0, 0xff, 0xff, 0xff, 0xff]), Some(u32::MAX));
        for bad in [&[][..], &[0, 1], &[0x80], &[1, 0, 0, 0, 0]] {
            assert_eq!(unsigned(bad), None, "{bad:x?}");
        }
    }

    #[test]
    fn values_are_told_apart() {
        let long = [&[0x30, 0x81, 0x80][..], &[7; 128]].concat();
        let bytes = [&[0x30, 1, 9][..], &long, &[0x30, 0]].concat();
        let found: Vec<_> = items(&bytes).collect();
        assert_eq!(found, [&[0x30, 1, 9][..], &long, &[0x30, 0]]);
    }

    #[test]
    fn what_is_cut_short_or_absurd_comes_last_and_whole() {
        for bad in [
            &[0x30][..],
            &[0x30, 5, 1],
            &[0x30, 0x82, 1],
            &[0x30, 0x85, 1, 1, 1, 1, 1, 1],
            &[0x30, 0x84, 0xff, 0xff, 0xff, 0xff, 0],
        ] {
            assert_eq!(items(bad).collect::<Vec<_>>(), [bad]);
            assert!(is_cut_short(bad));
            assert!(!is_encrypted_key(bad));
        }
        assert_eq!(items(&[]).count(), 0);
        assert!(!is_cut_short(&[0x30, 1, 9]));
    }
}
