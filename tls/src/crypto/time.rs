//! Points in time as certificates carry them.
//!
//! ASN.1 has two forms: UTCTime, with two digits for the years 1950 to 2049, and
//! GeneralizedTime, with four. Both count whole seconds, and neither knows leap
//! seconds, so that a count of seconds since 1970 says the same. Which form a
//! certificate gets is decided by the year (RFC 5280, section 4.1.2.5) and left to
//! OpenSSL.

use std::fmt;
use std::ops::{Add, Sub};
use std::time::{Duration, SystemTime};

use openssl::asn1::{Asn1Time, Asn1TimeRef};
use openssl::error::ErrorStack;

use super::call::call;
use crate::config_error::{ConfigError, ConfigErrorKind};
use crate::error::Error;

const DAY: i64 = 24 * 60 * 60;

/// The years from 0 on repeat their calendar after so many days.
const DAYS_IN_400_YEARS: i64 = 146_097;

/// From the first of March of the year 0 to the first of January of 1970.
const DAYS_TO_1970: i64 = 719_468;

/// A second in the years 0 to 9999, in UTC: when a certificate begins or ends to be
/// valid, or a revocation took place.
///
/// Other years have no form in ASN.1. What would lie outside is taken to
/// [`Timestamp::MIN`] or [`Timestamp::MAX`]; the latter stands for "without end" in
/// certificates (RFC 5280, section 4.1.2.5).
///
/// # Scheduling
///
/// Never switches, except where a method says so.
///
/// # Examples
///
/// ```
/// use greenling_tls::crypto::Timestamp;
///
/// let time = Timestamp::parse_generalized("20260301093000+0100")?;
/// assert_eq!(time.to_generalized(), "20260301083000Z");
/// assert_eq!(time.to_string(), "2026-03-01T08:30:00Z");
/// # Ok::<(), greenling_tls::Error>(())
/// ```
#[doc(alias = "ASN1_TIME")]
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Timestamp(i64);

impl Timestamp {
    /// The first second of the year 0.
    pub const MIN: Timestamp = Timestamp(-62_167_219_200);

    /// The last second of the year 9999.
    pub const MAX: Timestamp = Timestamp(253_402_300_799);

    /// The current second of the system's clock.
    pub fn now() -> Timestamp {
        Timestamp::from(SystemTime::now())
    }

    /// So many seconds after the first of January of 1970, or before it.
    pub const fn from_unix(seconds: i64) -> Timestamp {
        if seconds < Timestamp::MIN.0 {
            Timestamp::MIN
        } else if seconds > Timestamp::MAX.0 {
            Timestamp::MAX
        } else {
            Timestamp(seconds)
        }
    }

    /// Seconds since the first of January of 1970; negative before it.
    pub const fn as_unix(self) -> i64 {
        self.0
    }

    /// Reads `YYYYMMDDhhmmssZ`, `YYYYMMDDhhmmss+hhmm` or `YYYYMMDDhhmmss-hhmm`, the
    /// forms that `set_notBefore` takes in Python; the latter two are turned into UTC.
    ///
    /// The difference to UTC may be up to 12 hours and 59 minutes, as in OpenSSL.
    ///
    /// # Errors
    ///
    /// [`Error::Config`] of the kind [`BadValue`](ConfigErrorKind::BadValue) for any
    /// other text, for days that the calendar does not have, for a leap second, and
    /// when the year is not in 0 to 9999 in UTC.
    #[doc(alias = "ASN1_TIME_set_string")]
    #[doc(alias = "ASN1_GENERALIZEDTIME_set_string")]
    pub fn parse_generalized(text: &str) -> Result<Timestamp, Error> {
        let time = parse(text.as_bytes()).ok_or_else(|| {
            let shown: String = text.chars().take(32).collect();
            ConfigError::new(
                ConfigErrorKind::BadValue,
                format!("time {shown:?}"),
                "is not a time of the form YYYYMMDDhhmmssZ or YYYYMMDDhhmmss+hhmm",
            )
        })?;
        Ok(time)
    }

    /// As `YYYYMMDDhhmmssZ`, which is what `get_notBefore` gives in Python.
    #[doc(alias = "get_notBefore")]
    #[doc(alias = "get_notAfter")]
    #[doc(alias = "ASN1_TIME_to_generalizedtime")]
    pub fn to_generalized(self) -> String {
        let Civil {
            year,
            month,
            day,
            hour,
            minute,
            second,
        } = Civil::of(self);
        format!("{year:04}{month:02}{day:02}{hour:02}{minute:02}{second:02}Z")
    }

    /// For OpenSSL: UTCTime or GeneralizedTime, whichever the year asks for.
    pub(crate) fn to_asn1(self) -> Result<Asn1Time, ErrorStack> {
        call(|| Asn1Time::from_unix(self.0))
    }

    /// Fails when it is no time, as in a damaged certificate.
    pub(crate) fn from_asn1(time: &Asn1TimeRef) -> Result<Timestamp, ErrorStack> {
        call(|| {
            let since = Asn1Time::from_unix(0)?.diff(time)?;
            let seconds = i64::from(since.days) * DAY + i64::from(since.secs);
            Ok(Timestamp::from_unix(seconds))
        })
    }
}

