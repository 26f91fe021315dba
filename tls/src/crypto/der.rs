//! Just enough of DER (ITU-T X.690) to find where certificates end and whether a
//! key is encrypted.

const INTEGER: u8 = 0x02;
const SEQUENCE: u8 = 0x30;

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

/// Whether it is an `EncryptedPrivateKeyInfo` (RFC 5958, section 3), which begins
/// with an algorithm; all plain keys begin with their version.
pub(crate) fn is_encrypted_key(bytes: &[u8]) -> bool {
    let Some((start, _)) = header(bytes) else {
        return false;
    };
    match bytes[start..] {
        [INTEGER, ..] => false,
        [kind, ..] => kind == SEQUENCE && bytes[0] == SEQUENCE,
        [] => false,
    }
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

#[cfg(test)]
mod tests {
    use super::*;

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
            assert!(!is_encrypted_key(bad));
        }
        assert_eq!(items(&[]).count(), 0);
    }
}
