//! Archives changed by hand.

use super::FEW;

/// `OBJECT IDENTIFIER pkcs7-data`.
const DATA: &[u8] = b"\x06\x09\x2a\x86\x48\x86\xf7\x0d\x01\x07\x01";

/// The MAC, its salt, and what it covers, out of the layout that OpenSSL writes:
/// `SEQUENCE { version, SEQUENCE { OID, [0] { OCTET STRING content } },
/// SEQUENCE { SEQUENCE { algorithm, OCTET STRING mac }, OCTET STRING salt, iterations } }`.
pub(super) fn last_parts(file: &[u8]) -> (Vec<u8>, Vec<u8>, Vec<u8>) {
    let outer = children(content(file));
    let safes = children(content(outer[1]));
    let covered = content(content(safes[1])).to_vec();
    let mac = children(content(outer[2]));
    let digest = children(content(mac[0]));
    (
        content(digest[1]).to_vec(),
        content(mac[1]).to_vec(),
        covered,
    )
}

/// The length of the header and of the content of a DER value.
pub(super) fn header(value: &[u8]) -> (usize, usize) {
    match value[1] {
        short @ ..0x80 => (2, usize::from(short)),
        long => {
            let count = usize::from(long & 0x7f);
            let digits = &value[2..2 + count];
            let length = digits.iter().fold(0, |sum, b| sum << 8 | usize::from(*b));
            (2 + count, length)
        }
    }
}

pub(super) fn content(value: &[u8]) -> &[u8] {
    let (start, length) = header(value);
    &value[start..start + length]
}

pub(super) fn children(mut content: &[u8]) -> Vec<&[u8]> {
    let mut found = Vec::new();
    while !content.is_empty() {
        let (start, length) = header(content);
        let (child, rest) = content.split_at(start + length);
        found.push(child);
        content = rest;
    }
    found
}

pub(super) fn tlv(tag: u8, content: &[u8]) -> Vec<u8> {
    match u16::try_from(content.len()).unwrap().to_be_bytes() {
        [0, short @ ..0x80] => [&[tag, short], content].concat(),
        [0, long] => [&[tag, 0x81, long], content].concat(),
        longer => [&[tag, 0x82], &longer[..], content].concat(),
    }
}

/// `ContentInfo { OID, [0] { OCTET STRING { SEQUENCE { parts } } } }`.
fn plain(parts: &[u8]) -> Vec<u8> {
    let octets = tlv(4, &tlv(0x30, parts));
    tlv(0x30, &[DATA, &tlv(0xa0, &octets)].concat())
}

/// The bags of an archive in which nothing is encrypted.
pub(super) fn bags(file: &[u8]) -> Vec<u8> {
    let parts = |info| content(content(content(children(content(info))[1])));
    let safes = children(parts(children(content(file))[1]));
    safes.into_iter().flat_map(parts).copied().collect()
}

/// An archive without a MAC that holds these bags, and what else there is beside them.
pub(super) fn archive(bags: &[u8], beside: &[u8]) -> Vec<u8> {
    let safes = plain(&[&plain(bags), beside].concat());
    tlv(0x30, &[&[2, 1, 3], &safes[..]].concat())
}

/// The value with a number of iterations in place of [`FEW`], at every depth.
pub(super) fn with_iterations(value: &[u8], number: &[u8]) -> Vec<u8> {
    let inner = content(value);
    // Random bytes may begin like a sequence, and do not end like one.
    let is_sequence = inner.len() > 64 && inner[0] == 0x30 && {
        let (start, length) = header(inner);
        start + length == inner.len()
    };
    let holds_der = value[0] & 0x20 != 0 || (value[0] == 4 && is_sequence);
    if value[0] == 2 && inner == &FEW.to_be_bytes()[2..] {
        tlv(2, number)
    } else if holds_der {
        let changed = children(inner);
        let changed: Vec<_> = changed.iter().map(|c| with_iterations(c, number)).collect();
        tlv(value[0], &changed.concat())
    } else {
        tlv(value[0], inner)
    }
}
