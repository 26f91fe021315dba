//! Damage to files: by the byte, and to the elements that DER is made of.
//!
//! A changed byte mostly breaks a length, and everything ends there. What is changed
//! element by element, with the lengths around it repaired, gets further. `fuzz/` uses
//! this file as well.

use super::random::Random;

/// Tags that mean something in these files, universal ones and of choices.
const TAGS: [u8; 24] = [
    0x01, 0x02, 0x03, 0x04, 0x05, 0x06, 0x0a, 0x0c, 0x13, 0x14, 0x16, 0x17, 0x18, 0x1c, 0x1e, 0x30,
    0x31, 0x80, 0x81, 0x82, 0x86, 0xa0, 0xa1, 0xa3,
];

/// An element of a file in DER form, in places of that file.
#[derive(Debug, Clone, Copy)]
struct Element {
    /// Where its tag is.
    start: usize,
    /// Where its content begins.
    content: usize,
    end: usize,
    /// Around it, if anything is.
    parent: Option<usize>,
}

/// All elements, each behind the one that it is part of. Strings of octets or bits
/// which hold an element of the same length are looked into.
fn elements(der: &[u8]) -> Vec<Element> {
    let mut found = Vec::new();
    collect(der, 0..der.len(), None, &mut found);
    found
}

fn collect(
    der: &[u8],
    range: std::ops::Range<usize>,
    parent: Option<usize>,
    found: &mut Vec<Element>,
) {
    let mut start = range.start;
    while let Some(content) = header(&der[start..range.end]) {
        let (content, end) = (start + content.start, start + content.end);
        let index = found.len();
        found.push(Element {
            start,
            content,
            end,
            parent,
        });
        let inside = content + usize::from(der[start] == 0x03);
        let wraps = matches!(der[start], 0x03 | 0x04)
            && inside < end
            && header(&der[inside..end]).is_some_and(|inner| inside + inner.end == end);
        if der[start] & 0x20 != 0 || wraps {
            collect(der, inside..end, Some(index), found);
        }
        start = end;
    }
}

/// Where the content of the first element is, if all of it is there.
pub(crate) fn header(der: &[u8]) -> Option<std::ops::Range<usize>> {
    let (start, length) = match *der.get(1)? {
        short @ ..=0x7f => (2, usize::from(short)),
        0x81 => (3, usize::from(*der.get(2)?)),
        0x82 => {
            let length = [*der.get(2)?, *der.get(3)?];
            (4, usize::from(u16::from_be_bytes(length)))
        }
        _ => return None,
    };
    (start + length <= der.len()).then_some(start..start + length)
}

/// An element of this tag and content.
pub(crate) fn element(tag: u8, content: &[u8]) -> Vec<u8> {
    let mut made = vec![tag];
    match content.len() {
        short @ ..=0x7f => made.push(short as u8),
        middle @ 0x80..=0xff => made.extend([0x81, middle as u8]),
        long @ 0x100..=0xffff => {
            made.push(0x82);
            made.extend((long as u16).to_be_bytes());
        }
        longer => {
            made.push(0x84);
            made.extend((longer as u32).to_be_bytes());
        }
    }
    made.extend(content);
    made
}

/// The file with one element changed, and the lengths around it repaired. `other` is
/// where elements that do not belong come from.
pub(crate) fn change_element(der: &[u8], other: &[u8], random: &mut Random) -> Vec<u8> {
    let all = elements(der);
    if all.is_empty() {
        return change_bytes(der, other, random);
    }
    let at = random.below(all.len());
    let Element {
        start,
        content,
        end,
        ..
    } = all[at];
    let (whole, inner) = (&der[start..end], &der[content..end]);
    let tag = der[start];
    let new = match random.below(12) {
        0 => Vec::new(),
        1 => [whole, whole].concat(),
        2 => element(tag, &[]),
        3 => element(TAGS[random.below(TAGS.len())], inner),
        4 => element(tag, &change_bytes(inner, other, random)),
        5 => {
            let from = elements(other);
            match from.get(random.below(from.len().max(1))) {
                Some(stranger) => other[stranger.start..stranger.end].to_vec(),
                None => Vec::new(),
            }
        }
        6 => {
            let twin = all[random.below(all.len())];
            der[twin.start..twin.end].to_vec()
        }
        // Another size: cut off, or more than anybody expects.
        7 => element(tag, &inner[..random.below(inner.len() + 1)]),
        8 => element(tag, &inner.repeat(2 + random.below(40))),
        // Lengths as BER has them, and DER has not.
        9 => [&[tag | 0x20, 0x80], inner, &[0, 0]].concat(),
        10 if inner.len() < 0x1_0000 => {
            let length = (inner.len() as u32).to_be_bytes();
            [&[tag, 0x84], &length[..], inner].concat()
        }
        _ => (0..random.below(60)).fold(whole.to_vec(), |inner, _| element(tag | 0x20, &inner)),
    };
    replace(der, &all, at, new)
}

