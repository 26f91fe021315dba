//! Times: the three forms of pyOpenSSL's manual against OpenSSL's own reading, and
//! which of the two ASN.1 types a certificate gets.

use std::time::{Duration, SystemTime};

use openssl::asn1::{Asn1Time, Asn1TimeRef};

use greenling_tls::crypto::{Cert, Curve, Digest, Encoding, KeyAlg, PrivateKey, Timestamp};
use greenling_tls::{ConfigErrorKind, Error};

use crate::support::openssl_text;

/// `None` for what OpenSSL takes at first, but cannot convert: a year that is below 0 or
/// above 9999 in UTC.
fn seconds(time: &Asn1TimeRef) -> Option<i64> {
    let since = Asn1Time::from_unix(0).unwrap().diff(time).ok()?;
    Some(i64::from(since.days) * 86_400 + i64::from(since.secs))
}

/// Numbers that look random and are the same in every run.
struct Numbers(u64);

impl Numbers {
    fn below(&mut self, limit: u64) -> u64 {
        self.0 = self
            .0
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1);
        (self.0 >> 33) % limit
    }
}

#[test]
fn the_three_forms_are_read_as_openssl_reads_them() {
    let mut numbers = Numbers(1);
    let mut real = 0;
    for _ in 0..4_000 {
        let zone = match numbers.below(3) {
            0 => "Z".to_owned(),
            sign => format!(
                "{}{:02}{:02}",
                if sign == 1 { '+' } else { '-' },
                numbers.below(14),
                numbers.below(61)
            ),
        };
        // OpenSSL cannot convert times before 1900 that are not in UTC.
        let first_year = if zone == "Z" { 0 } else { 1901 };
        // A little more than there is of each, so that some times do not exist.
        let date = [
            first_year + numbers.below(10_000 - first_year),
            numbers.below(14),
            numbers.below(33),
            numbers.below(25),
            numbers.below(61),
            numbers.below(62),
        ];
        let [year, month, day, hour, minute, second] = date;
        let text = format!("{year:04}{month:02}{day:02}{hour:02}{minute:02}{second:02}{zone}");
        let theirs = Asn1Time::from_str(&text)
            .ok()
            .and_then(|time| seconds(&time));
        let ours = Timestamp::parse_generalized(&text).ok();
        assert_eq!(ours.map(Timestamp::as_unix), theirs, "{text}");
        real += usize::from(ours.is_some());
    }
    assert!(real > 1_000, "{real} of them were times");
    let early = Timestamp::parse_generalized("10591126145203-0631").unwrap();
    assert_eq!(early.to_generalized(), "10591126212303Z");
}

#[test]
fn other_forms_and_nonsense_are_refused() {
    for text in [
        "",
        "Z",
        "260101000000Z",
        "20260101000000",
        "202601010000Z",
        "20260101000000.5Z",
        "20260101000000z",
        "20260101000000Z ",
        "20260101000000+01",
        "20260101000000+01000",
        "20260101000000 0100",
        "2026010100000-Z",
        "+0260101000000Z",
        "20260229000000Z",
        "19000229000000Z",
        "20260101240000Z",
        // A leap second that there was.
        "20161231235960Z",
        "20260101000000+1300",
        // Not in the years 0 to 9999, once it is UTC.
        "00000101000000+0001",
        "99991231235959-0001",
        "2026０101000000Z",
        "20260101000000\0Z",
    ] {
        match Timestamp::parse_generalized(text) {
            Err(Error::Config(error)) => assert_eq!(error.kind(), ConfigErrorKind::BadValue),
            other => panic!("{text:?}: {other:?}"),
        }
    }
    let long = "9".repeat(1 << 20);
    let message = Timestamp::parse_generalized(&long).unwrap_err().to_string();
    assert!(message.len() < 200, "{message}");
}

#[test]
fn every_second_is_written_as_it_was_read() {
    let mut numbers = Numbers(2);
    let span = (Timestamp::MAX.as_unix() - Timestamp::MIN.as_unix()) as u64;
    let random = (0..1_000).map(|_| {
        let high = numbers.below(1 << 30) << 30 | numbers.below(1 << 30);
        Timestamp::MIN + Duration::from_secs(high % span)
    });
    let edges = [Timestamp::MIN, Timestamp::MAX, Timestamp::from_unix(-1)];
    for time in random.chain(edges) {
        let text = time.to_generalized();
        let theirs = Asn1Time::from_str(&text).unwrap();
        assert_eq!(seconds(&theirs), Some(time.as_unix()), "{text}");
        assert_eq!(Timestamp::parse_generalized(&text).unwrap(), time);
    }
    assert_eq!(Timestamp::MIN.to_string(), "0000-01-01T00:00:00Z");
    assert_eq!(Timestamp::MAX.to_string(), "9999-12-31T23:59:59Z");
}

#[test]
fn what_lies_outside_is_taken_to_the_ends() {
    assert_eq!(Timestamp::from_unix(i64::MAX), Timestamp::MAX);
    assert_eq!(Timestamp::from_unix(i64::MIN), Timestamp::MIN);
    let epoch = Timestamp::from_unix(0);
    assert_eq!(epoch + Duration::MAX, Timestamp::MAX);
    assert_eq!(epoch - Duration::MAX, Timestamp::MIN);
    assert_eq!(
        epoch + Duration::from_millis(1_999),
        Timestamp::from_unix(1)
    );
    let half = Duration::from_millis(500);
    assert_eq!(Timestamp::from(SystemTime::UNIX_EPOCH + half), epoch);
    let before = Timestamp::from(SystemTime::UNIX_EPOCH - half);
    assert_eq!(before, Timestamp::from_unix(-1));
}

#[test]
fn certificates_get_the_type_that_the_year_asks_for() {
    let key = PrivateKey::generate(KeyAlg::Ec(Curve::P256)).unwrap();
    let times = [
        ("00000101000000Z", "19491231235959Z"),
        ("19500101000000Z", "19691231235959Z"),
        ("20160229120000+0130", "20491231235959Z"),
        ("20500101000000Z", "99991231235959Z"),
    ];
    let mut certs = Vec::new();
    for (first, last) in times {
        let first = Timestamp::parse_generalized(first).unwrap();
        let last = Timestamp::parse_generalized(last).unwrap();
        let builder = Cert::builder().subject("/CN=x".parse().unwrap());
        let cert = builder
            .not_before(first)
            .not_after(last)
            .sign(&key, Digest::Sha256);
        let cert = cert.unwrap();
        assert_eq!((cert.not_before(), cert.not_after()), (first, last));
        certs.extend(cert.encode(Encoding::Der).unwrap());
    }
    let parts = openssl_text(&["asn1parse", "-inform", "DER"], &certs);
    let found: Vec<String> = parts
        .lines()
        .filter(|line| line.contains("TIME"))
        .map(|line| line.split_once("prim: ").unwrap().1.replace(' ', ""))
        .collect();
    assert_eq!(
        found,
        [
            "GENERALIZEDTIME:00000101000000Z",
            "GENERALIZEDTIME:19491231235959Z",
            "UTCTIME:500101000000Z",
            "UTCTIME:691231235959Z",
            "UTCTIME:160229103000Z",
            "UTCTIME:491231235959Z",
            "GENERALIZEDTIME:20500101000000Z",
            "GENERALIZEDTIME:99991231235959Z",
        ]
    );
}
