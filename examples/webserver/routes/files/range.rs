//! The `Range` field, for one range of bytes (RFC 9110 section 14.1.2).

/// A range as it was asked for, before the file's length is known.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Range {
    /// `first-` or `first-last`
    From(u64, Option<u64>),
    /// `-count`: the last bytes
    Last(u64),
}

impl Range {
    /// Reads the field. `None` for what is malformed or more than one range: such a field is
    /// ignored and the whole file sent, which section 14.2 allows.
    pub(super) fn parse(field: &str) -> Option<Self> {
        let (first, last) = field.strip_prefix("bytes=")?.trim().split_once('-')?;
        let number = |text: &str| {
            let is_number = !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit());
            is_number.then(|| text.parse().ok()).flatten()
        };
        match (first, last) {
            ("", count) => number(count).map(Self::Last),
            (first, "") => Some(Self::From(number(first)?, None)),
            (first, last) => {
                let (first, last) = (number(first)?, number(last)?);
                (first <= last).then_some(Self::From(first, Some(last)))
            }
        }
    }

    /// First and last byte of it in a file of `length` bytes; `None` when it is outside.
    pub(super) fn within(self, length: u64) -> Option<(u64, u64)> {
        let end = length.checked_sub(1)?;
        match self {
            Self::From(first, last) => {
                (first <= end).then(|| (first, last.unwrap_or(end).min(end)))
            }
            Self::Last(0) => None,
            Self::Last(count) => Some((length.saturating_sub(count), end)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ranges() {
        let part = |field, length| Range::parse(field).map(|range| range.within(length));
        assert_eq!(part("bytes=0-4", 10), Some(Some((0, 4))));
        assert_eq!(part("bytes=5-", 10), Some(Some((5, 9))));
        assert_eq!(part("bytes=5-100", 10), Some(Some((5, 9))));
        assert_eq!(part("bytes=-3", 10), Some(Some((7, 9))));
        assert_eq!(part("bytes=-30", 10), Some(Some((0, 9))));
        assert_eq!(part("bytes=10-", 10), Some(None));
        assert_eq!(part("bytes=-0", 10), Some(None));
        assert_eq!(part("bytes=0-", 0), Some(None));
        for ignored in [
            "bytes=",
            "bytes=-",
            "bytes=a-b",
            "bytes=5-4",
            "bytes=0-1,3-4",
            "lines=0-1",
            "0-1",
            "bytes=+0-1",
            "bytes=99999999999999999999-",
        ] {
            assert_eq!(part(ignored, 10), None, "{ignored}");
        }
    }
}
