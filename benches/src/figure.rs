//! Figures: repeated values of one case for one contender.
//!
//! Each series becomes one JSON object a line on standard output, with the
//! median, and one row of a table on standard error, with the spread. Programs
//! read the first, people the second.

/// The values that repeated runs gave for one case and one contender.
#[derive(Debug, Clone)]
pub struct Series {
    case: String,
    who: &'static str,
    unit: &'static str,
    values: Vec<f64>,
}

impl Series {
    /// An empty series for `who` in `case`.
    pub fn new(case: impl Into<String>, who: &'static str, unit: &'static str) -> Series {
        Series {
            case: case.into(),
            who,
            unit,
            values: Vec::new(),
        }
    }

    /// Adds the value of one more run.
    pub fn push(&mut self, value: f64) {
        self.values.push(value);
    }

    /// Whether this is the series of `who` in `case`.
    pub fn is(&self, case: &str, who: &str) -> bool {
        self.case == case && self.who == who
    }

    /// The case that was measured.
    pub fn case(&self) -> &str {
        &self.case
    }

    /// The median, or `None` when no run gave a value.
    pub fn median(&self) -> Option<f64> {
        let sorted = self.sorted();
        let middle = sorted.len() / 2;
        match sorted.len() {
            0 => None,
            length if length % 2 == 1 => Some(sorted[middle]),
            _ => Some((sorted[middle - 1] + sorted[middle]) / 2.0),
        }
    }

    fn sorted(&self) -> Vec<f64> {
        let mut sorted = self.values.clone();
        sorted.sort_by(f64::total_cmp);
        sorted
    }

    /// The JSON object of this series; `None` when no run gave a value.
    pub fn json(&self) -> Option<String> {
        // Names are identifiers of this package, so nothing needs escaping.
        Some(format!(
            r#"{{"case":"{}","who":"{}","value":{},"unit":"{}"}}"#,
            self.case,
            self.who,
            rounded(self.median()?),
            self.unit
        ))
    }
}

/// Adds `value` to the series of `who` in `case`, which is made when missing.
pub fn record(
    all: &mut Vec<Series>,
    case: &str,
    who: &'static str,
    unit: &'static str,
    value: f64,
) {
    let place = all
        .iter()
        .position(|series| series.is(case, who))
        .unwrap_or_else(|| {
            all.push(Series::new(case, who, unit));
            all.len() - 1
        });
    all[place].push(value);
}

/// Prints the JSON lines on standard output and the table on standard error.
///
/// The table's last column is the median over that of `subject` in the same
/// case: how many times dearer the contender is.
pub fn print(all: &[Series], subject: &str) {
    eprintln!(
        "{:<22} {:<22} {:>11} {:>11} {:>11} {:>4} {:<6} {:>7}",
        "case", "who", "median", "lowest", "highest", "runs", "unit", "ratio"
    );
    for series in all {
        let (Some(median), Some(json)) = (series.median(), series.json()) else {
            continue;
        };
        println!("{json}");
        let sorted = series.sorted();
        let base = all.iter().find(|other| other.is(&series.case, subject));
        let ratio = match base.and_then(Series::median) {
            Some(base) if base > 0.0 => format!("{:.2}", median / base),
            _ => String::new(),
        };
        eprintln!(
            "{:<22} {:<22} {:>11} {:>11} {:>11} {:>4} {:<6} {:>7}",
            series.case,
            series.who,
            rounded(median),
            rounded(sorted[0]),
            rounded(sorted[sorted.len() - 1]),
            sorted.len(),
            series.unit,
            ratio
        );
    }
}

/// Two decimals are more than these measurements can resolve.
fn rounded(value: f64) -> f64 {
    (value * 100.0).round() / 100.0
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_median_of_an_odd_and_an_even_number_of_runs() {
        let mut series = Series::new("case", "who", "ns");
        assert_eq!(series.median(), None);
        for value in [9.0, 1.0, 5.0] {
            series.push(value);
        }
        assert_eq!(series.median(), Some(5.0));
        series.push(6.0);
        assert_eq!(series.median(), Some(5.5));
    }

    #[test]
    fn a_series_is_one_json_object() {
        let mut all = Vec::new();
        record(&mut all, "switch-pair", "greenling", "ns", 8.104);
        record(&mut all, "switch-pair", "greenling", "ns", 8.096);
        assert_eq!(all.len(), 1);
        assert_eq!(
            all[0].json().as_deref(),
            Some(r#"{"case":"switch-pair","who":"greenling","value":8.1,"unit":"ns"}"#)
        );
    }
}
