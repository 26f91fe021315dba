//! Values of command lines.

use std::time::Duration;

/// The longest time limit; a year stands for "none" and keeps deadlines within what clocks count.
const SECONDS_MAX: f64 = 365.0 * 24.0 * 3600.0;

/// A number of seconds, such as `0.5`.
///
/// # Errors
///
/// For what is no number, negative, or more than a year.
pub fn seconds(text: &str) -> Result<Duration, String> {
    let seconds: f64 = text.parse().map_err(|_| "not a number".to_owned())?;
    if !(0.0..=SECONDS_MAX).contains(&seconds) {
        return Err(format!("not within 0 and {SECONDS_MAX}"));
    }
    Ok(Duration::from_secs_f64(seconds))
}