/// A second that has begun counts, also before 1970.
impl From<SystemTime> for Timestamp {
    fn from(time: SystemTime) -> Timestamp {
        let seconds = match time.duration_since(SystemTime::UNIX_EPOCH) {
            Ok(since) => i64::try_from(since.as_secs()).unwrap_or(i64::MAX),
            Err(before) => {
                let before = before.duration();
                let whole = before.as_secs() + u64::from(before.subsec_nanos() > 0);
                i64::try_from(whole).map_or(i64::MIN, |seconds| -seconds)
            }
        };
        Timestamp::from_unix(seconds)
    }
}

/// Parts of a second are cut off the duration.
impl Add<Duration> for Timestamp {
    type Output = Timestamp;

    fn add(self, duration: Duration) -> Timestamp {
        Timestamp::from_unix(self.0.saturating_add(seconds(duration)))
    }
}

/// Parts of a second are cut off the duration.
impl Sub<Duration> for Timestamp {
    type Output = Timestamp;

    fn sub(self, duration: Duration) -> Timestamp {
        Timestamp::from_unix(self.0.saturating_sub(seconds(duration)))
    }
}

fn seconds(duration: Duration) -> i64 {
    i64::try_from(duration.as_secs()).unwrap_or(i64::MAX)
}

/// As in RFC 3339: `2026-03-01T08:30:00Z`.
impl fmt::Display for Timestamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Civil {
            year,
            month,
            day,
            hour,
            minute,
            second,
        } = Civil::of(*self);
        write!(
            f,
            "{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}Z"
        )
    }
}

impl fmt::Debug for Timestamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Timestamp({self})")
    }
}

/// A time taken apart by the Gregorian calendar, also before there was one.
struct Civil {
    year: i64,
    month: i64,
    day: i64,
    hour: i64,
    minute: i64,
    second: i64,
}

impl Civil {
    /// Years are counted from March here, so that the day that only leap years have
    /// comes last, and months have regular lengths: five of them have 153 days.
    fn of(time: Timestamp) -> Civil {
        let (days, rest) = (time.0.div_euclid(DAY), time.0.rem_euclid(DAY));
        let days = days + DAYS_TO_1970;
        let cycle = days.div_euclid(DAYS_IN_400_YEARS);
        let day_of_cycle = days.rem_euclid(DAYS_IN_400_YEARS);
        // Every fourth year has a day more, not every hundredth, but every 400th.
        let leap_days = day_of_cycle / 1_460 - day_of_cycle / 36_524 + day_of_cycle / 146_096;
        let year_of_cycle = (day_of_cycle - leap_days) / 365;
        let day_of_year =
            day_of_cycle - (365 * year_of_cycle + year_of_cycle / 4 - year_of_cycle / 100);
        let month_from_march = (5 * day_of_year + 2) / 153;
        let month = (month_from_march + 2) % 12 + 1;
        Civil {
            year: cycle * 400 + year_of_cycle + i64::from(month <= 2),
            month,
            day: day_of_year - (153 * month_from_march + 2) / 5 + 1,
            hour: rest / 3600,
            minute: rest / 60 % 60,
            second: rest % 60,
        }
    }

    /// Seconds since 1970.
    fn to_unix(&self) -> i64 {
        let year = self.year - i64::from(self.month <= 2);
        let (cycle, year_of_cycle) = (year.div_euclid(400), year.rem_euclid(400));
        let month_from_march = (self.month + 9) % 12;
        let day_of_year = (153 * month_from_march + 2) / 5 + self.day - 1;
        let day_of_cycle =
            year_of_cycle * 365 + year_of_cycle / 4 - year_of_cycle / 100 + day_of_year;
        let days = cycle * DAYS_IN_400_YEARS + day_of_cycle - DAYS_TO_1970;
        days * DAY + self.hour * 3600 + self.minute * 60 + self.second
    }

    fn is_real(&self) -> bool {
        let leap = self.year % 4 == 0 && (self.year % 100 != 0 || self.year % 400 == 0);
        let days = match self.month {
            4 | 6 | 9 | 11 => 30,
            2 if leap => 29,
            2 => 28,
            _ => 31,
        };
        (1..=12).contains(&self.month)
            && (1..=days).contains(&self.day)
            && self.hour < 24
            && self.minute < 60
            && self.second < 60
    }
}

fn parse(text: &[u8]) -> Option<Timestamp> {
    let (digits, zone) = text.split_at_checked(14)?;
    let civil = Civil {
        year: number(&digits[..4])?,
        month: number(&digits[4..6])?,
        day: number(&digits[6..8])?,
        hour: number(&digits[8..10])?,
        minute: number(&digits[10..12])?,
        second: number(&digits[12..])?,
    };
    let ahead = match zone {
        b"Z" => 0,
        [sign @ (b'+' | b'-'), hours_minutes @ ..] if hours_minutes.len() == 4 => {
            let (hours, minutes) = hours_minutes.split_at(2);
            let (hours, minutes) = (number(hours)?, number(minutes)?);
            if hours > 12 || minutes > 59 {
                return None;
            }
            let ahead = (hours * 60 + minutes) * 60;
            if *sign == b'+' { ahead } else { -ahead }
        }
        _ => return None,
    };
    let seconds = civil.to_unix() - ahead;
    let in_range = (Timestamp::MIN.0..=Timestamp::MAX.0).contains(&seconds);
    (civil.is_real() && in_range).then_some(Timestamp(seconds))
}

fn number(digits: &[u8]) -> Option<i64> {
    digits.iter().try_fold(0, |sum, digit| {
        let digit = digit.is_ascii_digit().then(|| digit - b'0')?;
        Some(sum * 10 + i64::from(digit))
    })
}
