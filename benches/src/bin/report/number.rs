//! Numbers as people read them.

/// About three digits, thousands separated: 0.012, 8.13, 81.3, 4,896.
pub(crate) fn number(value: f64) -> String {
    let size = value.abs();
    if size == 0.0 {
        return "0".into();
    }
    let decimals = match size {
        size if size >= 99.95 => 0,
        size if size >= 9.995 => 1,
        size if size >= 0.9995 => 2,
        size if size >= 0.09995 => 3,
        _ => 4,
    };
    let text = format!("{value:.decimals$}");
    let (whole, rest) = text.split_at(text.find('.').unwrap_or(text.len()));
    separated(whole) + rest
}

/// The same without zeros that say nothing, for round numbers: 30, 0.5.
pub(crate) fn round(value: f64) -> String {
    let text = number(value);
    match text.split_once('.') {
        Some(_) => text.trim_end_matches('0').trim_end_matches('.').into(),
        None => text,
    }
}

/// A unit of the results in print.
pub(crate) fn unit(unit: &str) -> &str {
    match unit {
        "us" => "µs",
        "us/MiB" => "µs/MiB",
        other => other,
    }
}

/// 1234567 is "1,234,567".
pub(crate) fn separated(whole: &str) -> String {
    let (sign, digits) = whole.split_at(usize::from(whole.starts_with('-')));
    let mut text = String::from(sign);
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// How many, short enough for an axis: 8000 is "8k".
pub(crate) fn amount(count: u64) -> String {
    shortened(count, 1000, &["", "k", "m"])
}

/// A size in bytes: 16384 is "16 KiB".
pub(crate) fn size(bytes: u64) -> String {
    shortened(bytes, 1024, &[" B", " KiB", " MiB", " GiB"])
}

fn shortened(mut value: u64, step: u64, units: &[&str]) -> String {
    let mut unit = 0;
    while value >= step && value.is_multiple_of(step) && unit + 1 < units.len() {
        value /= step;
        unit += 1;
    }
    format!("{value}{}", units[unit])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn three_digits_are_enough() {
        for (value, text) in [
            (0.0, "0"),
            (0.0123, "0.0123"),
            (8.125, "8.12"),
            (9.999, "10.0"),
            (81.25, "81.2"),
            (4895.6, "4,896"),
            (-1234567.0, "-1,234,567"),
        ] {
            assert_eq!(number(value), text);
        }
    }

    #[test]
    fn round_numbers_are_short() {
        assert_eq!(round(30.0), "30");
        assert_eq!(round(0.5), "0.5");
        assert_eq!(round(1000.0), "1,000");
    }

    #[test]
    fn sizes_are_shortened_where_nothing_is_lost() {
        assert_eq!(amount(16), "16");
        assert_eq!(amount(8000), "8k");
        assert_eq!(amount(1_000_000), "1m");
        assert_eq!(amount(1500), "1500");
        assert_eq!(size(1), "1 B");
        assert_eq!(size(67_108_864), "64 MiB");
    }
}