/// The file with another element in this place, and the lengths around it repaired.
fn replace(der: &[u8], all: &[Element], at: usize, new: Vec<u8>) -> Vec<u8> {
    let (mut child, mut new) = (all[at], new);
    while let Some(parent) = child.parent {
        let parent = all[parent];
        let before = &der[parent.content..child.start];
        let content = [before, &new, &der[child.end..parent.end]].concat();
        new = element(der[parent.start], &content);
        child = parent;
    }
    [&der[..child.start], &new, &der[child.end..]].concat()
}

/// The file with some bytes changed, lost, doubled or taken from elsewhere.
pub(crate) fn change_bytes(file: &[u8], other: &[u8], random: &mut Random) -> Vec<u8> {
    let mut changed = file.to_vec();
    for _ in 0..=random.below(3) {
        let at = random.below(changed.len() + 1);
        let some = at..(at + random.below(8)).min(changed.len());
        match random.below(5) {
            0 if at < changed.len() => changed[at] ^= 1 << random.below(8),
            1 if at < changed.len() => changed[at] = random.below(256) as u8,
            2 => drop(changed.drain(some)),
            3 => {
                let twice = changed[some].to_vec();
                changed.splice(at..at, twice);
            }
            _ => {
                let from = random.below(other.len() + 1);
                let to = (from + random.below(64)).min(other.len());
                changed.splice(some, other[from..to].iter().copied());
            }
        }
    }
    changed
}

/// The file with the length of each element, one at a time, as large as `length`
/// says, in four octets, with nothing repaired.
pub(crate) fn blow_up(der: &[u8], length: u32) -> impl Iterator<Item = Vec<u8>> {
    elements(der).into_iter().map(move |element| {
        let mut blown = der[..=element.start].to_vec();
        blown.push(0x84);
        blown.extend(length.to_be_bytes());
        blown.extend(&der[element.content..]);
        blown
    })
}

/// The file with one INTEGER of this value, at a time, made `huge`, with the lengths
/// around it repaired.
pub(crate) fn with_number(der: &[u8], value: u8, huge: &[u8]) -> Vec<Vec<u8>> {
    let all = elements(der);
    let is_number = |at: &usize| der[all[*at].start..all[*at].end] == [0x02, 1, value];
    let places = (0..all.len()).filter(is_number);
    places
        .map(|at| replace(der, &all, at, element(0x02, huge)))
        .collect()
}

/// The file with each of its elements, one at a time, replaced, with the lengths around
/// it repaired.
pub(crate) fn with_each_replaced(der: &[u8], new: &[u8]) -> impl Iterator<Item = Vec<u8>> {
    let all = elements(der);
    (0..all.len()).map(move |at| replace(der, &all, at, new.to_vec()))
}

/// The file cut off after each of its bytes, the last one left out.
pub(crate) fn truncations(file: &[u8]) -> impl Iterator<Item = &[u8]> {
    (0..file.len()).map(|end| &file[..end])
}

/// The file with each byte changed by `mask`, one at a time.
pub(crate) fn flips(file: &[u8], mask: u8) -> impl Iterator<Item = Vec<u8>> {
    (0..file.len()).map(move |at| {
        let mut changed = file.to_vec();
        changed[at] ^= mask;
        changed
    })
}
