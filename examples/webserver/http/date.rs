//! HTTP dates: one formatted per thread and second, and the two conversions.

use std::cell::RefCell;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

#[cfg(target_os = "linux")]
use nix::time::{ClockId, clock_gettime};

/// Length of `Sun, 06 Nov 1994 08:49:37 GMT`.
const DATE_LEN: usize = 29;

thread_local! {
    /// The second for which the text holds, and the text.
    static TODAY: RefCell<(u64, [u8; DATE_LEN])> =
        const { RefCell::new((u64::MAX, [b' '; DATE_LEN])) };
}

/// Appends the present time, formatted at most once per second and thread.
pub(super) fn push_now(output: &mut Vec<u8>) {
    let second = this_second();
    TODAY.with_borrow_mut(|(cached, text)| {
        if *cached != second {
            let fresh = format_date(UNIX_EPOCH + Duration::from_secs(second));
            // `httpdate` always writes the fixed-length form of RFC 9110 section 5.6.7.
            if fresh.len() == DATE_LEN {
                text.copy_from_slice(fresh.as_bytes());
                *cached = second;
            }
        }
        output.extend_from_slice(text);
    });
}

/// Seconds since 1970, by the clock of the kernel's last tick: a few milliseconds behind, but read
/// like any other memory.
#[cfg(target_os = "linux")]
fn this_second() -> u64 {
    let now = clock_gettime(ClockId::CLOCK_REALTIME_COARSE);
    now.map_or(0, |now| u64::try_from(now.tv_sec()).unwrap_or_default())
}

/// Seconds since 1970.
#[cfg(not(target_os = "linux"))]
fn this_second() -> u64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH);
    since.unwrap_or_default().as_secs()
}

/// Formats `time` as an HTTP date.
///
/// Times that the format cannot hold (before 1970, after 9999) become 1 January 1970.
pub fn format_date(time: SystemTime) -> String {
    let year_10000 = UNIX_EPOCH + Duration::from_secs(253_402_300_800);
    let held = if time < UNIX_EPOCH || time >= year_10000 {
        UNIX_EPOCH
    } else {
        time
    };
    httpdate::fmt_http_date(held)
}

/// Reads an HTTP date in any of the three forms of RFC 9110 section 5.6.7.
pub fn parse_date(text: &str) -> Option<SystemTime> {
    httpdate::parse_http_date(text).ok()
}
