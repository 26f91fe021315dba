//! Values of the command line: times, spans, kinds of keys, serial numbers, extensions.

use std::str::FromStr;
use std::time::Duration;

use greenling_tls::crypto::{Curve, Digest, KeyAlg, Name, Serial, Timestamp};

use crate::failure::plain;

/// An RSA key of as many bits when none are asked for.
const RSA_BITS: u32 = 3072;

/// A moment: `now`, a span before or after it, or a generalized form.
pub(crate) fn time(text: &str) -> Result<Timestamp, String> {
    let now = Timestamp::now();
    if text == "now" {
        return Ok(now);
    }
    if let Some(span) = text.strip_prefix('+') {
        return Ok(now + self::span(span)?);
    }
    if let Some(span) = text.strip_prefix('-') {
        return Ok(now - self::span(span)?);
    }
    Timestamp::parse_generalized(text).map_err(|_| {
        "not a time: `now`, `+90d`, `-1h`, 20300131235959Z or 20300131235959+0100".to_owned()
    })
}

/// A span such as `90d`, `36h` or `2y`; a year has 365 days.
pub(crate) fn span(text: &str) -> Result<Duration, String> {
    let fault = || "not a span: a number and one of s, m, h, d, w, y, as in 90d".to_owned();
    let unit = text.chars().last().ok_or_else(fault)?;
    let seconds: u64 = match unit {
        's' => 1,
        'm' => 60,
        'h' => 3600,
        'd' => 24 * 3600,
        'w' => 7 * 24 * 3600,
        'y' => 365 * 24 * 3600,
        _ => return Err(fault()),
    };
    let digits = &text[..text.len() - unit.len_utf8()];
    let is_number = !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit());
    let number: u64 = digits
        .parse()
        .ok()
        .filter(|_| is_number)
        .ok_or_else(fault)?;
    // Certificates know four digits of a year.
    match number.checked_mul(seconds) {
        Some(total) if total <= 8000 * 365 * 24 * 3600 => Ok(Duration::from_secs(total)),
        _ => Err("too long".to_owned()),
    }
}

/// A name, as `/C=DE/O=Example/CN=www`.
pub(crate) fn name(text: &str) -> Result<Name, String> {
    text.parse().map_err(|error| plain(&error))
}

/// A kind of key.
pub(crate) fn algorithm(text: &str) -> Result<KeyAlg, String> {
    let text = text.to_ascii_lowercase();
    let named = |curve: &&Curve| curve.name().replace('-', "").eq_ignore_ascii_case(&text);
    let short = Curve::all().iter().find(named).copied();
    if let Some(curve) = short.or_else(|| Curve::by_name(&text)) {
        return Ok(KeyAlg::Ec(curve));
    }
    match text.split_once(':') {
        None if text == "ed25519" => Ok(KeyAlg::Ed25519),
        None if text == "rsa" => Ok(KeyAlg::Rsa(RSA_BITS)),
        Some(("rsa", bits)) => match bits.parse() {
            Ok(bits @ 2048..=16384) => Ok(KeyAlg::Rsa(bits)),
            _ => Err("RSA keys have 2048 to 16384 bits".to_owned()),
        },
        _ => Err("not one of p256, p384, p521, ed25519, rsa, rsa:BITS".to_owned()),
    }
}

/// A digest for signatures.
pub(crate) fn digest(text: &str) -> Result<Digest, String> {
    match Digest::by_name(text) {
        Some(Digest::Md5 | Digest::Sha1) => Err("too weak for signatures".to_owned()),
        Some(digest) => Ok(digest),
        None => Err("not one of sha224, sha256, sha384, sha512, sha3-256, ...".to_owned()),
    }
}

/// A serial number: decimal, or hexadecimal after `0x` or between colons.
pub(crate) fn serial(text: &str) -> Result<Serial, String> {
    let fault = || "not a serial number: 4711, 0x1f2e or 1F:2E".to_owned();
    if let Some(digits) = text.strip_prefix("0x") {
        return Serial::from_hex(digits).map_err(|_| fault());
    }
    if text.contains(':') {
        return Serial::from_hex(text).map_err(|_| fault());
    }
    let is_number = text.bytes().all(|byte| byte.is_ascii_digit());
    let number: Result<u64, _> = text.parse();
    match number {
        Ok(number) if is_number => Ok(number.into()),
        _ => Err(fault()),
    }
}

/// An extension in OpenSSL's text form, `NAME=VALUE`.
#[derive(Debug, Clone)]
pub(crate) struct ExtText {
    pub(crate) name: String,
    pub(crate) value: String,
}

impl FromStr for ExtText {
    type Err = String;

    fn from_str(text: &str) -> Result<ExtText, String> {
        match text.split_once('=') {
            Some((name, value)) if !name.is_empty() => Ok(ExtText {
                name: name.trim().to_owned(),
                value: value.trim().to_owned(),
            }),
            _ => Err("not NAME=VALUE, as in keyUsage=critical,digitalSignature".to_owned()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spans() {
        for (text, seconds) in [("90s", 90), ("2m", 120), ("1h", 3600), ("1y", 31_536_000)] {
            assert_eq!(span(text), Ok(Duration::from_secs(seconds)));
        }
        for bad in [
            "",
            "d",
            "1",
            "-1d",
            "+1d",
            "1.5d",
            "1x",
            "1ä",
            "99999999999999y",
            "9000y",
        ] {
            assert!(span(bad).is_err(), "{bad:?}");
        }
    }

    #[test]
    fn times() {
        let noon = Timestamp::parse_generalized("20300101120000Z").unwrap();
        assert_eq!(time("20300101120000Z"), Ok(noon));
        assert_eq!(time("20300101130000+0100"), Ok(noon));
        assert!(time("-1d").unwrap() < time("now").unwrap());
        assert!(time("+1d").unwrap() > time("now").unwrap());
        for bad in ["", "tomorrow", "1d", "2030", "--1d"] {
            assert!(time(bad).is_err(), "{bad:?}");
        }
    }

    #[test]
    fn kinds_of_keys() {
        assert_eq!(algorithm("p256"), Ok(KeyAlg::Ec(Curve::P256)));
        assert_eq!(algorithm("P-384"), Ok(KeyAlg::Ec(Curve::P384)));
        assert_eq!(algorithm("ed25519"), Ok(KeyAlg::Ed25519));
        assert_eq!(algorithm("rsa"), Ok(KeyAlg::Rsa(3072)));
        assert_eq!(algorithm("rsa:4096"), Ok(KeyAlg::Rsa(4096)));
        for bad in ["rsa:1024", "rsa:x", "dsa", "", "p255"] {
            assert!(algorithm(bad).is_err(), "{bad:?}");
        }
    }

    #[test]
    fn serial_numbers() {
        for (text, shown) in [("4711", "1267"), ("0x1f2e", "1F2E"), ("1F:2E", "1F2E")] {
            assert_eq!(serial(text).unwrap().to_string(), shown);
        }
        for bad in ["", "-1", "+1", "0x", "0xg", "1f2e"] {
            assert!(serial(bad).is_err(), "{bad:?}");
        }
    }

    #[test]
    fn extensions() {
        let ext: ExtText = "keyUsage = critical,digitalSignature".parse().unwrap();
        assert_eq!(
            (&*ext.name, &*ext.value),
            ("keyUsage", "critical,digitalSignature")
        );
        assert!("keyUsage".parse::<ExtText>().is_err());
        assert!("=x".parse::<ExtText>().is_err());
    }
}
